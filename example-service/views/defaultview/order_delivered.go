package defaultview

import (
	"example.com/orders/events"
	es "github.com/esgen/esgen/runtime"
)

// onOrderDelivered folds an OrderDelivered event into the default view.
func onOrderDelivered(view *View, event events.OrderDelivered, meta es.Meta) error {
	view.Status = meta.State
	// The event has no field for: customerId, total, placedAt, carrier.
	return nil
}

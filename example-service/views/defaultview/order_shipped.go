package defaultview

import (
	"example.com/orders/events"
	es "github.com/esgen/esgen/runtime"
)

// onOrderShipped folds an OrderShipped event into the default view.
func onOrderShipped(view *View, event events.OrderShipped, meta es.Meta) error {
	view.Status = meta.State
	view.Carrier = &event.Carrier
	// The event has no field for: customerId, total, placedAt.
	return nil
}

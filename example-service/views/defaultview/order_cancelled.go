package defaultview

import (
	"example.com/orders/events"
	es "github.com/esgen/esgen/runtime"
)

// onOrderCancelled folds an OrderCancelled event into the default view.
func onOrderCancelled(view *View, event events.OrderCancelled, meta es.Meta) error {
	view.Status = meta.State
	// The event has no field for: customerId, total, placedAt, carrier.
	return nil
}

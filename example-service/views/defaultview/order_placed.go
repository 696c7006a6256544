package defaultview

import (
	"example.com/orders/events"
	es "github.com/esgen/esgen/runtime"
)

// onOrderPlaced folds an OrderPlaced event into the default view.
func onOrderPlaced(view *View, event events.OrderPlaced, meta es.Meta) error {
	view.CustomerID = event.CustomerID
	view.Status = meta.State
	view.Total = event.Total
	view.PlacedAt = event.PlacedAt
	// The event has no field for: carrier.
	return nil
}

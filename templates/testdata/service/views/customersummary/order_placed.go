package customersummary

import (
	"example.com/orders/events"
	es "github.com/esgen/esgen/runtime"
)

// onOrderPlaced folds an OrderPlaced event into the customer-summary view.
func onOrderPlaced(view *View, event events.OrderPlaced, meta es.Meta) error {
	// The event has no field for: orders, spent, lastOrderAt.
	return nil
}

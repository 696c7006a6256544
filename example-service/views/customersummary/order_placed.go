package customersummary

import (
	"example.com/orders/events"
	es "github.com/esgen/esgen/runtime"
)

// onOrderPlaced folds an OrderPlaced event into the customer-summary view. Orders of one
// customer arrive in any order: counting and adding do not mind, and what is the latest order is
// what meta.Latest says.
func onOrderPlaced(view *View, event events.OrderPlaced, meta es.Meta) error {
	view.Orders++
	view.Spent = view.Spent.Add(event.Total)
	if meta.Latest {
		view.LastOrderAt = &event.PlacedAt
	}
	return nil
}

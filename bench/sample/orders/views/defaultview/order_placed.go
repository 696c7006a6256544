package defaultview

import (
	"github.com/esgen/esgen/bench/sample/orders/events"
	es "github.com/esgen/esgen/runtime"
)

// onOrderPlaced folds an OrderPlaced event into the default view.
func onOrderPlaced(view *View, event events.OrderPlaced, meta es.Meta) error {
	view.CustomerID = event.CustomerID
	return nil
}

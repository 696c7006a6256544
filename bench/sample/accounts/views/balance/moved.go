package balance

import (
	"github.com/esgen/esgen/bench/sample/accounts/events"
	es "github.com/esgen/esgen/runtime"
)

// onMoved folds a Moved event into the balance view.
func onMoved(view *View, event events.Moved, meta es.Meta) error {
	view.Moves++
	view.Amount += event.Amount
	return nil
}

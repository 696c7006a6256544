package balance

import (
	"example.com/bank/events"
	es "github.com/esgen/esgen/runtime"
)

// onCashDeposited adds a deposit to the account it was made to.
func onCashDeposited(view *View, event events.CashDeposited, meta es.Meta) error {
	view.Balance = view.Balance.Add(event.Amount)
	moved(view, string(event.Currency), meta)
	return nil
}

// moved counts a movement; the account's currency is that of its first.
func moved(view *View, currency string, meta es.Meta) {
	view.Movements++
	if meta.Latest {
		view.Currency = currency
		view.LastMovementAt = &meta.Time
	}
}

package balance

import (
	"example.com/bank/events"
	es "github.com/esgen/esgen/runtime"
)

// onTransferSettled is called once for each of the two accounts, or once where
// both are the same.
func onTransferSettled(view *View, event events.TransferSettled, meta es.Meta) error {
	if view.AccountID == event.FromAccount {
		view.Balance = view.Balance.Sub(event.Amount).Sub(event.Fee)
	}
	if view.AccountID == event.ToAccount {
		view.Balance = view.Balance.Add(event.Amount)
	}
	moved(view, string(event.Currency), meta)
	return nil
}

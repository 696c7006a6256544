package memberloans

import (
	"example.com/library/events"
	es "github.com/esgen/esgen/runtime"
)

func onCopyLent(view *View, event events.CopyLent, meta es.Meta) error {
	view.Open[meta.EntityID] = event.DueOn
	return nil
}

func onLoanExtended(view *View, event events.LoanExtended, meta es.Meta) error {
	if _, lent := view.Open[meta.EntityID]; lent {
		view.Open[meta.EntityID] = event.DueOn
	}
	return nil
}

func onCopyReturned(view *View, event events.CopyReturned, meta es.Meta) error {
	delete(view.Open, meta.EntityID)
	view.Returned++
	return nil
}

func onCopyLost(view *View, event events.CopyLost, meta es.Meta) error {
	delete(view.Open, meta.EntityID)
	view.Lost++
	return nil
}

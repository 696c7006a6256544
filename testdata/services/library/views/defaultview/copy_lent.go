package defaultview

import (
	"example.com/library/events"
	es "github.com/esgen/esgen/runtime"
)

func onCopyLent(view *View, event events.CopyLent, meta es.Meta) error {
	view.State = meta.State
	view.MemberID = &event.MemberID
	view.DueOn = &event.DueOn
	view.Loans++
	return nil
}

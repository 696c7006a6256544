package defaultview

import (
	"example.com/library/events"
	es "github.com/esgen/esgen/runtime"
)

func onCopyReturned(view *View, event events.CopyReturned, meta es.Meta) error {
	view.State = meta.State
	view.MemberID = nil
	view.DueOn = nil
	return nil
}

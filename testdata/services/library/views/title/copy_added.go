package title

import (
	"example.com/library/events"
	es "github.com/esgen/esgen/runtime"
)

func onCopyAdded(view *View, event events.CopyAdded, meta es.Meta) error {
	view.Copies++
	view.Shelves[string(event.Shelf)]++
	if meta.Latest {
		view.Title = event.Title
	}
	return nil
}

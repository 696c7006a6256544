package bycolour

import (
	"github.com/esgen/esgen/runtime"

	"example.com/everything/events"
)

func onKeyed(view *View, event events.Keyed, meta es.Meta) error {
	view.Count++
	return nil
}

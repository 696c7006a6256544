package floor

import (
	"example.com/sensors/events"
	es "github.com/esgen/esgen/runtime"
)

func onReadingTaken(view *View, event events.ReadingTaken, meta es.Meta) error {
	view.Readings++
	if view.Coldest == nil || *view.Coldest > event.Celsius {
		view.Coldest = &event.Celsius
	}
	return nil
}

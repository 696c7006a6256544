package defaultview

import (
	"example.com/sensors/events"
	es "github.com/esgen/esgen/runtime"
)

func onReadingTaken(view *View, event events.ReadingTaken, meta es.Meta) error {
	view.Readings++
	view.Celsius = &event.Celsius
	view.TakenAt = event.TakenAt
	if event.Raw != nil {
		view.Raw = event.Raw
	}
	if event.Extra != nil {
		view.Extra = event.Extra
	}
	return nil
}

func onSensorRetired(view *View, event events.SensorRetired, meta es.Meta) error {
	view.Retired = true
	return nil
}

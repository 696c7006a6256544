package site

import (
	"example.com/sensors/events"
	es "github.com/esgen/esgen/runtime"
)

func onSensorInstalled(view *View, event events.SensorInstalled, meta es.Meta) error {
	view.Sensors++
	if meta.Latest {
		view.Latest = nil // a new sensor: what others measured is no longer the latest word
	}
	return nil
}

func onReadingTaken(view *View, event events.ReadingTaken, meta es.Meta) error {
	view.Readings++
	if view.Hottest == nil || *view.Hottest < event.Celsius {
		view.Hottest = &event.Celsius
	}
	if meta.Latest {
		view.Latest = &event.Celsius
	}
	return nil
}

package day

import (
	"example.com/sensors/events"
	es "github.com/esgen/esgen/runtime"
)

func onReadingTaken(view *View, event events.ReadingTaken, meta es.Meta) error {
	view.Readings++
	return nil
}

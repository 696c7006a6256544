package es_test

import (
	"context"
	"fmt"
	"testing"

	es "github.com/esgen/esgen/runtime"
)

// counted is a store that says how many events it has.
type counted struct {
	es.EventStore
	n int64
}

func (c counted) CountEvents(context.Context) (int64, error) { return c.n, nil }

// A sample looks at as many entities as it is told to, wherever it begins, and says when there are others.
func TestSampleStatus(t *testing.T) {
	for _, c := range []struct {
		stored, counted, asked, compared int
	}{
		{40, 40, 100, 40},
		{40, 400, 25, 25}, // of four parts
		{40, 800, 39, 39},
		{40, 800, 40, 40},
		{100, 100, 1000, 60}, // three a request, and no more than twenty of these
		{0, 0, 10, 0},
	} {
		b := newBench(t, "diary")
		for i := range c.stored {
			b.happen(fmt.Sprint("e", i), opened("ann", "red"))
		}
		stores := b.store.stores()
		stores.Events = counted{stores.Events, int64(c.counted)}
		p := es.NewProjector(b.model, stores, es.ProjectorOptions{Deployment: "d"})
		all, err := p.SampleStatus(t.Context(), c.asked)
		if err != nil || len(all) != 1 {
			t.Fatal(all, err)
		}
		s := all[0]
		if s.Entities != c.compared || s.Behind != c.compared || s.Sampled != (c.compared < c.stored) {
			t.Errorf("%+v: %+v", c, s)
		}
		if first := b.store.events["e0"]; c.stored > 0 && !s.Oldest.Equal(first[0].Time) {
			t.Errorf("the oldest that waits is of %v, want %v", s.Oldest, first[0].Time)
		}
	}
}

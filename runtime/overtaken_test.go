package es_test

import (
	"context"
	"testing"
	"time"
)

// A projector that closes a gap of several windows is overtaken in the first by another, which
// closes all of it. It must see that there is nothing left to do; it used to look at the same
// window again and again, until its time was up. Found by simulation.
func TestCatchUpThatIsOvertaken(t *testing.T) {
	b := newBench(t)
	var acts []act
	for range 1200 {
		acts = append(acts, opened("ann", "red"))
	}
	history := b.happen("a", acts...)
	last := history[len(history)-1]
	overtaken := false
	b.store.before = func(_ context.Context, call string) error {
		if call == "Write" && !overtaken {
			overtaken = true
			b.project(b.projector("d"), last)
		}
		return nil
	}
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(20*time.Second))
	defer cancel()
	report, _, err := b.projector("d").Project(ctx, history[len(history)-1:])
	if err != nil || report.Left != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	b.check(false)
}

package es_test

import (
	"context"
	"testing"

	es "github.com/esgen/esgen/runtime"
)

// An event that comes again, as streams and operators make it, frees an entity of the quarantine
// when the code is mended. What was delivered while it was held does not come again: it must be
// folded along. Found by simulation.
func TestOldEventFreesAnEntityWithAllThatCameMeanwhile(t *testing.T) {
	b := newBench(t)
	batch := b.happen("a", opened("ann", "red"), broken, added(1), added(2))
	b.project(b.projector("first"), batch...)
	b.check(false)
	b.mend()
	second := b.projector("second")
	b.project(second, batch[1])
	b.check(true)
	if q := b.quarantine(second); len(q) != 0 {
		t.Errorf("quarantine %+v", q)
	}
}

// While one process reads a history to get an entity past its failure, another acknowledges the
// entity's next event, since the entity is held. It must not be forgotten.
func TestEventsOfAnEntityThatIsBeingFreed(t *testing.T) {
	free := map[string]func(b *bench){
		"by its next event": func(b *bench) { b.project(b.projector("second"), b.happen("a", opened("bob", "red"))...) },
		"by an operator": func(b *bench) {
			if sum, err := b.projector("second").RetryQuarantine(b.t.Context(), "", ""); err != nil {
				b.t.Fatalf("%+v, %v", sum, err)
			}
		},
	}
	for name, freed := range free {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			first := b.projector("first")
			b.project(first, b.happen("a", opened("ann", "red"), broken, added(1))...)
			b.mend()
			meanwhile := 0
			b.store.after = func(_ context.Context, call string) error {
				if call == "Read" && meanwhile < 3 {
					meanwhile++
					b.project(first, b.happen("a", opened("cid", "red"))...)
				}
				return nil
			}
			freed(b)
			if meanwhile == 0 {
				t.Error("the history was not read")
			}
			b.check(true)
		})
	}
}

// A reconcile that another process overtakes finds the entity held by what that has come to. It
// must leave it so: it used to take its own, older end of the history for the end. Found by simulation.
func TestReconcileLeavesHeldWhatOthersHold(t *testing.T) {
	b := newBench(t)
	b.happen("a", opened("ann", "red"))
	meanwhile := false
	b.store.before = func(_ context.Context, call string) error {
		if call == "Write" && !meanwhile {
			meanwhile = true
			b.project(b.projector("d"), b.happen("a", broken, added(1))...)
		}
		return nil
	}
	p := b.projector("d")
	if sum, err := p.Reconcile(t.Context(), es.ReconcileOptions{Full: true}); err != nil {
		t.Errorf("%+v, %v", sum, err)
	}
	if !meanwhile {
		t.Error("nothing was written")
	}
	b.check(false)
	if q := b.quarantine(p); len(q) != 3 || b.item("diary", "a").Held != "d" || b.marker("purses", "a").Held != "d" {
		t.Errorf("quarantine %+v, record %+v", q, b.item("diary", "a"))
	}
}

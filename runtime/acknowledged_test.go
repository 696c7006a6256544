package es_test

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"pgregory.net/rapid"
)

// shortPages reads histories a few events at a time, as a store does whose events are large.
type shortPages struct {
	es.EventStore
	most int
}

func (s shortPages) Read(ctx context.Context, id string, after int64, limit int) ([]es.Recorded, bool, error) {
	return s.EventStore.Read(ctx, id, after, min(limit, s.most))
}

// acknowledging delivers every event until it is acknowledged, and never again.
type acknowledging struct {
	simulation
	clock time.Time
	waits []es.Recorded // not acknowledged
}

// deliverOnce delivers some of what waits and takes away what was acknowledged.
func (a *acknowledging) deliverOnce() {
	a.mu.Lock()
	a.waits = append(a.waits, a.fed...)
	a.fed = nil
	if len(a.waits) == 0 {
		a.mu.Unlock()
		return
	}
	if a.rand.IntN(3) == 0 { // events of an entity are in no promised order
		a.rand.Shuffle(len(a.waits), func(i, j int) { a.waits[i], a.waits[j] = a.waits[j], a.waits[i] })
	}
	batch := slices.Clone(a.waits[:1+a.rand.IntN(min(len(a.waits), 8))])
	a.waits = a.waits[len(batch):] // somebody else who gets between has others
	mended := a.mixed && a.rand.IntN(3) == 0
	now := a.clock
	a.mu.Unlock()
	deployment := "broken"
	if mended {
		deployment = "mended"
	}
	p := es.NewProjector(ledgerModel(mended), a.stores, es.ProjectorOptions{Deployment: deployment, Logger: quiet(), Clock: a.now})
	ctx, cancel := context.WithDeadline(context.Background(), now.Add(time.Hour))
	defer cancel()
	_, retry, _ := p.Project(context.WithValue(ctx, crashKey{}, cancel), batch)
	a.mu.Lock()
	a.waits = append(slices.Clone(batch[retry:]), a.waits...)
	a.mu.Unlock()
}

func (a *acknowledging) now() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.clock
}

// before is that of the simulation, but that who gets between takes part in the acknowledging, and
// that time passes.
func (a *acknowledging) before(ctx context.Context, _ string) error {
	crash, ok := ctx.Value(crashKey{}).(context.CancelFunc)
	if !ok {
		return nil
	}
	if a.chance(0.2) {
		a.mu.Lock()
		a.clock = a.clock.Add(20 * time.Minute)
		a.mu.Unlock()
	}
	switch {
	case a.chance(a.fault / 4):
		crash()
		return ctx.Err()
	case a.chance(a.fault):
		return es.ErrThrottled
	case a.chance(a.fault):
		a.mu.Lock()
		nest := a.depth < 3
		a.depth++
		a.mu.Unlock()
		if nest {
			a.deliverOnce()
		}
		a.mu.Lock()
		a.depth--
		a.mu.Unlock()
	}
	return nil
}

// What a projector acknowledged is folded, or on record: in quarantine, or left for reconcile. Nothing
// but what is on record is looked at to bring it in.
func TestWhatIsAcknowledgedIsFoldedOrOnRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store := newMemoryStore()
		a := &acknowledging{clock: time.Now()}
		a.stores = store.stores()
		a.stores.Events = shortPages{store, rapid.IntRange(1, 5).Draw(t, "page")}
		a.histories = drawHistories(t)
		a.mixed = rapid.Bool().Draw(t, "mixed")
		a.fault = rapid.SampledFrom([]float64{0, 0.02, 0.1, 0.3}).Draw(t, "fault")
		a.rand = rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		store.before, store.after = a.before, a.after
		a.stored = map[string]int{}
		ids := slices.Sorted(maps.Keys(a.histories))
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			if len(ids) > 0 {
				a.happen(ids[a.pick(len(ids))], 1+a.pick(5))
			}
			a.deliverOnce()
		}
		for _, id := range ids {
			a.happen(id, 100)
		}
		a.deliverOnce()
		for len(a.waits) > 0 {
			a.deliverOnce()
		}
		ctx := context.Background()
		if !a.mixed {
			if sum, err := a.projector(false).Reconcile(ctx, es.ReconcileOptions{}); err != nil {
				t.Fatalf("reconcile: %v, %+v", err, sum)
			}
			a.compare(t, "broken code", false)
		}
		p := a.projector(true)
		if sum, err := p.RetryQuarantine(ctx, "", ""); err != nil {
			t.Fatalf("retry: %v, %+v", err, sum)
		}
		if sum, err := p.Reconcile(ctx, es.ReconcileOptions{}); err != nil {
			t.Fatalf("reconcile: %v, %+v", err, sum)
		}
		a.compare(t, "mended code", true)
		if len(store.misuse) > 0 {
			t.Fatalf("the store was misused: %s", store.misuse)
		}
	})
}

// A batch whose time is over at any call, from the first on, acknowledges nothing that is not folded or on record.
func TestTimeThatIsOverAtAnyCall(t *testing.T) {
	for over := range 200 {
		b := newBench(t)
		b.happen("a", opened("ann", "red"), added(1))
		batch := b.happen("a", act{kind: "Added", Owner: "ann", Keys: []string{"red"}, N: 7})
		batch = append(batch, b.happen("b", opened("bob", "red", "blue"), broken, added(2))...)
		batch = append(batch, b.happen("c", act{kind: "Noted"}, act{kind: "Moved", Owner: "cid", From: "bob", N: 2})...)
		calls := 0
		deadline := time.Now()
		if over > 0 {
			deadline = deadline.Add(time.Hour)
		}
		ctx, cancel := context.WithDeadline(t.Context(), deadline)
		var mu sync.Mutex
		b.store.before = func(context.Context, string) error {
			mu.Lock()
			defer mu.Unlock()
			if calls++; calls == over {
				cancel()
				return ctx.Err()
			}
			return nil
		}
		p := b.projector("d")
		_, retry, err := p.Project(ctx, batch)
		ended := calls < over
		cancel()
		b.store.before = nil
		if (err == nil) != (retry == len(batch)) || over == 0 && retry != 0 {
			t.Fatalf("over at call %d: retry %d, %v", over, retry, err)
		}
		b.project(p, batch[retry:]...)
		if sum, err := p.Reconcile(t.Context(), es.ReconcileOptions{}); err != nil {
			t.Fatalf("over at call %d: %+v, %v", over, sum, err)
		}
		b.check(false)
		if ended {
			if over < 10 {
				t.Errorf("a batch takes %d calls only", over)
			}
			return
		}
	}
	t.Error("a batch takes more calls than were tried")
}

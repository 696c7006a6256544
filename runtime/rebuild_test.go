package es_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// nextRevision gives the views of a bench their next revision.
func (b *bench) nextRevision() {
	for i := range b.model.Views {
		b.model.Views[i].Revision++
	}
}

func (b *bench) rebuild(p *es.Projector, view string, o es.RebuildOptions) es.Rebuilt {
	b.t.Helper()
	done, err := p.Rebuild(b.t.Context(), view, o)
	if err != nil {
		b.t.Fatalf("rebuild %s: %v", view, err)
	}
	return done
}

func (b *bench) status(p *es.Projector, view string) es.ViewStatus {
	b.t.Helper()
	all, err := p.Status(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, s := range all {
		if s.View == view {
			return s
		}
	}
	b.t.Fatalf("no status of %s", view)
	return es.ViewStatus{}
}

// A new revision is built beside the old one, which readers get until it is complete.
func TestRebuild(t *testing.T) {
	for _, view := range []string{"diary", "purses", "boards"} {
		t.Run(view, func(t *testing.T) {
			b := newBench(t, view)
			gain := act{kind: "Added", Owner: "bob", Keys: []string{"red"}, N: 4}
			old := b.projector("1")
			b.project(old, b.happen("a", opened("ann", "red"), added(1))...)
			b.project(old, b.happen("b", opened("bob", "red", "blue"), added(2))...)
			before := es.Table{View: view, Revision: 1}
			if n := b.store.marked[before]; n[0] == 0 || n[1] > 0 {
				t.Errorf("the first revision is not live: %v", n)
			}
			if s := b.status(old, view); s.Active != 1 || s.Rebuild.State != es.RebuildNone {
				t.Errorf("before: %+v", s)
			}

			b.nextRevision()
			p := b.projector("2")
			now := es.Table{View: view, Revision: 2}
			b.project(p, b.happen("b", gain)...)
			b.project(p, b.happen("c", opened("ann", "blue"))...)
			if n := b.store.marked[now]; n[0] > 0 || n[1] == 0 {
				t.Errorf("what nobody reads yet is live: %v", n)
			}
			if s := b.status(p, view); s.Active != 1 || s.Rebuild.State != es.RebuildDue || s.Behind != 1 {
				t.Errorf("deployed: %+v", s)
			}
			done := b.rebuild(p, view, es.RebuildOptions{Segments: 3})
			if done.Active != 2 || done.State != es.RebuildDone || done.Entities != 3 || done.Events != 6 || done.SegmentsDone != 3 {
				t.Errorf("%+v", done)
			}
			b.check(false)
			if n := b.store.marked[now]; n[0] > 0 {
				t.Errorf("the rebuild wrote as if live: %v", n)
			}
			if s := b.status(p, view); s.Active != 2 || s.Rebuild.State != es.RebuildDone || s.Behind != 0 {
				t.Errorf("rebuilt: %+v", s)
			}

			b.project(p, b.happen("a", gain)...)
			if n := b.store.marked[now]; n[0] == 0 {
				t.Error("what is read is not live")
			}
			again := b.rebuild(p, view, es.RebuildOptions{})
			if again.Entities != 3 || again.Segments != 3 {
				t.Errorf("again: %+v", again)
			}
			b.check(false)

			if err := p.DropRevision(t.Context(), now); !errors.Is(err, es.ErrStillNeeded) {
				t.Errorf("dropping what is read: %v", err)
			}
			if err := p.DropRevision(t.Context(), before); err != nil {
				t.Error(err)
			}
			if b.store.tables[before] != nil {
				t.Error("the old table is still there")
			}
			b.check(false)
		})
	}
}

// Entities that cannot be folded are listed and do not stop a rebuild; readers do not lose them
// unless told to.
func TestRebuildQuarantines(t *testing.T) {
	b := newBench(t, "diary")
	b.mend("diary")
	good := b.projector("1")
	for _, id := range []string{"a", "b", "c"} {
		b.project(good, b.happen(id, opened("ann"), broken, added(1))...)
	}
	b.project(good, b.happen("d", opened("ann"))...)
	b.model = ledgerModel(false)
	b.keep("diary")
	b.nextRevision()
	p := b.projector("2")
	done := b.rebuild(p, "diary", es.RebuildOptions{})
	if !done.Held() || done.Active != 1 || done.Quarantined != 3 || len(done.Worse) != 3 || done.Entities != 4 {
		t.Fatalf("%+v", done)
	}
	if s := b.status(p, "diary"); s.Rebuild.State != es.RebuildHeld || s.Active != 1 || s.Quarantined != 3 {
		t.Errorf("%+v", s)
	}
	if done = b.rebuild(p, "diary", es.RebuildOptions{Accept: true}); done.Held() || done.Active != 2 || done.Quarantined != 3 {
		t.Errorf("accepted: %+v", done)
	}
	b.check(false)

	// What was in quarantine before does not hold readers up.
	b.nextRevision()
	p = b.projector("3")
	if done = b.rebuild(p, "diary", es.RebuildOptions{}); done.Held() || done.Active != 3 || done.Quarantined != 3 || len(done.Worse) != 0 {
		t.Errorf("the next: %+v", done)
	}
}

// A rebuild reads no faster than it is told to, whatever time that takes.
func TestRebuildRate(t *testing.T) {
	const events, rate = 4000, 100
	b := newBench(t, "diary")
	for i := range 40 {
		acts := []act{opened("ann")}
		for len(acts) < events/40 {
			acts = append(acts, added(1))
		}
		b.happen(fmt.Sprint("e", i), acts...)
	}
	var mu sync.Mutex
	now := ledgerEpoch
	b.clock = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	read := func() int { // what Read has handed out
		n := 0
		for _, t := range b.store.tables {
			for _, item := range t.items {
				n += int(item.Guard)
			}
		}
		return n
	}
	sleep := func(_ context.Context, d time.Duration) error {
		mu.Lock()
		defer mu.Unlock()
		b.store.mu.Lock()
		if done, most := read(), rate*(now.Sub(ledgerEpoch).Seconds()+1); float64(done) > most {
			t.Errorf("%d events in %v, at most %v", done, now.Sub(ledgerEpoch), most)
		}
		b.store.mu.Unlock()
		now = now.Add(d)
		return nil
	}
	p := b.projector("1")
	b.rebuild(p, "diary", es.RebuildOptions{Rate: rate, Parallel: 1, Sleep: sleep})
	if took, want := now.Sub(ledgerEpoch), time.Duration(events/rate-1)*time.Second; took < want {
		t.Errorf("%d events took %v, want at least %v", events, took, want)
	}
	b.check(false)
}

// Rebuilds stop at any point and go on, several at once, beside writers and projectors, while the
// store fails; what comes out is the fold of the history.
func TestRebuildsUnderFire(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { rebuildUnderFire(t, seed) })
	}
}

func rebuildUnderFire(t *testing.T, seed uint64) {
	b := newBench(t)
	random := rand.New(rand.NewPCG(seed, 4))
	old := b.projector("1")
	ids := make([]string, 25)
	for i := range ids {
		ids[i] = fmt.Sprint("e", i)
		b.project(old, b.happen(ids[i], opened([]string{"ann", "bob"}[i%2], "red", "blue"), added(int64(i)))...)
	}
	b.nextRevision()
	var mu sync.Mutex
	chance := func(p float64) bool { mu.Lock(); defer mu.Unlock(); return random.Float64() < p }
	fault := errors.New("no answer")
	b.store.before = func(context.Context, string) error {
		if chance(0.02) {
			return es.ErrThrottled
		}
		return nil
	}
	b.store.after = func(context.Context, string) error {
		if chance(0.01) {
			return fault
		}
		return nil
	}
	nap := func(ctx context.Context, d time.Duration) error {
		time.Sleep(time.Millisecond)
		return ctx.Err()
	}
	var live, rebuilds sync.WaitGroup
	stop := make(chan struct{})
	live.Go(func() { // writers, and a projector that loses some of what they write
		p := b.projector("2")
		for {
			select {
			case <-stop:
				return
			default:
			}
			mu.Lock()
			id, n := ids[random.IntN(len(ids))], random.Int64N(9)
			mu.Unlock()
			b.store.mu.Lock()
			batch := b.happen(id, added(n))
			b.store.mu.Unlock()
			if chance(0.8) {
				_, _, _ = p.Project(t.Context(), batch)
			}
			time.Sleep(50 * time.Microsecond)
		}
	})
	for process := range 2 {
		for _, v := range b.model.Views {
			rebuilds.Go(func() {
				for {
					ctx, kill := context.WithCancel(t.Context())
					p := b.projector(fmt.Sprint("process ", process))
					count := 0
					_, err := p.Rebuild(ctx, v.Name, es.RebuildOptions{Segments: 5, Parallel: 2, Sleep: nap, Alone: chance(0.5), Progress: func(es.RebuildStatus) {
						if count++; chance(0.1) {
							kill()
						}
					}})
					kill()
					if err == nil {
						return
					}
				}
			})
		}
	}
	rebuilds.Wait()
	close(stop)
	live.Wait()
	b.store.before, b.store.after = nil, nil
	p := b.projector("3")
	for _, v := range b.model.Views {
		if s := b.status(p, v.Name); s.Active != v.Revision || s.Rebuild.State != es.RebuildDone {
			t.Errorf("%s: %+v", v.Name, s)
		}
	}
	if _, err := p.Reconcile(t.Context(), es.ReconcileOptions{Full: true}); err != nil { // of what the projector lost
		t.Fatal(err)
	}
	b.check(false)
}

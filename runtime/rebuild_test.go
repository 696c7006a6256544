package es_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
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

// Readers remember for a moment which revision they get: what they still read is not dropped.
func TestDropWaitsForReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := ordersModel()
		s := newService(t, m)
		s.mustPost(t, placed("o"))
		s.project(t)
		m.Views[0].Revision = 2
		s.query = es.NewQuery(m, s.stores, es.QueryOptions{})
		p := es.NewProjector(m, s.stores, es.ProjectorOptions{Logger: quiet()})
		if got := s.get(t, "/o"); got.Status != 200 {
			t.Fatalf("before the rebuild: %d", got.Status)
		}
		if _, err := p.Rebuild(t.Context(), "default", es.RebuildOptions{}); err != nil {
			t.Fatal(err)
		}
		dropped := make(chan error)
		go func() { dropped <- p.DropRevision(t.Context(), es.Table{View: "default", Revision: 1}) }()
		for gone := false; !gone; {
			select {
			case err := <-dropped:
				if err != nil {
					t.Error(err)
				}
				gone = true
			case <-time.After(time.Second / 4):
			}
			if got := s.get(t, "/o"); got.Status != 200 {
				t.Fatalf("while the old revision goes: %d", got.Status)
			}
		}
	})
}

// Who has known for some time that readers get an older revision, and cannot ask, does not read it: it may have
// been dropped. Nor does a clock that was set back make what was known then new.
func TestReadersDoNotGuess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := ordersModel()
		s := newService(t, m)
		s.mustPost(t, placed("o"))
		s.project(t)
		m.Views[0].Revision = 2
		progress := &failingProgress{ProgressStore: s.stores.Progress}
		setBack := time.Duration(0)
		query := func() *es.Query {
			return es.NewQuery(m, es.Stores{Events: s.stores.Events, Views: s.stores.Views, Progress: progress},
				es.QueryOptions{Clock: func() time.Time { return time.Now().Add(-setBack) }})
		}
		cut, late := query(), query()
		for _, s.query = range []*es.Query{cut, late} {
			if got := s.get(t, "/o"); got.Status != 200 {
				t.Fatalf("before the rebuild: %d", got.Status)
			}
		}
		p := es.NewProjector(m, s.stores, es.ProjectorOptions{Logger: quiet()})
		if _, err := p.Rebuild(t.Context(), "default", es.RebuildOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := p.DropRevision(t.Context(), es.Table{View: "default", Revision: 1}); err != nil {
			t.Fatal(err)
		}
		s.query, setBack = late, time.Hour
		if got := s.get(t, "/o"); got.Status != 200 {
			t.Errorf("after the clock was set back: %d", got.Status)
		}
		s.query, setBack, progress.err = cut, 0, errors.New("no answer")
		if got := s.get(t, "/o"); got.Status != 503 {
			t.Errorf("without an answer to which revision readers get: %d", got.Status)
		}
		// What is known for good is not asked for.
		s.query = late
		time.Sleep(time.Minute)
		if got := s.get(t, "/o"); got.Status != 200 {
			t.Errorf("when readers are known to get this revision: %d", got.Status)
		}
	})
}

// A read of an older revision that is held up does not outlast it.
func TestReadsEndBeforeTheirRevision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := ordersModel()
		s := newService(t, m)
		s.mustPost(t, placed("o"))
		s.project(t)
		m.Views[0].Revision = 2
		p := es.NewProjector(m, s.stores, es.ProjectorOptions{Logger: quiet()})
		views := &slowViews{ViewStore: s.stores.Views}
		s.query = es.NewQuery(m, es.Stores{Events: s.stores.Events, Views: views, Progress: s.stores.Progress}, es.QueryOptions{})
		s.get(t, "/o") // makes the older revision known
		time.Sleep(time.Second)
		if _, err := p.Rebuild(t.Context(), "default", es.RebuildOptions{}); err != nil {
			t.Fatal(err)
		}
		views.wait = 10 * time.Second
		go func() { _ = p.DropRevision(t.Context(), es.Table{View: "default", Revision: 1}) }()
		var reads sync.WaitGroup
		for _, target := range []string{"/o", "/", "/o?minVersion=1"} {
			reads.Go(func() {
				if got := s.get(t, target); got.Status != 503 {
					t.Errorf("GET %s, held up while the revision goes: %d %s", target, got.Status, got.Body)
				}
			})
		}
		reads.Wait()
	})
}

// slowViews is a store of views whose reads are held up.
type slowViews struct {
	es.ViewStore
	wait time.Duration
}

func (v *slowViews) hold(ctx context.Context) error {
	select {
	case <-time.After(v.wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (v *slowViews) Get(ctx context.Context, t es.Table, key string, strong bool) (*es.Item, error) {
	if err := v.hold(ctx); err != nil {
		return nil, err
	}
	return v.ViewStore.Get(ctx, t, key, strong)
}

func (v *slowViews) List(ctx context.Context, t es.Table, page es.PageRequest) (es.ItemPage, error) {
	if err := v.hold(ctx); err != nil {
		return es.ItemPage{}, err
	}
	return v.ViewStore.List(ctx, t, page)
}

// failingProgress is a store of progress that cannot be read when it has an error.
type failingProgress struct {
	es.ProgressStore
	err error
}

func (p *failingProgress) Progress(ctx context.Context, part, id string) (*es.Entry, error) {
	if p.err != nil {
		return nil, p.err
	}
	return p.ProgressStore.Progress(ctx, part, id)
}

// A retired revision keeps how far it is folded: who goes back to it while it has its table folds on.
func TestWhoGoesBackToARetiredRevisionFoldsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // dropping waits for readers
		b := newBench(t)
		b.project(b.projector("1"), b.happen("a", opened("ann", "red"), added(1))...)
		b.nextRevision()
		p := b.projector("2")
		retired := func() (all []es.Table) {
			for i := range b.model.Views {
				tables, err := p.RetiredRevisions(t.Context(), b.model.Views[i].Name)
				if err != nil {
					t.Error(err)
				}
				all = append(all, tables...)
			}
			return all
		}
		for i := range b.model.Views {
			before := es.Table{View: b.model.Views[i].Name, Revision: 1}
			if err := p.RetireRevision(t.Context(), before); !errors.Is(err, es.ErrStillNeeded) {
				t.Errorf("retiring what readers get: %v", err)
			}
			b.rebuild(p, before.View, es.RebuildOptions{})
			if err := p.RetireRevision(t.Context(), before); err != nil {
				t.Error(err)
			}
		}
		if got := retired(); len(got) != len(b.model.Views) {
			t.Errorf("retired are %v", got)
		}
		for i := range b.model.Views {
			b.model.Views[i].Revision = 1
		}
		b.project(b.projector("1"), b.happen("a", added(2))...)
		b.check(false)

		b.nextRevision()
		for i := range b.model.Views {
			if err := p.DropRevision(t.Context(), es.Table{View: b.model.Views[i].Name, Revision: 1}); err != nil {
				t.Error(err)
			}
		}
		if got := retired(); len(got) != 0 {
			t.Errorf("after the drop, retired are %v", got)
		}
	})
}

// The readers' side: HTTP answers come of the old revision as it stood, then of the new one.
func TestReadersSwitchByThemselves(t *testing.T) {
	m := ordersModel()
	s := newService(t, m)
	s.mustPost(t, placed("o"))
	s.project(t)
	m.Views[0].Revision = 2
	s.query = es.NewQuery(m, s.stores, es.QueryOptions{Clock: s.tick})
	s.mustPost(t, shipped("o"), placed("p"))
	s.project(t)
	if m := object(t, s.get(t, "/o")); m["status"] != "placed" {
		t.Errorf("during the rebuild: %v", m)
	}
	wantProblem(t, s.get(t, "/p"), 404, "not-found")
	wantProblem(t, s.get(t, "/o?minVersion=2"), 503, "rebuilding")
	p := es.NewProjector(m, s.stores, es.ProjectorOptions{Logger: quiet()})
	if err := p.DropRevision(t.Context(), es.Table{View: "default", Revision: 1}); !errors.Is(err, es.ErrStillNeeded) {
		t.Errorf("dropping what readers get: %v", err)
	}
	if _, err := p.Rebuild(t.Context(), "default", es.RebuildOptions{}); err != nil {
		t.Fatal(err)
	}
	s.tick()
	s.tick()
	if m := object(t, s.get(t, "/o")); m["status"] != "shipped" {
		t.Errorf("after it: %v", m)
	}
	if a := s.get(t, "/p"); a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
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

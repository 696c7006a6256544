package es_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// anOrderBefore is a service with one placed order "o", folded into revision 1 of the view default; by now the model has
// revision 2.
func anOrderBefore(t *testing.T) (*es.Model, *service) {
	t.Helper()
	m := ordersModel()
	s := newService(t, m)
	s.mustPost(t, placed("o"))
	s.project(t)
	m.Views[0].Revision = 2
	return m, s
}

// The readers' side: HTTP answers come of the old revision as it stood, then of the new one.
func TestReadersSwitchByThemselves(t *testing.T) {
	m, s := anOrderBefore(t)
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

// Who has known for some time that readers get an older revision, and cannot ask, does not read it: it may have
// been dropped. Nor does a clock that was set back make what was known then new.
func TestReadersDoNotGuess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := anOrderBefore(t)
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
		m, s := anOrderBefore(t)
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

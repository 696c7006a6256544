package es_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	es "github.com/esgen/esgen/runtime"
	"pgregory.net/rapid"
)

// simulation delivers random histories in a random way to projectors that are
// throttled, time out after their writes, crash between two calls, and interrupt
// each other there.
type simulation struct {
	stores    es.Stores                // with the faults of before and after
	histories map[string][]es.Recorded // all that will happen
	stored    map[string]int           // events of each, so far
	fed       []es.Recorded            // what the stream has
	mixed     bool                     // some projectors already run the mended code

	mu    sync.Mutex // of rand: steps are written beside each other
	rand  *rand.Rand
	fault float64
	depth int
}

type crashKey struct{}

var errFault = errors.New("fault")

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func drawHistories(t *rapid.T) map[string][]es.Recorded {
	owner := rapid.SampledFrom([]string{"ann", "bob", "cid", "", strings.Repeat("x", 257)})
	key := rapid.SampledFrom([]string{"red", "blue", "green", "", "red", "amber"})
	kind := rapid.SampledFrom([]string{"Opened", "Added", "Added", "Moved", "Closed", "Noted", "Broken", "Forgotten"})
	state := rapid.SampledFrom([]string{"", "open", "shut", "bygone"})
	histories := map[string][]es.Recorded{}
	for i := range rapid.IntRange(1, 4).Draw(t, "entities") {
		id := fmt.Sprintf("e%d", i)
		for v := range rapid.IntRange(0, 14).Draw(t, "events") {
			a := act{kind: kind.Draw(t, "kind"), Owner: owner.Draw(t, "owner"), N: rapid.Int64Range(0, 3).Draw(t, "n"),
				Keys: rapid.SliceOfN(key, 0, 4).Draw(t, "keys")}
			if a.kind == "Moved" || a.kind == "Broken" {
				a.From = owner.Draw(t, "from")
			}
			histories[id] = append(histories[id], record(id, int64(v)+1, a, state.Draw(t, "state")))
		}
	}
	return histories
}

func (s *simulation) chance(p float64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rand.Float64() < p
}

func (s *simulation) pick(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rand.IntN(n)
}

// before and after are the faults.
func (s *simulation) before(ctx context.Context, call string) error {
	crash, ok := ctx.Value(crashKey{}).(context.CancelFunc)
	if !ok {
		return nil
	}
	switch {
	case s.chance(s.fault / 4):
		crash()
		return ctx.Err()
	case s.chance(s.fault):
		return es.ErrThrottled
	case s.chance(s.fault):
		s.mu.Lock()
		nest := s.depth < 3
		s.depth++
		s.mu.Unlock()
		if nest {
			s.deliver() // somebody else gets between
		}
		s.mu.Lock()
		s.depth--
		s.mu.Unlock()
	}
	return nil
}

func (s *simulation) after(ctx context.Context, call string) error {
	crash, ok := ctx.Value(crashKey{}).(context.CancelFunc)
	if !ok {
		return nil
	}
	if s.chance(s.fault / 4) {
		crash()
		return nil
	}
	if s.chance(s.fault) {
		return errFault // done, and nobody knows
	}
	return nil
}

// happen stores the next events of an entity, and lets the stream have them.
func (s *simulation) happen(id string, n int) {
	h := s.histories[id]
	for ; n > 0 && s.stored[id] < len(h); n-- {
		r := h[s.stored[id]]
		if occupant, err := s.stores.Events.Put(context.Background(), &r); err != nil || occupant != nil {
			panic(fmt.Sprint("put: ", occupant, err))
		}
		s.stored[id]++
		s.mu.Lock()
		s.fed = append(s.fed, r)
		s.mu.Unlock()
	}
}

// deliver hands some of the stream to a projector of its own: drops, repeats, disorder.
func (s *simulation) deliver() {
	s.mu.Lock()
	var batch []es.Recorded
	if len(s.fed) > 0 {
		for range 1 + s.rand.IntN(8) {
			batch = append(batch, s.fed[s.rand.IntN(len(s.fed))])
		}
	}
	if s.rand.IntN(2) == 0 {
		slices.SortStableFunc(batch, func(a, b es.Recorded) int { return int(a.Version - b.Version) })
	}
	mended := s.mixed && s.rand.IntN(3) == 0
	s.mu.Unlock()
	p := s.projector(mended)
	for range 3 { // a stream delivers again from the record that failed
		ctx, cancel := context.WithCancel(context.Background())
		_, retry, err := p.Project(context.WithValue(ctx, crashKey{}, cancel), batch)
		cancel()
		if err == nil {
			return
		}
		batch = batch[retry:]
	}
}

func (s *simulation) projector(mended bool) *es.Projector {
	deployment := "broken"
	if mended {
		deployment = "mended"
	}
	return es.NewProjector(ledgerModel(mended), s.stores, es.ProjectorOptions{Deployment: deployment, Logger: quiet()})
}

// TestViewsEqualTheFoldOfTheHistory is what the projector is for.
func TestViewsEqualTheFoldOfTheHistory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store := newMemoryStore()
		s := &simulation{stores: store.stores(), histories: drawHistories(t)}
		s.mixed = rapid.Bool().Draw(t, "mixed")
		s.fault = rapid.SampledFrom([]float64{0, 0.02, 0.1, 0.3}).Draw(t, "fault")
		s.rand = rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		store.before, store.after = s.before, s.after
		s.run(t, rapid.IntRange(0, 12).Draw(t, "steps"))
		if len(store.misuse) > 0 {
			t.Fatalf("the store was misused: %s", store.misuse)
		}
	})
}

// failer is a test of this package or of rapid.
type failer interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// run lets all histories happen, in some steps, and compares what is left of them.
func (s *simulation) run(t failer, steps int) {
	s.stored = map[string]int{}
	ids := slices.Sorted(maps.Keys(s.histories))
	for range steps {
		if len(ids) > 0 {
			s.happen(ids[s.pick(len(ids))], 1+s.pick(5))
		}
		s.deliver()
	}
	for _, id := range ids {
		s.happen(id, 100)
	}
	s.deliver()
	s.atRest(t)
}

func (s *simulation) atRest(t failer) {
	ctx := context.Background()
	if !s.mixed {
		p := s.projector(false)
		if sum, err := p.Reconcile(ctx, es.ReconcileOptions{Full: true}); err != nil {
			t.Fatalf("reconcile: %v, %+v", err, sum)
		}
		s.compare(t, "broken code", false)
		s.checkQuarantine(t, p)
		s.checkStatus(t, p)
	}
	p := s.projector(true)
	if sum, err := p.RetryQuarantine(ctx, "", ""); err != nil {
		t.Fatalf("retry: %v, %+v", err, sum)
	}
	if sum, err := p.Reconcile(ctx, es.ReconcileOptions{Full: true}); err != nil {
		t.Fatalf("reconcile: %v, %+v", err, sum)
	}
	s.compare(t, "mended code", true)
	s.checkQuarantine(t, p)
	for _, v := range ledgerModel(true).Views {
		if sum, err := p.Refold(ctx, v.Name); err != nil {
			t.Fatalf("refold %s: %v, %+v", v.Name, err, sum)
		}
	}
	s.compare(t, "refolded", true)
}

func (s *simulation) compare(t failer, what string, mended bool) {
	got, err := contents(context.Background(), s.stores.Views, ledgerModel(mended))
	if err != nil {
		t.Fatal(err)
	}
	if d := differences(got, expectLedger(s.histories, mended)); d != "" {
		t.Fatalf("%s:\n%s", what, d)
	}
}

// checkQuarantine: who is held has an entry, and who has an entry is held.
func (s *simulation) checkQuarantine(t failer, p *es.Projector) {
	held, entered := map[string]bool{}, map[string]bool{}
	ids := slices.Collect(maps.Keys(s.histories))
	var reads []es.ViewRead
	for _, v := range ledgerModel(true).Views {
		reads = append(reads, es.ViewRead{Table: es.Table{View: v.Name, Revision: v.Revision}, Keys: ids, Markers: ids})
	}
	rows, err := s.stores.Views.Load(context.Background(), reads)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rows {
		for id, item := range r.Items {
			if item.Held != "" {
				held[reads[i].Table.View+"/"+id] = true
			}
		}
		for id, m := range r.Markers {
			if m.Held != "" {
				held[reads[i].Table.View+"/"+id] = true
			}
		}
	}
	for q, err := range p.ListQuarantine(context.Background(), "") {
		if err != nil {
			t.Fatal(err)
		}
		entered[q.View+"/"+q.EntityID] = true
		if r := s.histories[q.EntityID][q.Version-1]; r.Type != "Broken" {
			t.Fatalf("quarantined for a %s: %+v", r.Type, q)
		}
		if strings.Contains(q.Reason, "ann") || strings.Contains(q.Reason, "bob") || len(q.Reason) > 400 {
			t.Fatalf("reason %q", q.Reason)
		}
	}
	if fmt.Sprint(held) != fmt.Sprint(entered) {
		t.Fatalf("held %v, entries for %v", held, entered)
	}
}

func (s *simulation) checkStatus(t failer, p *es.Projector) {
	status, err := p.Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range status {
		if v.Behind != 0 || v.Left != 0 {
			t.Fatalf("at rest, but %+v", v)
		}
	}
}

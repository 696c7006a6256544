package es_test

import (
	"bytes"
	"log/slog"
	"slices"
	"testing"

	es "github.com/esgen/esgen/runtime"
)

// bench is a ledger to be projected in a test.
type bench struct {
	t     *testing.T
	store *memoryStore
	model *es.Model
	log   bytes.Buffer
	lines slog.Handler // into log
	clock es.Clock
}

func newBench(t *testing.T, views ...string) *bench {
	b := &bench{t: t, store: newMemoryStore(), model: ledgerModel(false)}
	b.lines = slog.NewJSONHandler(&b.log, nil)
	b.keep(views...)
	t.Cleanup(func() {
		if len(b.store.misuse) > 0 {
			t.Errorf("the store was misused: %s", b.store.misuse)
		}
	})
	return b
}

// keep leaves only some views in the model; all when none is named.
func (b *bench) keep(views ...string) {
	if len(views) > 0 {
		b.model.Views = slices.DeleteFunc(b.model.Views, func(v es.View) bool { return !slices.Contains(views, v.Name) })
	}
}

// mend exchanges the code for one that folds Broken events.
func (b *bench) mend(views ...string) {
	b.model = ledgerModel(true)
	b.keep(views...)
}

func (b *bench) projector(deployment string) *es.Projector {
	return es.NewProjector(b.model, b.store.stores(), es.ProjectorOptions{
		Deployment: deployment, Clock: b.clock, Logger: slog.New(b.lines),
	})
}

// happen stores events of an entity.
func (b *bench) happen(id string, acts ...act) []es.Recorded {
	var out []es.Recorded
	for _, a := range acts {
		r := record(id, int64(len(b.store.events[id]))+1, a, "")
		b.store.events[id] = append(b.store.events[id], r)
		out = append(out, r)
	}
	return out
}

// project delivers a batch that must be taken whole.
func (b *bench) project(p *es.Projector, batch ...es.Recorded) es.Report {
	b.t.Helper()
	report, retry, err := p.Project(b.t.Context(), batch)
	if err != nil || retry != len(batch) {
		b.t.Fatalf("project: retry %d of %d, %v", retry, len(batch), err)
	}
	return report
}

func (b *bench) item(view, key string) es.Item {
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	for t, rows := range b.store.tables {
		if t.View == view {
			return rows.items[key]
		}
	}
	return es.Item{}
}

func (b *bench) marker(view, id string) es.Marker {
	for t, rows := range b.store.tables {
		if t.View == view {
			return rows.markers[id]
		}
	}
	return es.Marker{}
}

func (b *bench) check(mended bool) {
	b.t.Helper()
	got, err := contents(b.t.Context(), b.store, b.model)
	if err != nil {
		b.t.Fatal(err)
	}
	want := expectLedger(b.store.events, mended)
	for view := range want {
		if _, ok := got[view]; !ok {
			delete(want, view)
		}
	}
	if d := differences(got, want); d != "" {
		b.t.Fatal(d)
	}
}

func (b *bench) quarantine(p *es.Projector) (all []es.Quarantined) {
	b.t.Helper()
	for q, err := range p.ListQuarantine(b.t.Context(), "") {
		if err != nil {
			b.t.Fatal(err)
		}
		all = append(all, q)
	}
	return all
}

func opened(owner string, keys ...string) act {
	return act{kind: "Opened", Owner: owner, Keys: keys, N: 1}
}
func added(n int64) act { return act{kind: "Added", N: n} }

var broken = act{kind: "Broken", Owner: "ann", N: 1, Keys: []string{"red"}}

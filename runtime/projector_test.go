package es_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

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

func TestRequestsFollowTouchedRecords(t *testing.T) {
	for _, test := range []struct {
		view          string
		records       int
		loads, writes int
	}{
		{"diary", 1, 1, 1},
		{"diary", 10, 1, 10},
		{"diary", 100, 1, 100},
		// 100 events of 100 entities: a marker for each, and so two steps.
		{"purses", 1, 1, 2},
		{"purses", 10, 1, 2},
	} {
		t.Run(fmt.Sprintf("%s/%d", test.view, test.records), func(t *testing.T) {
			b := newBench(t, test.view)
			var batch []es.Recorded
			for i := range 100 {
				if test.view == "diary" {
					batch = append(batch, b.happen(fmt.Sprintf("e%d", i%test.records), opened("ann"))...)
				} else {
					batch = append(batch, b.happen(fmt.Sprintf("e%d", i), opened(fmt.Sprintf("o%d", i%test.records)))...)
				}
			}
			report := b.project(b.projector("d"), batch...)
			if report.Folds != 100 || report.Records != 100 {
				t.Errorf("report %+v", report)
			}
			if b.store.calls["Load"] != test.loads || b.store.calls["Write"] != test.writes || b.store.requests() != test.loads+test.writes {
				t.Errorf("requests %v, want %d loads and %d writes", b.store.calls, test.loads, test.writes)
			}
			b.check(false)
		})
	}
}

func TestOneLoadForAllViews(t *testing.T) {
	b := newBench(t)
	batch := append(b.happen("a", opened("ann", "red"), added(1)), b.happen("b", opened("bob", "red", "blue"))...)
	b.project(b.projector("d"), batch...)
	if b.store.calls["Load"] != 1 || b.store.calls["Write"] != 2+2+1+1 {
		t.Errorf("requests %v", b.store.calls)
	}
	b.check(false)
}

func TestUnlistedEventsCauseNoRequest(t *testing.T) {
	b := newBench(t, "diary", "boards")
	batch := b.happen("a", act{kind: "Noted"}, act{kind: "Moved", Owner: "ann"}, act{kind: "Forgotten"})
	report := b.project(b.projector("d"), batch...)
	if b.store.requests() != 0 || report.Unknown != 1 || report.Folds != 0 {
		t.Errorf("requests %v, report %+v", b.store.calls, report)
	}
}

func TestUnlistedVersionsOfTheBatchCloseAGap(t *testing.T) {
	b := newBench(t, "diary")
	batch := b.happen("a", act{kind: "Noted"}, opened("ann"), act{kind: "Moved"}, act{kind: "Forgotten"}, added(2), act{kind: "Noted"})
	report := b.project(b.projector("d"), batch[3], batch[5], batch[0], batch[4], batch[2], batch[1])
	if b.store.calls["Read"] != 0 || report.CaughtUp != 0 || report.Folds != 2 || report.Unknown != 1 {
		t.Errorf("requests %v, report %+v", b.store.calls, report)
	}
	if item := b.item("diary", "a"); item.Guard != 6 || item.Version != 5 || item.State != "open" {
		t.Errorf("record %+v", item)
	}
	b.check(false)
}

func TestDuplicatesAreSkipped(t *testing.T) {
	b := newBench(t)
	batch := b.happen("a", opened("ann", "red"), added(1), added(2))
	p := b.projector("d")
	b.project(p, batch[0], batch[0], batch[1], batch[0], batch[2], batch[1])
	writes := b.store.calls["Write"]
	if report := b.project(p, batch...); report.Folds != 0 {
		t.Errorf("report %+v", report)
	}
	if b.store.calls["Write"] != writes {
		t.Errorf("%d writes for what had been folded", b.store.calls["Write"]-writes)
	}
	b.check(false)
}

func TestAGapIsReadOnceForAllViews(t *testing.T) {
	b := newBench(t)
	batch := b.happen("a", opened("ann", "red"), added(1), added(2), act{kind: "Moved", Owner: "bob", From: "ann", N: 1},
		act{kind: "Added", N: 5, Owner: "bob", Keys: []string{"red"}}, added(6))
	report := b.project(b.projector("d"), batch[4], batch[5])
	if b.store.calls["Read"] != 1 || report.CaughtUp != 4 {
		t.Errorf("requests %v, report %+v", b.store.calls, report)
	}
	b.check(false)
	if m := b.marker("purses", "a"); m.Position != 6 && m.Position != 5 {
		t.Errorf("marker %+v", m)
	}
}

func TestLongGapIsClosedInSteps(t *testing.T) {
	for _, view := range []string{"diary", "purses", "boards"} {
		t.Run(view, func(t *testing.T) {
			b := newBench(t, view)
			b.happen("a", opened("ann", "red"))
			for range 1201 {
				b.happen("a", act{kind: "Noted"})
			}
			last := b.happen("a", act{kind: "Added", Owner: "ann", Keys: []string{"red"}, N: 7})
			var order []string
			b.store.before = func(_ context.Context, call string) error {
				if call == "Read" || call == "Write" {
					order = append(order, call[:1])
				}
				return nil
			}
			report := b.project(b.projector("d"), last...)
			if got := strings.Join(order, ""); got != "RWRWRW" || report.CaughtUp != 1202 {
				t.Errorf("calls %s, report %+v", got, report)
			}
			b.check(false)
		})
	}
}

func TestCatchUpTakesHalfOfTheTime(t *testing.T) {
	b := newBench(t)
	now := time.Now()
	b.clock = func() time.Time { return now }
	b.happen("a", opened("ann", "red"))
	for range 3000 {
		b.happen("a", added(1))
	}
	last := b.happen("a", act{kind: "Added", Owner: "ann", Keys: []string{"red"}, N: 7})
	other := b.happen("b", opened("bob", "red"))
	b.store.before = func(_ context.Context, call string) error {
		if call == "Read" {
			now = now.Add(20 * time.Minute)
		}
		return nil
	}
	ctx, cancel := context.WithDeadline(t.Context(), now.Add(time.Hour))
	defer cancel()
	p := b.projector("d")
	batch := append(last, other...)
	report, retry, err := p.Project(ctx, batch)
	if err != nil || retry != 2 {
		t.Fatalf("retry %d, %v", retry, err)
	}
	if b.store.calls["Read"] != 2 || report.Left != 4 || report.CaughtUp != 1000 {
		t.Errorf("requests %v, report %+v", b.store.calls, report)
	}
	if item := b.item("diary", "a"); item.Guard != 1000 {
		t.Errorf("the record stands at %d", item.Guard)
	}
	if item := b.item("diary", "b"); item.Guard != 1 {
		t.Errorf("the entity without a gap stands at %d", item.Guard)
	}
	status, err := p.Status(t.Context())
	if err != nil || status[0].Left != 1 || status[0].Behind != 1 || status[0].Entities != 2 {
		t.Errorf("status %+v, %v", status, err)
	}
	sum, err := p.Reconcile(t.Context(), es.ReconcileOptions{})
	if err != nil || sum.Looked != 4 || sum.Failed != 0 {
		t.Errorf("reconcile %+v, %v", sum, err)
	}
	b.check(false)
	if status, err = p.Status(t.Context()); err != nil || status[0].Left != 0 || status[0].Behind != 0 {
		t.Errorf("status %+v, %v", status, err)
	}
}

func TestReconcileKeepsWhatItCouldNotHeal(t *testing.T) {
	b := newBench(t, "diary")
	now := time.Now()
	b.clock = func() time.Time { return now }
	batch := b.happen("a", opened("ann"), added(1))
	p := b.projector("d")
	ctx, cancel := context.WithDeadline(t.Context(), now.Add(time.Hour))
	defer cancel()
	b.store.before = func(context.Context, string) error { now = now.Add(time.Hour); return nil }
	if report, _, err := p.Project(ctx, batch[1:]); err != nil || report.Left != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	b.store.before = func(_ context.Context, call string) error {
		if call == "Read" {
			return es.ErrThrottled
		}
		return nil
	}
	if sum, err := p.Reconcile(t.Context(), es.ReconcileOptions{}); !errors.Is(err, es.ErrThrottled) || sum.Failed != 1 {
		t.Fatalf("%+v, %v", sum, err)
	}
	b.store.before = nil
	if sum, err := p.Reconcile(t.Context(), es.ReconcileOptions{}); err != nil || sum.Looked != 1 {
		t.Fatalf("%+v, %v", sum, err)
	}
	b.check(false)
	if sum, err := p.Reconcile(t.Context(), es.ReconcileOptions{}); err != nil || sum.Looked != 0 {
		t.Fatalf("%+v, %v", sum, err)
	}
}

func TestFullReconcileFindsWhatNobodyDelivered(t *testing.T) {
	b := newBench(t)
	for i := range 10 {
		b.happen(fmt.Sprintf("e%d", i), opened("ann", "red"), added(int64(i)))
	}
	p := b.projector("d")
	if sum, err := p.Reconcile(t.Context(), es.ReconcileOptions{}); err != nil || sum.Folds != 0 {
		t.Fatalf("%+v, %v", sum, err)
	}
	status, err := p.Status(t.Context())
	if err != nil || status[0].Behind != 10 || status[2].Behind != 10 {
		t.Fatalf("%+v, %v", status, err)
	}
	sum, err := p.Reconcile(t.Context(), es.ReconcileOptions{Full: true})
	if err != nil || sum.Looked != 40 || sum.Folds != 20+20+10+10 {
		t.Fatalf("%+v, %v", sum, err)
	}
	b.check(false)
}

func TestPhantomsAreNoEvents(t *testing.T) {
	b := newBench(t)
	batch := b.happen("a", opened("ann", "red"))
	hostile := []es.Recorded{
		record("a", 3, opened("ann", "red"), ""), record("a", 1<<62, added(1), ""), record("ghost", 9, added(1), ""),
		record("a", 0, added(1), ""), record("a", -4, added(1), ""), record("", 1, added(1), ""), record(strings.Repeat("x", 257), 1, added(1), ""),
	}
	report := b.project(b.projector("d"), append(batch, hostile...)...)
	if report.Ignored != 7 {
		t.Errorf("report %+v", report)
	}
	b.check(false)
}

func TestConflictIsFoldedAgain(t *testing.T) {
	for _, view := range []string{"diary", "purses"} {
		t.Run(view, func(t *testing.T) {
			b := newBench(t, view)
			batch := append(b.happen("a", opened("ann", "k"), added(1)), b.happen("b", opened("ann"))...)
			var nested atomic.Bool // entities are written beside each other
			b.store.before = func(_ context.Context, call string) error {
				if call == "Write" && nested.CompareAndSwap(false, true) {
					b.project(b.projector("other"), batch[0], batch[2])
				}
				return nil
			}
			report := b.project(b.projector("d"), batch...)
			if report.Conflicts == 0 {
				t.Errorf("report %+v", report)
			}
			b.check(false)
		})
	}
}

func TestEndlessConflictIsTransient(t *testing.T) {
	b := newBench(t, "diary")
	batch := append(b.happen("a", opened("ann")), b.happen("b", opened("ann"))...)
	b.store.before = func(_ context.Context, call string) error {
		if call == "Write" {
			return es.ErrConflict
		}
		return nil
	}
	report, retry, err := b.projector("d").Project(t.Context(), batch)
	if !errors.Is(err, es.ErrConflict) || retry != 0 || report.Conflicts > 40 {
		t.Errorf("%+v, retry %d, %v", report, retry, err)
	}
}

func TestTransientFailureNamesTheFirstRecordToRepeat(t *testing.T) {
	for _, fault := range []error{es.ErrThrottled, errFault} {
		b := newBench(t, "diary")
		var batch []es.Recorded
		for _, id := range []string{"a", "b", "c", "b", "a"} {
			batch = append(batch, b.happen(id, opened("ann"))...)
		}
		b.store.before = func(_ context.Context, call string) error {
			if call == "Write" && b.store.requests() > 0 && b.item("diary", "a").Guard > 0 {
				return fault
			}
			return nil
		}
		// One write at a time would let only a through; they run beside each other, so that
		// only the sum is certain.
		report, retry, err := b.projector("d").Project(t.Context(), batch)
		for i := range retry {
			if id := batch[i].EntityID; b.item("diary", id).Guard < batch[i].Version {
				t.Errorf("record %d was acknowledged and not folded; report %+v, %v", i, report, err)
			}
		}
		b.store.before = nil
		b.project(b.projector("d"), batch[retry:]...)
		b.check(false)
	}
	b := newBench(t)
	batch := b.happen("a", act{kind: "Noted"}, opened("ann"))
	b.store.before = func(_ context.Context, call string) error {
		if call == "Load" {
			return es.ErrThrottled
		}
		return nil
	}
	b.keep("diary")
	if _, retry, err := b.projector("d").Project(t.Context(), batch); retry != 1 || !errors.Is(err, es.ErrThrottled) {
		t.Errorf("retry %d, %v", retry, err)
	}
}

func TestQuarantine(t *testing.T) {
	b := newBench(t)
	clock := ledgerEpoch
	b.clock = func() time.Time { return clock }
	p := b.projector("first")
	batch := b.happen("a", opened("ann", "red"), added(1), broken, added(2))
	healthy := b.happen("b", opened("ann", "red"), added(5))
	report := b.project(p, slices.Concat(batch, healthy)...)
	if report.Quarantined != 3 { // chronicle folds everything
		t.Errorf("report %+v", report)
	}
	b.check(false)
	if item := b.item("diary", "a"); item.Guard != 2 || item.Version != 2 || item.Held != "first" {
		t.Errorf("record %+v", item)
	}
	if m := b.marker("purses", "a"); m.Position != 2 || m.Held != "first" {
		t.Errorf("marker %+v", m)
	}
	q := b.quarantine(p)
	if len(q) != 3 || q[0].View != "diary" || q[0].Revision != 1 || q[0].EntityID != "a" || q[0].Version != 3 || q[0].Attempts != 1 ||
		!q[0].FirstSeen.Equal(ledgerEpoch) || q[0].Deployment != "first" || !strings.Contains(q[0].Reason, "the diary refuses") {
		t.Errorf("quarantine %+v", q)
	}
	if strings.Contains(q[0].Reason, "ann") {
		t.Errorf("the reason %q holds a value", q[0].Reason)
	}

	clock = clock.Add(time.Hour)
	more := b.happen("a", added(3))
	if report := b.project(p, more...); report.Quarantined != 0 || report.CaughtUp != 0 {
		t.Errorf("the same code tried again: %+v", report)
	}
	second := b.projector("second") // new, and no better
	if report := b.project(second, more...); report.Quarantined != 1 {
		t.Errorf("report %+v", report)
	}
	if q := b.quarantine(p); q[0].Attempts != 2 || q[0].Deployment != "second" || !q[0].FirstSeen.Equal(ledgerEpoch) {
		t.Errorf("quarantine %+v", q)
	}
	b.check(false)

	b.mend()
	third := b.projector("third")
	touching := b.happen("a", act{kind: "Added", Owner: "ann", Keys: []string{"blue"}, N: 9})
	b.project(third, touching...)
	b.check(true)
	if q := b.quarantine(third); len(q) != 0 {
		t.Errorf("quarantine %+v", q)
	}
	if item := b.item("diary", "a"); item.Held != "" || item.Guard != 6 {
		t.Errorf("record %+v", item)
	}
}

func TestFirstFoldThatFailsLeavesAShell(t *testing.T) {
	b := newBench(t)
	p := b.projector("d")
	batch := b.happen("a", broken, added(1))
	b.project(p, batch...)
	if item := b.item("diary", "a"); item.Key != "a" || item.Guard != 0 || item.Payload != "" || item.Held != "d" {
		t.Errorf("record %+v", item)
	}
	if m := b.marker("boards", "a"); m.EntityID != "a" || m.Position != 0 || m.Held != "d" {
		t.Errorf("marker %+v", m)
	}
	b.check(false)
	b.mend()
	sum, err := b.projector("d").RetryQuarantine(t.Context(), "", "") // the same deployment: the operator insists
	if err != nil || sum.Released != 3 || sum.Quarantined != 0 {
		t.Errorf("%+v, %v", sum, err)
	}
	b.check(true)
}

func TestRetryQuarantine(t *testing.T) {
	b := newBench(t)
	p := b.projector("d")
	b.project(p, slices.Concat(b.happen("a", opened("ann", "red"), broken), b.happen("b", broken))...)
	sum, err := p.RetryQuarantine(t.Context(), "diary", "a")
	if err != nil || sum.Looked != 1 || sum.Quarantined != 1 {
		t.Errorf("%+v, %v", sum, err)
	}
	if q := b.quarantine(p); q[0].Attempts != 2 || q[1].Attempts != 1 {
		t.Errorf("quarantine %+v", q)
	}
	if _, err := p.RetryQuarantine(t.Context(), "nowhere", ""); !errors.Is(err, es.ErrUnknownView) {
		t.Errorf("unknown view: %v", err)
	}
	if _, err := p.RetryQuarantine(t.Context(), "diary", "z"); !errors.Is(err, es.ErrNotQuarantined) {
		t.Errorf("unknown entity: %v", err)
	}
	b.mend()
	p = b.projector("d")
	if sum, err := p.RetryQuarantine(t.Context(), "diary", "a"); err != nil || sum.Released != 1 || sum.Folds != 1 {
		t.Errorf("%+v, %v", sum, err)
	}
	if q := b.quarantine(p); len(q) != 5 {
		t.Errorf("quarantine %+v", q)
	}
	if sum, err := p.RetryQuarantine(t.Context(), "purses", ""); err != nil || sum.Released != 2 {
		t.Errorf("%+v, %v", sum, err)
	}
}

func TestAFailingEntitySpoilsNoOther(t *testing.T) {
	b := newBench(t, "purses", "boards")
	var batch []es.Recorded
	for i := range 30 {
		id := fmt.Sprintf("e%02d", i)
		batch = append(batch, b.happen(id, opened("ann", "red"))...)
		if i%3 == 0 {
			batch = append(batch, b.happen(id, broken)...)
		}
	}
	report := b.project(b.projector("d"), batch...)
	if report.Quarantined != 20 || report.Folds != 60 {
		t.Errorf("report %+v", report)
	}
	b.check(false)
}

func TestPanicsAndDamageAreQuarantined(t *testing.T) {
	b := newBench(t, "diary")
	p := b.projector("d")
	panicking := b.happen("a", opened("secret"), act{kind: "Broken", Owner: "secret", N: 2})
	damaged := b.happen("b", opened("ann"), added(1), added(2))
	damaged[1].Payload, b.store.events["b"][1].Payload = `{"n":`, `{"n":`
	record := b.happen("c", opened("ann"))
	b.project(p, record...)
	item := b.item("diary", "c")
	item.Payload = "{"
	b.store.tables[es.Table{View: "diary", Revision: 1}].items["c"] = item
	report := b.project(p, slices.Concat(panicking, damaged, b.happen("c", added(1)))...)
	if report.Quarantined != 3 {
		t.Errorf("report %+v", report)
	}
	for _, q := range b.quarantine(p) {
		want := map[string]string{"a": "panic in ", "b": "the stored event cannot be read", "c": "the stored record cannot be read"}[q.EntityID]
		if !strings.Contains(q.Reason, want) || strings.Contains(q.Reason, "secret") || q.Version != 2 {
			t.Errorf("%+v, want %q", q, want)
		}
	}
	if item := b.item("diary", "b"); item.Guard != 1 {
		t.Errorf("record %+v", item)
	}
	if strings.Contains(b.log.String(), "secret") {
		t.Errorf("a value is in the log: %s", b.log.String())
	}
}

func TestDeleteLeavesATombstone(t *testing.T) {
	b := newBench(t, "diary")
	p := b.projector("d")
	b.project(p, b.happen("a", opened("ann"), added(1), act{kind: "Closed"})...)
	item := b.item("diary", "a")
	if item.Payload != "" || len(item.Entries) != 0 || item.Guard != 3 || item.Version != 3 {
		t.Errorf("tombstone %+v", item)
	}
	b.project(p, b.happen("a", added(4))...)
	if item := b.item("diary", "a"); !strings.Contains(item.Payload, `["4 Added shut 4"]`) || len(item.Entries) != 1 || item.Guard != 4 {
		t.Errorf("record %+v", item)
	}
	b.check(false)
}

func TestKeysThatNoRecordCanHave(t *testing.T) {
	b := newBench(t, "purses", "boards")
	batch := b.happen("a", opened("", "", strings.Repeat("é", 256), strings.Repeat("x", 257)), opened(strings.Repeat("x", 257)))
	report := b.project(b.projector("d"), batch...)
	if report.Folds != 1 || report.Quarantined != 0 {
		t.Errorf("report %+v", report)
	}
	if m := b.marker("purses", "a"); m.EntityID != "" {
		t.Errorf("marker %+v", m)
	}
	if item := b.item("boards", strings.Repeat("é", 256)); item.Guard != 1 {
		t.Errorf("record %+v", item)
	}
}

func fan(from, n int) act {
	a := act{kind: "Added", N: 1}
	for i := range n {
		a.Keys = append(a.Keys, fmt.Sprintf("k%d", from+i))
	}
	return a
}

func TestStepsEndBeforeAHundredItems(t *testing.T) {
	b := newBench(t, "boards")
	batch := slices.Concat(b.happen("a", fan(0, 99), fan(50, 99), fan(200, 1), fan(0, 99)), b.happen("b", fan(0, 99)), b.happen("c", fan(300, 40)))
	report := b.project(b.projector("d"), batch...)
	if report.Quarantined != 0 || report.Folds != 99+99+1+99+99+40 {
		t.Errorf("report %+v", report)
	}
	b.check(false)
	over := b.happen("d", fan(0, 3), fan(0, 100), fan(0, 2))
	if report := b.project(b.projector("d"), over...); report.Quarantined != 1 {
		t.Errorf("report %+v", report)
	}
	if m := b.marker("boards", "d"); m.Position != 1 || m.Held != "d" {
		t.Errorf("marker %+v", m)
	}
}

func TestStepsEndBeforeFourMegabytes(t *testing.T) {
	b := newBench(t, "boards")
	b.model.Views[0].New = func(key string) es.Record { return &heavy{board{key: key}} }
	var batch []es.Recorded
	for i := range 30 {
		batch = append(batch, b.happen(fmt.Sprintf("e%d", i), fan(i, 1), fan(i+1, 1))...)
	}
	report := b.project(b.projector("d"), batch...)
	if report.Folds != 60 || report.Quarantined != 0 {
		t.Errorf("report %+v", report)
	}
	if b.store.calls["Write"] < 2 {
		t.Errorf("%d writes", b.store.calls["Write"])
	}
}

// heavy is a record of 300 kB.
type heavy struct{ board }

func (r *heavy) AppendJSON(dst []byte) []byte {
	return fmt.Appendf(dst, `{"key":%q,"sum":%d,"last":%q,"weight":%q}`, r.key, r.Sum, r.Last, strings.Repeat("w", 300_000))
}

func TestRecordTooLargeIsQuarantined(t *testing.T) {
	b := newBench(t, "diary", "purses")
	b.store.maxItem = 400
	var batch []es.Recorded
	batch = append(batch, b.happen("a", opened("ann"))...)
	for range 40 {
		batch = append(batch, b.happen("a", added(1))...)
	}
	batch = append(batch, b.happen("b", opened("ann"))...)
	p := b.projector("d")
	report := b.project(p, batch...)
	item := b.item("diary", "a")
	if report.Quarantined != 1 || item.Held != "d" || item.Guard < 2 || len(item.Payload) > 400 {
		t.Fatalf("report %+v, record %+v", report, item)
	}
	if q := b.quarantine(p); len(q) != 1 || q[0].Version != item.Guard+1 || !strings.Contains(q[0].Reason, "larger than the store takes") {
		t.Errorf("quarantine %+v", q)
	}
	if item := b.item("diary", "b"); item.Guard != 1 {
		t.Errorf("the other entity stands at %d", item.Guard)
	}
	b.store.maxItem = 0
	if sum, err := p.RetryQuarantine(t.Context(), "", ""); err != nil || sum.Released != 1 {
		t.Errorf("%+v, %v", sum, err)
	}
	b.check(false)
}

func TestStateIsCarriedToEventsStoredWithoutOne(t *testing.T) {
	b := newBench(t, "diary")
	p := b.projector("d")
	batch := b.happen("a", opened("ann"), act{kind: "Noted"}, added(1))
	b.store.events["a"][1].State, batch[1].State = "shut", "shut" // not listed, and still it counts
	b.project(p, batch[:1]...)
	b.project(p, batch[2])
	if item := b.item("diary", "a"); !strings.Contains(item.Payload, "3 Added shut") || item.State != "shut" {
		t.Errorf("record %+v", item)
	}
	b.check(false)
}

func TestOneLogLinePerBatch(t *testing.T) {
	b := newBench(t)
	b.project(b.projector("d"), b.happen("a", opened("ann", "red"), added(77123))...)
	lines := strings.Split(strings.TrimSpace(b.log.String()), "\n")
	if len(lines) != 1 || !strings.Contains(lines[0], `"records":2`) || !strings.Contains(lines[0], `"lagMs":`) {
		t.Errorf("log %q", lines)
	}
	if strings.Contains(lines[0], "77123") || strings.Contains(lines[0], "ann") {
		t.Errorf("a payload is in the log: %s", lines[0])
	}
}

func TestRefold(t *testing.T) {
	b := newBench(t)
	p := b.projector("d")
	for i := range 40 {
		b.project(p, b.happen(fmt.Sprintf("e%02d", i), opened("ann", "red", "blue"), added(int64(i)))...)
	}
	b.project(p, b.happen("e00", broken)...)
	b.mend()
	p = b.projector("d")
	for _, v := range b.model.Views {
		if _, err := p.Refold(t.Context(), v.Name); err != nil {
			t.Fatal(err)
		}
	}
	b.check(true)
	if q := b.quarantine(p); len(q) != 0 {
		t.Errorf("quarantine %+v", q)
	}
	if _, err := p.Refold(t.Context(), "nowhere"); !errors.Is(err, es.ErrUnknownView) {
		t.Errorf("unknown view: %v", err)
	}
}

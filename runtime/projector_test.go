package es_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	es "github.com/esgen/esgen/runtime"
)

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

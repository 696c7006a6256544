package es_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
)

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

// While one projector takes back the entry of a failure that it got past, another one may go
// on and quarantine the entity anew.
func TestAnEntryIsNotTakenBackForAnother(t *testing.T) {
	for _, at := range []string{"Progress", "PutProgress", "DeleteProgress"} {
		t.Run(at, func(t *testing.T) {
			b := newBench(t, "diary")
			older := b.projector("older")
			b.project(older, b.happen("a", opened("ann"), broken)...)
			b.mend("diary")
			written, nested := false, false
			b.store.after = func(_ context.Context, call string) error {
				written = written || call == "Write"
				return nil
			}
			b.store.before = func(_ context.Context, call string) error {
				if written && call == at && !nested {
					nested = true
					b.project(older, b.happen("a", broken)...)
				}
				return nil
			}
			b.project(b.projector("mended"), b.happen("a", added(1))...)
			b.store.before, b.store.after = nil, nil
			if !nested {
				if at != "DeleteProgress" { // an entry is emptied on its guard, which a deletion has not
					t.Fatalf("%s was not called", at)
				}
				return
			}
			if held := b.item("diary", "a").Held; held != "older" {
				t.Fatalf("held by %q", held)
			}
			if q := b.quarantine(older); len(q) != 1 || q[0].Version != 4 || q[0].Attempts != 1 {
				t.Fatalf("quarantine %+v", q)
			}
			if sum, err := b.projector("mended").RetryQuarantine(t.Context(), "", ""); err != nil || sum.Released != 1 {
				t.Errorf("%+v, %v", sum, err)
			}
			if q := b.quarantine(older); len(q) != 0 {
				t.Errorf("quarantine %+v", q)
			}
			b.check(true)
		})
	}
}

// touchy is a board whose error tells what it holds.
type touchy struct{ board }

func (r *touchy) Fold(event es.Event, meta es.Meta) error {
	if event.EventType() == "Broken" {
		return fmt.Errorf("nothing goes after %s today", r.Last)
	}
	return r.board.Fold(event, meta)
}

// What a record shared by many entities holds may be sensitive wherever it came from.
func TestReasonsHoldNoValueOfASharedRecord(t *testing.T) {
	b := newBench(t, "boards")
	b.model.Views[0].New = func(key string) es.Record { return &touchy{board{key: key}} }
	p := b.projector("d")
	b.project(p, b.happen("secretive", opened("ann", "red"))...)
	b.project(p, b.happen("a", broken)...)
	q := b.quarantine(p)
	if len(q) != 1 || !strings.Contains(q[0].Reason, "nothing goes after") || strings.Contains(q[0].Reason, "secretive") {
		t.Errorf("quarantine %+v", q)
	}
}

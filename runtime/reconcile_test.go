package es_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
)

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

// A batch leaves an entity behind while a reconcile is about to remove the entry that it had, and
// the process ends with that removal: what was acknowledged must still be known.
func TestReconcileRemovesNoEntryThatWasWrittenSince(t *testing.T) {
	b := newBench(t, "diary")
	start := time.Now()
	now := start
	b.clock = func() time.Time { return now }
	ctx, cancel := context.WithDeadline(t.Context(), start.Add(time.Hour))
	defer cancel()
	leave := func(batch []es.Recorded) {
		t.Helper()
		now = start
		b.store.before = func(context.Context, string) error { now = now.Add(time.Hour); return nil }
		if report, _, err := b.projector("d").Project(ctx, batch); err != nil || report.Left != 1 {
			t.Fatalf("%+v, %v", report, err)
		}
	}
	leave(b.happen("a", opened("ann"), added(1))[1:])
	b.store.before = func(_ context.Context, call string) error {
		if call != "PutProgress" && call != "DeleteProgress" {
			return nil
		}
		leave(b.happen("a", added(2), added(3))[1:])
		b.store.before = nil // for the removal itself
		b.store.after = func(context.Context, string) error {
			b.store.before = func(context.Context, string) error { return errFault }
			return nil
		}
		return nil
	}
	_, _ = b.projector("d").Reconcile(t.Context(), es.ReconcileOptions{})
	b.store.before, b.store.after = nil, nil
	status, err := b.projector("d").Status(t.Context())
	if err != nil || status[0].Left != 1 || status[0].Behind != 1 {
		t.Fatalf("status %+v, %v", status, err)
	}
	if sum, err := b.projector("d").Reconcile(t.Context(), es.ReconcileOptions{}); err != nil || sum.Looked != 1 {
		t.Fatalf("%+v, %v", sum, err)
	}
	b.check(false)
}

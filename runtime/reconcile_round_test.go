package es_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// round runs one round and checks how many entities it compared.
func (b *bench) round(p *es.Projector, n, compared int) es.Healing {
	b.t.Helper()
	h, err := p.Reconcile(b.t.Context(), es.ReconcileOptions{Entities: n})
	if err != nil || h.Entities != compared || h.Failed > 0 || h.Unfinished {
		b.t.Fatalf("%+v, %v; want %d entities", h, err, compared)
	}
	return h
}

// A round compares some entities at a time, and comes to all of them.
func TestReconcileInRounds(t *testing.T) {
	b := newBench(t, "diary", "purses")
	p := b.projector("1")
	for i := range 20 {
		b.happen(fmt.Sprintf("e%02d", i), opened("ann"), added(int64(i))) // nobody rang
	}
	for _, compared := range []int{7, 7, 6} { // the store's pages have three
		b.round(p, 7, compared)
	}
	b.check(false)
	b.happen("e00", added(1))
	for range 2 {
		b.round(p, 10, 10)
	}
	b.check(false)
	calls := b.store.calls["Heads"]
	if h, err := p.Reconcile(t.Context(), es.ReconcileOptions{}); err != nil || h.Entities != 0 || b.store.calls["Heads"] != calls {
		t.Errorf("the known alone: %+v, %v", h, err)
	}
}

// Entities that come while a round is in the midst of a page move others off it: some are compared
// again, and none is left out.
func TestARoundMissesNobodyWhenPagesMove(t *testing.T) {
	b := newBench(t, "diary")
	p := b.projector("1")
	for _, id := range []string{"c", "d", "e", "f", "g"} {
		b.happen(id, opened("ann"))
	}
	b.round(p, 2, 2) // c and d of c, d, e
	for _, id := range []string{"a", "a2", "b"} {
		b.happen(id, opened("ann"))
	}
	b.round(p, 100, 8) // d is not on the first page any more
	b.check(false)
}

// Of a history too long for one run each run folds a part, and fails nobody.
func TestARunEndsBeforeItsDeadline(t *testing.T) {
	b := newBench(t, "diary", "purses")
	now := time.Now()
	b.clock = func() time.Time { return now }
	for i := range 3 {
		b.happen(fmt.Sprintf("e%d", i), opened("ann"))
	}
	for range 4000 {
		b.happen("e1", added(1))
	}
	b.store.before = func(_ context.Context, call string) error {
		if call == "Read" {
			now = now.Add(12 * time.Minute)
		}
		return nil
	}
	runs := 0
	for unfinished := true; unfinished; runs++ {
		if runs == 100 {
			t.Fatal("it comes to no end")
		}
		ctx, cancel := context.WithDeadline(t.Context(), now.Add(time.Hour))
		before, reads := b.item("diary", "e1").Guard, b.store.calls["Read"]
		h, err := b.projector("d").Reconcile(ctx, es.ReconcileOptions{Entities: 100})
		cancel()
		if err != nil || h.Failed > 0 {
			t.Fatalf("run %d: %+v, %v", runs, h, err)
		}
		if unfinished = h.Unfinished; unfinished && b.item("diary", "e1").Guard <= before {
			t.Fatalf("run %d does not get further than %d", runs, before)
		}
		if n := b.store.calls["Read"] - reads; n > 6 { // 3 at once, of which the clock sees each
			t.Errorf("run %d makes %d reads of 12 minutes each in an hour", runs, n)
		}
	}
	if runs < 3 {
		t.Errorf("%d runs", runs)
	}
	b.check(false)
	if s := b.status(b.projector("d"), "diary"); s.Left != 0 || s.Behind != 0 {
		t.Errorf("status %+v", s)
	}
}

// What fails for now is recorded, and the round goes on: one entity must not hold up all others.
func TestARoundGoesOnPastWhatFails(t *testing.T) {
	b := newBench(t, "diary")
	for i := range 9 {
		b.happen(fmt.Sprintf("e%d", i), opened("ann"))
	}
	p := b.projector("d")
	failures := 1
	b.store.before = func(_ context.Context, call string) error {
		if call == "Write" && failures > 0 {
			failures--
			return es.ErrThrottled
		}
		return nil
	}
	h, err := p.Reconcile(t.Context(), es.ReconcileOptions{Entities: 5})
	if !errors.Is(err, es.ErrThrottled) || h.Entities != 5 || h.Failed != 1 {
		t.Fatalf("%+v, %v", h, err)
	}
	if s := b.status(p, "diary"); s.Left != 1 {
		t.Errorf("status %+v", s)
	}
	b.round(p, 5, 4)
	b.check(false)
	if s := b.status(p, "diary"); s.Left != 0 {
		t.Errorf("status %+v", s)
	}
}

// A deployment starts no rebuild, and a round does not either: of a revision that nobody reads yet the
// rebuild folds all.
func TestARoundRebuildsNothing(t *testing.T) {
	b := newBench(t, "diary", "purses")
	for i := range 5 {
		b.project(b.projector("1"), b.happen(fmt.Sprintf("e%d", i), opened("ann"))...)
	}
	b.nextRevision()
	p := b.projector("2")
	b.round(p, 100, 5)
	if n := b.store.marked[es.Table{View: "diary", Revision: 2}]; n != [2]int{} {
		t.Errorf("the new revision was written: %v", n)
	}
	b.rebuild(p, "diary", es.RebuildOptions{})
	b.happen("e3", added(1))
	if h := b.round(p, 100, 5); h.Folds != 1 {
		t.Errorf("%+v", h)
	}
	if n := b.store.marked[es.Table{View: "diary", Revision: 2}]; n[0] != 1 {
		t.Errorf("what is read was not written as live: %v", n)
	}
}

// Two rounds at once, wherever the one is when the other runs, look at some twice and leave nobody out.
func TestTwoRoundsAtOnce(t *testing.T) {
	for call := range 12 {
		t.Run(fmt.Sprint("after call ", call), func(t *testing.T) {
			b := newBench(t, "diary", "purses")
			for i := range 10 {
				b.happen(fmt.Sprintf("e%d", i), opened("ann"), added(int64(i)))
			}
			calls := 0
			b.store.after = func(context.Context, string) error {
				if calls++; calls == call+1 {
					if _, err := b.projector("d").Reconcile(t.Context(), es.ReconcileOptions{Entities: 4}); err != nil {
						t.Error(err)
					}
				}
				return nil
			}
			for range 4 { // 16 entities and those of the other: more than once round
				if h, err := b.projector("d").Reconcile(t.Context(), es.ReconcileOptions{Entities: 4}); err != nil || h.Failed > 0 {
					t.Fatalf("%+v, %v", h, err)
				}
			}
			b.check(false)
		})
	}
}

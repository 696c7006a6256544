package es

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/esgen/esgen/runtime/internal/jitter"
)

const (
	maxConflicts   = 8  // of one source in one batch; then it is delivered again
	writesAtOnce   = 16 // steps that are written beside each other
	longestPause   = time.Second
	rowsAtOnce     = 4000 // records that sources name between two loads
	windowEvents   = 500  // events of an entity that are folded before the next are read
	windowEntities = 16   // entities whose gaps are closed beside each other
)

// work is one run of the projector: a batch, a healing, a refold.
type work struct {
	p       *Projector
	rows    rows
	report  Report
	perStep int  // entities in one step of a view keyed by the entity
	rebuild bool // the steps say that a rebuild makes them
	atOnce  int  // entities whose gaps are closed beside each other, 0: windowEntities
	window  int  // events of an entity that are read at once, 0: windowEvents
	pace    *pace
	late    func() bool // when a healing is to begin nothing more; nil is never
	turns   *turns      // of the one view that a rebuild is at, if entities share its records
	views   []viewWork
}

// viewWork is what a run did to one view.
type viewWork struct {
	folds  int
	oldest time.Time // of the delivered events that were folded
}

// rounds folds and writes until no source is pending. In a round every view that is
// not keyed by the entity writes one step, since its next one may need the same
// records; entities' own records do not depend on each other.
func (w *work) rounds(ctx context.Context, sources []*source) {
	began := time.Now()
	for conflicts := 0; ; {
		plans := w.plans(ctx, w.ready(ctx, sources))
		if len(plans) == 0 {
			return
		}
		errs := make([]error, len(plans))
		parallel(len(plans), writesAtOnce, func(i int) {
			if !plans[i].empty() {
				errs[i] = w.p.stores.Views.Write(ctx, plans[i].step)
			}
		})
		conflicted := false
		for i, p := range plans {
			conflicted = w.settle(p, errs[i]) || conflicted
		}
		if conflicted {
			conflicts++
			comeApart(ctx, conflicts, time.Since(began))
		} else {
			conflicts = 0
		}
		began = time.Now()
		if !w.load(ctx, sources) {
			return
		}
	}
}

// ready decides which pending sources can go on from where they stand now.
func (w *work) ready(ctx context.Context, sources []*source) []*source {
	var ready []*source
	for _, s := range sources {
		if s.status != pending {
			continue
		}
		at := w.rows.holder(s)
		s.entry = s.entry || at.held != ""
		switch _, reach := s.after(at.position); {
		case at.damage != nil:
			w.shelve(ctx, s, at.damage)
		case at.position >= s.target:
			s.status = done
		case at.held == w.p.deployment && !s.retry:
			s.status = held
		case at.held != "" && !s.past:
			s.past, s.status = true, gapped
		case !reach:
			s.status = gapped
		default:
			ready = append(ready, s)
		}
	}
	return ready
}

// plans folds the next steps of all views.
func (w *work) plans(ctx context.Context, ready []*source) []*plan {
	byView := map[*projected][]*source{}
	for _, s := range ready {
		byView[s.view] = append(byView[s.view], s)
	}
	var plans []*plan
	for _, v := range w.p.views {
		for sources := byView[v]; len(sources) > 0; {
			p := w.makePlan(v, sources)
			if !w.enterFailures(ctx, p) {
				sources = stillPending(sources)
				continue
			}
			plans = append(plans, p)
			if v.shared >= 0 {
				break
			}
			sources = sources[len(p.shares):]
		}
	}
	return plans
}

func stillPending(sources []*source) []*source {
	var rest []*source
	for _, s := range sources {
		if s.status == pending {
			rest = append(rest, s)
		}
	}
	return rest
}

// settle takes in how the write of a plan went; conflicted asks for a pause.
func (w *work) settle(p *plan, err error) (conflicted bool) {
	switch {
	case err == nil:
		w.rows.keep(&p.step)
		w.advance(p)
	case errors.Is(err, ErrConflict):
		w.report.Conflicts++
		w.rows.forget(&p.step)
		for i := range p.shares {
			s := p.shares[i].s
			s.failure = nil // of a record that is no longer the same
			if s.attempts++; s.attempts > maxConflicts {
				s.fail(fmt.Errorf("view %s: %w", s.view.Name, err))
			}
		}
		return true
	case errors.Is(err, ErrTooLarge):
		if !p.shrink() {
			w.tooLarge(&p.shares[0])
		}
	default:
		w.rows.forget(&p.step) // it may have been written
		for i := range p.shares {
			p.shares[i].s.fail(fmt.Errorf("view %s: %w", p.shares[i].s.view.Name, err))
		}
	}
	return false
}

func (w *work) advance(p *plan) {
	for i := range p.shares {
		sh := &p.shares[i]
		w.report.Folds += sh.folds
		w.countFolds(sh)
		sh.s.limit = 0
		sh.s.freed = sh.was.held != "" && sh.now.held == ""
		switch {
		case sh.fails():
			sh.s.status = held
			w.report.Quarantined++
		case sh.last:
			sh.s.status = done
		}
	}
}

// countFolds keeps, where a batch is to be measured, what was folded into a view.
func (w *work) countFolds(sh *share) {
	if w.views == nil || sh.folds == 0 {
		return
	}
	v := &w.views[sh.s.view.index]
	v.folds += sh.folds
	if oldest := sh.s.oldest; v.oldest.IsZero() || !oldest.IsZero() && oldest.Before(v.oldest) {
		v.oldest = oldest
	}
}

// tooLarge gives up on the one event of a step that the store refuses for its size.
func (w *work) tooLarge(sh *share) {
	if sh.took == 0 { // not even the quarantine fits into the record; its entry stands
		sh.s.status = held
		return
	}
	sh.s.failure = &failure{version: sh.now.position, reason: "the record is larger than the store takes"}
	sh.s.limit = 0
}

// parallel calls do for 0 to n-1, at most atOnce at a time, and returns when all
// have returned.
func parallel(n, atOnce int, do func(i int)) {
	if n == 1 {
		do(0)
		return
	}
	var wait sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i := range n {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			do(i)
		})
	}
	wait.Wait()
}

// comeApart waits a random time, up to a multiple of what a round takes that grows with each conflict in a row,
// so that writers of the same records come apart.
func comeApart(ctx context.Context, conflicts int, round time.Duration) {
	round = min(max(round, time.Millisecond), longestPause)
	timer := time.NewTimer(jitter.Below(ctx, min(round<<min(conflicts, 6), longestPause)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

package es

import (
	"context"
	"errors"
)

// errLate is of what a run has no time for.
var errLate = errors.New("es: out of time")

// newWork starts a run beside the batches. It must be ended by release.
func (p *Projector) newWork() *work {
	p.tables.RLock()
	return &work{p: p, perStep: 1}
}

func (w *work) release() { w.p.tables.RUnlock() }

// whole is a source that is to be folded to the end of its history.
func whole(v *projected, entityID string) *source {
	return &source{view: v, entity: entityID, status: gapped, target: endless}
}

// heal folds sources up to their targets, from the table alone. An entity
// that this deployment holds is left alone unless the source says retry. Sources of one
// entity stand together in the list, so that its events are read once.
func (w *work) heal(ctx context.Context, sources []*source) {
	w.rows = nil
	w.learn(ctx, sources)
	if w.load(ctx, sources) {
		w.healLoaded(ctx, sources)
	}
}

// healLoaded is heal for sources whose rows are at hand.
func (w *work) healLoaded(ctx context.Context, sources []*source) {
	for _, s := range sources {
		if s.status == failed {
			continue
		}
		at := w.rows.holder(s)
		if at.damage != nil {
			w.shelve(ctx, s, at.damage)
			continue
		}
		if at.held == w.p.deployment && !s.retry {
			s.status = held
			continue
		}
		s.past = at.held != ""
		s.entry = s.entry || s.past
	}
	w.toTheEnd(ctx, sources)
	if w.liftAll(ctx, sources) {
		w.toTheEnd(ctx, sources)
	}
	w.finish(ctx, sources)
}

// toTheEnd folds the sources that have gaps up to their targets.
func (w *work) toTheEnd(ctx context.Context, sources []*source) {
	var queue []*catchUp
	for _, s := range sources {
		if s.status != gapped {
			continue
		}
		if n := len(queue); n == 0 || queue[n-1].entity != s.entity {
			queue = append(queue, &catchUp{entity: s.entity})
		}
		c := queue[len(queue)-1]
		c.sources, c.goals = append(c.sources, s), append(c.goals, s.goal())
	}
	unfinished := w.advanceAll(ctx, queue, func() bool { return ctx.Err() != nil || w.late != nil && w.late() })
	for _, c := range unfinished {
		if c.failed = context.Cause(ctx); c.failed == nil {
			c.failed = errLate
		}
		c.failAll()
	}
}

// liftAll frees the entities that are held though the table has nothing more to fold. Those of which
// it has, another process has brought on and held since they were looked at. again says that
// some are to be folded once more: until one is free, others could acknowledge what is stored meanwhile.
func (w *work) liftAll(ctx context.Context, sources []*source) (again bool) {
	for _, s := range sources {
		at := w.rows.holder(s)
		if s.status != done || at.held == "" {
			continue
		}
		more, err := w.hasMore(ctx, s)
		switch {
		case err != nil:
			s.fail(err)
		case !more:
			w.lift(ctx, s)
		case at.held == w.p.deployment && !s.retry:
			s.status = held
		default:
			s.past, s.status = true, gapped
		}
		again = again || s.status == gapped
	}
	return again
}

func (w *work) lift(ctx context.Context, s *source) {
	rows := w.rows.of(s.view.table)
	step := Step{Table: s.view.table, Rebuild: w.rebuild || s.view.building()}
	if s.view.shared < 0 {
		item := *rows.items[s.entity]
		item.Held = ""
		step.Records = []ItemWrite{{Was: item.Guard, Item: item}}
	} else {
		m := *rows.markers[s.entity]
		m.Held = ""
		step.Markers = []MarkerWrite{{Was: m.Position, Marker: m}}
	}
	if err := w.p.stores.Views.Write(ctx, step); err != nil {
		s.fail(err)
		return
	}
	w.rows.keep(&step)
	s.lifted, s.past, s.status = true, true, gapped
}

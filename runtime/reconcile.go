package es

import (
	"context"
	"fmt"
)

// ReconcileOptions say how far Reconcile looks.
type ReconcileOptions struct {
	// Full compares the position of every entity in every view with its history,
	// instead of only those that were recorded as left behind.
	Full bool
}

// Healing says what was found and mended beside the stream. Each view of an entity counts.
type Healing struct {
	Looked      int `json:"looked"`      // positions that were looked at
	Folds       int `json:"folds"`       // events folded into records
	Quarantined int `json:"quarantined"` // still or newly
	Released    int `json:"released"`    // from quarantine
	Failed      int `json:"failed"`      // for now; run it again
}

// Reconcile folds what batches left behind, and removes quarantine entries that
// hold nothing. It may run at any time beside projectors, and again after an error.
func (p *Projector) Reconcile(ctx context.Context, o ReconcileOptions) (Healing, error) {
	h := &healing{p: p}
	for _, v := range p.views {
		h.behind(ctx, v)
		h.stale(ctx, v)
	}
	if o.Full {
		h.everything(ctx)
	}
	return h.sum, h.err
}

// RetryQuarantine folds quarantined entities again, whichever deployment they were
// quarantined by: of one view or of all ("") , one entity or all (""). It returns
// [ErrUnknownView], and [ErrNotQuarantined] when one entity is named that is not there.
func (p *Projector) RetryQuarantine(ctx context.Context, view, entityID string) (Healing, error) {
	views, err := p.viewsNamed(view)
	if err != nil {
		return Healing{}, err
	}
	h := &healing{p: p}
	for _, v := range views {
		if entityID == "" {
			h.eachEntry(ctx, quarantinePart(v.table), func(entries []*Entry) { h.retry(ctx, v, entries) })
			continue
		}
		e, err := p.entry(ctx, quarantinePart(v.table), entityID)
		if err != nil {
			return h.sum, err
		}
		if e != nil {
			h.retry(ctx, v, []*Entry{e})
		}
	}
	if entityID != "" && h.sum.Looked == 0 && h.err == nil {
		return h.sum, fmt.Errorf("%w: entity %q", ErrNotQuarantined, entityID)
	}
	return h.sum, h.err
}

// healing adds up several runs.
type healing struct {
	p          *Projector
	rebuilding bool // of a view that was dropped
	sum        Healing
	err        error // the first
}

func (h *healing) note(err error) {
	if h.err == nil {
		h.err = err
	}
}

// run heals sources and counts how it went.
func (h *healing) run(ctx context.Context, sources []*source) {
	w := h.p.newWork()
	defer w.release()
	if h.rebuilding {
		w.rebuild, w.perStep = true, stepItems
	}
	w.heal(ctx, sources)
	h.sum.Folds += w.report.Folds
	for _, s := range sources {
		h.sum.Looked++
		switch s.status {
		case held:
			h.sum.Quarantined++
		case failed:
			h.sum.Failed++
			h.note(s.err)
		case left:
			h.sum.Failed++
			h.note(fmt.Errorf("view %s: %w", s.view.Name, errHole))
		case done:
			if s.entry {
				h.sum.Released++
			}
		}
	}
}

// eachEntry calls do for the entries of a part, some at a time.
func (h *healing) eachEntry(ctx context.Context, part string, do func(entries []*Entry)) {
	const atOnce = 64
	var entries []*Entry
	for e, err := range h.p.entries(ctx, part) {
		if err != nil {
			h.note(err)
			break
		}
		if entries = append(entries, e); len(entries) == atOnce {
			do(entries)
			entries = nil
		}
	}
	if len(entries) > 0 {
		do(entries)
	}
}

// behind heals the entities that batches recorded. An entry goes only if it is still the one
// that was read before the healing: what a batch saw that recorded the entity since may
// not have been in the table when the healing read it.
func (h *healing) behind(ctx context.Context, v *projected) {
	h.eachEntry(ctx, behindPart(v.table), func(entries []*Entry) {
		sources := wholes(v, entries)
		h.run(ctx, sources)
		for i, s := range sources {
			if s.status != done && s.status != held {
				continue
			}
			if err := h.p.takeBack(ctx, entries[i]); err != nil {
				h.note(err)
			}
		}
	})
}

// wholes makes sources of the entities that entries are about.
func wholes(v *projected, entries []*Entry) []*source {
	sources := make([]*source, 0, len(entries))
	for _, e := range entries {
		sources = append(sources, whole(v, e.ID))
	}
	return sources
}

// stale looks at the quarantine entries whose entity is not held: a process ended
// between the two writes.
func (h *healing) stale(ctx context.Context, v *projected) {
	h.eachEntry(ctx, quarantinePart(v.table), func(entries []*Entry) {
		w := h.p.newWork()
		sources := wholes(v, entries)
		loaded := w.load(ctx, sources)
		w.release()
		var free []*source
		for _, s := range sources {
			if !loaded {
				h.note(s.err)
			} else if w.rows.holder(s).held == "" {
				s.entry = true
				free = append(free, s)
			}
		}
		h.run(ctx, free)
	})
}

func (h *healing) retry(ctx context.Context, v *projected, entries []*Entry) {
	sources := wholes(v, entries)
	for _, s := range sources {
		s.retry, s.entry = true, true
	}
	h.run(ctx, sources)
}

// everything heals every entity that has events above its position in a view.
func (h *healing) everything(ctx context.Context) {
	for heads, err := range h.p.heads(ctx) {
		if err != nil {
			h.note(err)
			return
		}
		w := h.p.newWork()
		behind, err := w.lagging(ctx, h.p.views, heads)
		w.release()
		if err != nil {
			h.note(err)
			return
		}
		h.run(ctx, behind)
	}
}

package es

import (
	"context"
	"errors"
	"fmt"
)

// ReconcileOptions say how far Reconcile looks. The zero value heals what is known to be behind:
// its cost follows what that is.
type ReconcileOptions struct {
	// Full compares the position of every entity in every view with its history, too: it finds
	// what nobody knows of, at the cost of a scan of the entities and a read of all positions.
	Full bool
	// Entities compares so many entities, from where the last such run stopped: run on a schedule, it
	// comes round to all of them at a cost that is known. It leaves out views that readers get an older
	// revision of: their rebuild folds all of it.
	Entities int
}

// Healing says what was found and mended beside the stream. Each view of an entity counts.
type Healing struct {
	Entities    int `json:"entities"`    // that were compared with their histories
	Looked      int `json:"looked"`      // positions that were healed, or were to be
	Folds       int `json:"folds"`       // events folded into records
	Quarantined int `json:"quarantined"` // still or newly
	Released    int `json:"released"`    // from quarantine
	Failed      int `json:"failed"`      // for now; run it again
	// NewlyQuarantined are those of the quarantined that this run found, or tried once more.
	NewlyQuarantined int `json:"newlyQuarantined,omitempty"`
	// Unfinished says that time did not suffice. The next run goes on.
	Unfinished bool `json:"unfinished,omitempty"`
}

// Reconcile folds what batches left behind, and removes quarantine entries that
// hold nothing. It may run at any time beside projectors, and again after an error. If ctx has a
// deadline, it begins nothing when three quarters of the time until then have passed: what is done is kept.
func (p *Projector) Reconcile(ctx context.Context, o ReconcileOptions) (Healing, error) {
	h := &healing{p: p, late: spent(ctx, p.clock, p.clock(), 3, 4)}
	for _, v := range p.views {
		h.behind(ctx, v)
		h.stale(ctx, v)
	}
	if o.Full {
		h.everything(ctx)
	} else if o.Entities > 0 {
		h.round(ctx, o.Entities)
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
	rebuilding bool        // of a view that was dropped
	late       func() bool // when nothing more is to begin; nil is never
	sum        Healing
	err        error // the first
}

// over reports whether there is no time for more.
func (h *healing) over() bool {
	if !h.sum.Unfinished && h.late != nil && h.late() {
		h.sum.Unfinished = true
	}
	return h.sum.Unfinished
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
	w.late = h.over
	w.heal(ctx, sources)
	h.sum.Folds += w.report.Folds
	h.sum.NewlyQuarantined += w.report.Quarantined
	for _, s := range sources {
		h.sum.Looked++
		switch s.status {
		case held:
			h.sum.Quarantined++
		case failed:
			if errors.Is(s.err, errLate) {
				continue
			}
			h.sum.Failed++
			h.note(s.err)
		case left:
			h.sum.Failed++
			h.note(fmt.Errorf("view %s: %w", s.view.Name, s.err))
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
		if h.over() {
			return
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
		if h.over() {
			return
		}
		if _, err := h.compare(ctx, h.p.views, heads); err != nil {
			h.note(err)
			return
		}
	}
}

// compare heals those of some entities that have events above their positions in views, and returns
// them. The error is the store's.
func (h *healing) compare(ctx context.Context, views []*projected, heads []EntityHead) ([]*source, error) {
	w := h.p.newWork()
	behind, err := w.lagging(ctx, views, heads)
	w.release()
	if err != nil {
		return nil, err
	}
	h.sum.Entities += len(heads)
	h.run(ctx, behind)
	return behind, nil
}

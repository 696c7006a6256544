package es

import "context"

// ViewStatus says how far a view is.
type ViewStatus struct {
	View        string `json:"view"`
	Revision    int    `json:"revision"`
	Entities    int    `json:"entities"`    // that have a history
	Behind      int    `json:"behind"`      // with events still to be folded, quarantined ones apart
	Quarantined int    `json:"quarantined"` // that wait for code that can fold them
	Left        int    `json:"left"`        // recorded for reconcile
	// Active is the revision that readers get, an older one while this one is to be rebuilt.
	Active  int           `json:"active"`
	Rebuild RebuildStatus `json:"rebuild"`
}

// Status compares all positions with all histories. It reads every entity's
// position, and the events above it: a thing to ask for, not to poll.
func (p *Projector) Status(ctx context.Context) ([]ViewStatus, error) {
	all := make([]ViewStatus, len(p.views))
	index := map[*projected]*ViewStatus{}
	for i, v := range p.views {
		all[i] = ViewStatus{View: v.Name, Revision: v.Revision}
		index[v] = &all[i]
		var err error
		if all[i].Quarantined, err = p.count(ctx, quarantinePart(v.table)); err != nil {
			return nil, err
		}
		if all[i].Left, err = p.count(ctx, behindPart(v.table)); err != nil {
			return nil, err
		}
		if err := p.statusOfRebuild(ctx, v, &all[i]); err != nil {
			return nil, err
		}
	}
	for heads, err := range p.heads(ctx) {
		if err != nil {
			return nil, err
		}
		for i := range all {
			all[i].Entities += len(heads)
		}
		if err := p.countBehind(ctx, heads, index); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (p *Projector) statusOfRebuild(ctx context.Context, v *projected, s *ViewStatus) error {
	active, _, err := activeOf(ctx, p.stores.Progress, v.Name)
	if err != nil {
		return err
	}
	if s.Active = v.Revision; active > 0 {
		s.Active = min(active, v.Revision)
	}
	s.Rebuild, err = p.rebuildStatus(ctx, v, s.Active)
	return err
}

func (p *Projector) count(ctx context.Context, part string) (n int, err error) {
	for _, err := range p.entries(ctx, part) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

func (p *Projector) countBehind(ctx context.Context, heads []EntityHead, index map[*projected]*ViewStatus) error {
	w := p.newWork()
	defer w.release()
	lagging, err := w.lagging(ctx, p.views, heads)
	if err != nil {
		return err
	}
	for _, s := range lagging {
		if w.rows.holder(s).held != "" {
			continue
		}
		behind, err := w.hasMore(ctx, s)
		if err != nil {
			return err
		}
		if behind {
			index[s.view].Behind++
		}
	}
	return nil
}

// hasMore reports whether the table has an event above the source's position that touches
// the view.
func (w *work) hasMore(ctx context.Context, s *source) (bool, error) {
	for after := w.rows.holder(s).position; ; {
		events, more, err := w.p.stores.Events.Read(ctx, s.entity, after, windowEvents)
		if err != nil {
			return false, err
		}
		for i := range events {
			if k := (known{r: &events[i], kind: w.p.typeOf(events[i].Type), index: -1}); k.touches(w.p, s.view) {
				return true, nil
			}
		}
		if !more || len(events) == 0 {
			return false, nil
		}
		after = events[len(events)-1].Version
	}
}

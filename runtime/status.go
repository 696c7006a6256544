package es

import (
	"context"
	"iter"
	"time"
)

// ViewStatus says how far a view is.
type ViewStatus struct {
	View        string `json:"view"`
	Revision    int    `json:"revision"`
	Entities    int    `json:"entities"`    // that have a history, and were compared
	Behind      int    `json:"behind"`      // of these, with events still to be folded, quarantined ones apart
	Quarantined int    `json:"quarantined"` // that wait for code that can fold them
	Left        int    `json:"left"`        // recorded for reconcile
	// Sampled says that there are entities that were not compared.
	Sampled bool `json:"sampled,omitempty"`
	// Oldest is the time of the oldest event that was seen to be still to be folded.
	Oldest time.Time `json:"oldest,omitzero"`
	// Reason is the one that most of the quarantined have, Since when the first of them was seen.
	Reason string    `json:"reason,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	// Active is the revision that readers get, an older one while this one is to be rebuilt.
	Active  int           `json:"active"`
	Rebuild RebuildStatus `json:"rebuild"`
}

// Status compares all positions with all histories. It reads every entity's
// position, and the events above it: a thing to ask for, not to poll.
func (p *Projector) Status(ctx context.Context) ([]ViewStatus, error) {
	return p.statusOf(ctx, p.heads(ctx), func() bool { return true })
}

// SampleStatus compares about so many entities, from a random place among all: what it costs does not
// grow with them. Everything else that it says is of all.
func (p *Projector) SampleStatus(ctx context.Context, entities int) ([]ViewStatus, error) {
	s, err := p.newSample(ctx, entities)
	if err != nil {
		return nil, err
	}
	return p.statusOf(ctx, s.heads(ctx), func() bool { return s.complete })
}

// statusOf compares some entities; complete then says whether they were all.
func (p *Projector) statusOf(ctx context.Context, some iter.Seq2[[]EntityHead, error], complete func() bool) ([]ViewStatus, error) {
	all := make([]ViewStatus, len(p.views))
	index := map[*projected]*ViewStatus{}
	for i, v := range p.views {
		all[i] = ViewStatus{View: v.Name, Revision: v.Revision}
		index[v] = &all[i]
		if err := p.statusOfView(ctx, v, &all[i]); err != nil {
			return nil, err
		}
	}
	for heads, err := range some {
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
	for i := range all {
		all[i].Sampled = !complete()
	}
	return all, nil
}

// statusOfView reads what the progress has of a view.
func (p *Projector) statusOfView(ctx context.Context, v *projected, s *ViewStatus) (err error) {
	if err := p.statusOfQuarantine(ctx, v, s); err != nil {
		return err
	}
	if s.Left, err = p.count(ctx, behindPart(v.table)); err != nil {
		return err
	}
	return p.statusOfRebuild(ctx, v, s)
}

// reasonsCounted bounds the memory of what is a word to whoever is woken, not statistics.
const reasonsCounted = 1000

func (p *Projector) statusOfQuarantine(ctx context.Context, v *projected, s *ViewStatus) error {
	reasons := map[string]int{}
	for e, err := range p.entries(ctx, quarantinePart(v.table)) {
		if err != nil {
			return err
		}
		s.Quarantined++
		q := readQuarantined(v.table, e)
		if !q.FirstSeen.IsZero() && (s.Since.IsZero() || q.FirstSeen.Before(s.Since)) {
			s.Since = q.FirstSeen
		}
		if reasons[q.Reason] > 0 || len(reasons) < reasonsCounted {
			reasons[q.Reason]++
		}
		if reasons[q.Reason] > reasons[s.Reason] {
			s.Reason = q.Reason
		}
	}
	return nil
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
		of := index[s.view]
		first, err := w.firstMissing(ctx, s)
		switch {
		case lasting(err): // what it lacks cannot be told
			of.Behind++
			continue
		case err != nil:
			return err
		case first == nil:
			continue
		}
		if of.Behind++; of.Oldest.IsZero() || first.Time.Before(of.Oldest) {
			of.Oldest = first.Time
		}
	}
	return nil
}

// hasMore reports whether the table has an event above the source's position that touches
// the view.
func (w *work) hasMore(ctx context.Context, s *source) (bool, error) {
	first, err := w.firstMissing(ctx, s)
	return first != nil, err
}

// firstMissing is the first event above the source's position that touches the view, nil if there is none.
func (w *work) firstMissing(ctx context.Context, s *source) (*Recorded, error) {
	for after := w.rows.holder(s).position; ; {
		events, more, err := w.p.stores.Events.Read(ctx, s.entity, after, windowEvents)
		if err != nil {
			return nil, err
		}
		for i := range events {
			if k := (known{r: &events[i], kind: w.p.typeOf(events[i].Type), index: -1}); k.touches(w.p, s.view) {
				return &events[i], nil
			}
		}
		if !more || len(events) == 0 {
			return nil, nil
		}
		after = events[len(events)-1].Version
	}
}

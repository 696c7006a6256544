package es

import (
	"context"
	"iter"
)

// headsAtOnce bounds the entities whose positions are read in one request.
const headsAtOnce = 64

// heads goes over all entities, some at a time.
func (p *Projector) heads(ctx context.Context) iter.Seq2[[]EntityHead, error] {
	return func(yield func([]EntityHead, error) bool) {
		for cursor := ""; ; {
			heads, next, err := p.stores.Events.Heads(ctx, 0, 1, cursor)
			if err != nil {
				yield(nil, err)
				return
			}
			for len(heads) > 0 {
				n := min(len(heads), headsAtOnce)
				if !yield(heads[:n], nil) {
					return
				}
				heads = heads[n:]
			}
			if next == "" {
				return
			}
			cursor = next
		}
	}
}

// lagging returns sources for the entities whose position in a view is below their
// head. Whether there is anything to fold shows when the events are read: those that
// a view does not list do not move its positions.
func (w *work) lagging(ctx context.Context, views []*projected, heads []EntityHead) ([]*source, error) {
	var all []*source
	for _, head := range heads {
		for _, v := range views {
			all = append(all, whole(v, head.EntityID))
		}
	}
	if len(all) > 0 && !w.load(ctx, all) {
		return nil, all[0].err
	}
	var behind []*source
	for i, s := range all {
		if w.rows.holder(s).position < heads[i/len(views)].Version {
			behind = append(behind, s)
		}
	}
	return behind, nil
}

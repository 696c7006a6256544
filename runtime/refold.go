package es

import (
	"context"
	"fmt"
)

// Refold drops the table of a view and folds it anew from all histories, in bounded memory. Readers
// meanwhile see the view fill up, and batches of this Projector go on. Other
// processes must not project into the view while it is dropped. It is for development: a
// deployed view gets a new revision instead.
func (p *Projector) Refold(ctx context.Context, view string) (Healing, error) {
	if view == "" {
		return Healing{}, fmt.Errorf("%w: %q", ErrUnknownView, view)
	}
	views, err := p.viewsNamed(view)
	if err != nil {
		return Healing{}, err
	}
	h := &healing{p: p, rebuilding: true}
	if err := p.drop(ctx, views[0]); err != nil {
		return h.sum, fmt.Errorf("view %s: drop: %w", view, err)
	}
	for heads, err := range p.heads(ctx) {
		if err != nil {
			return h.sum, err
		}
		sources := make([]*source, 0, len(heads))
		for _, head := range heads {
			sources = append(sources, whole(views[0], head.EntityID))
		}
		h.run(ctx, sources)
		if err := ctx.Err(); err != nil {
			return h.sum, err
		}
	}
	return h.sum, h.err
}

// drop removes a view's table and what is known about its entities.
func (p *Projector) drop(ctx context.Context, v *projected) error {
	p.tables.Lock()
	defer p.tables.Unlock()
	if err := p.stores.Views.Drop(ctx, v.table); err != nil {
		return err
	}
	return p.forget(ctx, v.table)
}

// forget removes what the progress has about a table.
func (p *Projector) forget(ctx context.Context, t Table) error {
	for _, part := range []string{quarantinePart(t), behindPart(t), rebuildPart(t)} {
		for e, err := range p.entries(ctx, part) {
			if err != nil {
				return err
			}
			if err := p.stores.Progress.DeleteProgress(ctx, part, e.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

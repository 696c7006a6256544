package es

import (
	"context"
	"errors"
	"fmt"
	"strconv"
)

// ErrStillNeeded is returned for a revision that readers get, or that events are folded into.
var ErrStillNeeded = errors.New("es: the revision is still needed")

// RetireRevision notes that an older revision of a view is needed no more: with [ErrStillNeeded] it refuses what
// [Projector.DropRevision] does. Its records and how far they are folded stay, and agree: who goes back to
// it before its table is gone folds on from there, and without its markers would fold everything twice.
func (p *Projector) RetireRevision(ctx context.Context, t Table) error {
	views, err := p.viewsNamed(t.View)
	if err != nil {
		return err
	}
	if err := p.checkUnneeded(ctx, t, views); err != nil {
		return err
	}
	return p.stores.Progress.PutProgress(ctx, -1, Entry{Part: retiredPart(t.View), ID: strconv.Itoa(t.Revision), Guard: 1, Value: "retired"})
}

// RetiredRevisions are those of a view that were retired, and not dropped since.
func (p *Projector) RetiredRevisions(ctx context.Context, view string) ([]Table, error) {
	var tables []Table
	for e, err := range p.entries(ctx, retiredPart(view)) {
		if err != nil {
			return nil, err
		}
		revision, err := strconv.Atoi(e.ID)
		if err != nil {
			return nil, fmt.Errorf("%w: a retired revision of the view %s is called %q", ErrDamaged, view, e.ID)
		}
		tables = append(tables, Table{View: view, Revision: revision})
	}
	return tables, nil
}

func retiredPart(view string) string { return "retired/" + view }

// DropRevision empties the table of an older revision of a view, or of any revision of a view that
// the model no longer has, and forgets its markers and quarantine. It refuses a revision
// that readers get, and waits some seconds for readers that have not noticed yet that they get another.
// Of a table that the store was not told of it forgets what the progress says: call it so only when the table is gone.
func (p *Projector) DropRevision(ctx context.Context, t Table) error {
	views, err := p.viewsNamed(t.View)
	if t.View == "" || errors.Is(err, ErrUnknownView) {
		views = nil // nothing folds into it or reads it
	}
	if err := p.checkUnneeded(ctx, t, views); err != nil {
		return err
	}
	if len(views) > 0 {
		if err := sleepFor(ctx, readFor); err != nil {
			return err
		}
	}
	if err := p.stores.Views.Drop(ctx, t); err != nil {
		return err
	}
	if len(views) == 0 {
		if err := p.stores.Progress.DeleteProgress(ctx, PartActive, t.View); err != nil {
			return err
		}
	}
	if err := p.forget(ctx, t); err != nil {
		return err
	}
	return p.stores.Progress.DeleteProgress(ctx, retiredPart(t.View), strconv.Itoa(t.Revision))
}

// checkUnneeded refuses a revision that readers get, or that events are folded into.
func (p *Projector) checkUnneeded(ctx context.Context, t Table, views []*projected) error {
	for _, v := range views {
		active, _, err := activeOf(ctx, p.stores.Progress, v.Name)
		if err != nil {
			return err
		}
		if t.Revision >= v.Revision {
			return fmt.Errorf("%w: events are folded into revision %d of the view %s", ErrStillNeeded, v.Revision, v.Name)
		}
		if active > 0 && active < v.Revision {
			return fmt.Errorf("%w: readers of the view %s get revision %d until revision %d is rebuilt", ErrStillNeeded, v.Name, active, v.Revision)
		}
	}
	return nil
}

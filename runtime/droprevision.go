package es

import (
	"context"
	"errors"
	"fmt"
)

// ErrStillNeeded is returned for a revision that readers get, or that events are folded into.
var ErrStillNeeded = errors.New("es: the revision is still needed")

// DropRevision empties the table of an older revision of a view, or of any revision of a view that
// the model no longer has, and forgets its markers and quarantine. It refuses a revision
// that readers get, and waits some seconds for readers that have not noticed yet that they get another.
// Of a table that the store was not told of it forgets what the progress says.
func (p *Projector) DropRevision(ctx context.Context, t Table) error {
	views, err := p.viewsNamed(t.View)
	if t.View == "" || errors.Is(err, ErrUnknownView) {
		views = nil // nothing folds into it or reads it
	}
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
	return p.forget(ctx, t)
}

package es

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// PartActive is the part of a ProgressStore that says which revision of a view readers get: an
// entry per view, its name the ID, the revision in decimal the Value.
//
// A deployment writes nothing there. The first projector that ever folds into a view
// enters its own revision, so a view without a predecessor is read at once. A later revision finds
// the entry of the one before it, which readers go on getting until [Projector.Rebuild] of the
// new one is complete and enters that. The number never falls.
const PartActive = "active"

// activeOf is the revision that readers get, 0 while no projector has folded into the view.
func activeOf(ctx context.Context, s ProgressStore, view string) (revision int, guard int64, err error) {
	e, err := s.Progress(ctx, PartActive, view)
	if err != nil || e == nil {
		return 0, 0, err
	}
	revision, err = strconv.Atoi(e.Value)
	if err != nil || revision < 1 {
		return 0, e.Guard, nil // what cannot be read says nothing
	}
	return revision, e.Guard, nil
}

// putActive has readers get a revision unless they get that one or a later one already.
func putActive(ctx context.Context, s ProgressStore, view string, revision int) (active int, err error) {
	const tries = 5
	for range tries {
		var guard int64
		if active, guard, err = activeOf(ctx, s, view); err != nil || active >= revision {
			return active, err
		}
		err = s.PutProgress(ctx, guard, Entry{Part: PartActive, ID: view, Guard: guard + 1, Value: strconv.Itoa(revision)})
		if err == nil {
			return revision, nil
		}
		if !errors.Is(err, ErrConflict) {
			return 0, err
		}
	}
	return 0, err
}

// What a projector knows of who reads the revision that it folds into.
const (
	readUnknown int32 = iota
	readOlder         // readers get an older revision
	readThis          // for good
)

// building reports whether what is folded into the view's table is not read yet.
func (v *projected) building() bool { return v.read.Load() == readOlder }

// learn finds out for the views of sources whether their revisions are read; the sources of a
// view of which that cannot be told fail for now. It asks once for a view that is read, and
// while it is being rebuilt at each batch: what a batch writes after readers have switched must not
// be taken for the rebuild's.
func (w *work) learn(ctx context.Context, sources []*source) {
	var views []*projected
	for _, s := range sources {
		if s.view.read.Load() != readThis && !slices.Contains(views, s.view) {
			views = append(views, s.view)
		}
	}
	if len(views) == 0 {
		return
	}
	errs := make([]error, len(views))
	parallel(len(views), writesAtOnce, func(i int) { errs[i] = w.p.learnOf(ctx, views[i]) })
	for _, s := range sources {
		i := slices.Index(views, s.view)
		if i >= 0 && errs[i] != nil && (s.status == pending || s.status == gapped) {
			s.fail(fmt.Errorf("view %s: which revision readers get: %w", s.view.Name, errs[i]))
		}
	}
}

func (p *Projector) learnOf(ctx context.Context, v *projected) error {
	if p.stores.Progress == nil {
		v.read.Store(readThis)
		return nil
	}
	revision, guard, err := activeOf(ctx, p.stores.Progress, v.Name)
	if err == nil && revision == 0 {
		revision, err = p.enterFirst(ctx, v, guard)
	}
	if err != nil {
		return err
	}
	if revision >= v.Revision {
		v.read.Store(readThis)
	} else {
		v.read.CompareAndSwap(readUnknown, readOlder) // another batch may know better by now
	}
	return nil
}

// enterFirst enters the revision that is the first to be folded into; of two the first to
// write decides.
func (p *Projector) enterFirst(ctx context.Context, v *projected, guard int64) (revision int, err error) {
	err = p.stores.Progress.PutProgress(ctx, guard, Entry{Part: PartActive, ID: v.Name, Guard: guard + 1, Value: strconv.Itoa(v.Revision)})
	if errors.Is(err, ErrConflict) {
		revision, _, err = activeOf(ctx, p.stores.Progress, v.Name)
		return max(revision, 1), err
	}
	return v.Revision, err
}

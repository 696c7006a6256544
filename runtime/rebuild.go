package es

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// RebuildOptions say how fast a rebuild goes; the zero value serves.
type RebuildOptions struct {
	// Segments are the parts that the entities are split into, 16 if 0; at most 1,000. A rebuild
	// that goes on keeps those that it began with.
	Segments int
	// Parallel is how many segments this process works on beside each other, 4 if 0.
	Parallel int
	// Rate is how many events a second this process reads at most; 0: as many as it can.
	Rate float64
	// Alone says that no other process can be at it, so that what one left that has ended
	// needs not be waited for.
	Alone bool
	// Accept has readers switch even if entities that readers see as they should be now would
	// be in quarantine then.
	Accept bool
	// Progress is told of each stretch that is done, one call at a time.
	Progress func(RebuildStatus)
	// Sleep waits; nil is a timer. Tests that have a clock of their own give it.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Rebuilt is how a rebuild ended.
type Rebuilt struct {
	RebuildStatus
	// Active is the revision that readers get.
	Active int `json:"active"`
	// Quarantined counts the entities of the view that wait for code that can fold them. Worse
	// lists those of them, the first 100, that are not in quarantine in the revision that
	// readers get: readers do not switch by themselves while there are any.
	Quarantined int           `json:"quarantined"`
	Worse       []Quarantined `json:"worse,omitempty"`
	// Left counts entities whose histories lack an event, which does not happen, or have one that is
	// damaged; neither do readers switch then.
	Left int `json:"left,omitempty"`
}

// Held reports whether readers did not switch though everything is folded; see
// [RebuildOptions.Accept].
func (r *Rebuilt) Held() bool { return r.State == RebuildHeld }

// ErrNoTable is returned for a revision whose table the store was not told of.
var ErrNoTable = errors.New("es: no such table")

const (
	defaultSegments = 16
	maxSegments     = 1000
	defaultParallel = 4
	worseListed     = 100
	groupEntities   = 64   // that are folded together
	groupEvents     = 4000 // of theirs, about, that are in memory at once
	rebuildTries    = 10   // of a stretch of entities, before the rebuild ends with its error
)

// Rebuild folds all entities into a view's table, which projectors go on folding into, and then has
// readers get that revision. It goes on where an earlier one, of whatever process, has stopped, and
// several processes may be at it at once. Its memory follows neither the number of entities nor
// the length of their histories. Consumers of the view are not called for what it writes.
//
// A view without a predecessor is read anyway; then a rebuild brings in the entities that have
// had no event since the view exists. One that is complete is not begun again.
//
// What cannot be folded is quarantined and does not stop it. The error is trouble: run it again.
func (p *Projector) Rebuild(ctx context.Context, view string, o RebuildOptions) (Rebuilt, error) {
	if view == "" {
		return Rebuilt{}, fmt.Errorf("%w: %q", ErrUnknownView, view)
	}
	views, err := p.viewsNamed(view)
	if err != nil {
		return Rebuilt{}, err
	}
	v := views[0]
	if k, ok := p.stores.Views.(TableKnower); ok && !k.HasTable(v.table) {
		return Rebuilt{}, fmt.Errorf("%w: revision %d of the view %s: deploy it first", ErrNoTable, v.Revision, view)
	}
	r, err := p.newRebuild(ctx, v, o)
	if err != nil {
		return Rebuilt{}, fmt.Errorf("view %s: rebuild: %w", view, err)
	}
	v.turns.rebuilds.Add(1)
	defer v.turns.rebuilds.Add(-1)
	if err := r.scanAll(ctx); err != nil {
		return Rebuilt{RebuildStatus: r.status()}, fmt.Errorf("view %s: rebuild: %w", view, err)
	}
	done, err := r.finish(ctx)
	if err != nil {
		return done, fmt.Errorf("view %s: rebuild: %w", view, err)
	}
	return done, nil
}

// rebuild is one process's part in the rebuild of a view.
type rebuild struct {
	p      *Projector
	view   *projected
	o      RebuildOptions
	owner  string
	pace   *pace
	window int
	total  int64 // events of the service, about; 0: not known

	progress gate // of what follows
	plan     rebuildPlan
	planned  *Entry
	segments []*segment
	reports  sync.Mutex
}

func (p *Projector) newRebuild(ctx context.Context, v *projected, o RebuildOptions) (*rebuild, error) {
	if o.Segments < 1 {
		o.Segments = defaultSegments
	}
	o.Segments = min(o.Segments, maxSegments)
	if o.Parallel < 1 {
		o.Parallel = defaultParallel
	}
	if o.Sleep == nil {
		o.Sleep = sleepFor
	}
	r := &rebuild{p: p, view: v, o: o, progress: newGate(), owner: NewUUID(p.clock()).String()}
	if o.Rate > 0 {
		r.pace = &pace{rate: o.Rate, clock: p.clock, sleep: o.Sleep}
		r.window = max(1, int(min(o.Rate, windowEvents))) // about a second's worth at once
	}
	if counter, ok := p.stores.Events.(EventCounter); ok {
		var err error
		if r.total, err = counter.CountEvents(ctx); err != nil {
			return nil, err
		}
	}
	// A table that nobody has folded into yet is read at once.
	if err := p.learnOf(ctx, v); err != nil {
		return nil, err
	}
	return r, r.begin(ctx)
}

// EventCounter is an [EventStore] that knows about how many events it has.
type EventCounter interface {
	CountEvents(ctx context.Context) (int64, error)
}

// scanAll works on segments until all are done, also those of other processes.
func (r *rebuild) scanAll(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wait sync.WaitGroup
	for range r.o.Parallel {
		wait.Go(func() {
			if err := r.work(ctx); err != nil {
				cancel(err)
			}
		})
	}
	wait.Wait()
	return context.Cause(ctx)
}

func (r *rebuild) work(ctx context.Context) error {
	for {
		s, others, err := r.take(ctx)
		switch {
		case err != nil:
			return err
		case s != nil:
			err := r.scan(ctx, s)
			r.letGo(s)
			if err != nil && !errors.Is(err, errTaken) {
				return err
			}
		case !others:
			return nil
		default:
			if err := r.o.Sleep(ctx, patience/10); err != nil {
				return err
			}
		}
	}
}

// scan folds the entities of a segment from where it stands, page by page.
func (r *rebuild) scan(ctx context.Context, s *segment) error {
	for !s.Done {
		heads, next, err := r.p.stores.Events.Heads(ctx, s.index, r.plan.Segments, s.Cursor)
		if errors.Is(err, ErrCursor) && s.Cursor != "" {
			s.restart()
			continue
		}
		if err != nil {
			return err
		}
		now := s.state
		for len(heads) > 0 {
			n := min(len(heads), groupEntities)
			if err := r.foldStubbornly(ctx, heads[:n], &now); err != nil {
				return err
			}
			heads = heads[n:]
		}
		now.Cursor, now.Done = next, next == ""
		if err := r.advance(ctx, s, now); err != nil {
			return err
		}
		r.report()
	}
	return nil
}

// foldStubbornly tries again what fails for now: a store that throttles, writers of the same
// records.
func (r *rebuild) foldStubbornly(ctx context.Context, heads []EntityHead, now *state) error {
	for try := 1; ; try++ {
		err := r.fold(ctx, heads, now)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if try == rebuildTries {
			return err
		}
		if err := r.o.Sleep(ctx, 50*time.Millisecond<<min(try, 6)); err != nil {
			return err
		}
	}
	now.Entities += int64(len(heads))
	for _, h := range heads {
		now.Events += h.Version
	}
	return nil
}

// fold brings entities up to the versions that were seen of them; for what has come since there
// are the projectors.
func (r *rebuild) fold(ctx context.Context, heads []EntityHead, now *state) error {
	w := r.p.newWork()
	defer w.release()
	w.rebuild, w.perStep, w.pace, w.window = true, stepItems, r.pace, r.window
	if r.view.shared >= 0 {
		w.turns = &r.view.turns
	}
	all := make([]*source, len(heads))
	for i, h := range heads {
		all[i] = whole(r.view, h.EntityID)
		all[i].target = h.Version
	}
	if !w.load(ctx, all) {
		return all[0].err
	}
	var group []*source
	expected := 0
	for _, s := range all {
		missing := s.target - w.rows.holder(s).position
		if missing <= 0 {
			continue
		}
		group = append(group, s)
		if expected += int(min(missing, windowEvents)); expected >= groupEvents {
			if err := r.foldGroup(ctx, w, group, now); err != nil {
				return err
			}
			group, expected = nil, 0
		}
	}
	return r.foldGroup(ctx, w, group, now)
}

func (r *rebuild) foldGroup(ctx context.Context, w *work, group []*source, now *state) error {
	if len(group) == 0 {
		return nil
	}
	before := w.report.Folds
	w.atOnce = len(group)
	w.healLoaded(ctx, group)
	now.Folds += int64(w.report.Folds - before)
	for _, s := range group {
		if s.status == failed {
			return s.err
		}
	}
	return nil
}

// finish folds what batches have left behind, and has readers switch.
func (r *rebuild) finish(ctx context.Context) (Rebuilt, error) {
	h := &healing{p: r.p, rebuilding: true}
	h.behind(ctx, r.view)
	done := Rebuilt{RebuildStatus: r.status()}
	if h.err != nil && !lasting(h.err) {
		return done, h.err
	}
	done.Left = h.sum.Failed // the scan leaves behind what it cannot read
	var err error
	if done.Active, _, err = activeOf(ctx, r.p.stores.Progress, r.view.Name); err != nil {
		return done, err
	}
	if err := r.compareQuarantine(ctx, &done); err != nil {
		return done, err
	}
	if done.Active < r.view.Revision && len(done.Worse)+done.Left > 0 && !r.o.Accept {
		done.State = RebuildHeld
		return done, nil
	}
	if done.Active, err = putActive(ctx, r.p.stores.Progress, r.view.Name, r.view.Revision); err != nil {
		return done, err
	}
	r.view.read.Store(readThis)
	if err := r.complete(ctx); err != nil {
		return done, err
	}
	done.RebuildStatus = r.status()
	r.report()
	return done, nil
}

// compareQuarantine finds the entities of which readers would get less than they do now.
func (r *rebuild) compareQuarantine(ctx context.Context, done *Rebuilt) error {
	before := Table{View: r.view.Name, Revision: done.Active}
	for e, err := range r.p.entries(ctx, quarantinePart(r.view.table)) {
		if err != nil {
			return err
		}
		done.Quarantined++
		if done.Active >= r.view.Revision || len(done.Worse) == worseListed {
			continue
		}
		was, err := r.p.entry(ctx, quarantinePart(before), e.ID)
		if err != nil {
			return err
		}
		if was == nil {
			done.Worse = append(done.Worse, readQuarantined(r.view.table, e))
		}
	}
	return nil
}

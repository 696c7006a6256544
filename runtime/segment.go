package es

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// How far a rebuild is stands in a part of the progress of its own: an entry for the whole, and one
// for each segment of the entities. An entry is written on the condition of its guard, so of two
// processes on one segment only one goes on; what both have folded is folded once, as always.

func rebuildPart(t Table) string { return "rebuild/" + t.View + "/" + strconv.Itoa(t.Revision) }

const (
	planID        = "plan"
	segmentPrefix = "segment/"
)

func segmentID(i int) string { return fmt.Sprintf("%s%04d", segmentPrefix, i) }

// rebuildPlan is the entry of the whole.
type rebuildPlan struct {
	Segments  int       `json:"segments"`
	Started   time.Time `json:"started"`
	Completed time.Time `json:"completed,omitzero"`
}

// state is the entry of a segment.
type state struct {
	Of       int       `json:"of"` // segments, as the plan was then
	Cursor   string    `json:"cursor,omitempty"`
	Done     bool      `json:"done,omitempty"`
	Owner    string    `json:"owner,omitempty"` // the process that is at it, or was
	Entities int64     `json:"entities"`
	Events   int64     `json:"events"` // of these entities
	Folds    int64     `json:"folds"`
	Moved    time.Time `json:"moved"`
}

// segment is a segment as this process knows it.
type segment struct {
	state
	index int
	guard int64
	mine  bool // a worker of this process is at it
	// When the entry of another process was last seen to be another than before.
	seen time.Time
}

// patience is how long a segment of another process may stand still before it is taken over.
const patience = 5 * time.Second

// errTaken: another process has gone on with the segment.
var errTaken = errors.New("es: the segment is another process's")

func (s *segment) restart() {
	s.state = state{Of: s.Of, Owner: s.Owner, Folds: s.Folds}
}

// begin reads the plan, or writes it; of several processes the first to write decides.
func (r *rebuild) begin(ctx context.Context) error {
	part := rebuildPart(r.view.table)
	plan := rebuildPlan{Segments: r.o.Segments, Started: r.p.clock().UTC()}
	for r.planned == nil {
		e, err := r.p.stores.Progress.Progress(ctx, part, planID)
		if err != nil {
			return err
		}
		var guard int64
		if e != nil {
			guard = e.Guard
			if err := json.Unmarshal([]byte(e.Value), &r.plan); err == nil && r.plan.Segments > 0 && r.plan.Segments <= maxSegments {
				r.planned = e
				break
			}
		}
		value, _ := json.Marshal(plan) // numbers and a time of this century
		e = &Entry{Part: part, ID: planID, Guard: guard + 1, Value: string(value)}
		err = r.p.stores.Progress.PutProgress(ctx, guard, *e)
		if err != nil && !errors.Is(err, ErrConflict) {
			return err
		}
	}
	for i := range r.plan.Segments {
		r.segments = append(r.segments, &segment{index: i})
	}
	return r.refresh(ctx)
}

// refresh reads how far the segments are that no worker of this process is at.
func (r *rebuild) refresh(ctx context.Context) error {
	now := r.p.clock()
	for e, err := range r.p.allEntries(ctx, rebuildPart(r.view.table)) {
		if err != nil {
			return err
		}
		i, err := strconv.Atoi(strings.TrimPrefix(e.ID, segmentPrefix))
		if err != nil || i < 0 || i >= len(r.segments) {
			continue // the plan
		}
		s := r.segments[i]
		if s.mine || s.guard >= e.Guard {
			continue
		}
		s.state = state{}
		if err := json.Unmarshal([]byte(e.Value), &s.state); err != nil || s.Of != r.plan.Segments {
			s.state = state{} // from the start: what has been folded is passed over
		}
		s.guard, s.seen = e.Guard, now
	}
	return nil
}

// take claims a segment that is not done. others says that there is none now, but one that
// another process is at.
func (r *rebuild) take(ctx context.Context) (taken *segment, others bool, err error) {
	if err := r.progress.pass(ctx); err != nil {
		return nil, false, err
	}
	defer r.progress.leave()
	if err := r.refresh(ctx); err != nil {
		return nil, false, err
	}
	now := r.p.clock()
	for _, s := range r.segments {
		if s.Done || s.mine {
			continue
		}
		foreign := s.Owner != "" && s.Owner != r.owner
		if foreign && !r.o.Alone && now.Sub(s.seen) < patience {
			others = true
			continue
		}
		claim := s.state
		claim.Of, claim.Owner = r.plan.Segments, r.owner
		err := r.put(ctx, s, claim)
		if errors.Is(err, ErrConflict) {
			others = true // it is another process's as of now
			continue
		}
		if err != nil {
			return nil, false, err
		}
		s.mine = true
		return s, false, nil
	}
	return nil, others, nil
}

// advance moves a segment of this process on.
func (r *rebuild) advance(ctx context.Context, s *segment, to state) error {
	if err := r.progress.pass(ctx); err != nil {
		return err
	}
	defer r.progress.leave()
	to.Moved = r.p.clock().UTC()
	err := r.put(ctx, s, to)
	if errors.Is(err, ErrConflict) {
		return errTaken
	}
	return err
}

func (r *rebuild) put(ctx context.Context, s *segment, to state) error {
	value, err := json.Marshal(to)
	if err != nil {
		return err
	}
	err = r.p.stores.Progress.PutProgress(ctx, s.guard, Entry{
		Part: rebuildPart(r.view.table), ID: segmentID(s.index), Guard: s.guard + 1, Value: string(value),
	})
	if err == nil {
		s.state, s.guard = to, s.guard+1
	}
	return err
}

func (r *rebuild) letGo(s *segment) {
	_ = r.progress.pass(context.Background()) // who holds it asks a store, and ends
	defer r.progress.leave()
	s.mine = false
}

// complete writes that everything is done.
func (r *rebuild) complete(ctx context.Context) error {
	if !r.plan.Completed.IsZero() {
		return nil
	}
	r.plan.Completed = r.p.clock().UTC()
	value, err := json.Marshal(r.plan)
	if err != nil {
		return err
	}
	e := *r.planned
	e.Guard, e.Value = r.planned.Guard+1, string(value)
	if err := r.p.stores.Progress.PutProgress(ctx, r.planned.Guard, e); err != nil && !errors.Is(err, ErrConflict) {
		return err
	}
	return nil
}

// status is what this process knows of the rebuild.
func (r *rebuild) status() RebuildStatus {
	_ = r.progress.pass(context.Background())
	defer r.progress.leave()
	s := r.plan.status()
	s.View, s.Revision, s.Total = r.view.Name, r.view.Revision, r.total
	for _, seg := range r.segments {
		s.add(&seg.state)
	}
	return s
}

func (r *rebuild) report() {
	if r.o.Progress == nil {
		return
	}
	r.reports.Lock()
	defer r.reports.Unlock()
	r.o.Progress(r.status())
}

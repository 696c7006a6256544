package es

import (
	"context"
	"encoding/json"
	"time"
)

// Values of [RebuildStatus.State].
const (
	RebuildNone    = ""        // nothing to rebuild, as far as is known
	RebuildDue     = "due"     // readers get an older revision, and nothing has been done yet
	RebuildRunning = "running" // begun and not complete, whether or not a process is at it now
	RebuildHeld    = "held"    // all is folded; readers did not switch because of what is quarantined
	RebuildDone    = "done"    // readers get the revision
)

// RebuildStatus is how far the rebuild of a view is.
type RebuildStatus struct {
	View         string    `json:"view"`
	Revision     int       `json:"revision"`
	State        string    `json:"state"`
	Segments     int       `json:"segments"`
	SegmentsDone int       `json:"segmentsDone"`
	Entities     int64     `json:"entities"`        // that were looked at
	Events       int64     `json:"events"`          // of theirs
	Total        int64     `json:"total,omitempty"` // events of the service, about; 0 if the store cannot tell
	Folds        int64     `json:"folds"`           // events folded; the others were, by projectors, or are of no concern
	Started      time.Time `json:"started,omitzero"`
	Moved        time.Time `json:"moved,omitzero"` // when a segment last got further
	Completed    time.Time `json:"completed,omitzero"`
}

// Fraction is about how much is done, from 0 to 1.
func (s *RebuildStatus) Fraction() float64 {
	switch {
	case s.Segments == 0:
		return 0
	case s.SegmentsDone == s.Segments:
		return 1
	case s.Total > 0:
		return min(float64(s.Events)/float64(s.Total), 0.999)
	}
	return float64(s.SegmentsDone) / float64(s.Segments)
}

func (p *rebuildPlan) status() RebuildStatus {
	s := RebuildStatus{Segments: p.Segments, Started: p.Started, Completed: p.Completed, State: RebuildRunning}
	if !p.Completed.IsZero() {
		s.State = RebuildDone
	}
	return s
}

func (s *RebuildStatus) add(seg *state) {
	s.Entities += seg.Entities
	s.Events += seg.Events
	s.Folds += seg.Folds
	if seg.Done {
		s.SegmentsDone++
	}
	if seg.Moved.After(s.Moved) {
		s.Moved = seg.Moved
	}
}

// rebuildStatus reads how far a view's rebuild is. active is the revision that readers get.
func (p *Projector) rebuildStatus(ctx context.Context, v *projected, active int) (RebuildStatus, error) {
	var plan *rebuildPlan
	var s RebuildStatus
	for e, err := range p.entries(ctx, rebuildPart(v.table)) {
		if err != nil {
			return s, err
		}
		if e.ID == planID {
			plan = new(rebuildPlan)
			_ = json.Unmarshal([]byte(e.Value), plan) // the next rebuild mends what cannot be read
			continue
		}
		var seg state
		if json.Unmarshal([]byte(e.Value), &seg) == nil {
			s.add(&seg)
		}
	}
	if plan != nil {
		planned := plan.status()
		s.State, s.Segments, s.Started, s.Completed = planned.State, planned.Segments, planned.Started, planned.Completed
	}
	s.View, s.Revision = v.Name, v.Revision
	switch {
	case plan == nil && active < v.Revision:
		s.State = RebuildDue
	case s.State == RebuildRunning && s.SegmentsDone == s.Segments && active < v.Revision:
		s.State = RebuildHeld
	}
	return s, nil
}

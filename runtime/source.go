package es

import (
	"sort"
	"time"
)

// source is one entity in one view: what moves forward, waits or fails by itself.
type source struct {
	view   *projected
	entity string
	events []known   // ascending; shared with the entity's other sources
	target int64     // version of the last event that the view must fold
	first  int       // index in the batch of the first record that concerns the source
	oldest time.Time // the earliest of the events of the batch that do

	status   status
	err      error // why it failed for now, or is left though there is time
	attempts int   // conflicts so far
	retry    bool  // fold although this deployment holds the entity
	force    bool  // write the position even when no record is touched
	entry    bool  // the quarantine may have an entry for it
	lifted   bool  // held, though its history has nothing that cannot be folded
	past     bool  // was held: it is folded to the end of its history, see freed
	freed    bool  // from quarantine by the step that was written last
	entered  int64 // the version of which this run has written an entry

	failure *failure // the event that cannot be folded
	limit   int      // events that a step may take, 0: no limit; halved when a step was too large
	width   int      // sources in a step, likewise
}

// failure is an event that cannot be folded, and why.
type failure struct {
	version int64
	reason  string
}

type status int

const (
	pending status = iota
	gapped         // events before the next known one are missing
	done           // folded up to target, or nothing to do
	held           // quarantined: its events wait
	failed         // for now: must be delivered again
	left           // recorded for reconcile
)

func (s *source) fail(err error) { s.status, s.err = failed, err }

// after returns the known events above a position as far as they follow each other
// without a gap, and whether they reach the target.
func (s *source) after(position int64) (run []known, reach bool) {
	i := sort.Search(len(s.events), func(i int) bool { return s.events[i].r.Version > position })
	j := i
	for j < len(s.events) && s.events[j].r.Version == position+int64(j-i)+1 {
		j++
	}
	run = s.events[i:j]
	return run, s.target <= position || len(run) > 0 && run[len(run)-1].r.Version >= s.target
}

package ops

import (
	"context"
	"fmt"
	"maps"
	"slices"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/local"
)

// Status is how far a service is, on this machine or deployed.
type Status struct {
	local.Status
	// Stack names the deployed service; Events and Waiting are then not counted, and
	// what waits for consumers stands in their streams and queues.
	Stack string
	// Undelivered is what streams and queues have given up; only of a deployed service.
	Undelivered *Undelivered
}

// Undelivered counts what was given up after all its tries and waits for a redrive.
type Undelivered struct {
	Batches     int            `json:"batches"`     // of streams
	DeadLetters map[string]int `json:"deadLetters"` // by consumer, about
}

func (c *command) status(ctx context.Context, o operations) (bool, error) {
	s, err := o.Status(ctx)
	if err != nil {
		return false, err
	}
	if c.json && s.Stack != "" {
		return false, c.encode(struct {
			Service     string          `json:"service"`
			Stack       string          `json:"stack"`
			Views       []es.ViewStatus `json:"views"`
			Undelivered *Undelivered    `json:"undelivered,omitempty"`
		}{s.Service, s.Stack, s.Views, s.Undelivered})
	}
	if c.json {
		return false, c.encode(s.Status)
	}
	t := newTable()
	if s.Stack != "" {
		t.line("service", s.Service)
		t.line("stack", s.Stack)
	} else {
		running := "not running"
		if s.URL != "" {
			running = "running at " + s.URL
		}
		t.line("service", s.Service+", "+running)
		t.line("store", s.Store)
		t.line("events", fmt.Sprintf("%d, %d of them not yet handed to the views", s.Events, s.Waiting))
	}
	t.gap()
	quarantined, left := t.views(s.Views)
	rebuilds := t.rebuilds(s.Views)
	t.consumers(s.Consumers)
	given := t.undelivered(s.Undelivered)
	if rebuilds > 0 {
		t.gap()
		t.line("what is to be rebuilt: rebuild VIEW does it, and goes on where it stopped")
	}
	if quarantined > 0 {
		t.gap()
		t.line("what a view could not fold: quarantine list says why; quarantine retry folds it again when the code is mended")
	}
	if left > 0 {
		t.gap()
		t.line("what was left behind: reconcile folds it")
	}
	if given > 0 {
		t.gap()
		t.line("what was given up: redrive delivers it again")
	}
	return false, t.write(c.out)
}

func (t *table) views(views []es.ViewStatus) (quarantined, left int) {
	t.line("VIEW", "REVISION", "ENTITIES", "BEHIND", "QUARANTINED", "TO RECONCILE")
	for _, v := range views {
		t.line(v.View, v.Revision, v.Entities, v.Behind, v.Quarantined, v.Left)
		quarantined, left = quarantined+v.Quarantined, left+v.Left
	}
	return quarantined, left
}

// rebuilds shows the views that have been rebuilt or are to be; it counts those that are not yet read.
func (t *table) rebuilds(views []es.ViewStatus) (n int) {
	first := true
	for _, v := range views {
		r := &v.Rebuild
		if r.State == es.RebuildNone {
			continue
		}
		if first {
			t.gap()
			t.line("VIEW", "REVISION", "READERS GET", "REBUILD")
			first = false
		}
		t.line(v.View, v.Revision, v.Active, rebuildState(r))
		if r.State != es.RebuildDone {
			n++
		}
	}
	return n
}

func rebuildState(r *es.RebuildStatus) string {
	const clock = "2006-01-02T15:04:05Z07:00"
	switch r.State {
	case es.RebuildRunning:
		moved := r.Moved
		if moved.IsZero() {
			moved = r.Started
		}
		return fmt.Sprintf("running: %d of %d parts, %d events; last moved %s", r.SegmentsDone, r.Segments, r.Events, moved.Format(clock))
	case es.RebuildHeld:
		return "folded; held, because of what is in quarantine"
	case es.RebuildDone:
		return "done " + r.Completed.Format(clock)
	}
	return r.State
}

func (t *table) consumers(consumers []local.ConsumerStatus) {
	if len(consumers) == 0 {
		return
	}
	t.gap()
	t.line("CONSUMER", "WAITING")
	for _, c := range consumers {
		t.line(c.Name, c.Waiting)
	}
}

func (t *table) undelivered(u *Undelivered) (n int) {
	if u == nil {
		return 0
	}
	t.gap()
	t.line("GIVEN UP", "WAITING")
	t.line("batches of streams", u.Batches)
	n = u.Batches
	for _, name := range slices.Sorted(maps.Keys(u.DeadLetters)) {
		t.line("dead letters of "+name, u.DeadLetters[name])
		n += u.DeadLetters[name]
	}
	return n
}

package ops

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/local"
)

// Status is how far a service is, on this machine or deployed.
type Status struct {
	local.Status
	// Stack names the deployed service; Events and Waiting are then not counted, and
	// what waits for consumers stands in their streams and queues.
	Stack string
	// Older are the revisions of views, below the one that events are folded into, that have a table.
	Older []OlderTable
	// Gone are those whose tables a deployment has taken away, and of which the progress still has something.
	Gone []OlderTable
	// Undelivered is what streams and queues have given up; only of a deployed service.
	Undelivered *Undelivered
}

// OlderTable is a table of an older revision of a view.
type OlderTable struct {
	View     string `json:"view"`
	Revision int    `json:"revision"`
}

// Undelivered counts what was given up after all its tries and waits for a redrive.
type Undelivered struct {
	Batches     int            `json:"batches"`         // of streams
	Oldest      time.Time      `json:"oldest,omitzero"` // of them was given up then
	DeadLetters map[string]int `json:"deadLetters"`     // by consumer, about
}

// sampled is how many entities of a deployed service are compared with their histories unless all
// are asked for: it takes seconds, and a few thousand read units for each view.
const sampled = 1000

func (c *command) status(ctx context.Context, o operations) (bool, error) {
	s, err := o.Status(ctx, c.reconcile.Full)
	if err != nil {
		return false, err
	}
	if c.json && s.Stack != "" {
		return false, c.encode(struct {
			Service     string          `json:"service"`
			Stack       string          `json:"stack"`
			Views       []es.ViewStatus `json:"views"`
			Older       []OlderTable    `json:"older,omitempty"`
			Gone        []OlderTable    `json:"gone,omitempty"`
			Undelivered *Undelivered    `json:"undelivered,omitempty"`
		}{s.Service, s.Stack, s.Views, s.Older, s.Gone, s.Undelivered})
	}
	if c.json {
		return false, c.encode(s.Status)
	}
	t := newTable()
	t.heading(&s)
	t.gap()
	t.views(s.Views)
	t.rebuilds(s.Views)
	t.consumers(s.Consumers)
	t.undelivered(s.Undelivered)
	t.advice(&s, c.scope())
	return false, t.write(c.out)
}

// scope is what a command that goes on from here says to mean the same service.
func (c *command) scope() string {
	switch {
	case c.stack != "":
		return " --stack " + c.stack
	case c.store != defaultStore:
		return " --store " + c.store
	}
	return ""
}

func (t *table) heading(s *Status) {
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
	if len(s.Views) == 0 {
		return
	}
	// The same entities were compared for all views.
	if v := s.Views[0]; v.Sampled {
		t.line("entities", fmt.Sprintf("%d compared, from a random place; all: --full, which reads every entity's position", v.Entities))
	} else {
		t.line("entities", v.Entities)
	}
}

func (t *table) views(views []es.ViewStatus) {
	t.line("VIEW", "REVISION", "BEHIND", "QUARANTINED", "TO RECONCILE")
	for i := range views {
		v := &views[i]
		t.line(v.View, v.Revision, behind(v), v.Quarantined, v.Left)
	}
}

// behind is how far a view is behind the events. Of one that nobody reads yet the rebuild says it.
func behind(v *es.ViewStatus) string {
	switch {
	case v.Active < v.Revision:
		return "see REBUILD"
	case v.Behind == 0:
		return "0"
	case v.Oldest.IsZero():
		return fmt.Sprint(v.Behind)
	}
	return fmt.Sprintf("%d, oldest event %v ago", v.Behind, ago(v.Oldest))
}

func ago(t time.Time) time.Duration { return max(0, time.Since(t)).Round(time.Second) }

// rebuilds shows the views that have been rebuilt or are to be.
func (t *table) rebuilds(views []es.ViewStatus) {
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
	}
}

func rebuildState(r *es.RebuildStatus) string {
	switch r.State {
	case es.RebuildRunning:
		moved := r.Moved
		if moved.IsZero() {
			moved = r.Started
		}
		return fmt.Sprintf("running: %d of %d parts, %d events; last moved %s, %v ago", r.SegmentsDone, r.Segments, r.Events, moved.Format(clock), ago(moved))
	case es.RebuildHeld:
		return "folded; held, because of what is in quarantine"
	case es.RebuildDone:
		return "done " + r.Completed.Format(clock)
	}
	return r.State
}

// patience is how long a view may be behind without a word: streams take a second or two.
const patience = time.Minute

// clock is how times are shown.
const clock = "2006-01-02T15:04:05Z07:00"

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

func (t *table) undelivered(u *Undelivered) {
	if u == nil {
		return
	}
	t.gap()
	t.line("GIVEN UP", "WAITING")
	batches := fmt.Sprint(u.Batches)
	if !u.Oldest.IsZero() {
		batches += ", since " + u.Oldest.Format(clock)
	}
	t.line("batches of streams", batches)
	for _, name := range slices.Sorted(maps.Keys(u.DeadLetters)) {
		t.line("dead letters of "+name, u.DeadLetters[name])
	}
}

// advice says what is wrong, worst first, and the command that mends it or says more.
func (t *table) advice(s *Status, scope string) {
	var lines []string
	say := func(what, command string) { lines = append(lines, what+":", "  esgen "+command+scope) }
	for i := range s.Views {
		lines = append(lines, adviceOf(&s.Views[i], scope)...)
	}
	if u := s.Undelivered; u != nil && (u.Batches > 0 || slices.ContainsFunc(slices.Collect(maps.Values(u.DeadLetters)), func(n int) bool { return n > 0 })) {
		say("streams or queues gave something up; what it is, and to have it delivered again when its cause is mended", "redrive --list"+scope+"\n  esgen redrive")
	}
	for _, older := range s.Older {
		if i := slices.IndexFunc(s.Views, func(v es.ViewStatus) bool { return v.View == older.View }); i >= 0 && s.Views[i].Active > older.Revision {
			say(fmt.Sprintf("nobody reads revision %d of %s any more; when every stage is rebuilt, this and a deployment take its table away", older.Revision, older.View),
				"rebuild "+older.View+" --drop-old")
		}
	}
	for _, gone := range s.Gone {
		say(fmt.Sprintf("the table of revision %d of %s is gone; to forget how far it was folded", gone.Revision, gone.View), "rebuild "+gone.View+" --drop-old")
	}
	if len(lines) > 0 {
		t.gap()
		t.line(strings.Join(lines, "\n"))
	}
}

func adviceOf(v *es.ViewStatus, scope string) (lines []string) {
	say := func(what string, commands ...string) {
		lines = append(lines, what+":")
		for _, c := range commands {
			lines = append(lines, "  esgen "+c+scope)
		}
	}
	if v.Quarantined > 0 {
		what := fmt.Sprintf("%s cannot fold %d entities", v.View, v.Quarantined)
		if !v.Since.IsZero() {
			what += ", since " + v.Since.Format(clock)
		}
		if v.Reason != "" {
			what += "; mostly: " + printable(v.Reason)
		}
		say(what+". Which, and why; and, with mended code deployed, to fold them again", "quarantine list "+v.View, "quarantine retry "+v.View)
	}
	if v.Active >= v.Revision && v.Behind > 0 && ago(v.Oldest) > patience {
		say(fmt.Sprintf("%s has been behind for %v, which is long: does what folds it run, what does it say? When it does, to fold what it lost", v.View, ago(v.Oldest)), "reconcile --full")
	}
	if v.Left > 0 {
		say(fmt.Sprintf("%s was left behind for %d entities; to fold them", v.View, v.Left), "reconcile")
	}
	if v.Rebuild.State != es.RebuildNone && v.Rebuild.State != es.RebuildDone {
		how := "to build"
		if v.Rebuild.State != es.RebuildDue {
			how = "to go on with"
		}
		say(fmt.Sprintf("readers of %s get revision %d; %s revision %d", v.View, v.Active, how, v.Revision), "rebuild "+v.View)
	}
	return lines
}

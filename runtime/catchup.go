package es

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// endless is the goal of a source that is to be folded up to the end of its
// history, wherever that is.
const endless = int64(math.MaxInt64)

// catchUp is an entity whose events must be read from the table, with the sources
// that need them.
type catchUp struct {
	entity  string
	known   []known // of the batch, ascending
	sources []*source
	goals   []int64 // the version that each source must reach
	failed  error
	counted bool
	window  []known // events that follow each other, from the one after start on
	start   int64
	ended   bool // the window reaches the end of the history
}

// closeGaps reads what the sources of a batch lack. When stop says that the time
// is up, what is left is recorded, and counts as taken.
func (w *work) closeGaps(ctx context.Context, histories []*history, sources []*source, stop func() bool) {
	byEntity := map[string]*catchUp{}
	for _, s := range sources {
		if s.status != gapped {
			continue
		}
		c := byEntity[s.entity]
		if c == nil {
			c = &catchUp{entity: s.entity}
			byEntity[s.entity] = c
		}
		c.sources, c.goals = append(c.sources, s), append(c.goals, s.goal())
	}
	var queue []*catchUp
	for _, h := range histories {
		if c := byEntity[h.entity]; c != nil {
			c.known = h.events
			queue = append(queue, c)
		}
	}
	for _, c := range w.advanceAll(ctx, queue, stop) {
		w.leave(ctx, c)
	}
}

// advanceAll moves entities window by window until they are at their goals or
// stop says so; it returns those that are not.
func (w *work) advanceAll(ctx context.Context, queue []*catchUp, stop func() bool) []*catchUp {
	for len(queue) > 0 && !stop() {
		n := min(len(queue), w.entitiesAtOnce())
		front := queue[:n]
		w.advanceWindow(ctx, front)
		rest := queue[n:len(queue):len(queue)]
		for _, c := range front {
			if c.unfinished() {
				rest = append(rest, c)
			}
		}
		queue = rest
	}
	return queue
}

func (w *work) entitiesAtOnce() int {
	if w.atOnce > 0 {
		return w.atOnce
	}
	return windowEntities
}

func (c *catchUp) unfinished() bool {
	for _, s := range c.sources {
		if s.status == gapped {
			return true
		}
	}
	return false
}

// advanceWindow reads the next events of some entities and folds them.
func (w *work) advanceWindow(ctx context.Context, front []*catchUp) {
	read := make([]int, len(front))
	parallel(len(front), windowEntities, func(i int) {
		read[i], front[i].failed = front[i].fill(ctx, w)
	})
	var sources []*source
	for i, c := range front {
		w.report.CaughtUp += read[i]
		if lasting(c.failed) {
			w.leave(ctx, c) // delivering it again would not mend it
			continue
		}
		if c.failed != nil {
			c.failAll()
			continue
		}
		w.countRead(c)
		sources = append(sources, c.arm(w)...)
	}
	if w.turns != nil {
		if err := w.turns.gate.pass(ctx); err != nil {
			for _, s := range sources {
				s.fail(err)
			}
			return
		}
		defer w.turns.gate.leave()
		w.rows.forgetShared() // others may have had their turn
	}
	if !w.load(ctx, sources) {
		return
	}
	w.rounds(ctx, sources)
	for _, c := range front {
		c.disarm(w)
	}
	w.rows.trim()
}

func (w *work) countRead(c *catchUp) {
	for i := range c.window {
		if k := &c.window[i]; k.index < 0 && !k.kind.known {
			w.report.Unknown++
		}
	}
}

func (c *catchUp) failAll() {
	for _, s := range c.sources {
		if s.status == gapped {
			s.fail(fmt.Errorf("events of an entity: %w", c.failed))
		}
	}
}

// errHole is returned for a history that lacks a version, which append rules out.
var errHole = errors.New("es: the history lacks a version")

// lasting reports whether a history cannot be read now or later, unless somebody mends it.
func lasting(err error) bool { return errors.Is(err, errHole) || errors.Is(err, ErrDamaged) }

// fill makes the window: at most windowEvents events after the position of the
// source that is furthest behind, from the batch and, in one read, from the table.
func (c *catchUp) fill(ctx context.Context, w *work) (read int, err error) {
	goal := c.look(w)
	c.window, c.ended = nil, goal == 0
	if c.ended {
		return 0, nil
	}
	next := c.takeKnown(c.start + 1)
	missing := lastMissing(c.known, next, goal) - next + 1
	room := windowEvents - len(c.window)
	if w.window > 0 {
		room = min(room, w.window)
	}
	if missing > 0 && room > 0 {
		limit := int(min(missing, int64(room)))
		if err := w.pace.take(ctx, limit); err != nil {
			return 0, err
		}
		events, more, err := w.p.stores.Events.Read(ctx, c.entity, next-1, limit)
		if err != nil {
			return 0, err
		}
		for i := range events {
			if events[i].Version != next {
				return 0, fmt.Errorf("%w: %d", errHole, next)
			}
			c.window = append(c.window, known{r: &events[i], kind: w.p.typeOf(events[i].Type), index: -1})
			next++
		}
		read = len(events)
		if next = c.takeKnown(next); len(events) < limit && !more {
			c.ended = true
		}
	}
	c.ended = c.ended || next > goal
	return read, nil
}

// look finds where the window starts and the furthest goal; 0 when no source needs it.
func (c *catchUp) look(w *work) (goal int64) {
	c.start = endless
	for i, s := range c.sources {
		if s.status != gapped {
			continue
		}
		at := w.rows.holder(s).position
		if at >= c.goals[i] { // another process has come so far
			s.status, s.target = done, c.goals[i]
			continue
		}
		c.start, goal = min(c.start, at), max(goal, c.goals[i])
	}
	return goal
}

// takeKnown adds the events of the batch from version next on, as far as they
// follow each other; it returns the version after them.
func (c *catchUp) takeKnown(next int64) int64 {
	for i := range c.known {
		if len(c.window) >= windowEvents {
			break
		}
		if c.known[i].r.Version == next {
			c.window = append(c.window, c.known[i])
			c.known[i].event = nil // has gone along: two folds must not share it
			next++
		}
	}
	return next
}

// lastMissing is the highest version from next to goal that is not known, next-1 when
// all are.
func lastMissing(events []known, next, goal int64) int64 {
	last := goal
	for i := len(events) - 1; i >= 0 && last >= next; i-- {
		if v := events[i].r.Version; v == last {
			last--
		} else if v < last {
			break
		}
	}
	return max(last, next-1)
}

// arm hands the window to the sources that it moves.
func (c *catchUp) arm(w *work) []*source {
	if len(c.window) == 0 {
		return nil
	}
	end := c.window[len(c.window)-1].r.Version
	var armed []*source
	for _, s := range c.sources {
		if s.status != gapped || w.rows.holder(s).position >= end {
			continue
		}
		s.events = w.bounded(s, c.window)
		s.target = s.events[len(s.events)-1].r.Version
		s.force = !c.ended || s.target < end
		s.status = pending
		armed = append(armed, s)
	}
	return armed
}

// bounded cuts a window so that its events do not name more records than may be loaded
// at once.
func (w *work) bounded(s *source, window []known) []known {
	if s.view.shared < 0 {
		return window
	}
	at, n := w.rows.holder(s).position, 0
	for i := range window {
		k := &window[i]
		if k.r.Version <= at || !k.kind.listed(s.view) {
			continue
		}
		keys, _ := k.named(w.p, s.view)
		if n += len(keys); n > rowsAtOnce/w.entitiesAtOnce() && i > 0 && window[i-1].r.Version > at {
			return window[:i]
		}
	}
	return window
}

// goal is the version that a source must reach. While an entity is held, batches are
// acknowledged without it: of who gets it past its failure nobody else will fold what came meanwhile.
func (s *source) goal() int64 {
	if s.past {
		return endless
	}
	return s.target
}

// disarm sees which sources have further to go. One that was just freed has: until it was, others
// could acknowledge what was stored after the window was read.
func (c *catchUp) disarm(w *work) {
	for i, s := range c.sources {
		switch {
		case s.status == done && s.freed:
			s.freed, s.status = false, gapped
		case s.status == gapped && c.failed == nil && len(c.window) == 0:
			c.end(w, s, c.goals[i]) // nothing was there to be read
		case s.status == done && s.target < c.goals[i] && !(c.ended && !s.force):
			s.status = gapped
		case s.status == done && s.target < c.goals[i]:
			c.end(w, s, c.goals[i])
		}
	}
}

// end is reached when the history ends before the goal: what was delivered beyond it is
// no event of the table, which is the truth.
func (c *catchUp) end(w *work, s *source, goal int64) {
	s.status = done
	if goal == endless || c.counted {
		return
	}
	c.counted = true
	last := c.start
	if n := len(c.window); n > 0 {
		last = c.window[n-1].r.Version
	}
	for i := range c.known {
		if c.known[i].r.Version > last {
			w.report.Ignored++
		}
	}
}

func behindPart(t Table) string { return "behind/" + t.View + "/" + strconv.Itoa(t.Revision) }

// leave records the sources of an entity that time does not suffice for, or whose history cannot be read.
func (w *work) leave(ctx context.Context, c *catchUp) {
	for i, s := range c.sources {
		if s.status != gapped {
			continue
		}
		if err := w.p.leaveBehind(ctx, s, c.goals[i]); err != nil {
			s.fail(err)
			continue
		}
		s.status, s.err = left, c.failed
		w.report.Left++
	}
}

// leaveBehind records a source for reconcile. An entry that is there already is written again: a
// reconcile that read it before must not remove it.
func (p *Projector) leaveBehind(ctx context.Context, s *source, goal int64) error {
	err := p.writeEntry(ctx, behindPart(s.view.table), s.entity, func(*Entry) string {
		return `{"version":` + strconv.FormatInt(goal, 10) + `}`
	})
	if err != nil {
		return fmt.Errorf("view %s: left for reconcile: %w", s.view.Name, err)
	}
	return nil
}

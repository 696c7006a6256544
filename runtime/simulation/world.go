package simulation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"github.com/cespare/xxhash/v2"
	es "github.com/esgen/esgen/runtime"
)

// world is one run while it goes on. What is not guarded by mu belongs to whoever runs: the scheduler, or
// the one goroutine whose call or turn it has let through last.
type world struct {
	service *Service
	seed    uint64
	rand    *rand.Rand // the scheduler's
	faults  *faults
	db      *database
	trace   *trace
	steps   int
	down    map[store]time.Time // until then it cannot be reached

	requests int // of clients
	refused  int // writes whose condition did not hold, while the world went on
	happened *happened

	calls     []*call // that wait, in an order that follows from the run alone
	current   *call   // that happens
	processes int     // started so far

	mu      sync.Mutex
	arrived []*call
	actors  map[role]int // that have not finished
	bell    chan struct{}

	deployment int
	settled    bool       // no batch is handed to older code any more
	atWork     []*process // that fold something
	rebuilt    map[string]bool
	switched   map[string]int // by view: the step since which readers get the newest revision
	closing    bool           // clients have finished
	ended      bool           // everybody is to end, finished or not
	broken     []string

	clients   *clients
	stream    *stream
	logs      *logs
	consumers []*consumer
	servers   []*server
}

// role is a group of actors that end together.
type role int

const (
	client role = iota
	consuming
	relaying
	projecting
	surrounding // what happens to the world, as deployments
)

// mostSteps ends a world that does not come to rest.
const mostSteps = 100_000

// call is a call of the store, or somebody's turn, that waits for the scheduler.
type call struct {
	calling
	who      string
	began    int      // the step in which what it is part of began
	process  *process // nil for a turn
	ctx      context.Context
	run      func() error
	answer   chan error
	earliest time.Time
	late     bool // nobody waits for it any more
}

// isTurn: an actor asks to go on.
func (c *call) isTurn() bool { return c.process == nil }

func (c *call) from() string {
	if c.process == nil || c.process.name == "" {
		return c.who
	}
	return c.who + "@" + c.process.name
}

// arrive has a call wait.
func (w *world) arrive(c *call) {
	w.mu.Lock()
	w.arrived = append(w.arrived, c)
	w.mu.Unlock()
	select {
	case w.bell <- struct{}{}:
	default:
	}
}

// collect takes in what has arrived. Calls that came at once are ordered by who makes them and
// what they are, never by which goroutine was faster.
func (w *world) collect() {
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.SortStableFunc(w.arrived, func(a, b *call) int {
		return cmp.Or(strings.Compare(a.who, b.who), strings.Compare(a.name, b.name), strings.Compare(a.about, b.about))
	})
	w.calls = append(w.calls, w.arrived...)
	w.arrived = w.arrived[:0]
}

// run lets the world go on until nobody is left.
func (w *world) run() {
	for {
		synctest.Wait()
		w.collect()
		if w.over() {
			w.refused = w.db.refused
			return
		}
		if w.steps++; w.steps > mostSteps {
			w.breach("", "the world does not come to rest")
			w.abandon()
			return
		}
		w.step()
	}
}

func (w *world) left(r role) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.actors[r]
}

func (w *world) over() bool {
	w.closing = w.left(client) == 0
	return w.closing && w.left(consuming) == 0 && w.left(relaying) == 0 && w.left(projecting) == 0 && w.left(surrounding) == 0
}

// pending reports whether a call of a kind may still happen, be it too late for whoever made it.
func (w *world) pending(k kind) bool {
	return slices.ContainsFunc(w.calls, func(c *call) bool { return c.kind == k })
}

// written reports whether no event can be stored any more: clients have finished, and so have
// the consumers that may append.
func (w *world) written() bool {
	return w.closing && !w.pending(puts) && !slices.ContainsFunc(w.consumers, func(c *consumer) bool { return c.view == "" && !c.caughtUp() })
}

// projected reports whether no view can change any more.
func (w *world) projected() bool {
	return w.written() && w.left(projecting) == 0 && w.left(surrounding) == 0 && !w.pending(steps)
}

// abandon ends everybody who still goes on.
func (w *world) abandon() {
	w.ended = true
	for w.left(client)+w.left(consuming)+w.left(relaying)+w.left(projecting)+w.left(surrounding) > 0 {
		for _, c := range w.calls {
			if c.process != nil {
				c.process.kill()
			}
			c.answer <- errEnded
		}
		w.calls = nil
		synctest.Wait()
		if w.collect(); len(w.calls) == 0 {
			<-w.bell
		}
	}
}

var errEnded = errors.New("simulation: the world has ended")

func (w *world) step() {
	now := time.Now()
	ready, next := w.ready(now)
	if len(ready) == 0 {
		w.await(next)
		return
	}
	if w.rand.IntN(40) == 0 { // time passes though there is work
		time.Sleep(between(w.rand, 0, 30*time.Millisecond))
		return
	}
	c := ready[w.rand.IntN(len(ready))]
	if p := c.process; p != nil && w.surprise(p) {
		return
	}
	w.perform(c)
}

// ready gives the calls that may happen now, and when the first of the others may.
func (w *world) ready(now time.Time) (ready []*call, next time.Time) {
	for _, c := range w.calls {
		earliest := c.earliest
		if p := c.process; p != nil && p.still.After(earliest) {
			earliest = p.still
		}
		if !earliest.After(now) {
			ready = append(ready, c)
		} else if next.IsZero() || earliest.Before(next) {
			next = earliest
		}
	}
	return ready, next
}

// await lets time pass until somebody calls or a call may happen.
func (w *world) await(next time.Time) {
	if next.IsZero() {
		<-w.bell
		return
	}
	timer := time.NewTimer(time.Until(next))
	defer timer.Stop()
	select {
	case <-w.bell:
	case <-timer.C:
	}
}

// surprise is what happens to a process instead of its call.
func (w *world) surprise(p *process) bool {
	switch {
	case p.ctx.Err() != nil:
		return false
	case w.faults.happens(w.rand, crashed):
		w.trace.add(line{who: p.name, what: "crash"})
		p.kill()
	case w.faults.happens(w.rand, starved):
		d := between(w.rand, 50*time.Millisecond, 40*time.Second)
		w.trace.add(line{who: p.name, what: "stands still", note: d.String()})
		p.still = time.Now().Add(d)
	case w.faults.happens(w.rand, jumped):
		p.jump()
		w.trace.add(line{who: p.name, what: "clock jumps", note: p.skew.String()})
	default:
		return false
	}
	return true
}

var errLost = errors.New("simulation: the answer of the store was lost")

// perform has a call happen, or fail.
func (w *world) perform(c *call) {
	w.current = c
	if c.isTurn() {
		w.done(c)
		c.answer <- nil
		return
	}
	if c.ctx.Err() != nil || c.late {
		w.performLate(c)
		return
	}
	var err error
	note := ""
	switch f := w.faultOf(c); f {
	case "":
		err = c.run()
	case throttled:
		err, note = es.ErrThrottled, string(f)
	case conflicted:
		err, note = es.ErrThrottled, string(f)
	case lost:
		err, note = errLost, string(f)
	case unanswered:
		note = string(f)
		if err := c.run(); err != nil {
			note += ": " + err.Error()
		}
		err = errLost
	case late:
		w.trace.add(line{who: c.from(), what: c.name, about: c.about, note: string(f)})
		c.late, c.earliest = true, time.Now().Add(between(w.rand, 0, 20*time.Second))
		c.answer <- errLost
		return
	case stalled:
		c.earliest = time.Now().Add(between(w.rand, time.Millisecond, 8*time.Second))
		w.trace.add(line{who: c.from(), what: c.name, about: c.about, note: string(f)})
		return
	}
	if err != nil && note == "" {
		note = err.Error()
	}
	w.done(c)
	w.trace.add(line{who: c.from(), what: c.name, about: c.about, note: note})
	c.answer <- err
}

// performLate has a call happen, or not, for which nobody waits any more.
func (w *world) performLate(c *call) {
	w.done(c)
	if c.kind == reads || !c.late && w.rand.IntN(2) == 0 {
		return
	}
	note := "though nobody waits for it"
	if err := c.run(); err != nil {
		note += ": " + err.Error()
	}
	w.trace.add(line{who: c.from(), what: c.name, about: c.about, note: note})
}

func (w *world) done(c *call) {
	i := slices.Index(w.calls, c)
	w.calls = slices.Delete(w.calls, i, i+1)
}

// faultOf draws what goes wrong with a call.
func (w *world) faultOf(c *call) fault {
	if w.faults.happens(w.rand, outage) {
		d := between(w.rand, time.Second, time.Minute)
		w.down[c.store] = time.Now().Add(d)
		w.trace.add(line{who: string(c.store), what: "out of reach", note: d.String()})
	}
	if time.Now().Before(w.down[c.store]) {
		return []fault{throttled, lost}[w.rand.IntN(2)]
	}
	kinds := []fault{throttled, lost, stalled}
	if c.kind != reads {
		kinds = []fault{throttled, lost, stalled, unanswered, late}
	}
	if c.kind == steps {
		kinds = append(kinds, conflicted)
	}
	for _, f := range kinds {
		if w.faults.happens(w.rand, f) {
			return f
		}
	}
	return ""
}

// breach notes that a promise was broken. about is the entity or record concerned, "" if none.
func (w *world) breach(about, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if len(w.broken) == 0 {
		const lines = 40
		text += "\n" + w.trace.concerning(about, lines)
	}
	w.broken = append(w.broken, text)
}

// actor is somebody who does things by itself: a client, a reader of a stream.
type actor struct {
	world *world
	name  string
	role  role
	rand  *rand.Rand
}

// start has an actor begin.
func (w *world) start(name string, role role, run func(a *actor)) {
	a := &actor{world: w, name: name, role: role, rand: rand.New(rand.NewPCG(w.seed, xxhash.Sum64String(name)))}
	w.mu.Lock()
	w.actors[role]++
	w.mu.Unlock()
	go func() {
		defer func() {
			w.mu.Lock()
			w.actors[role]--
			w.mu.Unlock()
			select {
			case w.bell <- struct{}{}:
			default:
			}
		}()
		a.turn()
		run(a)
	}()
}

// turn waits until nobody else runs. Everybody who has been woken by anything but an answer of the
// store takes a turn before touching what is shared.
func (a *actor) turn() {
	c := &call{calling: calling{name: "turn"}, who: a.name, answer: make(chan error, 1)}
	a.world.arrive(c)
	if <-c.answer != nil {
		goruntime.Goexit()
	}
}

func (a *actor) sleep(d time.Duration) {
	time.Sleep(d)
	a.turn()
}

// rest waits for news, the longer the more often there were none.
func (a *actor) rest(times *int) {
	const longest = 6
	a.sleep(between(a.rand, 5*time.Millisecond, 200*time.Millisecond<<min(*times, longest)))
	*times++
}

func (a *actor) chance(p float64) bool { return a.rand.Float64() < p }

func (a *actor) happens(f fault) bool { return a.world.faults.happens(a.rand, f) }

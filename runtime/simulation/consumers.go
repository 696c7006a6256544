package simulation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/lambda"
)

// consumer is one consumer of the service, as it is deployed: a function that a stream invokes, or
// a queue behind a relay.
type consumer struct {
	world    *world
	name     string
	view     string
	events   []string
	position int    // in its stream
	queue    *queue // behind a relay
	relay    *relay
	since    time.Time // its first deployment
	started  bool

	seen map[string]int // what its handler took, by the names of events or changes
}

// log is a stream that readers with a place of their own read: that of a table.
type log struct {
	records []json.RawMessage
	about   []string
}

func (l *log) add(about string, record func(sequence string) json.RawMessage) {
	l.records = append(l.records, record(strconv.Itoa(len(l.records)+1)))
	l.about = append(l.about, about)
}

// logs are the streams that consumers read.
type logs struct {
	events  log
	all     []es.Recorded
	changes map[string]*log // by view
	made    map[string][]change
}

func (w *world) listen() {
	w.logs = &logs{changes: map[string]*log{}, made: map[string][]change{}}
	toProjectors := w.db.onEvent
	w.db.onEvent = func(e es.Recorded) {
		toProjectors(e)
		w.logs.all = append(w.logs.all, e)
		w.logs.events.add(e.EntityID, func(sequence string) json.RawMessage { return eventRecord(&e, sequence) })
	}
	w.db.onChange = func(c change) {
		w.watchRevisions(&c)
		view := c.table.View
		if l := w.logs.changes[view]; l != nil && w.newest(c.table) {
			w.logs.made[view] = append(w.logs.made[view], c)
			l.add(c.record.Key, func(sequence string) json.RawMessage { return changeRecord(&c.record, sequence) })
		}
	}
	w.db.onEntry = func(e es.Entry) {
		w.entered(&e)
		if e.Part == es.PartActive {
			w.switched[e.ID] = w.steps
			revision, _ := strconv.Atoi(e.Value)
			w.watchSwitch(e.ID, revision)
		}
	}
	relayed := w.rand.IntN(2) == 0
	for _, def := range w.service.Model(1).Consumers {
		c := &consumer{world: w, name: def.Name, view: def.View, events: def.Events, seen: map[string]int{}}
		if c.view != "" && w.logs.changes[c.view] == nil {
			w.logs.changes[c.view] = &log{}
		}
		if relayed {
			c.queue = newQueue(w)
		}
		w.consumers = append(w.consumers, c)
		w.start("consumer-"+c.name, consuming, c.live)
	}
	if relayed && len(w.consumers) > 0 {
		w.startRelays()
	}
}

// newest reports whether a table is that of the revision that is deployed: the one whose stream
// consumers are attached to.
func (w *world) newest(t es.Table) bool {
	return slices.ContainsFunc(w.service.Model(w.deployment).Views, func(v es.View) bool {
		return v.Name == t.View && v.Revision == t.Revision
	})
}

func (c *consumer) log() *log {
	if c.view != "" {
		return c.world.logs.changes[c.view]
	}
	return &c.world.logs.events
}

// live is the life of a consumer's function.
func (c *consumer) live(a *actor) {
	w := c.world
	if a.chance(0.5) {
		a.sleep(between(a.rand, 0, 5*time.Second))
	}
	since, err := es.RememberConsumerStart(context.Background(), direct(w.db).Progress, c.name, time.Now())
	if err != nil {
		w.breach("", "consumer %s: %v", c.name, err)
		return
	}
	c.since, c.started = since, true
	f := &function{a: a, make: c.handler}
	idle := 0
	for {
		busy := c.queue == nil && c.fromStream(f) || c.queue != nil && c.fromQueue(f)
		switch {
		case busy:
			idle = 0
			continue
		case c.ended():
			return
		}
		a.rest(&idle)
	}
}

// caughtUp reports whether the consumer has taken all that there is.
func (c *consumer) caughtUp() bool {
	if !c.started {
		return false
	}
	if c.queue != nil {
		return c.relay.position == len(c.log().records) && c.queue.empty()
	}
	return c.position == len(c.log().records)
}

// ended reports whether nothing more can come.
func (c *consumer) ended() bool {
	return c.caughtUp() && (c.view == "" && c.world.written() || c.view != "" && c.world.projected())
}

// handler makes the function of a process.
func (c *consumer) handler(p *process, a *actor) lambda.Handler {
	m := c.world.model(p.deployment)
	i := slices.IndexFunc(m.Consumers, func(def es.Consumer) bool { return def.Name == c.name })
	def := m.Consumers[i]
	start := def.Start
	def.Start = func(ctx context.Context, service *es.Appender) (es.Handler, error) {
		if a.happens(failing) {
			return nil, errFailing
		}
		h, err := start(ctx, service)
		return &watched{Handler: h, consumer: c, actor: a}, err
	}
	return lambda.ConsumerHandler(m, def, p.stores(), quiet())
}

func quiet() lambda.Options { return lambda.Options{Logger: silent(), Metrics: io.Discard} }

var errFailing = errors.New("simulation: the handler fails")

// fromStream has the function take the next records of the stream.
func (c *consumer) fromStream(f *function) (busy bool) {
	l := c.log()
	first, most := c.position, 1+f.a.rand.IntN(8)
	if first == len(l.records) {
		return false
	}
	if f.a.happens(replayed) {
		first = f.a.rand.IntN(first + 1)
	}
	batch := slices.Clone(l.records[first:min(len(l.records), first+most)])
	end := max(c.position, min(len(l.records), first+most))
	if f.a.happens(reordered) {
		f.a.rand.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
		if f.failed(batch) == nil { // a place in a batch out of order says nothing
			c.position = end
		}
		return true
	}
	if f.a.happens(duplicated) {
		batch = append(batch, batch[f.a.rand.IntN(len(batch))])
	}
	failed := f.failed(batch)
	switch {
	case failed == nil:
		c.position = end
	case len(failed) > 0:
		if n, _ := strconv.Atoi(failed[0]); n-1 > c.position {
			c.position = n - 1
		}
	}
	return true
}

// fromQueue has the function take messages.
func (c *consumer) fromQueue(f *function) (busy bool) {
	batch := c.queue.receive(f.a)
	if len(batch) == 0 {
		return false
	}
	var records []json.RawMessage
	for _, m := range batch {
		records = append(records, queueRecord(m))
	}
	failed := f.failed(records)
	for _, m := range batch {
		if failed == nil || len(failed) > 0 && !slices.Contains(failed, m.id) {
			c.queue.delete(m, f.a)
		} else {
			c.queue.giveBack(m, f.a)
		}
	}
	return true
}

// function is a function's processes, one after the other, invoked by one mapping.
type function struct {
	a       *actor
	make    func(p *process, a *actor) lambda.Handler
	process *process
	handler lambda.Handler
}

// failed invokes the function with a batch: nil when all was taken, empty when it failed as a whole, else what
// is to be delivered again, some time after.
func (f *function) failed(records []json.RawMessage) []string {
	again := f.invoke(records)
	if again != nil {
		f.a.sleep(between(f.a.rand, 10*time.Millisecond, 5*time.Second))
	}
	return again
}

func (f *function) invoke(records []json.RawMessage) []string {
	w, a := f.a.world, f.a
	if f.process == nil || f.process.crashed() || a.chance(0.1) || f.process.deployment < w.deployment && a.chance(0.5) {
		f.process = w.spawn(a.name, w.deployment)
		f.handler = f.make(f.process, a)
	}
	timeout := 30 * time.Second
	if a.chance(0.1) {
		timeout = between(a.rand, 20*time.Millisecond, 2*time.Second)
	}
	ctx, cancel := f.process.context(a, timeout)
	answer, err := f.handler(ctx, batchOf(records))
	cancel()
	a.turn()
	if err != nil || f.process.crashed() {
		return []string{}
	}
	return failuresIn(answer)
}

// watched is the user's handler, watched.
type watched struct {
	es.Handler
	consumer *consumer
	actor    *actor
}

func (h *watched) HandleEvent(ctx context.Context, event es.Event, meta es.Meta) error {
	c := h.consumer
	if meta.Time.Before(c.since) {
		c.world.breach(meta.EntityID, "%s: the consumer %s was handed version %d, which is older than its first deployment", meta.EntityID, c.name, meta.Version)
	}
	if h.actor.happens(failing) {
		return errFailing
	}
	if err := h.Handler.HandleEvent(ctx, event, meta); err != nil {
		return err
	}
	if h.actor.happens(failing) {
		return errFailing
	}
	c.seen[eventName(meta.EntityID, meta.Version)]++
	c.world.happened.add("events handled by consumers")
	c.world.trace.add(line{who: c.name, what: "handle", about: meta.EntityID, note: fmt.Sprint("version ", meta.Version)})
	return nil
}

func eventName(id string, version int64) string { return id + " " + strconv.FormatInt(version, 10) }

func (h *watched) HandleChange(ctx context.Context, change es.RecordChange) error {
	h.consumer.checkOrigin(&change)
	if h.actor.happens(failing) {
		return errFailing
	}
	if err := h.Handler.HandleChange(ctx, change); err != nil {
		return err
	}
	c := h.consumer
	if !change.Rebuilding {
		c.seen[changeName(&change)]++
		c.world.happened.add("changes handled by consumers")
	} else {
		c.world.happened.add("changes of a rebuild handed to consumers")
	}
	c.world.trace.add(line{who: c.name, what: "handle", about: change.Key, note: fmt.Sprint("guard ", change.Guard)})
	return nil
}

// checkOrigin: a handler returns at once for what a rebuild has made, so it must be told of that, and
// of nothing else.
func (c *consumer) checkOrigin(change *es.RecordChange) {
	name, known := changeName(change), false
	for i := range c.world.logs.made[c.view] {
		r := &c.world.logs.made[c.view][i].record
		if changeName(r) != name || r.Old != change.Old || r.New != change.New {
			continue
		}
		if known = true; r.Rebuilding == change.Rebuilding {
			return
		}
	}
	switch {
	case !known:
		c.world.breach(change.Key, "the consumer %s was handed a change of %s to guard %d that nobody has made", c.name, change.Key, change.Guard)
	case change.Rebuilding:
		c.world.breach(change.Key, "the consumer %s was handed the change of %s to guard %d as a rebuild's, which it is not", c.name, change.Key, change.Guard)
	default:
		c.world.breach(change.Key, "the consumer %s ran for the change of %s to guard %d, which a rebuild has made", c.name, change.Key, change.Guard)
	}
}

// changeName tells changes apart as well as a stream does: their times are whole seconds.
func changeName(c *es.RecordChange) string {
	return fmt.Sprint(c.Key, " ", c.Guard, " ", c.Time.Unix())
}

// appendedBy reports which consumer has stored an event, "" if none.
func appendedBy(e *es.Recorded) string {
	name, own := strings.CutPrefix(e.Actor, "consumer:")
	if !own {
		return ""
	}
	return name
}

// judgeConsumers: every event, and every change that is no rebuild's, was handled at least once; and what a
// handler appends it has appended once. Handlers append at most one event of a type for each
// that they handle.
func (j *judge) judgeConsumers() {
	appended := map[string]bool{}
	for _, e := range j.logs.all {
		if name := appendedBy(&e); name != "" && e.CausationID != "" {
			cause := fmt.Sprint(name, " ", e.CausationID, " ", e.CorrelationID, " ", e.Type)
			if appended[cause] {
				j.breach(e.EntityID, "%s: the consumer %s has appended a %s twice for the event %q", e.EntityID, name, e.Type, e.CausationID)
			}
			appended[cause] = true
		}
	}
	for _, c := range j.consumers {
		if c.view != "" {
			for _, ch := range j.logs.made[c.view] {
				r := ch.record
				if ch.live && r.Old != r.New && !r.Time.Before(c.since.Truncate(time.Second)) && c.seen[changeName(&r)] == 0 {
					j.breach(r.Key, "the consumer %s was never handed the change of %s to guard %d", c.name, r.Key, r.Guard)
				}
			}
			continue
		}
		for _, e := range j.logs.all {
			if slices.Contains(c.events, e.Type) && !e.Time.Before(c.since) && c.seen[eventName(e.EntityID, e.Version)] == 0 {
				j.breach(e.EntityID, "%s: the consumer %s was never handed version %d", e.EntityID, c.name, e.Version)
			}
		}
	}
}

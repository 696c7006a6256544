package simulation

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/esgen/esgen/runtime/lambda"
)

// message is one message of a queue.
type message struct {
	id, group, identity, body string
	received                  int
	invisible                 bool
	from                      time.Time // visible from then on
}

// queue is a FIFO queue: in order within a group, at least once, duplicates dropped for some minutes.
type queue struct {
	world    *world
	messages []*message
	dead     []*message // given up; brought back when all else is done
	taken    map[string]time.Time
	sent     int
}

func newQueue(w *world) *queue { return &queue{world: w, taken: map[string]time.Time{}} }

const (
	remembersFor = 5 * time.Minute // which messages it had
	mostReceived = 5               // before a message is given up
)

func (q *queue) send(p lambda.Publication) {
	now := time.Now()
	if at, ok := q.taken[p.Identity]; ok && now.Sub(at) < remembersFor {
		return
	}
	q.taken[p.Identity] = now
	q.sent++
	q.world.happened.add("messages that relays sent")
	q.messages = append(q.messages, &message{id: "m" + strconv.Itoa(q.sent), group: p.Group, identity: p.Identity, body: p.Body})
}

// receive takes up to ten messages, of a group only when none before them is under way or waits.
func (q *queue) receive(a *actor) (batch []*message) {
	if len(q.messages) == 0 {
		q.messages, q.dead = q.dead, nil // redrive
	}
	now := time.Now()
	blocked := map[string]bool{}
	for _, m := range q.messages {
		if blocked[m.group] {
			continue
		}
		if m.invisible || m.from.After(now) {
			blocked[m.group] = true
			continue
		}
		if len(batch) < 10 && a.chance(0.9) {
			m.invisible = true
			m.received++
			batch = append(batch, m)
		} else {
			blocked[m.group] = true
		}
	}
	return batch
}

func (q *queue) remove(m *message) {
	if i := slices.Index(q.messages, m); i >= 0 {
		q.messages = slices.Delete(q.messages, i, i+1)
	}
}

// delete removes a message that was handled, unless it was too late for that.
func (q *queue) delete(m *message, a *actor) {
	if a.happens(forgotten) {
		m.invisible = false
		return
	}
	q.remove(m)
}

// giveBack has a message come again, or gives it up.
func (q *queue) giveBack(m *message, a *actor) {
	m.invisible = false
	m.from = time.Now().Add(between(a.rand, 0, 30*time.Second))
	if m.received >= mostReceived {
		q.remove(m)
		m.received = 0
		q.dead = append(q.dead, m)
	}
}

func (q *queue) empty() bool { return len(q.messages) == 0 && len(q.dead) == 0 }

// relay hands one stream on to the queues of its consumers.
type relay struct {
	world    *world
	source   string
	log      *log
	position int
	queues   []*consumer
}

// startRelays begins a relay for each stream that has consumers.
func (w *world) startRelays() {
	bySource := map[string]*relay{}
	for _, c := range w.consumers {
		source := "events"
		if c.view != "" {
			source = "view:" + c.view
		}
		r := bySource[source]
		if r == nil {
			r = &relay{world: w, source: source, log: c.log()}
			bySource[source] = r
			w.start("relay-"+source, relaying, r.live)
		}
		r.queues = append(r.queues, c)
		c.relay = r
	}
}

// live is the life of a relay's function.
func (r *relay) live(a *actor) {
	f := &function{a: a, make: r.handler}
	idle := 0
	for {
		if r.position == len(r.log.records) {
			if !slices.ContainsFunc(r.queues, func(c *consumer) bool { return !c.ended() }) {
				return
			}
			a.rest(&idle)
			continue
		}
		idle = 0
		first := r.position
		if a.happens(replayed) {
			first = a.rand.IntN(first + 1)
		}
		end := min(len(r.log.records), first+1+a.rand.IntN(12))
		failed := f.failed(slices.Clone(r.log.records[first:end]))
		switch {
		case failed == nil:
			r.position = max(r.position, end)
		case len(failed) > 0:
			if n, _ := strconv.Atoi(failed[0]); n-1 > r.position {
				r.position = n - 1
			}
		}
	}
}

func (r *relay) handler(p *process, _ *actor) lambda.Handler {
	h, err := lambda.RelayHandler(r.source, &publisher{relay: r, process: p}, p.stores().Progress, quiet())
	if err != nil {
		panic(fmt.Sprint(r.source, ": ", err))
	}
	return h
}

// publisher sends to the topic behind which the queues are; that is a call like any other.
type publisher struct {
	relay   *relay
	process *process
}

func (p *publisher) Publish(ctx context.Context, messages []lambda.Publication) (failed []int, err error) {
	messages = slices.Clone(messages)
	w := p.relay.world
	err = p.process.do(ctx, calling{store: inTopic, name: "Publish", about: p.relay.source, kind: notes}, func() error {
		for i, m := range messages {
			if w.faults.happens(w.rand, throttled) {
				failed = append(failed, i)
				continue
			}
			for _, c := range p.relay.queues {
				if c.view != "" || slices.Contains(c.events, m.Type) {
					c.queue.send(m)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return failed, nil
}

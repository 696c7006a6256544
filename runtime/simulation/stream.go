package simulation

import (
	"fmt"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"
	es "github.com/esgen/esgen/runtime"
)

// shards of the events stream, each with a reader of its own.
const shards = 3

// stream is the events stream: shards that promise order for one item at most, and what a reader
// makes of them.
type stream struct {
	world  *world
	queues [shards][]record
	all    []es.Recorded // that were ever in it
	salt   string        // changes when the stream is re-sharded
	lossy  bool          // something was dropped for ever
	twice  int           // batches that were delivered twice at once
}

// record is an event on its way.
type record struct {
	event es.Recorded
	from  time.Time // it is seen from then on
}

func newStream(w *world) *stream {
	s := &stream{world: w}
	w.db.onEvent = s.add
	for i := range shards {
		w.start(fmt.Sprintf("shard-%d", i+1), projecting, func(a *actor) { s.read(a, i) })
	}
	return s
}

// add takes in an event when it is stored.
func (s *stream) add(event es.Recorded) {
	w := s.world
	r := w.rand
	s.all = append(s.all, event)
	shard := int(xxhash.Sum64String(s.salt+event.EntityID) % shards)
	if w.faults.happens(r, scattered) {
		shard = r.IntN(shards)
	}
	rec := record{event: event, from: time.Now()}
	if w.faults.happens(r, delayed) {
		rec.from = rec.from.Add(between(r, time.Second, 2*time.Minute))
	}
	q := s.queues[shard]
	at := len(q)
	if w.faults.happens(r, reordered) {
		at = r.IntN(len(q) + 1)
	}
	s.queues[shard] = slices.Insert(q, at, rec)
	if w.faults.happens(r, duplicated) {
		s.queues[shard] = append(s.queues[shard], rec)
	}
}

// reshard spreads the records, and those to come, anew.
func (s *stream) reshard() {
	s.salt += "'"
	var all []record
	for i := range s.queues {
		all = append(all, s.queues[i]...)
		s.queues[i] = nil
	}
	for _, rec := range all {
		shard := int(xxhash.Sum64String(s.salt+rec.event.EntityID) % shards)
		s.queues[shard] = append(s.queues[shard], rec)
	}
}

// take gives the next records of a shard: nil when there are none now.
func (s *stream) take(a *actor, shard int) (batch []es.Recorded) {
	now := time.Now()
	most := 1 + a.rand.IntN(12)
	rest := s.queues[shard][:0:0]
	for _, rec := range s.queues[shard] {
		if len(batch) < most && !rec.from.After(now) {
			batch = append(batch, rec.event)
		} else {
			rest = append(rest, rec)
		}
	}
	s.queues[shard] = rest
	return batch
}

func (s *stream) empty() bool {
	for _, q := range s.queues {
		if len(q) > 0 {
			return false
		}
	}
	return true
}

// read is the life of a shard's reader.
func (s *stream) read(a *actor, shard int) {
	w := s.world
	p := &projectors{a: a}
	idle := 0
	for {
		batch := s.take(a, shard)
		if batch == nil {
			if w.written() && s.empty() {
				return
			}
			a.rest(&idle)
			continue
		}
		idle = 0
		if a.happens(resharded) {
			w.trace.add(line{who: a.name, what: "re-shard"})
			s.reshard()
		}
		if a.happens(replayed) {
			from := a.rand.IntN(len(s.all))
			batch = append(batch, s.all[from:min(len(s.all), from+1+a.rand.IntN(6))]...)
		}
		if a.happens(dropped) {
			s.drop(a, batch, "for ever")
			continue
		}
		s.deliver(a, p, batch)
	}
}

func (s *stream) drop(a *actor, batch []es.Recorded, why string) {
	s.lossy = true
	for _, r := range batch {
		s.world.trace.add(line{who: a.name, what: "drop", about: r.EntityID, note: fmt.Sprintf("version %d %s", r.Version, why)})
	}
}

// deliver hands a batch to a projector until it is taken or given up.
func (s *stream) deliver(a *actor, p *projectors, batch []es.Recorded) {
	const tries = 8
	for try := 0; len(batch) > 0; try++ {
		if try == tries {
			s.drop(a, batch, "given up")
			return
		}
		if try > 0 {
			a.sleep(between(a.rand, 10*time.Millisecond, 5*time.Second))
		}
		if a.happens(overlapped) {
			again := slices.Clone(batch)
			s.twice++
			s.world.start(fmt.Sprintf("%s-again-%d", a.name, s.twice), projecting, func(b *actor) {
				(&projectors{a: b}).project(again)
			})
		}
		retry, err := p.project(batch)
		batch = batch[retry:]
		if err == nil {
			return
		}
	}
}

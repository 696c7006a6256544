package es

import (
	"cmp"
	"errors"
	"iter"
	"slices"
	"unicode/utf8"
)

// known is an event of an entity's history that the projector has at hand, from
// the batch or from the table.
type known struct {
	r     *Recorded
	kind  *eventType
	index int // in the batch, -1 when read from the table
	// event is decoded and not yet handed to a fold. A fold may keep and change
	// what the event refers to, so that every fold gets an event of its own.
	event Event
	keys  []namedKeys // by projected.shared; nil until asked for
}

// namedKeys are the records of one view that an event names.
type namedKeys struct {
	keys []string
	err  error // the event cannot be read
	set  bool
}

// take returns the event, decoded for one fold.
func (k *known) take(m *Model, v *View) (Event, error) {
	if event := k.event; event != nil {
		k.event = nil
		return event, nil
	}
	return m.load(v, k.r)
}

// named returns the keys that the event names in a view that is not keyed by the
// entity. An event that cannot be read gives the error.
func (k *known) named(p *Projector, v *projected) ([]string, error) {
	if k.keys == nil {
		k.keys = make([]namedKeys, p.shared)
	}
	n := &k.keys[v.shared]
	if n.set {
		return n.keys, n.err
	}
	n.set = true
	if k.event == nil {
		k.event, n.err = p.model.load(v.View, k.r)
	}
	if n.err == nil {
		n.keys, n.err = keysGuarded(v.View, k.event, k.r)
	}
	return n.keys, n.err
}

func keysGuarded(v *View, event Event, r *Recorded) (keys []string, err error) {
	defer func() {
		if p := recover(); p != nil {
			keys, err = nil, loadFailure(v, r, newPanicked(p))
		}
	}()
	return v.Keys(event), nil
}

// touches reports whether the event changes records of a view. One that names no
// record does not; one that cannot be read must be looked at.
func (k *known) touches(p *Projector, v *projected) bool {
	if !k.kind.listed(v) {
		return false
	}
	if v.shared < 0 {
		return true
	}
	keys, err := k.named(p, v)
	return len(keys) > 0 || err != nil && !errors.Is(err, ErrUnknownType)
}

// history is what a batch has of one entity: ascending, distinct versions.
type history struct {
	entity string
	events []known
}

// group sorts a batch by entity, in the order in which entities first appear.
func (w *work) group(batch []Recorded) []*history {
	const ignored = -1
	var histories []*history
	var counts []int
	place := make([]int, len(batch))
	byEntity := make(map[string]int, min(len(batch), 1024))
	last := ignored
	for i := range batch {
		r := &batch[i]
		place[i] = ignored
		if r.Version < 1 || !usableKey(r.EntityID) {
			w.report.Ignored++
			continue
		}
		if last == ignored || histories[last].entity != r.EntityID {
			at, ok := byEntity[r.EntityID]
			if !ok {
				at = len(histories)
				byEntity[r.EntityID] = at
				histories, counts = append(histories, &history{entity: r.EntityID}), append(counts, 0)
			}
			last = at
		}
		place[i] = last
		counts[last]++
	}
	all := make([]known, len(batch)) // each history has its stretch of it
	for at, h := range histories {
		h.events, all = all[:0:counts[at]], all[counts[at]:]
	}
	for i, at := range place {
		if at != ignored {
			h := histories[at]
			h.events = append(h.events, known{r: &batch[i], kind: w.p.typeOf(batch[i].Type), index: i})
		}
	}
	for _, h := range histories {
		h.sort()
		w.countUnknown(h.events)
	}
	return histories
}

// sort is quick about events in order, which is how they usually come.
func (h *history) sort() {
	sorted := true
	for i := 1; i < len(h.events) && sorted; i++ {
		sorted = h.events[i-1].r.Version < h.events[i].r.Version
	}
	if sorted {
		return
	}
	slices.SortStableFunc(h.events, func(a, b known) int { return cmp.Compare(a.r.Version, b.r.Version) })
	h.events = slices.CompactFunc(h.events, func(a, b known) bool { return a.r.Version == b.r.Version })
}

func (w *work) countUnknown(events []known) {
	for i := range events {
		if !events[i].kind.known {
			w.report.Unknown++
		}
	}
}

// sources makes one source for every entity and view that the entity's events touch.
func (w *work) sources(histories []*history) []*source {
	var all []*source
	mine := make(map[*projected]*source)
	for _, h := range histories {
		clear(mine)
		for i := range h.events {
			k := &h.events[i]
			for _, v := range k.kind.views {
				if !k.touches(w.p, v) {
					continue
				}
				s := mine[v]
				if s == nil {
					s = &source{view: v, entity: h.entity, events: h.events, first: k.index, oldest: k.r.Time}
					mine[v] = s
					all = append(all, s)
				}
				s.first = min(s.first, k.index)
				if k.r.Time.Before(s.oldest) {
					s.oldest = k.r.Time
				}
				s.target = k.r.Version
			}
		}
	}
	return all
}

// parts cuts the sources of a batch so that each part names a bounded number of records;
// nearly every batch is one part.
func (w *work) parts(sources []*source) iter.Seq[[]*source] {
	return func(yield func([]*source) bool) {
		start, named := 0, 0
		for i, s := range sources {
			n := w.names(s)
			if named += n; named > rowsAtOnce && i > start {
				if !yield(sources[start:i]) {
					return
				}
				start, named = i, n
			}
		}
		if start < len(sources) {
			yield(sources[start:])
		}
	}
}

// names counts the records that the events of a source name.
func (w *work) names(s *source) int {
	if s.view.shared < 0 {
		return 1
	}
	n := 0
	for i := range s.events {
		if k := &s.events[i]; k.kind.listed(s.view) {
			keys, _ := k.named(w.p, s.view)
			n += len(keys)
		}
	}
	return n
}

// usableKey reports whether a text can be the key of a record.
func usableKey(key string) bool {
	return key != "" && (len(key) <= maxKeyLength || utf8.RuneCountInString(key) <= maxKeyLength)
}

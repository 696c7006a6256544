// Package dedup remembers what was sent within the last five minutes, as FIFO queues and
// topics do.
package dedup

import "time"

// Span is how long a deduplication id is remembered: SQS and SNS have the same, and it cannot be changed.
const Span = 5 * time.Minute

// max bounds what one window remembers. A queue takes 3,000 messages a second at most; this is that for five minutes.
const max = 900_000

// Window remembers values by key for Span. It is not safe for concurrent use.
type Window[V any] struct {
	kept  map[string]V
	order []slot // oldest first
}

type slot struct {
	key  string
	ends time.Time
}

// Find returns what was kept under the key less than Span ago.
func (w *Window[V]) Find(key string, now time.Time) (V, bool) {
	w.forget(now)
	v, ok := w.kept[key]
	return v, ok
}

// Full says that no more can be kept at this time.
func (w *Window[V]) Full(now time.Time) bool {
	w.forget(now)
	return len(w.kept) >= max
}

// Keep remembers a value whose key was not found.
func (w *Window[V]) Keep(key string, v V, now time.Time) {
	if w.kept == nil {
		w.kept = map[string]V{}
	}
	w.kept[key] = v
	w.order = append(w.order, slot{key, now.Add(Span)})
}

func (w *Window[V]) forget(now time.Time) {
	n := 0
	for n < len(w.order) && !now.Before(w.order[n].ends) {
		delete(w.kept, w.order[n].key)
		n++
	}
	w.order = w.order[n:]
}

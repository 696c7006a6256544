package bolt

import (
	"context"
	"fmt"

	bbolt "go.etcd.io/bbolt"

	es "github.com/esgen/esgen/runtime"
)

// What a step may hold; see es.Step.
const (
	maxStepItems = 100
	maxStepBytes = 4 << 20
)

// table is the opened bucket of one view and revision.
type table struct{ live, gone, index, markers *bbolt.Bucket }

// openTable returns nil if nothing has been written to the table yet.
func openTable(tx *bbolt.Tx, t es.Table) *table {
	b := tx.Bucket(bucketViews).Bucket(tableName(t))
	if b == nil {
		return nil
	}
	return &table{live: b.Bucket(bucketLive), gone: b.Bucket(bucketGone), index: b.Bucket(bucketIndex), markers: b.Bucket(bucketMarkers)}
}

func makeTable(tx *bbolt.Tx, t es.Table) (*table, error) {
	b, err := tx.Bucket(bucketViews).CreateBucketIfNotExists(tableName(t))
	if err != nil {
		return nil, err
	}
	for _, name := range [][]byte{bucketLive, bucketGone, bucketIndex, bucketMarkers} {
		if _, err := b.CreateBucketIfNotExists(name); err != nil {
			return nil, err
		}
	}
	return openTable(tx, t), nil
}

// item returns a record or nil; on a nil table it finds nothing.
func (t *table) item(key string) (*es.Item, error) {
	if t == nil || key == "" || len(key) > maxID {
		return nil, nil
	}
	v := t.live.Get([]byte(key))
	if v == nil {
		v = t.gone.Get([]byte(key))
	}
	if v == nil {
		return nil, nil
	}
	return decodeItem(key, v)
}

func (t *table) marker(id string) (*es.Marker, error) {
	if t == nil || id == "" || len(id) > maxID {
		return nil, nil
	}
	v := t.markers.Get([]byte(id))
	if v == nil {
		return nil, nil
	}
	return decodeMarker(id, v)
}

// Load implements es.ViewStore: all reads see one state of the store.
func (s *Store) Load(ctx context.Context, reads []es.ViewRead) ([]es.ViewRows, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	answer := make([]es.ViewRows, len(reads))
	err := s.view(func(tx *bbolt.Tx) error {
		for i, read := range reads {
			rows := es.ViewRows{Items: make(map[string]*es.Item, len(read.Keys)), Markers: make(map[string]*es.Marker, len(read.Markers))}
			t := openTable(tx, read.Table)
			for _, key := range read.Keys {
				item, err := t.item(key)
				if err != nil {
					item = &es.Item{Key: key, Damage: err}
				}
				if item != nil {
					rows.Items[key] = item
				}
			}
			for _, id := range read.Markers {
				m, err := t.marker(id)
				if err != nil {
					m = &es.Marker{EntityID: id, Damage: err}
				}
				if m != nil {
					rows.Markers[id] = m
				}
			}
			answer[i] = rows
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// Get implements es.ViewStore; every read here is strong.
func (s *Store) Get(ctx context.Context, t es.Table, key string, strong bool) (item *es.Item, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = s.view(func(tx *bbolt.Tx) error {
		item, err = openTable(tx, t).item(key)
		return err
	})
	return item, err
}

// Write implements es.ViewStore.
func (s *Store) Write(ctx context.Context, step es.Step) error {
	encoded, err := checkStep(&step)
	if err != nil {
		return err
	}
	if len(step.Records)+len(step.Markers) == 0 {
		return nil
	}
	return s.update(ctx, func(tx *bbolt.Tx) error {
		t, err := makeTable(tx, step.Table)
		if err != nil {
			return err
		}
		now := s.clock()
		olds, states, err := t.conditions(&step)
		if err != nil {
			return refuse(err)
		}
		for i, w := range step.Records {
			if err := t.replace(olds[i], &w.Item, encoded[i]); err != nil {
				return err
			}
			change := es.RecordChange{View: step.Table.View, Key: w.Item.Key, Guard: w.Item.Guard, Time: now, New: w.Item.Payload, Rebuilding: step.Rebuild}
			if olds[i] != nil {
				change.Old = olds[i].Payload
			}
			if err := s.feedChange(tx, &change); err != nil {
				return err
			}
		}
		for i, w := range step.Markers {
			m := w.Marker
			if states[i] != nil && m.Position == w.Was {
				m.State = *states[i] // only Held changes
			}
			if err := t.markers.Put([]byte(m.EntityID), encodeMarker(&m)); err != nil {
				return err
			}
		}
		return nil
	})
}

// checkStep refuses what could never be written and encodes the records.
func checkStep(step *es.Step) (encoded [][]byte, err error) {
	if n := len(step.Records) + len(step.Markers); n > maxStepItems {
		return nil, fmt.Errorf("%w: a step of %d items, at most %d", es.ErrTooLarge, n, maxStepItems)
	}
	total := 0
	seen := make(map[string]bool, len(step.Records)+len(step.Markers))
	for _, w := range step.Records {
		if err := checkWrite("record", w.Item.Key, w.Was, w.Item.Guard, seen); err != nil {
			return nil, err
		}
		for _, e := range w.Item.Entries {
			if len(e.Key) > es.MaxPlace || len(e.Sort) > es.MaxPlace {
				return nil, fmt.Errorf("%w: a place in the index %s of %d and %d bytes, at most %d each", es.ErrTooLarge, e.Index, len(e.Key), len(e.Sort), es.MaxPlace)
			}
		}
		value := encodeItem(&w.Item)
		if n := len(w.Item.Key) + len(value); n > MaxItem {
			return nil, fmt.Errorf("%w: a record of %d bytes, at most %d", es.ErrTooLarge, n, MaxItem)
		}
		total += len(w.Item.Key) + len(value)
		encoded = append(encoded, value)
	}
	for _, w := range step.Markers {
		if err := checkWrite("marker", w.Marker.EntityID, w.Was, w.Marker.Position, seen); err != nil {
			return nil, err
		}
		total += len(w.Marker.EntityID) + len(w.Marker.State) + len(w.Marker.Held)
	}
	if total > maxStepBytes {
		return nil, fmt.Errorf("%w: a step of %d bytes, at most %d", es.ErrTooLarge, total, maxStepBytes)
	}
	return encoded, nil
}

func checkWrite(what, key string, was, guard int64, seen map[string]bool) error {
	if err := checkID("the key of a "+what, key); err != nil {
		return err
	}
	if was < 0 || guard < was {
		return fmt.Errorf("bolt: a %s moves from %d to %d: guards are not negative and never fall", what, was, guard)
	}
	if seen[what+key] {
		return fmt.Errorf("bolt: a step writes one %s twice", what)
	}
	seen[what+key] = true
	return nil
}

// conditions returns the records as they are and the states of the markers, nil where
// there is none, or es.ErrConflict.
func (t *table) conditions(step *es.Step) (olds []*es.Item, states []*string, err error) {
	for _, w := range step.Records {
		old, err := t.item(w.Item.Key)
		if err != nil {
			return nil, nil, err
		}
		var guard int64
		if old != nil {
			guard = old.Guard
		}
		if guard != w.Was {
			return nil, nil, fmt.Errorf("%w: a record stands at %d, not at %d", es.ErrConflict, guard, w.Was)
		}
		olds = append(olds, old)
	}
	for _, w := range step.Markers {
		old, err := t.marker(w.Marker.EntityID)
		if err != nil {
			return nil, nil, err
		}
		var position int64
		var state *string
		if old != nil {
			position, state = old.Position, &old.State
		}
		if position != w.Was {
			return nil, nil, fmt.Errorf("%w: a marker stands at %d, not at %d", es.ErrConflict, position, w.Was)
		}
		states = append(states, state)
	}
	return olds, states, nil
}

// replace writes a record and its places in the indexes. Only records with a payload
// have places and stand among the live.
func (t *table) replace(old, item *es.Item, value []byte) error {
	key := []byte(item.Key)
	if old != nil && old.Payload != "" {
		for _, e := range old.Entries {
			if err := t.index.Delete(indexKey(e, item.Key)); err != nil {
				return err
			}
		}
	}
	to, from := t.gone, t.live
	if item.Payload != "" {
		to, from = t.live, t.gone
		for _, e := range item.Entries {
			if err := t.index.Put(indexKey(e, item.Key), []byte{}); err != nil {
				return err
			}
		}
	}
	if old != nil && (old.Payload == "") != (item.Payload == "") {
		if err := from.Delete(key); err != nil {
			return err
		}
	}
	return to.Put(key, value)
}

// Drop implements es.ViewStore.
func (s *Store) Drop(ctx context.Context, t es.Table) error {
	return s.update(ctx, func(tx *bbolt.Tx) error { return drop(tx, t) })
}

func drop(tx *bbolt.Tx, t es.Table) error {
	views, name := tx.Bucket(bucketViews), tableName(t)
	if views.Bucket(name) != nil {
		if err := views.DeleteBucket(name); err != nil {
			return err
		}
	}
	for _, part := range []string{"quarantine", "behind", "rebuild"} {
		if err := deletePart(tx, fmt.Sprintf("%s/%s/%d", part, t.View, t.Revision)); err != nil {
			return err
		}
	}
	return nil
}

// Refold says what is undone so that views can be folded anew.
type Refold struct {
	Tables []es.Table // emptied
	Reader string     // of the events feed, sent back to the start
	Notes  []es.Entry // of the progress: what is so from now on
}

// Refold applies a refold, all or nothing, so that a crash in between leaves no gap. No
// projector runs meanwhile.
func (s *Store) Refold(ctx context.Context, r Refold) error {
	err := s.update(ctx, func(tx *bbolt.Tx) error {
		for _, t := range r.Tables {
			if err := drop(tx, t); err != nil {
				return err
			}
		}
		for i := range r.Notes {
			if err := putEntry(tx, &r.Notes[i]); err != nil {
				return err
			}
		}
		return s.storePositions(tx, map[string]uint64{r.Reader: 0})
	})
	if err == nil {
		s.SetPosition(r.Reader, 0)
	}
	return err
}

package bolt

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"
	bbolt "go.etcd.io/bbolt"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/position"
)

// Head implements es.EventStore: one seek.
func (s *Store) Head(ctx context.Context, entityID string) (head *es.Recorded, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = s.view(func(tx *bbolt.Tx) error {
		head, err = headOf(tx, entityID)
		return err
	})
	return head, err
}

func headOf(tx *bbolt.Tx, id string) (*es.Recorded, error) {
	if len(id) > maxID {
		return nil, nil
	}
	k, v, _ := lastOf(tx.Bucket(bucketEvents).Cursor(), id)
	if found, version, ok := cutEventKey(k); ok && found == id {
		return decodeEvent(id, version, v)
	}
	return nil, nil
}

// Lookup implements es.EventStore.
func (s *Store) Lookup(ctx context.Context, entityID, eventID string) (event *es.Recorded, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(entityID) > maxID {
		return nil, nil
	}
	err = s.view(func(tx *bbolt.Tx) error {
		v := tx.Bucket(bucketEventIDs).Get(pairKey(entityID, eventID))
		if len(v) != 8 {
			return nil
		}
		event, err = eventAt(tx, entityID, int64(binary.BigEndian.Uint64(v)))
		return err
	})
	return event, err
}

func eventAt(tx *bbolt.Tx, id string, version int64) (*es.Recorded, error) {
	v := tx.Bucket(bucketEvents).Get(eventKey(id, version))
	if v == nil {
		return nil, nil
	}
	return decodeEvent(id, version, v)
}

// Put implements es.EventStore. The event, its event id and its place in the feed are
// one transaction; Put returns when it is on the disk.
func (s *Store) Put(ctx context.Context, event *es.Recorded) (*es.Recorded, error) {
	if err := checkEvent(event); err != nil {
		return nil, err
	}
	key, value := eventKey(event.EntityID, event.Version), encodeEvent(event)
	if len(key)+len(value) > MaxItem {
		return nil, fmt.Errorf("%w: an event of %d bytes, at most %d", es.ErrTooLarge, len(key)+len(value), MaxItem)
	}
	idKey, version := pairKey(event.EntityID, event.EventID), binary.BigEndian.AppendUint64(nil, uint64(event.Version))
	var occupant *es.Recorded
	err := s.update(ctx, func(tx *bbolt.Tx) error {
		events, ids := tx.Bucket(bucketEvents), tx.Bucket(bucketEventIDs)
		if v := events.Get(key); v != nil {
			taken, err := decodeEvent(event.EntityID, event.Version, v)
			if err != nil {
				return refuse(err)
			}
			occupant = taken
			return nil
		}
		occupant = nil
		if err := events.Put(key, value); err != nil {
			return err
		}
		if ids.Get(idKey) == nil {
			if err := ids.Put(idKey, version); err != nil {
				return err
			}
		}
		return s.feedEvent(tx, key)
	})
	if err != nil {
		return nil, err
	}
	return occupant, nil
}

func checkEvent(e *es.Recorded) error {
	if err := checkID("an entity id", e.EntityID); err != nil {
		return err
	}
	if e.Version < 1 {
		return fmt.Errorf("bolt: put version %d: versions count from 1", e.Version)
	}
	return checkID("an event id", e.EventID)
}

// Read implements es.EventStore.
func (s *Store) Read(ctx context.Context, entityID string, after int64, limit int) (events []es.Recorded, more bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	if len(entityID) > maxID || after == 1<<63-1 {
		return nil, false, nil
	}
	limit = max(limit, 1)
	err = s.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketEvents).Cursor()
		size := 0
		for k, v := c.Seek(eventKey(entityID, max(after, 0)+1)); k != nil; k, v = c.Next() {
			id, version, ok := cutEventKey(k)
			if !ok || id != entityID {
				return nil
			}
			if size += len(v); len(events) == limit || len(events) > 0 && size > maxPage {
				more = true
				return nil
			}
			e, err := decodeEvent(id, version, v)
			if err != nil {
				return err
			}
			events = append(events, *e)
		}
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	return events, more, nil
}

// headsPage bounds the entities that one call of Heads looks at.
const headsPage = 1000

// Heads implements es.EventStore: entities by length, then bytes, of their ids. An entity
// belongs to the segment that the hash of its id gives.
func (s *Store) Heads(ctx context.Context, segment, segments int, cursor string) (heads []es.EntityHead, next string, err error) {
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	if segments < 1 || segment < 0 || segment >= segments {
		return nil, "", fmt.Errorf("bolt: heads: no segment %d of %d", segment, segments)
	}
	var from []byte
	if cursor != "" {
		id, err := openHeadsCursor(cursor, segment, segments)
		if err != nil {
			return nil, "", err
		}
		from = afterEntity(id)
	}
	err = s.view(func(tx *bbolt.Tx) error {
		heads, next, err = scanHeads(tx, from, segment, segments)
		return err
	})
	return heads, next, err
}

func scanHeads(tx *bbolt.Tx, from []byte, segment, segments int) (heads []es.EntityHead, next string, err error) {
	c := tx.Bucket(bucketEvents).Cursor()
	k, _ := c.Seek(from)
	for seen := 1; k != nil; seen++ {
		id, _, ok := cutEventKey(k)
		if !ok {
			return nil, "", errCorrupt
		}
		last, _, end := lastOf(c, id)
		if xxhash.Sum64String(id)%uint64(segments) == uint64(segment) {
			_, version, ok := cutEventKey(last)
			if !ok {
				return nil, "", errCorrupt
			}
			heads = append(heads, es.EntityHead{EntityID: id, Version: version})
		}
		if end {
			break
		}
		if k, _ = c.Next(); k != nil && seen >= headsPage {
			return heads, headsCursor(id, segment, segments), nil
		}
	}
	return heads, "", nil
}

// lastOf moves a cursor over events to the last one at or below an entity's; end
// says that none follows.
func lastOf(c *bbolt.Cursor, id string) (k, v []byte, end bool) {
	if k, _ = c.Seek(afterEntity(id)); k == nil {
		k, v = c.Last()
		return k, v, true
	}
	k, v = c.Prev()
	return k, v, false
}

func headsCursor(id string, segment, segments int) string {
	return position.Seal(headsList(segment, segments), []byte(id))
}

func openHeadsCursor(cursor string, segment, segments int) (string, error) {
	id, err := position.Open(headsList(segment, segments), cursor)
	return string(id), err
}

func headsList(segment, segments int) []byte {
	return fmt.Appendf(nil, "heads %d/%d", segment, segments)
}

package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"maps"
	"sync"
	"time"

	bbolt "go.etcd.io/bbolt"

	es "github.com/esgen/esgen/runtime"
)

// Appended is an event in the feed. Sequence numbers rise from 1 in the order of
// the commits, which keeps the order of versions within an entity.
type Appended struct {
	Seq   uint64
	Event es.Recorded
}

// Changed is a change of a record in the feed of its view.
type Changed struct {
	Seq    uint64
	Change es.RecordChange
}

// feedEvent adds an event to the feed, in the transaction that stores it.
func (s *Store) feedEvent(tx *bbolt.Tx, key []byte) error {
	feed := tx.Bucket(bucketFeed)
	feed.FillPercent = 0.95 // only ever appended to
	seq, err := feed.NextSequence()
	if err != nil {
		return err
	}
	s.grown = true
	return feed.Put(seqKey(seq), key)
}

// feedChange adds a change of a record to its view's feed, if it has one. A write that
// leaves the payload as it was is no change.
func (s *Store) feedChange(tx *bbolt.Tx, change *es.RecordChange) error {
	feed := tx.Bucket(bucketChanges).Bucket([]byte(change.View))
	if feed == nil || change.Old == change.New {
		return nil
	}
	seq, err := feed.NextSequence()
	if err != nil {
		return err
	}
	s.grown = true
	return feed.Put(seqKey(seq), encodeChange(change))
}

// Feed returns at most limit events, and at most about 1 MB, with sequence
// numbers above after, in their order.
func (s *Store) Feed(ctx context.Context, after uint64, limit int) (page []Appended, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = s.view(func(tx *bbolt.Tx) error {
		c, size := tx.Bucket(bucketFeed).Cursor(), 0
		for k, v := c.Seek(seqKey(after + 1)); len(k) == 8 && len(page) < limit && size < maxPage; k, v = c.Next() {
			id, version, ok := cutEventKey(v)
			if !ok {
				return errCorrupt
			}
			e, err := eventAt(tx, id, version)
			if err != nil {
				return err
			}
			if e == nil {
				return errCorrupt
			}
			size += len(e.Payload)
			page = append(page, Appended{Seq: binary.BigEndian.Uint64(k), Event: *e})
		}
		return nil
	})
	return page, err
}

// Changes returns at most limit changes of a view's records, and at most about 1 MB,
// with sequence numbers above after, in their order. What all readers of the
// view are past is gone.
func (s *Store) Changes(ctx context.Context, view string, after uint64, limit int) (page []Changed, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = s.view(func(tx *bbolt.Tx) error {
		feed := tx.Bucket(bucketChanges).Bucket([]byte(view))
		if feed == nil {
			return nil
		}
		c, size := feed.Cursor(), 0
		for k, v := c.Seek(seqKey(after + 1)); len(k) == 8 && len(page) < limit && size < maxPage; k, v = c.Next() {
			change, err := decodeChange(view, v)
			if err != nil {
				return err
			}
			size += len(v)
			page = append(page, Changed{Seq: binary.BigEndian.Uint64(k), Change: change})
		}
		return nil
	})
	return page, err
}

// LastSeq is the sequence number of the newest event, 0 without one.
func (s *Store) LastSeq() (seq uint64, err error) {
	err = s.view(func(tx *bbolt.Tx) error {
		seq = tx.Bucket(bucketFeed).Sequence()
		return nil
	})
	return seq, err
}

// LastChange is the sequence number of the newest change of a view's records, 0
// without one and for a view without readers.
func (s *Store) LastChange(view string) (seq uint64, err error) {
	err = s.view(func(tx *bbolt.Tx) error {
		if feed := tx.Bucket(bucketChanges).Bucket([]byte(view)); feed != nil {
			seq = feed.Sequence()
		}
		return nil
	})
	return seq, err
}

// News returns a channel that is closed when something has been added to a feed after
// the call. A reader takes it, reads its feed until that is empty, and then waits.
func (s *Store) News() <-chan struct{} {
	s.newsMu.Lock()
	defer s.newsMu.Unlock()
	return s.news
}

func (s *Store) wake() {
	s.newsMu.Lock()
	defer s.newsMu.Unlock()
	close(s.news)
	s.news = make(chan struct{})
}

// positionDelay is how long a reader's position may wait for a transaction to ride
// along with. A crash takes a reader back that far; what it gets twice is its own
// to recognize, as with every delivery.
const positionDelay = 100 * time.Millisecond

// lazyPositions are the positions of the readers, some of them not stored yet.
type lazyPositions struct {
	mu        sync.Mutex
	positions map[string]uint64
	waiting   map[string]uint64
	timer     *time.Timer
	due       chan struct{}
}

// Position is the sequence number up to which a reader has handled its feed.
func (s *Store) Position(reader string) uint64 {
	s.lazy.mu.Lock()
	defer s.lazy.mu.Unlock()
	return s.lazy.positions[reader]
}

// SetPosition moves a reader that was named at Open. The position is stored with the next write, soon in any
// case, and by Close.
func (s *Store) SetPosition(reader string, seq uint64) {
	l := &s.lazy
	l.mu.Lock()
	defer l.mu.Unlock()
	l.positions[reader] = seq
	if l.waiting == nil {
		l.waiting = map[string]uint64{}
		l.wait()
	}
	l.waiting[reader] = seq
}

// wait has the positions stored in a while if no write comes that they can ride along with.
func (l *lazyPositions) wait() {
	l.timer = time.AfterFunc(positionDelay, func() {
		select {
		case l.due <- struct{}{}:
		default:
		}
	})
}

func (l *lazyPositions) take() map[string]uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	waiting := l.waiting
	l.waiting = nil
	if l.timer != nil {
		l.timer.Stop()
	}
	return waiting
}

// giveBack takes positions back that could not be stored; those that were set meanwhile are newer.
func (l *lazyPositions) giveBack(waiting map[string]uint64) {
	if len(waiting) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting == nil {
		l.wait()
	}
	maps.Copy(waiting, l.waiting)
	l.waiting = waiting
}

func (l *lazyPositions) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
	}
}

func (s *Store) loadPositions(tx *bbolt.Tx) error {
	return tx.Bucket(bucketPositions).ForEach(func(k, v []byte) error {
		_, name, ok := cutPrefixed(k)
		if !ok || len(v) != 8 {
			return errCorrupt
		}
		s.lazy.positions[string(name)] = binary.BigEndian.Uint64(v)
		return nil
	})
}

// A position's key is the view, then the reader: the readers of one feed stand together.
func (s *Store) storePositions(tx *bbolt.Tx, waiting map[string]uint64) error {
	if len(waiting) == 0 {
		return nil
	}
	positions := tx.Bucket(bucketPositions)
	moved := map[string]bool{} // views
	for _, k := range keysOf(positions) {
		view, name, ok := cutPrefixed(k)
		if !ok {
			return errCorrupt
		}
		if seq, ok := waiting[string(name)]; ok {
			moved[view] = true
			if err := positions.Put(k, seqKey(seq)); err != nil {
				return err
			}
		}
	}
	for view := range moved {
		if view != "" {
			if err := trim(tx, view); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxTrim bounds the changes that one transaction deletes.
const maxTrim = 1000

// trim deletes the changes that all readers of a view are past.
func trim(tx *bbolt.Tx, view string) error {
	feed := tx.Bucket(bucketChanges).Bucket([]byte(view))
	if feed == nil {
		return nil
	}
	past := uint64(1<<64 - 1)
	prefix := prefixed(nil, view)
	c := tx.Bucket(bucketPositions).Cursor()
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		past = min(past, binary.BigEndian.Uint64(v))
	}
	var gone [][]byte
	changes := feed.Cursor()
	for k, _ := changes.First(); k != nil && len(gone) < maxTrim && binary.BigEndian.Uint64(k) <= past; k, _ = changes.Next() {
		gone = append(gone, bytes.Clone(k))
	}
	for _, k := range gone {
		if err := feed.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// settleReaders gives new readers their first position, forgets those that are gone, and
// keeps feeds of changes for the views that have readers.
func settleReaders(tx *bbolt.Tx, readers []Reader) error {
	positions, changes := tx.Bucket(bucketPositions), tx.Bucket(bucketChanges)
	wanted, views := map[string]bool{}, map[string]bool{}
	for _, r := range readers {
		key := pairKey(r.View, r.Name)
		wanted[string(key)] = true
		last := tx.Bucket(bucketFeed).Sequence()
		if r.View != "" {
			views[r.View] = true
			feed, err := changes.CreateBucketIfNotExists([]byte(r.View))
			if err != nil {
				return err
			}
			last = feed.Sequence()
		}
		if positions.Get(key) != nil {
			continue
		}
		if r.FromStart {
			last = 0
		}
		if err := positions.Put(key, seqKey(last)); err != nil {
			return err
		}
	}
	for _, k := range keysOf(positions) {
		if !wanted[string(k)] {
			if err := positions.Delete(k); err != nil {
				return err
			}
		}
	}
	for _, view := range keysOf(changes) {
		if !views[string(view)] {
			if err := changes.DeleteBucket(view); err != nil {
				return err
			}
		}
	}
	return nil
}

func keysOf(b *bbolt.Bucket) (keys [][]byte) {
	c := b.Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	return keys
}

package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"time"

	bbolt "go.etcd.io/bbolt"

	es "github.com/esgen/esgen/runtime"
)

// Progress implements es.ProgressStore. An entry that has expired is absent.
func (s *Store) Progress(ctx context.Context, part, id string) (entry *es.Entry, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(part) > maxPart || len(id) > es.MaxEntryID {
		return nil, nil
	}
	err = s.view(func(tx *bbolt.Tx) error {
		entry, err = s.entry(tx, part, id)
		return err
	})
	return entry, err
}

func (s *Store) entry(tx *bbolt.Tx, part, id string) (*es.Entry, error) {
	v := tx.Bucket(bucketProgress).Get(pairKey(part, id))
	if v == nil {
		return nil, nil
	}
	e, err := decodeEntry(part, id, v)
	if err != nil || s.expired(e) {
		return nil, err
	}
	return e, nil
}

func (s *Store) expired(e *es.Entry) bool {
	return !e.Expires.IsZero() && !s.clock().Before(e.Expires)
}

// ListProgress implements es.ProgressStore.
func (s *Store) ListProgress(ctx context.Context, part, after string, limit int) (entries []es.Entry, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(part) > maxPart {
		return nil, nil
	}
	limit = max(limit, 1)
	err = s.view(func(tx *bbolt.Tx) error {
		prefix, from := prefixed(nil, part), pairKey(part, after)
		c := tx.Bucket(bucketProgress).Cursor()
		for k, v := c.Seek(from); bytes.HasPrefix(k, prefix) && len(entries) < limit; k, v = c.Next() {
			e, err := decodeEntry(part, string(k[len(prefix):]), v)
			if err != nil {
				return err
			}
			if !bytes.Equal(k, from) && !s.expired(e) {
				entries = append(entries, *e)
			}
		}
		return nil
	})
	return entries, err
}

// PutProgress implements es.ProgressStore.
func (s *Store) PutProgress(ctx context.Context, was int64, entry es.Entry) error {
	if len(entry.Part) > maxPart {
		return fmt.Errorf("bolt: a part of %d bytes: it has at most %d", len(entry.Part), maxPart)
	}
	if n := len(entry.ID); n < 1 || n > es.MaxEntryID {
		return fmt.Errorf("bolt: an entry's id of %d bytes: it has 1 to %d", n, es.MaxEntryID)
	}
	if entry.Guard < 1 || was < -1 {
		return fmt.Errorf("bolt: an entry moves from %d to %d: guards are above 0", was, entry.Guard)
	}
	if n := len(entry.Part) + len(entry.ID) + len(entry.Value); n > MaxItem {
		return fmt.Errorf("%w: an entry of %d bytes, at most %d", es.ErrTooLarge, n, MaxItem)
	}
	return s.update(ctx, func(tx *bbolt.Tx) error {
		if was >= 0 {
			old, err := s.entry(tx, entry.Part, entry.ID)
			if err != nil {
				return refuse(err)
			}
			var guard int64
			if old != nil {
				guard = old.Guard
			}
			if guard != was {
				return refuse(fmt.Errorf("%w: an entry stands at %d, not at %d", es.ErrConflict, guard, was))
			}
		}
		if err := s.sweep(tx); err != nil {
			return err
		}
		return putEntry(tx, &entry)
	})
}

// DeleteProgress implements es.ProgressStore; deleting what is absent is no error.
func (s *Store) DeleteProgress(ctx context.Context, part, id string) error {
	if len(part) > maxPart || len(id) > es.MaxEntryID {
		return nil
	}
	return s.update(ctx, func(tx *bbolt.Tx) error { return deleteEntry(tx, pairKey(part, id)) })
}

// expiryKey orders entries by the second in which they expire; nil for one that does not.
func expiryKey(expires time.Time, entry []byte) []byte {
	if expires.IsZero() {
		return nil
	}
	return append(binary.BigEndian.AppendUint64(nil, uint64(max(expires.Unix(), 0))), entry...)
}

func putEntry(tx *bbolt.Tx, e *es.Entry) error {
	key := pairKey(e.Part, e.ID)
	if err := deleteEntry(tx, key); err != nil {
		return err
	}
	if k := expiryKey(e.Expires, key); k != nil {
		if err := tx.Bucket(bucketExpiry).Put(k, []byte{}); err != nil {
			return err
		}
	}
	return tx.Bucket(bucketProgress).Put(key, encodeEntry(e))
}

func deleteEntry(tx *bbolt.Tx, key []byte) error {
	v := tx.Bucket(bucketProgress).Get(key)
	if v == nil {
		return nil
	}
	e, err := decodeEntry("", "", v)
	if err != nil {
		return err
	}
	if k := expiryKey(e.Expires, key); k != nil {
		if err := tx.Bucket(bucketExpiry).Delete(k); err != nil {
			return err
		}
	}
	return tx.Bucket(bucketProgress).Delete(key)
}

func deletePart(tx *bbolt.Tx, part string) error {
	prefix := prefixed(nil, part)
	var keys [][]byte
	c := tx.Bucket(bucketProgress).Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	for _, k := range keys {
		if err := deleteEntry(tx, k); err != nil {
			return err
		}
	}
	return nil
}

// sweep deletes a few entries that have expired: more than one for each that is put, so
// that they never pile up.
func (s *Store) sweep(tx *bbolt.Tx) error {
	now := s.clock().Unix()
	expiry := tx.Bucket(bucketExpiry)
	var due [][]byte
	c := expiry.Cursor()
	for k, _ := c.First(); len(k) > 8 && len(due) < 4 && int64(binary.BigEndian.Uint64(k)) < now; k, _ = c.Next() {
		due = append(due, bytes.Clone(k))
	}
	for _, k := range due {
		if err := deleteEntry(tx, k[8:]); err != nil {
			return err
		}
		if err := expiry.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

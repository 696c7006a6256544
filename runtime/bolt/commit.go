package bolt

import (
	"context"
	"errors"
	"fmt"

	bbolt "go.etcd.io/bbolt"
)

// maxGroup bounds the writes that share a transaction.
const maxGroup = 256

var errClosed = errors.New("bolt: the store is closed")

// A write changes the file within a transaction that it may share with others. It
// checks everything that can refuse it before it changes anything: an error
// wrapped by refuse leaves the transaction as it was, any other error undoes the
// whole transaction.
type write struct {
	ctx   context.Context
	apply func(tx *bbolt.Tx) error
	done  chan error // holds one
}

// refused is the error of a write that changed nothing.
type refused struct{ error }

func (r refused) Unwrap() error { return r.error }

func refuse(err error) error { return refused{err} }

// update hands a write to the committer and waits until it is on the disk.
func (s *Store) update(ctx context.Context, apply func(tx *bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &write{ctx: ctx, apply: apply, done: make(chan error, 1)}
	select {
	case s.writes <- w:
	case <-s.closing:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-w.done:
		var r refused
		if errors.As(err, &r) {
			return r.error
		}
		return err
	case <-ctx.Done():
		return ctx.Err() // the outcome is unknown
	case <-s.stopped:
		select {
		case err := <-w.done:
			return err
		default:
			return errClosed
		}
	}
}

// commitLoop is the only writer of the file. What arrives while it syncs makes up the
// next group: under load many writes share a sync, and a lone write starts at once.
func (s *Store) commitLoop() {
	defer close(s.stopped)
	for {
		var group []*write
		select {
		case w := <-s.writes:
			group = append(group, w)
		case <-s.lazy.due:
		case <-s.closing:
			s.commit(nil)
			return
		}
		for more := true; more && len(group) < maxGroup; {
			select {
			case w := <-s.writes:
				group = append(group, w)
			default:
				more = false
			}
		}
		s.commit(group)
	}
}

// commit stores a group in one transaction; if that fails, each write in its own, so
// that one cannot make another fail.
func (s *Store) commit(group []*write) {
	errs := make([]error, len(group))
	err := s.transact(func(tx *bbolt.Tx) error {
		for i, w := range group {
			if errs[i] = w.ctx.Err(); errs[i] != nil {
				continue
			}
			var r refused
			if errs[i] = w.apply(tx); errs[i] != nil && !errors.As(errs[i], &r) {
				return errs[i]
			}
		}
		return nil
	})
	switch {
	case err != nil && len(group) > 1:
		for _, w := range group {
			s.commit([]*write{w})
		}
		return
	case err != nil && len(group) == 1:
		errs[0] = err
	}
	for i, w := range group {
		w.done <- errs[i]
	}
}

// transact runs one read-write transaction, with the positions that wait to be
// stored, and wakes the readers of the feeds.
func (s *Store) transact(apply func(tx *bbolt.Tx) error) (err error) {
	s.grown = false
	waiting := s.lazy.take()
	defer func() {
		// bbolt panics on a damaged file; the transaction has been rolled back.
		if p := recover(); p != nil {
			err = fmt.Errorf("bolt: write: %v", p)
		}
		if err != nil {
			s.lazy.giveBack(waiting)
		}
	}()
	err = s.db.Update(func(tx *bbolt.Tx) error {
		// First, so that a position that is part of a write is not undone by an older one.
		if err := s.storePositions(tx, waiting); err != nil {
			return err
		}
		return apply(tx)
	})
	if err == nil && s.grown {
		s.wake()
	}
	return err
}

package local

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/bolt"
)

const (
	batchSize  = 100
	batchTime  = 30 * time.Second // for one batch; a projector catches up for at most half of it
	retryFirst = 50 * time.Millisecond
	retryMost  = 5 * time.Second
)

// delivery is one entry of a feed on its way to its reader.
type delivery[T any] struct {
	seq   uint64
	value T
}

// stream hands a feed to one reader, batch by batch, and keeps the reader's place: it
// moves on only past what the reader has acknowledged, so that after a crash the
// reader gets again what it may not have finished.
type stream[T any] struct {
	reader string
	store  *bolt.Store
	read   func(ctx context.Context, after uint64, limit int) ([]delivery[T], error)
	// handle returns the index of the first value to be delivered again.
	handle func(ctx context.Context, batch []T) (retry int, err error)
	// limits are sequence numbers that no batch reaches across.
	limits []uint64
	faults faults
	random *rand.Rand
	log    *slog.Logger
}

// run serves the reader until ctx is done.
func (s *stream[T]) run(ctx context.Context) {
	s.random = rand.New(rand.NewPCG(s.faults.seed, 0))
	wait := retryFirst
	for ctx.Err() == nil {
		news := s.store.News()
		more, err := s.turn(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			s.log.Warn("stream: trying again", "reader", s.reader, "in", wait.String(), "error", err.Error())
			sleep(ctx, wait/2+rand.N(wait/2))
			wait = min(2*wait, retryMost)
		case more:
			wait = retryFirst
		default:
			wait = retryFirst
			select {
			case <-news:
			case <-ctx.Done():
			}
		}
	}
}

// turn delivers one batch; more says that there was something.
func (s *stream[T]) turn(ctx context.Context) (more bool, err error) {
	place := s.store.Position(s.reader)
	limit := uint64(batchSize)
	for _, end := range s.limits {
		if end > place {
			limit = min(limit, end-place)
		}
	}
	batch, err := s.read(ctx, place, int(limit))
	if err != nil || len(batch) == 0 {
		return false, err
	}
	last := batch[len(batch)-1].seq
	batch = s.disturb(batch)
	values := make([]T, len(batch))
	for i, d := range batch {
		values[i] = d.value
	}
	batchCtx, cancel := context.WithTimeout(ctx, batchTime)
	defer cancel()
	retry, err := s.handle(batchCtx, values)
	if err == nil && retry < len(batch) {
		err = errors.New("the reader did not take the whole batch")
	}
	for _, d := range batch[min(retry, len(batch)):] {
		last = min(last, d.seq-1)
	}
	if last > place {
		s.store.SetPosition(s.reader, last)
	}
	return true, err
}

// disturb applies the faults to a batch.
func (s *stream[T]) disturb(batch []delivery[T]) []delivery[T] {
	hits := func(chance float64) bool { return chance > 0 && s.random.Float64() < chance }
	var out []delivery[T]
	for _, d := range batch {
		if hits(s.faults.drop) {
			continue
		}
		out = append(out, d)
		if hits(s.faults.duplicate) {
			out = slices.Insert(out, s.random.IntN(len(out)), d)
		}
	}
	for i := range out {
		if hits(s.faults.reorder) {
			j := s.random.IntN(len(out))
			out[i], out[j] = out[j], out[i]
		}
	}
	return out
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// readEvents and readChanges make the store's feeds deliveries.
func readEvents(store *bolt.Store) func(context.Context, uint64, int) ([]delivery[es.Recorded], error) {
	return func(ctx context.Context, after uint64, limit int) ([]delivery[es.Recorded], error) {
		page, err := store.Feed(ctx, after, limit)
		batch := make([]delivery[es.Recorded], len(page))
		for i, a := range page {
			batch[i] = delivery[es.Recorded]{seq: a.Seq, value: a.Event}
		}
		return batch, err
	}
}

func readChanges(store *bolt.Store, view string) func(context.Context, uint64, int) ([]delivery[es.RecordChange], error) {
	return func(ctx context.Context, after uint64, limit int) ([]delivery[es.RecordChange], error) {
		page, err := store.Changes(ctx, view, after, limit)
		batch := make([]delivery[es.RecordChange], len(page))
		for i, c := range page {
			batch[i] = delivery[es.RecordChange]{seq: c.Seq, value: c.Change}
		}
		return batch, err
	}
}

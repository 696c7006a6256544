package mapping

import (
	"context"
	"slices"
	"time"
)

// work is records that are delivered together until they are done with.
type work struct {
	records  []record
	failures int // that count as attempts
	invokes  int // of the function, with these or more records
	refusals int // in a row: the function could not be invoked
	last     response
}

// response is what came of the last invocation.
type response struct {
	invoked       bool
	functionError string
}

// deliver brings a batch to its end: every record of it was taken by the function, or given up. It
// reports false if the context ended before that.
func (r *reader) deliver(ctx context.Context, batch []record) bool {
	for todo := []work{{records: batch}}; len(todo) > 0; {
		if ctx.Err() != nil {
			return false
		}
		w := todo[0]
		todo = todo[1:]
		if r.expire(ctx, &w); len(w.records) == 0 {
			continue
		}
		again, ok := r.attempt(ctx, w)
		if !ok {
			return false
		}
		todo = append(again, todo...)
	}
	return ctx.Err() == nil
}

// attempt invokes the function once and returns what is left to do. It is not ok if the context is over.
func (r *reader) attempt(ctx context.Context, w work) (again []work, ok bool) {
	event := payload(texts(w.records))
	answer, functionError, err := r.call(ctx, event)
	if ctx.Err() != nil {
		return nil, false
	}
	if err != nil {
		// Such tries cost no attempt: only the records' age ends them.
		w.refusals++
		r.log.Warn("the function cannot be invoked", "error", err.Error())
		return []work{w}, sleep(ctx, r.config.Backoff(w.refusals))
	}
	w.invokes++
	w.refusals = 0
	w.last = response{invoked: true, functionError: functionError}
	failed := r.judge(answer, functionError, w.records)
	switch {
	case failed == len(w.records):
		r.took(event, len(w.records))
		r.checkpoint(w.records[len(w.records)-1])
		return nil, true
	case failed > 0:
		r.count(func(s *Stats) { s.Delivered += failed })
		r.checkpoint(w.records[failed-1])
	}
	return r.retry(ctx, w, failed)
}

func texts(records []record) [][]byte {
	list := make([][]byte, len(records))
	for i, rec := range records {
		list[i] = rec.text
	}
	return list
}

// wholeBatch: judge cannot say where the failure is.
const wholeBatch = -1

// judge returns how many records are done with: all, or those before the first that failed; wholeBatch
// if the batch failed as one.
func (r *reader) judge(answer []byte, functionError string, records []record) int {
	if functionError != "" {
		r.log.Warn("the function failed", "shard", r.shard.id, "records", len(records), "functionError", functionError)
		return wholeBatch
	}
	if !r.config.ReportBatchItemFailures {
		return len(records)
	}
	ids, ok := failedItems(answer)
	if !ok {
		r.log.Warn("the function's answer is no list of failed items; the batch counts as failed", "shard", r.shard.id)
		return wholeBatch
	}
	first := len(records)
	for _, id := range ids {
		i := slices.IndexFunc(records, func(rec record) bool { return rec.sequence == id })
		if i < 0 {
			r.log.Warn("the function reported an item that is not of the batch; the batch counts as failed", "shard", r.shard.id)
			return wholeBatch
		}
		first = min(first, i)
	}
	return first
}

// retry decides what comes after a failure. Halving costs no attempt; nor does, with halving, going on
// at a record that the function named. Lambda does not document what halving does if that is the first
// one: here the batch stays whole, and is given up whole, which is worse for the function.
func (r *reader) retry(ctx context.Context, w work, failed int) (again []work, ok bool) {
	bisect := r.config.BisectBatchOnFunctionError
	switch {
	case failed == wholeBatch && bisect && len(w.records) > 1:
		half := w
		middle := (len(w.records) + 1) / 2
		w.records, half.records = w.records[:middle], half.records[middle:]
		return []work{w, half}, sleep(ctx, r.config.Backoff(1))
	case failed > 0:
		w.records = w.records[failed:]
		if bisect {
			return []work{w}, sleep(ctx, r.config.Backoff(1))
		}
	}
	w.failures++
	if most := r.config.MaximumRetryAttempts; most >= 0 && w.failures > most {
		return nil, r.giveUp(ctx, w, "RetryAttemptsExhausted")
	}
	return []work{w}, sleep(ctx, r.config.Backoff(w.failures))
}

// expire gives up the records at the beginning that are too old.
func (r *reader) expire(ctx context.Context, w *work) {
	if r.config.MaximumRecordAge <= 0 {
		return
	}
	now := r.options.Now()
	old := 0
	for old < len(w.records) && now.Sub(w.records[old].created) > r.config.MaximumRecordAge {
		old++
	}
	if old == 0 {
		return
	}
	expired := *w
	expired.records, w.records = w.records[:old], w.records[old:]
	if !r.giveUp(ctx, expired, "RecordAgeExceeded") {
		w.records = nil // the context is over; deliver sees it
	}
}

// giveUp sends the records to the destination, and goes on after them. It reports false if the
// context ended before that.
func (r *reader) giveUp(ctx context.Context, w work, condition string) bool {
	for failures := 1; r.config.OnFailureBucket != ""; failures++ {
		err := r.writeGivenUp(w, condition)
		if err == nil {
			break
		}
		// Lambda would drop the records in the end. Here the shard waits: nothing is to be lost by a full bucket.
		r.log.Error("the destination does not take what is given up", "bucket", r.config.OnFailureBucket, "error", err.Error())
		if !sleep(ctx, r.config.Backoff(failures)) {
			return false
		}
	}
	r.log.Error("records are given up", "shard", r.shard.id, "records", len(w.records), "condition", condition, "bucket", r.config.OnFailureBucket)
	r.count(func(s *Stats) { s.GivenUp += len(w.records) })
	r.checkpoint(w.records[len(w.records)-1])
	return true
}

const (
	stampForm   = "2006-01-02T15:04:05.000Z"
	arrivalForm = "2006-01-02T15:04:05Z"
)

func utc(t time.Time, form string) string { return t.UTC().Format(form) }

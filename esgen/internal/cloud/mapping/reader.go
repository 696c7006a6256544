package mapping

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// reader reads one shard, batch by batch. It belongs to one goroutine.
type reader struct {
	*stream
	shard *shard

	iterator  string // of the next read; "" has to be asked for
	scanned   string // sequence number of the last record read
	pending   []record
	bytes     int       // of pending
	first     time.Time // when the first of pending was read
	exhausted bool      // the shard is closed, and all of it was read
	idle      bool      // the last read found nothing
	failures  int       // of reads, in a row
}

func (r *reader) run(ctx context.Context) {
	r.iterator, r.scanned = r.shard.iterator, r.shard.after
	for ctx.Err() == nil {
		r.fill(ctx)
		if ctx.Err() != nil {
			return
		}
		if batch := r.next(); len(batch) > 0 {
			if !r.deliver(ctx, batch) {
				return
			}
			r.settle()
			continue
		}
		if r.exhausted {
			r.shard.ended = true
			return
		}
		if r.idle && !sleep(ctx, r.config.PollInterval) {
			return
		}
	}
}

// fill reads once, if there is room for more: less than a batch, and less than a payload. What
// no filter takes is done with when all before it is.
func (r *reader) fill(ctx context.Context) {
	r.idle = false
	if r.exhausted || len(r.pending) >= r.config.BatchSize || r.bytes >= maxPayload {
		return
	}
	records, err := r.read(ctx)
	if err != nil {
		r.readFailed(ctx, err)
		return
	}
	r.failures = 0
	r.idle = len(records) == 0 && !r.exhausted
	for _, raw := range records {
		rec := newRecord(raw, r.options.Region, r.config.StreamARN)
		r.scanned = rec.sequence
		if len(r.patterns) > 0 && !matchesText(r.patterns, rec.text) {
			r.count(func(s *Stats) { s.Filtered++ })
			continue
		}
		if len(r.pending) == 0 {
			r.first = time.Now()
		}
		r.pending = append(r.pending, rec)
		r.bytes += len(rec.text)
	}
	r.settle()
}

func (r *reader) read(ctx context.Context) ([]types.Record, error) {
	if r.iterator == "" {
		in := &dynamodbstreams.GetShardIteratorInput{StreamArn: &r.config.StreamARN, ShardId: &r.shard.id, ShardIteratorType: types.ShardIteratorTypeTrimHorizon}
		if r.scanned != "" {
			in.ShardIteratorType, in.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, &r.scanned
		} else if r.shard.latest {
			in.ShardIteratorType = types.ShardIteratorTypeLatest
		}
		out, err := r.options.Streams.GetShardIterator(ctx, in)
		if err != nil {
			return nil, err
		}
		r.iterator = aws.ToString(out.ShardIterator)
	}
	out, err := r.options.Streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: &r.iterator, Limit: aws.Int32(1000)})
	if err != nil {
		return nil, err
	}
	r.iterator = aws.ToString(out.NextShardIterator)
	r.exhausted = r.iterator == ""
	return out.Records, nil
}

func (r *reader) readFailed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	r.iterator = "" // it may have expired; asking anew is always right
	if _, trimmed := errors.AsType[*types.TrimmedDataAccessException](err); trimmed {
		if r.scanned == "" && !r.shard.latest {
			// An iterator that DynamoDB Local gives for the beginning of an empty shard does not find
			// what comes later. Nothing has been read, so nothing is lost by beginning anew.
			sleep(ctx, r.config.PollInterval)
			return
		}
		r.log.Error("records were lost: the mapping was behind for longer than the stream keeps them", "shard", r.shard.id)
		r.scanned, r.shard.latest = "", false
	}
	r.failures++
	r.log.Warn("the stream cannot be read", "shard", r.shard.id, "error", err.Error())
	sleep(ctx, r.config.Backoff(r.failures))
}

// settle remembers, when nothing is pending, that all that was read is done with.
func (r *reader) settle() {
	if len(r.pending) == 0 {
		r.shard.after, r.shard.iterator = r.scanned, r.iterator
	}
}

// next takes a batch off what is pending, if one is due: it is full, the window is over, or
// nothing more will come.
func (r *reader) next() []record {
	due := len(r.pending) >= r.config.BatchSize || r.bytes >= maxPayload || r.exhausted || time.Since(r.first) >= r.config.BatchingWindow
	if !due || len(r.pending) == 0 {
		return nil
	}
	batch := r.pending[:min(len(r.pending), r.config.BatchSize)]
	batch = batch[:room(batch, func(rec record) int { return len(rec.text) })]
	r.pending = append([]record(nil), r.pending[len(batch):]...)
	for _, rec := range batch {
		r.bytes -= len(rec.text)
	}
	r.first = time.Now()
	return batch
}

// checkpoint: everything up to this record is done with.
func (r *reader) checkpoint(rec record) {
	r.shard.after, r.shard.iterator = rec.sequence, ""
}

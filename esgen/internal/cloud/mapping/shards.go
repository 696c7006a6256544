package mapping

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// stream reads the shards of a stream, children after their parents.
type stream struct {
	*Mapping
	config   StreamConfig
	options  Options
	patterns []pattern

	// What follows belongs to run, and survives it. A shard that is being read belongs to its reader.
	shards map[string]*shard
	known  bool // the shards were described once
}

// shard is one shard and how far it was read.
type shard struct {
	id, parent string
	latest     bool   // starts at the end
	after      string // sequence number of the last record that is done with; "" is none yet
	iterator   string // goes on after all that is done with; "" is none
	ended      bool   // all of it is done with
}

// maxShards bounds what is kept of a stream. DynamoDB has a shard for 4 hours, and forgets it after a day.
const maxShards = 10_000

func (s *stream) run(ctx context.Context) {
	var readers sync.WaitGroup
	defer readers.Wait()
	running := map[string]bool{}
	ended := make(chan string)
	failures := 0
	for {
		pause := 4 * s.config.PollInterval // new shards are rare
		if err := s.discover(ctx); err != nil && ctx.Err() == nil {
			failures++
			pause = s.config.Backoff(failures)
			s.log.Error("the stream's shards cannot be listed", "error", err.Error())
		} else {
			failures = 0
		}
		for id, sh := range s.shards {
			// A parent that is being read belongs to its reader: whether it ended is not to be looked at.
			if running[id] || sh.ended || running[sh.parent] || !s.isEnded(sh.parent) {
				continue
			}
			running[id] = true
			readers.Go(func() {
				(&reader{stream: s, shard: sh}).run(ctx)
				select {
				case ended <- sh.id:
				case <-ctx.Done():
				}
			})
		}
		again := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			again.Stop()
			return
		case id := <-ended:
			delete(running, id)
		case <-again.C:
		}
		again.Stop()
	}
}

// isEnded: parents that DynamoDB has forgotten are read, or too old to be.
func (s *stream) isEnded(id string) bool {
	sh, ok := s.shards[id]
	return !ok || sh.ended
}

// discover brings the shards up to date.
func (s *stream) discover(ctx context.Context) error {
	described, err := s.describe(ctx)
	if err != nil {
		return err
	}
	var ids []string
	for _, d := range described {
		id := aws.ToString(d.ShardId)
		ids = append(ids, id)
		if s.shards[id] != nil {
			continue
		}
		sh := &shard{id: id, parent: aws.ToString(d.ParentShardId)}
		if !s.known && s.config.StartingPosition == "LATEST" {
			sh.latest = true
			sh.ended = d.SequenceNumberRange != nil && d.SequenceNumberRange.EndingSequenceNumber != nil
		}
		s.shards[id] = sh
	}
	s.known = true
	s.forget(ids)
	return nil
}

// forget drops shards that DynamoDB does not know any more. One that is being read ends by itself.
func (s *stream) forget(known []string) {
	if len(s.shards) <= len(known) {
		return
	}
	for id := range s.shards {
		if !slices.Contains(known, id) {
			delete(s.shards, id)
		}
	}
}

func (s *stream) describe(ctx context.Context) ([]types.Shard, error) {
	var shards []types.Shard
	var last *string
	for {
		out, err := s.options.Streams.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &s.config.StreamARN, ExclusiveStartShardId: last})
		if err != nil {
			return nil, err
		}
		if out.StreamDescription == nil {
			return nil, errors.New("the stream is not described")
		}
		shards = append(shards, out.StreamDescription.Shards...)
		if last = out.StreamDescription.LastEvaluatedShardId; last == nil {
			return shards, nil
		}
		if len(shards) > maxShards {
			return nil, fmt.Errorf("the stream has more than %d shards", maxShards)
		}
	}
}

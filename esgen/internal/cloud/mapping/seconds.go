package mapping

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
)

// InSeconds gives the records of DynamoDB Local's streams the times that DynamoDB's have. The real ones
// are cut to the second, DynamoDB Local's to the minute: a record that is seen within its minute was made in the
// second in which it is seen first, or a moment before. Of the latest records that second is remembered, so
// that one that is read again has the time that it had.
func InSeconds(s Streams, now func() time.Time) Streams {
	return &inSeconds{Streams: s, now: now, seen: map[string]time.Time{}}
}

type inSeconds struct {
	Streams
	now func() time.Time

	mu    sync.Mutex
	seen  map[string]time.Time // by the id of the record
	order []string             // oldest first
}

// maxSeen bounds what is remembered.
const maxSeen = 100_000

func (s *inSeconds) GetRecords(ctx context.Context, in *dynamodbstreams.GetRecordsInput, o ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error) {
	out, err := s.Streams.GetRecords(ctx, in, o...)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range out.Records {
		r := &out.Records[i]
		if r.Dynamodb != nil && r.Dynamodb.ApproximateCreationDateTime != nil && r.EventID != nil {
			r.Dynamodb.ApproximateCreationDateTime = aws.Time(s.refined(*r.EventID, *r.Dynamodb.ApproximateCreationDateTime))
		}
	}
	return out, nil
}

func (s *inSeconds) refined(id string, created time.Time) time.Time {
	if t, ok := s.seen[id]; ok {
		return t
	}
	now := s.now().Truncate(time.Second)
	if !created.Equal(created.Truncate(time.Minute)) || now.Before(created) || now.Sub(created) >= time.Minute {
		now = created
	}
	if len(s.order) == maxSeen {
		delete(s.seen, s.order[0])
		s.order = s.order[1:]
	}
	s.seen[id] = now
	s.order = append(s.order, id)
	return now
}

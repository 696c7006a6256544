package deployed

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Undelivered counts what was given up after all its tries.
type Undelivered struct {
	Batches     int            `json:"batches"`         // of streams
	Oldest      time.Time      `json:"oldest,omitzero"` // of them was given up then
	DeadLetters map[string]int `json:"deadLetters"`     // by consumer; SQS counts approximately
}

// Undelivered counts what streams and queues have given up.
func (s *Stack) Undelivered(ctx context.Context) (*Undelivered, error) {
	u := &Undelivered{}
	err := s.eachBatch(ctx, func(o types.Object) error {
		u.Batches++
		if at := aws.ToTime(o.LastModified).UTC(); u.Oldest.IsZero() || at.Before(u.Oldest) {
			u.Oldest = at
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	u.DeadLetters, err = s.countDeadLetters(ctx, s.consumers())
	return u, err
}

func (s *Stack) countDeadLetters(ctx context.Context, consumers []string) (map[string]int, error) {
	counts := map[string]int{}
	queues := sqs.NewFromConfig(s.aws)
	for _, consumer := range consumers {
		attributes, err := s.queue(ctx, queues, consumer)
		if err != nil {
			return nil, err
		}
		n, err := strconv.Atoi(attributes[string(sqstypes.QueueAttributeNameApproximateNumberOfMessages)])
		if err != nil {
			return nil, fmt.Errorf("dead letters of %s: %w", consumer, err)
		}
		counts[consumer] = n
	}
	return counts, nil
}

// Batch is a given-up batch as it is listed.
type Batch struct {
	Key      string    `json:"key"`
	Function string    `json:"function"` // "projector", "consumer-x"
	GivenUp  time.Time `json:"givenUp,omitzero"`
	Records  int       `json:"records"`
	Why      string    `json:"why"` // as Lambda calls it, or what is wrong with the object
}

// Waiting is what a redrive would deliver again.
type Waiting struct {
	Batches     []Batch        `json:"batches"`
	More        bool           `json:"more,omitempty"` // batches than these
	DeadLetters map[string]int `json:"deadLetters"`    // by consumer, about
}

// Waiting lists what [Stack.Redrive] would deliver again. It reads the batches that it lists.
func (s *Stack) Waiting(ctx context.Context, only []string, limit int) (*Waiting, error) {
	chosen, err := s.choose(only)
	if err != nil {
		return nil, err
	}
	w := &Waiting{Batches: []Batch{}}
	objects := s.objects()
	list := func(key string, at time.Time) error {
		if limit > 0 && len(w.Batches) == limit {
			w.More = true
			return errLimit
		}
		b := Batch{Key: key, GivenUp: at}
		if batch, err := s.readBatch(ctx, objects, key); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			b.Why = err.Error()
		} else {
			if at.IsZero() {
				b.GivenUp, _ = time.Parse(time.RFC3339, batch.Timestamp) // else it is not known
			}
			b.Function, b.Records, b.Why = s.called(batch.RequestContext.FunctionARN), batch.Info.Records, batch.RequestContext.Condition
		}
		w.Batches = append(w.Batches, b)
		return nil
	}
	for i := 0; i < len(chosen.keys) && err == nil; i++ {
		err = list(chosen.keys[i], time.Time{})
	}
	if chosen.batches && err == nil {
		err = s.eachBatch(ctx, func(o types.Object) error { return list(aws.ToString(o.Key), aws.ToTime(o.LastModified).UTC()) })
	}
	if err != nil && !errors.Is(err, errLimit) {
		return nil, err
	}
	w.DeadLetters, err = s.countDeadLetters(ctx, chosen.consumers)
	return w, err
}

// queue reads what is to be known of a consumer's dead letters.
func (s *Stack) queue(ctx context.Context, queues *sqs.Client, consumer string) (map[string]string, error) {
	out, err := queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl:       aws.String(s.parts.DeadLetters[consumer]),
		AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameQueueArn},
	})
	if err != nil {
		return nil, fmt.Errorf("dead letters of %s: %w", consumer, err)
	}
	return out.Attributes, nil
}

// batchPrefix is how Lambda begins the keys of given-up batches.
const batchPrefix = "aws/lambda/"

// eachBatch goes over the given-up batches in the bucket, oldest first within a shard.
func (s *Stack) eachBatch(ctx context.Context, do func(o types.Object) error) error {
	if s.parts.GivenUp == "" {
		return nil
	}
	pages := s3.NewListObjectsV2Paginator(s.objects(), &s3.ListObjectsV2Input{Bucket: &s.parts.GivenUp, Prefix: aws.String(batchPrefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("given-up batches: %w", err)
		}
		for _, object := range page.Contents {
			if err := do(object); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Stack) objects() *s3.Client {
	return s3.NewFromConfig(s.aws, func(o *s3.Options) {
		// Names of buckets are no names of hosts everywhere: not on loopback.
		o.UsePathStyle = o.BaseEndpoint != nil
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	})
}

package deployed

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Undelivered counts what was given up after all its tries.
type Undelivered struct {
	Batches     int            `json:"batches"`     // of streams
	DeadLetters map[string]int `json:"deadLetters"` // by consumer; SQS counts approximately
}

// Undelivered counts what streams and queues have given up.
func (s *Stack) Undelivered(ctx context.Context) (*Undelivered, error) {
	u := &Undelivered{DeadLetters: map[string]int{}}
	err := s.eachBatch(ctx, func(string) error {
		u.Batches++
		return nil
	})
	if err != nil {
		return nil, err
	}
	queues := sqs.NewFromConfig(s.aws)
	for _, consumer := range s.consumers() {
		attributes, err := s.queue(ctx, queues, consumer)
		if err != nil {
			return nil, err
		}
		n, err := strconv.Atoi(attributes[string(types.QueueAttributeNameApproximateNumberOfMessages)])
		if err != nil {
			return nil, fmt.Errorf("dead letters of %s: %w", consumer, err)
		}
		u.DeadLetters[consumer] = n
	}
	return u, nil
}

// queue reads what is to be known of a consumer's dead letters.
func (s *Stack) queue(ctx context.Context, queues *sqs.Client, consumer string) (map[string]string, error) {
	out, err := queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl:       aws.String(s.parts.DeadLetters[consumer]),
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		return nil, fmt.Errorf("dead letters of %s: %w", consumer, err)
	}
	return out.Attributes, nil
}

// eachBatch goes over the given-up batches by their keys in the bucket, oldest first within a shard.
func (s *Stack) eachBatch(ctx context.Context, do func(key string) error) error {
	if s.parts.GivenUp == "" {
		return nil
	}
	pages := s3.NewListObjectsV2Paginator(s.objects(), &s3.ListObjectsV2Input{Bucket: &s.parts.GivenUp, Prefix: aws.String("aws/lambda/")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("given-up batches: %w", err)
		}
		for _, object := range page.Contents {
			if err := do(aws.ToString(object.Key)); err != nil {
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

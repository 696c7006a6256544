// Package topic publishes messages of a relay to a FIFO topic of Amazon SNS. It is a package of
// its own so that no other function links the client.
package topic

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/esgen/esgen/runtime/dynamo"
	"github.com/esgen/esgen/runtime/lambda"
)

// Topic is a FIFO topic. It implements lambda.Publisher.
type Topic struct {
	client *sns.Client
	arn    string
}

const (
	attempts    = 3
	attemptTime = 5 * time.Second // a call has up to 256 KB
	longestWait = 400 * time.Millisecond
)

// FromEnvironment finds the topic that the stack names, with the credentials that Lambda sets.
func FromEnvironment(getenv func(name string) string) (lambda.Publisher, error) {
	o, err := dynamo.FromEnvironment(getenv) // region and credentials are the same for all services
	if err != nil {
		return nil, err
	}
	arn := getenv("ESGEN_TOPIC")
	if arn == "" {
		return nil, errors.New("topic: the environment does not set ESGEN_TOPIC, as the stack of the service does: deploy stack and functions together")
	}
	options := sns.Options{
		Region: o.Region, Credentials: o.Credentials,
		HTTPClient: awshttp.NewBuildableClient().WithTimeout(attemptTime),
		// A message that was taken before its answer was lost is dropped by the topic when it comes again.
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = attempts, longestWait }),
	}
	if endpoint := getenv("AWS_ENDPOINT_URL_SNS"); endpoint != "" {
		options.BaseEndpoint = aws.String(endpoint)
	}
	return &Topic{client: sns.New(options), arn: arn}, nil
}

// Publish implements lambda.Publisher.
func (t *Topic) Publish(ctx context.Context, messages []lambda.Publication) (failed []int, err error) {
	in := &sns.PublishBatchInput{TopicArn: &t.arn, PublishBatchRequestEntries: make([]types.PublishBatchRequestEntry, len(messages))}
	for i := range messages {
		m := &messages[i]
		entry := types.PublishBatchRequestEntry{
			Id: aws.String(strconv.Itoa(i)), Message: &m.Body, MessageGroupId: &m.Group, MessageDeduplicationId: &m.Identity,
		}
		if m.Type != "" {
			entry.MessageAttributes = map[string]types.MessageAttributeValue{
				"type": {DataType: aws.String("String"), StringValue: &m.Type},
			}
		}
		in.PublishBatchRequestEntries[i] = entry
	}
	out, err := t.client.PublishBatch(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("topic: %w", err)
	}
	taken := make([]bool, len(messages))
	for _, entry := range out.Successful {
		if i, err := strconv.Atoi(aws.ToString(entry.Id)); err == nil && 0 <= i && i < len(taken) {
			taken[i] = true
		}
	}
	for i := range taken {
		if !taken[i] {
			failed = append(failed, i)
		}
	}
	return failed, nil
}

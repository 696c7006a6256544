package deployed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Redriven says what a redrive did.
type Redriven struct {
	Batches     int            `json:"batches"`     // delivered, and forgotten
	Failed      int            `json:"failed"`      // refused again, and kept
	DeadLetters map[string]int `json:"deadLetters"` // by consumer, on their way back to its queue, about
}

// Batches is the name of what [Stack.Redrive] takes for the given-up batches of streams.
const Batches = "batches"

// Redrive delivers again what was given up: everything, or only what is named, [Batches] or
// consumers. A batch goes to the function that refused it and is deleted when that takes all of it; functions know
// what they have done already. Dead letters go back to their queue, in the background. why is told of each
// batch that is refused again.
func (s *Stack) Redrive(ctx context.Context, only []string, why func(key string, err error)) (*Redriven, error) {
	batches, consumers, err := s.choose(only)
	if err != nil {
		return nil, err
	}
	r := &Redriven{DeadLetters: map[string]int{}}
	if batches {
		if err := s.redriveBatches(ctx, r, why); err != nil {
			return r, err
		}
	}
	queues := sqs.NewFromConfig(s.aws)
	for _, consumer := range consumers {
		if r.DeadLetters[consumer], err = s.redriveQueue(ctx, queues, consumer); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (s *Stack) choose(only []string) (batches bool, consumers []string, err error) {
	if len(only) == 0 {
		return true, s.consumers(), nil
	}
	for _, name := range only {
		switch {
		case name == Batches:
			batches = true
		case s.parts.DeadLetters[name] != "":
			consumers = append(consumers, name)
		default:
			return false, nil, fmt.Errorf("the stack %s has no dead letters of %q; there are %q and %q", s.Name, name, Batches, s.consumers())
		}
	}
	return batches, consumers, nil
}

func (s *Stack) redriveBatches(ctx context.Context, r *Redriven, why func(string, error)) error {
	functions, objects := lambda.NewFromConfig(s.aws), s.objects()
	return s.eachBatch(ctx, func(key string) error {
		if err := s.redriveBatch(ctx, functions, objects, key); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.Failed++
			why(key, err)
			return nil
		}
		if _, err := objects.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.parts.GivenUp, Key: &key}); err != nil {
			return fmt.Errorf("%s was delivered and cannot be deleted, so that it will be delivered again: %w", key, err)
		}
		r.Batches++
		return nil
	})
}

// givenUp is what Lambda writes of a batch that it gives up.
type givenUp struct {
	RequestContext struct {
		FunctionARN string `json:"functionArn"`
	} `json:"requestContext"`
	Payload json.RawMessage `json:"payload"` // what the function was called with, as a text or as it is
}

// maxGivenUp bounds what is read: 6 MB of payload, each byte escaped at worst, and what is said of it.
const maxGivenUp = 40 << 20

func (s *Stack) redriveBatch(ctx context.Context, functions *lambda.Client, objects *s3.Client, key string) error {
	object, err := objects.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.parts.GivenUp, Key: &key})
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(object.Body, maxGivenUp+1))
	if err = errors.Join(err, object.Body.Close()); err != nil {
		return err
	}
	function, payload, err := readGivenUp(text)
	if err != nil {
		return err
	}
	if !s.owns(function) {
		return fmt.Errorf("it names the function %q, which is none of the stack's", function)
	}
	out, err := functions.Invoke(ctx, &lambda.InvokeInput{FunctionName: &function, Payload: payload})
	if err != nil {
		return err
	}
	return refused(out)
}

func readGivenUp(text []byte) (function string, payload []byte, err error) {
	if len(text) > maxGivenUp {
		return "", nil, fmt.Errorf("it has more than %d bytes", maxGivenUp)
	}
	var batch givenUp
	if err := json.Unmarshal(text, &batch); err != nil {
		return "", nil, fmt.Errorf("it is no given-up batch: %w", err)
	}
	payload = batch.Payload
	if bytes.HasPrefix(payload, []byte(`"`)) {
		var inner string
		if err := json.Unmarshal(payload, &inner); err != nil {
			return "", nil, fmt.Errorf("it is no given-up batch: %w", err)
		}
		payload = []byte(inner)
	}
	if batch.RequestContext.FunctionARN == "" || !json.Valid(payload) {
		return "", nil, errors.New("it is no given-up batch: it has no function, or no payload")
	}
	return batch.RequestContext.FunctionARN, payload, nil
}

// refused says why a function did not take a batch, nil if it took all of it.
func refused(out *lambda.InvokeOutput) error {
	if out.FunctionError != nil {
		return fmt.Errorf("the function failed (%s); its log says why", *out.FunctionError)
	}
	var answer struct {
		BatchItemFailures []json.RawMessage `json:"batchItemFailures"`
	}
	if len(out.Payload) > 0 {
		if err := json.Unmarshal(out.Payload, &answer); err != nil {
			return errors.New("the function answers what no reader of a stream answers")
		}
	}
	if len(answer.BatchItemFailures) > 0 {
		return errors.New("the function refuses it again; its log says why")
	}
	return nil
}

// redriveQueue has SQS move a consumer's dead letters back, and says how many there were, about.
func (s *Stack) redriveQueue(ctx context.Context, queues *sqs.Client, consumer string) (int, error) {
	attributes, err := s.queue(ctx, queues, consumer)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(attributes[string(types.QueueAttributeNameApproximateNumberOfMessages)])
	if err != nil || n == 0 {
		return 0, err
	}
	arn := attributes[string(types.QueueAttributeNameQueueArn)]
	if _, err := queues.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn)}); err != nil {
		return 0, fmt.Errorf("dead letters of %s: %w", consumer, err)
	}
	return n, nil
}

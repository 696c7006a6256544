package deployed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Redriven says what a redrive did.
type Redriven struct {
	Batches     int            `json:"batches"`     // delivered, and forgotten
	Failed      int            `json:"failed"`      // refused again, and kept
	DeadLetters map[string]int `json:"deadLetters"` // by consumer, on their way back to its queue, about
}

// Batches is the name of what [Stack.Redrive] takes for the given-up batches of streams.
const Batches = "batches"

// RedriveOptions say what is to be delivered again; the zero value is everything.
type RedriveOptions struct {
	// Only names what is meant: [Batches], single batches by their key, consumers. None is everything.
	Only []string
	// Limit is how many batches, and how many dead letters of each consumer, at most; 0 is all.
	Limit int
	// Refused is told of each batch that is refused again.
	Refused func(key string, err error)
}

// Redrive delivers again what was given up. A batch goes to the function that refused it and is deleted when
// that takes all of it; functions know what they have done already. Dead letters go back to their
// queue: without a limit SQS moves them, in the background.
func (s *Stack) Redrive(ctx context.Context, o RedriveOptions) (*Redriven, error) {
	chosen, err := s.choose(o.Only)
	if err != nil {
		return nil, err
	}
	r := &Redriven{DeadLetters: map[string]int{}}
	if err := s.redriveBatches(ctx, chosen, o, r); err != nil {
		return r, err
	}
	queues := sqs.NewFromConfig(s.aws)
	for _, consumer := range chosen.consumers {
		if o.Limit > 0 {
			r.DeadLetters[consumer], err = s.resend(ctx, queues, consumer, o.Limit)
		} else {
			r.DeadLetters[consumer], err = s.redriveQueue(ctx, queues, consumer)
		}
		if err != nil {
			return r, err
		}
	}
	return r, nil
}

// chosen is what names of the caller's mean.
type chosen struct {
	batches   bool     // all of them
	keys      []string // of single ones
	consumers []string
}

func (s *Stack) choose(only []string) (c chosen, err error) {
	if len(only) == 0 {
		return chosen{batches: true, consumers: s.consumers()}, nil
	}
	for _, name := range only {
		switch {
		case name == Batches:
			c.batches = true
		case strings.HasPrefix(name, batchPrefix):
			c.keys = append(c.keys, name)
		case s.parts.DeadLetters[name] != "":
			c.consumers = append(c.consumers, name)
		default:
			return c, fmt.Errorf("the stack %s has no dead letters of %q; there are %q, single batches by their key, and the consumers behind a queue: %q", s.Name, name, Batches, s.consumers())
		}
	}
	return c, nil
}

// errLimit ends going over batches.
var errLimit = errors.New("deployed: there are enough")

func (s *Stack) redriveBatches(ctx context.Context, c chosen, o RedriveOptions, r *Redriven) error {
	functions, objects := lambda.NewFromConfig(s.aws), s.objects()
	do := func(key string) error {
		if o.Limit > 0 && r.Batches+r.Failed == o.Limit {
			return errLimit
		}
		if err := s.redriveBatch(ctx, functions, objects, key); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.Failed++
			o.Refused(key, err)
			return nil
		}
		if _, err := objects.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.parts.GivenUp, Key: &key}); err != nil {
			return fmt.Errorf("%s was delivered and cannot be deleted, so that it will be delivered again: %w", key, err)
		}
		r.Batches++
		return nil
	}
	var err error
	for i := 0; i < len(c.keys) && err == nil; i++ {
		err = do(c.keys[i])
	}
	if c.batches && err == nil {
		err = s.eachBatch(ctx, func(o types.Object) error { return do(aws.ToString(o.Key)) })
	}
	if errors.Is(err, errLimit) {
		return nil
	}
	return err
}

// givenUp is what Lambda writes of a batch that it gives up.
type givenUp struct {
	RequestContext struct {
		FunctionARN string `json:"functionArn"`
		Condition   string `json:"condition"` // why
	} `json:"requestContext"`
	Timestamp string `json:"timestamp"`
	Info      struct {
		Records int `json:"batchSize"`
	} `json:"DDBStreamBatchInfo"`
	Payload json.RawMessage `json:"payload"` // what the function was called with, as a text or as it is
}

// maxGivenUp bounds what is read: 6 MB of payload, each byte escaped at worst, and what is said of it.
const maxGivenUp = 40 << 20

func (s *Stack) redriveBatch(ctx context.Context, functions *lambda.Client, objects *s3.Client, key string) error {
	batch, err := s.readBatch(ctx, objects, key)
	if err != nil {
		return err
	}
	function := batch.RequestContext.FunctionARN
	if !s.owns(function) {
		return fmt.Errorf("it names the function %q, which is none of the stack's", function)
	}
	out, err := functions.Invoke(ctx, &lambda.InvokeInput{FunctionName: &function, Payload: batch.Payload})
	if err != nil {
		return err
	}
	return refused(out)
}

// readBatch reads a given-up batch; its Payload is what the function was called with.
func (s *Stack) readBatch(ctx context.Context, objects *s3.Client, key string) (*givenUp, error) {
	object, err := objects.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.parts.GivenUp, Key: &key})
	if _, ok := errors.AsType[*types.NoSuchKey](err); ok {
		return nil, errors.New("there is no such batch: it may have been delivered meanwhile")
	}
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(object.Body, maxGivenUp+1))
	if err = errors.Join(err, object.Body.Close()); err != nil {
		return nil, err
	}
	return readGivenUp(text)
}

func readGivenUp(text []byte) (*givenUp, error) {
	if len(text) > maxGivenUp {
		return nil, fmt.Errorf("it has more than %d bytes", maxGivenUp)
	}
	batch := &givenUp{}
	if err := json.Unmarshal(text, batch); err != nil {
		return nil, fmt.Errorf("it is no given-up batch: %w", err)
	}
	if bytes.HasPrefix(batch.Payload, []byte(`"`)) {
		var inner string
		if err := json.Unmarshal(batch.Payload, &inner); err != nil {
			return nil, fmt.Errorf("it is no given-up batch: %w", err)
		}
		batch.Payload = []byte(inner)
	}
	if batch.RequestContext.FunctionARN == "" || !json.Valid(batch.Payload) {
		return nil, errors.New("it is no given-up batch: it has no function, or no payload")
	}
	return batch, nil
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
	n, err := strconv.Atoi(attributes[string(sqstypes.QueueAttributeNameApproximateNumberOfMessages)])
	if err != nil || n == 0 {
		return 0, err
	}
	arn := attributes[string(sqstypes.QueueAttributeNameQueueArn)]
	if _, err := queues.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn)}); err != nil {
		return 0, fmt.Errorf("dead letters of %s: %w", consumer, err)
	}
	return n, nil
}

package mapping_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/esgen/esgen/esgen/internal/cloud/mapping"
	"github.com/esgen/esgen/esgen/internal/cloud/s3"
)

const (
	streamARN   = "arn:aws:dynamodb:eu-west-1:000000000000:table/events/stream/2026-01-01T00:00:00.000"
	functionARN = "arn:aws:lambda:eu-west-1:000000000000:function:projector"
	bucket      = "given-up"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// fakeStream is a stream whose shards the test makes.
type fakeStream struct {
	page int // records of one read

	mu     sync.Mutex
	shards []*fakeShard
	reads  int
}

type fakeShard struct {
	id, parent string
	records    []types.Record
	closed     bool
}

func (f *fakeStream) shard(id, parent string, closed bool, records ...types.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.shards = append(f.shards, &fakeShard{id, parent, records, closed})
}

func (f *fakeStream) put(id string, records ...types.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.find(id)
	s.records = append(s.records, records...)
}

func (f *fakeStream) find(id string) *fakeShard {
	for _, s := range f.shards {
		if s.id == id {
			return s
		}
	}
	return nil
}

func (f *fakeStream) DescribeStream(_ context.Context, in *dynamodbstreams.DescribeStreamInput, _ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.DescribeStreamOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	// One shard a page.
	d := &types.StreamDescription{}
	i := 0
	for ; in.ExclusiveStartShardId != nil && f.shards[i].id != *in.ExclusiveStartShardId; i++ {
	}
	if in.ExclusiveStartShardId != nil {
		i++
	}
	if i < len(f.shards) {
		s := f.shards[i]
		shard := types.Shard{ShardId: &s.id, SequenceNumberRange: &types.SequenceNumberRange{StartingSequenceNumber: aws.String("0")}}
		if s.parent != "" {
			shard.ParentShardId = &s.parent
		}
		if s.closed {
			shard.SequenceNumberRange.EndingSequenceNumber = aws.String("9")
		}
		d.Shards = []types.Shard{shard}
		if i < len(f.shards)-1 {
			d.LastEvaluatedShardId = &s.id
		}
	}
	return &dynamodbstreams.DescribeStreamOutput{StreamDescription: d}, nil
}

func (f *fakeStream) GetShardIterator(_ context.Context, in *dynamodbstreams.GetShardIteratorInput, _ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetShardIteratorOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, i := f.find(*in.ShardId), 0
	switch in.ShardIteratorType {
	case types.ShardIteratorTypeLatest:
		i = len(s.records)
	case types.ShardIteratorTypeAfterSequenceNumber:
		for ; *s.records[i].Dynamodb.SequenceNumber != *in.SequenceNumber; i++ {
		}
		i++
	}
	return &dynamodbstreams.GetShardIteratorOutput{ShardIterator: aws.String(fmt.Sprint(s.id, "|", i))}, nil
}

func (f *fakeStream) GetRecords(ctx context.Context, in *dynamodbstreams.GetRecordsInput, _ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.reads++; f.reads%7 == 3 {
		return nil, &types.ExpiredIteratorException{}
	}
	id, number, _ := strings.Cut(*in.ShardIterator, "|")
	i, _ := strconv.Atoi(number)
	s := f.find(id)
	end := min(len(s.records), i+f.page)
	out := &dynamodbstreams.GetRecordsOutput{Records: s.records[i:end]}
	if end < len(s.records) || !s.closed {
		out.NextShardIterator = aws.String(fmt.Sprint(id, "|", end))
	}
	return out, nil
}

// insert is a record of an item with a number.
func insert(n int) types.Record {
	item := map[string]types.AttributeValue{"id": &types.AttributeValueMemberN{Value: fmt.Sprint(n)}}
	return types.Record{
		EventID: aws.String(fmt.Sprint("event", n)), EventName: types.OperationTypeInsert,
		Dynamodb: &types.StreamRecord{
			ApproximateCreationDateTime: aws.Time(epoch), Keys: item, NewImage: item, SequenceNumber: aws.String(sequence(n)), SizeBytes: aws.Int64(5), StreamViewType: types.StreamViewTypeNewImage,
		},
	}
}

func sequence(n int) string { return fmt.Sprintf("%021d", n+1) }

func inserts(from, to int) []types.Record {
	var records []types.Record
	for n := from; n < to; n++ {
		records = append(records, insert(n))
	}
	return records
}

// numbers are those of the items that a function was called with.
func numbers(event []byte) []int {
	var e struct {
		Records []struct {
			Dynamodb struct {
				Keys struct{ Id struct{ N string } }
			}
		}
	}
	if err := json.Unmarshal(event, &e); err != nil {
		panic(err)
	}
	var list []int
	for _, r := range e.Records {
		n, _ := strconv.Atoi(r.Dynamodb.Keys.Id.N)
		list = append(list, n)
	}
	return list
}

// failing is the answer of a function for which these items failed.
func failing(items ...int) []byte {
	type failure struct {
		ItemIdentifier string `json:"itemIdentifier"`
	}
	var a struct {
		BatchItemFailures []failure `json:"batchItemFailures"`
	}
	for _, n := range items {
		a.BatchItemFailures = append(a.BatchItemFailures, failure{sequence(n)})
	}
	text, _ := json.Marshal(a)
	return text
}

// function records with what it was called; what it answers is up to the test.
type function struct {
	answer func(call int, items []int) (response []byte, functionError string, err error)

	mu    sync.Mutex
	calls [][]int
}

func (f *function) invoke(_ context.Context, event []byte) ([]byte, string, error) {
	items := numbers(event)
	f.mu.Lock()
	call := len(f.calls)
	f.calls = append(f.calls, items)
	f.mu.Unlock()
	if f.answer == nil {
		return nil, "", nil
	}
	return f.answer(call, items)
}

func (f *function) called() [][]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([][]int(nil), f.calls...)
}

// running is a mapping of a stream that was started.
type running struct {
	*mapping.Mapping
	registry *mapping.Registry
	buckets  *s3.Service
}

func config(invoke mapping.Invoke) mapping.StreamConfig {
	return mapping.StreamConfig{
		FunctionARN: functionARN, StreamARN: streamARN, StartingPosition: "TRIM_HORIZON", MaximumRetryAttempts: -1, ReportBatchItemFailures: true, OnFailureBucket: bucket,
		PollInterval: time.Millisecond, Backoff: func(int) time.Duration { return 0 }, Invoke: invoke,
	}
}

func start(t testing.TB, streams mapping.Streams, c mapping.StreamConfig, now func() time.Time) *running {
	t.Helper()
	r := &running{buckets: s3.New(s3.Options{})}
	if err := r.buckets.CreateBucket(s3.BucketConfig{Name: bucket}); err != nil {
		t.Fatal(err)
	}
	r.registry = mapping.New(mapping.Options{Region: "eu-west-1", Streams: streams, Buckets: r.buckets, Now: now})
	m, err := r.registry.AddStream(c)
	if err != nil {
		t.Fatal(err)
	}
	r.Mapping = m
	m.Start()
	t.Cleanup(m.Stop)
	return r
}

func atEpoch() time.Time { return epoch }

// object is what a batch that was given up left behind.
type object struct {
	key            string
	RequestContext struct {
		RequestId, FunctionArn, Condition string
		ApproximateInvokeCount            int
	}
	ResponseContext *struct {
		StatusCode      int
		ExecutedVersion string
		FunctionError   *string
	}
	Version, Timestamp string
	DDBStreamBatchInfo struct {
		ShardId, StartSequenceNumber, EndSequenceNumber, ApproximateArrivalOfFirstRecord, ApproximateArrivalOfLastRecord, StreamArn string
		BatchSize                                                                                                                   int
	}
	Payload string
}

func (r *running) givenUp(t interface{ Fatal(...any) }) []object {
	list, err := r.buckets.List(bucket, "")
	if err != nil {
		t.Fatal(err)
	}
	var objects []object
	for _, o := range list {
		text, err := r.buckets.Get(bucket, o.Key)
		if err != nil {
			t.Fatal(err)
		}
		given := object{key: o.Key}
		if err := json.Unmarshal(text, &given); err != nil {
			t.Fatal(err)
		}
		objects = append(objects, given)
	}
	return objects
}

// eventually waits until something is so; a test that waits for a minute has failed.
func eventually(t interface {
	Helper()
	Fatalf(string, ...any)
}, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

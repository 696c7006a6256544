package mapping_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"pgregory.net/rapid"

	"github.com/esgen/esgen/esgen/internal/cloud/mapping"
	"github.com/esgen/esgen/esgen/internal/cloud/s3"
)

func TestStreamConfigsThatAreNotHonoured(t *testing.T) {
	buckets := s3.New(s3.Options{})
	if err := buckets.CreateBucket(s3.BucketConfig{Name: bucket}); err != nil {
		t.Fatal(err)
	}
	r := mapping.New(mapping.Options{Streams: &fakeStream{}, Buckets: buckets})
	good := config((&function{}).invoke)
	for name, change := range map[string]func(c *mapping.StreamConfig){
		"no stream":          func(c *mapping.StreamConfig) { c.StreamARN = "arn:aws:kinesis:eu-west-1:000000000000:stream/s" },
		"no function":        func(c *mapping.StreamConfig) { c.FunctionARN = "" },
		"no invoke":          func(c *mapping.StreamConfig) { c.Invoke = nil },
		"uuid":               func(c *mapping.StreamConfig) { c.UUID = "x" },
		"position":           func(c *mapping.StreamConfig) { c.StartingPosition = "AT_TIMESTAMP" },
		"batch size":         func(c *mapping.StreamConfig) { c.BatchSize = 10_001 },
		"window":             func(c *mapping.StreamConfig) { c.BatchingWindow = 301 * time.Second },
		"retries":            func(c *mapping.StreamConfig) { c.MaximumRetryAttempts = -2 },
		"age":                func(c *mapping.StreamConfig) { c.MaximumRecordAge = 59 * time.Second },
		"parallel":           func(c *mapping.StreamConfig) { c.ParallelizationFactor = 2 },
		"tumbling":           func(c *mapping.StreamConfig) { c.TumblingWindow = time.Minute },
		"bucket":             func(c *mapping.StreamConfig) { c.OnFailureBucket = "none" },
		"filter":             func(c *mapping.StreamConfig) { c.Filters = []string{`{"eventName":[{"wildcard":"*"}]}`} },
		"filter that is not": func(c *mapping.StreamConfig) { c.Filters = []string{``} },
	} {
		c := good
		change(&c)
		if _, err := r.AddStream(c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestAStreamHasTwoReaders(t *testing.T) {
	r := mapping.New(mapping.Options{Streams: &fakeStream{}})
	add := func(function string) (*mapping.Mapping, error) {
		c := config(func(context.Context, []byte) ([]byte, string, error) { return nil, "", nil })
		c.FunctionARN, c.OnFailureBucket = function, ""
		return r.AddStream(c)
	}
	first, err := add("projector")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := add("projector"); err == nil {
		t.Error("a function reads a stream twice")
	}
	if _, err := add("relay"); err != nil {
		t.Error(err)
	}
	if _, err := add("consumer"); err == nil || !strings.Contains(err.Error(), "reader 3") {
		t.Errorf("a third reader: %v", err)
	}
	r.Remove(first)
	if _, err := add("consumer"); err != nil {
		t.Errorf("after one is gone: %v", err)
	}
}

func TestRecordsComeAsLambdaSendsThem(t *testing.T) {
	f := &fakeStream{page: 10}
	f.shard("shardId-1", "", true, types.Record{
		EventID: aws.String("c4ca4238a0b923820dcc509a6f75849b"), EventName: types.OperationTypeModify,
		Dynamodb: &types.StreamRecord{
			ApproximateCreationDateTime: aws.Time(epoch.Add(999 * time.Millisecond)), SequenceNumber: aws.String("111"), SizeBytes: aws.Int64(26), StreamViewType: types.StreamViewTypeNewAndOldImages,
			Keys: map[string]types.AttributeValue{"Id": &types.AttributeValueMemberN{Value: "101"}},
			NewImage: map[string]types.AttributeValue{
				"Id": &types.AttributeValueMemberN{Value: "101"}, "text": &types.AttributeValueMemberS{Value: "é\"\n<"}, "bytes": &types.AttributeValueMemberB{Value: []byte{0, 255}},
				"true": &types.AttributeValueMemberBOOL{Value: true}, "null": &types.AttributeValueMemberNULL{Value: true},
				"texts": &types.AttributeValueMemberSS{Value: []string{"a", "b"}}, "numbers": &types.AttributeValueMemberNS{Value: []string{"1", "2.5"}}, "binaries": &types.AttributeValueMemberBS{Value: [][]byte{{1}}},
				"list": &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberS{Value: "x"}, &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{}}}},
			},
			OldImage: map[string]types.AttributeValue{"Id": &types.AttributeValueMemberN{Value: "101"}},
		},
	}, types.Record{EventID: aws.String("2"), EventName: "UNKNOWN_TO_SDK_VERSION", Dynamodb: &types.StreamRecord{SequenceNumber: aws.String("112"), ApproximateCreationDateTime: aws.Time(epoch), StreamViewType: types.StreamViewTypeKeysOnly}})
	got := make(chan []byte, 1)
	start(t, f, config(func(_ context.Context, event []byte) ([]byte, string, error) {
		got <- event
		return nil, "", nil
	}), atEpoch)
	const want = `{"Records":[{
		"eventID":"c4ca4238a0b923820dcc509a6f75849b","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"eu-west-1",
		"dynamodb":{"ApproximateCreationDateTime":1767323045,"Keys":{"Id":{"N":"101"}},
			"NewImage":{"Id":{"N":"101"},"text":{"S":"é\"\n<"},"bytes":{"B":"AP8="},"true":{"BOOL":true},"null":{"NULL":true},"texts":{"SS":["a","b"]},"numbers":{"NS":["1","2.5"]},"binaries":{"BS":["AQ=="]},"list":{"L":[{"S":"x"},{"M":{}}]}},
			"OldImage":{"Id":{"N":"101"}},"SequenceNumber":"111","SizeBytes":26,"StreamViewType":"NEW_AND_OLD_IMAGES"},
		"eventSourceARN":"` + streamARN + `"},
		{"eventID":"2","eventName":"REMOVE","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"eu-west-1","userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"},
		"dynamodb":{"ApproximateCreationDateTime":1767323045,"SequenceNumber":"112","SizeBytes":0,"StreamViewType":"KEYS_ONLY"},"eventSourceARN":"` + streamARN + `"}]}`
	sameJSON(t, <-got, want)
}

func sameJSON(t *testing.T, got []byte, want string) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatalf("%v in %s", err, got)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestBatches(t *testing.T) {
	f := &fakeStream{page: 7}
	f.shard("shardId-1", "", true, inserts(0, 10)...)
	fn := &function{}
	c := config(fn.invoke)
	c.BatchSize, c.BatchingWindow = 4, 300*time.Second // the window does not keep a full batch, nor the last
	m := start(t, f, c, atEpoch)
	eventually(t, "all are delivered", func() bool { return m.Stats().Delivered == 10 })
	if got, want := fn.called(), [][]int{{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
}

func TestFilteredRecordsAreNotDeliveredAndNotReadAgain(t *testing.T) {
	f := &fakeStream{page: 3}
	f.shard("shardId-1", "", false, inserts(0, 10)...)
	fn := &function{}
	c := config(fn.invoke)
	c.Filters = []string{`{"dynamodb":{"NewImage":{"id":{"N":["2"]}}}}`, `{"dynamodb":{"NewImage":{"id":{"N":["7"]}}}}`}
	m := start(t, f, c, atEpoch)
	eventually(t, "all are read", func() bool { s := m.Stats(); return s.Delivered+s.Filtered == 10 })
	m.Stop()
	m.Start()
	f.put("shardId-1", inserts(10, 13)...)
	eventually(t, "the rest is read", func() bool { s := m.Stats(); return s.Delivered+s.Filtered >= 13 })
	if got := fn.called(); !reflect.DeepEqual(slices.Concat(got...), []int{2, 7}) || m.Stats().Filtered != 11 {
		t.Errorf("delivered %v, filtered %d", got, m.Stats().Filtered)
	}
}

func TestLatestSkipsWhatIsThere(t *testing.T) {
	f := &fakeStream{page: 3}
	f.shard("shardId-0", "", true, inserts(0, 3)...)
	f.shard("shardId-1", "shardId-0", false, inserts(3, 6)...)
	fn := &function{}
	c := config(fn.invoke)
	c.StartingPosition = "LATEST"
	start(t, f, c, atEpoch)
	n := 6
	eventually(t, "something new is delivered", func() bool {
		f.put("shardId-1", insert(n))
		n++
		return len(fn.called()) > 0
	})
	if first := fn.called()[0][0]; first < 6 {
		t.Errorf("%d was there before", first)
	}
	f.shard("shardId-2", "shardId-0", true, insert(1000))
	eventually(t, "a shard that came later is read from its beginning", func() bool { return slices.Contains(slices.Concat(fn.called()...), 1000) })
}

func TestHalvingFindsTheOneThatFails(t *testing.T) {
	f := &fakeStream{page: 100}
	f.shard("shardId-1", "", true, inserts(0, 8)...)
	fn := &function{answer: func(_ int, items []int) ([]byte, string, error) {
		if slices.Contains(items, 5) {
			return nil, "Unhandled", nil
		}
		return nil, "", nil
	}}
	c := config(fn.invoke)
	c.BisectBatchOnFunctionError, c.MaximumRetryAttempts = true, 2
	m := start(t, f, c, atEpoch)
	eventually(t, "all is done", func() bool { s := m.Stats(); return s.Delivered == 7 && s.GivenUp == 1 })
	want := [][]int{{0, 1, 2, 3, 4, 5, 6, 7}, {0, 1, 2, 3}, {4, 5, 6, 7}, {4, 5}, {4}, {5}, {5}, {5}, {6, 7}}
	if got := fn.called(); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
	objects := m.givenUp(t)
	if len(objects) != 1 {
		t.Fatalf("%d objects", len(objects))
	}
	o := objects[0]
	key := regexp.MustCompile(`^aws/lambda/` + m.UUID() + `/shardId-1/2026/01/02/2026-01-02T03\.04\.05-[0-9a-f-]{36}$`)
	if !key.MatchString(o.key) {
		t.Errorf("key %s", o.key)
	}
	if r := o.RequestContext; r.FunctionArn != functionARN || r.Condition != "RetryAttemptsExhausted" || r.ApproximateInvokeCount != 6 || r.RequestId == "" {
		t.Errorf("%+v", r)
	}
	if r := o.ResponseContext; r == nil || r.StatusCode != 200 || r.ExecutedVersion != "$LATEST" || r.FunctionError == nil || *r.FunctionError != "Unhandled" {
		t.Errorf("%+v", r)
	}
	if b := o.DDBStreamBatchInfo; b.ShardId != "shardId-1" || b.StartSequenceNumber != sequence(5) || b.EndSequenceNumber != sequence(5) || b.BatchSize != 1 || b.StreamArn != streamARN || b.ApproximateArrivalOfFirstRecord != "2026-01-02T03:04:05Z" {
		t.Errorf("%+v", b)
	}
	if !slices.Equal(numbers([]byte(o.Payload)), []int{5}) || o.Version != "1.0" || o.Timestamp != "2026-01-02T03:04:05.000Z" {
		t.Errorf("%+v", o)
	}
}

func TestRetriesWithoutHalving(t *testing.T) {
	f := &fakeStream{page: 100}
	f.shard("shardId-1", "", true, inserts(0, 4)...)
	fn := &function{answer: func(call int, items []int) ([]byte, string, error) {
		switch call {
		case 0:
			return nil, "", errors.New("throttled") // costs no attempt
		case 1:
			return failing(3, 2), "", nil // the first of those that failed is where it goes on
		case 2, 3:
			return failing(2), "", nil
		}
		return nil, "Unhandled", nil
	}}
	c := config(fn.invoke)
	c.MaximumRetryAttempts = 2
	m := start(t, f, c, atEpoch)
	eventually(t, "all is done", func() bool { s := m.Stats(); return s.Delivered == 2 && s.GivenUp == 2 })
	if got, want := fn.called(), [][]int{{0, 1, 2, 3}, {0, 1, 2, 3}, {2, 3}, {2, 3}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
	if o := m.givenUp(t); len(o) != 1 || o[0].RequestContext.ApproximateInvokeCount != 3 || o[0].ResponseContext.FunctionError != nil || !slices.Equal(numbers([]byte(o[0].Payload)), []int{2, 3}) {
		t.Errorf("%+v", o)
	}
}

func TestAnswersThatFailTheWholeBatch(t *testing.T) {
	for _, answer := range []string{`"ok"`, `{"batchItemFailures":[{"itemIdentifier":""}]}`, `{"batchItemFailures":[{}]}`, `{"batchItemFailures":[{"itemIdentifier":"unknown"}]}`, `{`} {
		f := &fakeStream{page: 100}
		f.shard("shardId-1", "", true, inserts(0, 2)...)
		fn := &function{answer: func(call int, _ []int) ([]byte, string, error) {
			if call == 0 {
				return []byte(answer), "", nil
			}
			return nil, "", nil
		}}
		m := start(t, f, config(fn.invoke), atEpoch)
		eventually(t, "all are delivered", func() bool { return m.Stats().Delivered == 2 })
		if got, want := fn.called(), [][]int{{0, 1}, {0, 1}}; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v", answer, got)
		}
	}
	// Without ReportBatchItemFailures nobody looks at the answer.
	f := &fakeStream{page: 100}
	f.shard("shardId-1", "", true, inserts(0, 2)...)
	fn := &function{answer: func(int, []int) ([]byte, string, error) { return failing(0), "", nil }}
	c := config(fn.invoke)
	c.ReportBatchItemFailures = false
	m := start(t, f, c, atEpoch)
	eventually(t, "all are delivered", func() bool { return m.Stats().Delivered == 2 })
	if got := fn.called(); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

func TestOldRecordsAreGivenUp(t *testing.T) {
	var mu sync.Mutex
	now := epoch.Add(time.Minute)
	f := &fakeStream{page: 100}
	young := insert(1)
	young.Dynamodb.ApproximateCreationDateTime = aws.Time(epoch.Add(time.Hour))
	f.shard("shardId-1", "", true, insert(0), young)
	fn := &function{answer: func(call int, items []int) ([]byte, string, error) {
		mu.Lock()
		defer mu.Unlock()
		if call == 2 {
			now = now.Add(1)
		}
		if slices.Contains(items, 0) {
			return nil, "", errors.New("throttled")
		}
		return nil, "", nil
	}}
	c := config(fn.invoke)
	c.MaximumRecordAge = time.Minute
	m := start(t, f, c, func() time.Time { mu.Lock(); defer mu.Unlock(); return now })
	eventually(t, "all is done", func() bool { s := m.Stats(); return s.Delivered == 1 && s.GivenUp == 1 })
	if got, want := fn.called(), [][]int{{0, 1}, {0, 1}, {0, 1}, {1}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
	if o := m.givenUp(t); len(o) != 1 || o[0].RequestContext.Condition != "RecordAgeExceeded" || o[0].ResponseContext != nil || !slices.Equal(numbers([]byte(o[0].Payload)), []int{0}) {
		t.Errorf("%+v", o)
	}
}

func TestPayloadsHaveSixMegabytes(t *testing.T) {
	f := &fakeStream{page: 100}
	large := strings.Repeat("x", 390_000)
	var records []types.Record
	for n := range 30 {
		r := insert(n)
		image := map[string]types.AttributeValue{"text": &types.AttributeValueMemberS{Value: large}}
		r.Dynamodb.NewImage, r.Dynamodb.OldImage = image, image
		records = append(records, r)
	}
	f.shard("shardId-1", "", true, records...)
	var sizes []int
	var mu sync.Mutex
	fn := &function{}
	m := start(t, f, config(func(ctx context.Context, event []byte) ([]byte, string, error) {
		mu.Lock()
		sizes = append(sizes, len(event))
		mu.Unlock()
		return fn.invoke(ctx, event)
	}), atEpoch)
	eventually(t, "all are delivered", func() bool { return m.Stats().Delivered == 30 })
	mu.Lock()
	defer mu.Unlock()
	for i, size := range sizes {
		if size > 6<<20 || i < len(sizes)-1 && size+2*390_000 < 6<<20-10_000 {
			t.Errorf("payload %d has %d bytes", i, size)
		}
	}
	if got := slices.Concat(fn.called()...); !slices.IsSorted(got) || len(got) != 30 {
		t.Errorf("delivered: %v", got)
	}
}

func TestRedeliver(t *testing.T) {
	f := &fakeStream{page: 100}
	f.shard("shardId-1", "", true, inserts(0, 6)...)
	fn := &function{}
	c := config(fn.invoke)
	c.BatchSize = 2
	m := start(t, f, c, atEpoch)
	eventually(t, "all are delivered", func() bool { return m.Stats().Delivered == 6 })
	if err := m.Redeliver(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if got, want := fn.called(), [][]int{{0, 1}, {2, 3}, {4, 5}, {2, 3}, {4, 5}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
	fn.answer = func(int, []int) ([]byte, string, error) { return nil, "Unhandled", nil }
	if err := m.Redeliver(t.Context(), 1); err == nil {
		t.Error("the function failed, and nobody says so")
	}
}

func TestAMappingIsStoppedInTheMiddleOfABatch(t *testing.T) {
	f := &fakeStream{page: 100}
	f.shard("shardId-1", "", false, inserts(0, 4)...)
	called := make(chan []int)
	m := start(t, f, config(func(ctx context.Context, event []byte) ([]byte, string, error) {
		called <- numbers(event)
		select {
		case <-ctx.Done():
			return nil, "", ctx.Err()
		case called <- nil:
			return nil, "", nil
		}
	}), atEpoch)
	first := <-called
	m.Stop()
	m.Stop() // twice is fine
	if m.Stats().Delivered != 0 {
		t.Error("a batch that nobody took counts as delivered")
	}
	m.Start()
	m.Start()
	again := <-called
	<-called
	if !slices.Equal(first, []int{0, 1, 2, 3}) || !slices.Equal(again, first) {
		t.Errorf("%v, then %v", first, again)
	}
	eventually(t, "the batch is done", func() bool { return m.Stats().Delivered == 4 })
	m.Stop()
	f.put("shardId-1", insert(4))
	m.Start()
	if next := <-called; !slices.Equal(next, []int{4}) {
		t.Errorf("after it was stopped again: %v", next)
	}
	<-called
}

func TestAStopKeepsWhatAPartOfABatchReached(t *testing.T) {
	f := &fakeStream{page: 100}
	f.shard("shardId-1", "", false, inserts(0, 2)...)
	fn := &function{answer: func(call int, _ []int) ([]byte, string, error) {
		if call == 1 {
			return failing(4), "", nil
		}
		return nil, "", nil
	}}
	m := start(t, f, config(func(ctx context.Context, event []byte) ([]byte, string, error) {
		answer, functionError, err := fn.invoke(ctx, event)
		if len(fn.called()) == 3 {
			<-ctx.Done()
		}
		return answer, functionError, err
	}), atEpoch)
	eventually(t, "the first are delivered", func() bool { return m.Stats().Delivered == 2 })
	f.put("shardId-1", inserts(2, 6)...)
	eventually(t, "the rest is in work", func() bool { return len(fn.called()) == 3 })
	m.Stop()
	m.Start()
	eventually(t, "all are delivered", func() bool { return m.Stats().Delivered == 6 })
	for _, items := range fn.called()[2:] {
		if !slices.Equal(items, []int{4, 5}) {
			t.Errorf("%v came again, or did not come", items)
		}
	}
}

// Whatever the function answers, whenever the mapping is stopped: every record is taken by the function
// or ends in the destination, records of a shard come in order for the first time, and no child's
// before its parent's are done with.
func TestEveryRecordArrives(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := &fakeStream{page: rapid.IntRange(1, 6).Draw(rt, "page")}
		total, parents := 0, map[int]string{} // by item, the parent of its shard
		shards := map[int]string{}
		for i := range rapid.IntRange(1, 3).Draw(rt, "shards") {
			id, parent, n := fmt.Sprint("shardId-", i), "", rapid.IntRange(0, 8).Draw(rt, "records")
			if i > 0 && rapid.Bool().Draw(rt, "child") {
				parent = fmt.Sprint("shardId-", i-1)
			}
			f.shard(id, parent, true, inserts(total, total+n)...)
			for range n {
				shards[total], parents[total] = id, parent
				total++
			}
		}
		behaviours := rapid.SliceOfN(rapid.IntRange(0, 7), 0, 40).Draw(rt, "behaviours")
		picks := rapid.SliceOfN(rapid.IntRange(0, 100), 40, 40).Draw(rt, "picks")
		stops := rapid.SliceOfN(rapid.IntRange(0, 40), 0, 3).Draw(rt, "stops")

		var mu sync.Mutex
		calls := 0
		done := map[int]bool{}
		firsts := map[string]int{} // by shard, the last item that came for the first time
		seen := map[int]bool{}
		var wrong []string
		halt := make(chan bool, 100)
		var r *running
		arrived := func() map[int]bool { // with mu held
			all := map[int]bool{}
			for n := range done {
				all[n] = true
			}
			for _, o := range r.givenUp(rt) {
				for _, n := range numbers([]byte(o.Payload)) {
					all[n] = true
				}
			}
			return all
		}
		invoke := func(ctx context.Context, event []byte) ([]byte, string, error) {
			items := numbers(event)
			mu.Lock()
			defer mu.Unlock()
			call := calls
			calls++
			if slices.Contains(stops, call) {
				mu.Unlock()
				halt <- true
				<-ctx.Done()
				mu.Lock()
			}
			for _, n := range items {
				if seen[n] {
					continue
				}
				seen[n] = true
				if last, ok := firsts[shards[n]]; ok && n != last+1 {
					wrong = append(wrong, fmt.Sprintf("%d came after %d", n, last))
				}
				firsts[shards[n]] = n
				if parents[n] == "" {
					continue
				}
				all := arrived()
				for other, shard := range shards {
					if shard == parents[n] && !all[other] {
						wrong = append(wrong, fmt.Sprintf("%d came before its parent's %d was done", n, other))
					}
				}
			}
			take := func(items []int) {
				for _, n := range items {
					done[n] = true
				}
			}
			behaviour := 0
			if call < len(behaviours) {
				behaviour = behaviours[call]
			}
			switch behaviour {
			case 1:
				return nil, "Unhandled", nil
			case 2:
				return nil, "", errors.New("throttled")
			case 3, 4:
				i := picks[call] % len(items)
				take(items[:i])
				return failing(items[len(items)-1], items[i]), "", nil
			case 5:
				return []byte(`{"batchItemFailures":[{"itemIdentifier":""}]}`), "", nil
			case 6:
				return []byte(`{"batchItemFailures":[{"itemIdentifier":"unknown"}]}`), "", nil
			case 7:
				return []byte(`no`), "", nil
			}
			take(items)
			return nil, "", nil
		}
		c := config(invoke)
		c.BatchSize = rapid.IntRange(1, 5).Draw(rt, "batch")
		c.BisectBatchOnFunctionError = rapid.Bool().Draw(rt, "bisect")
		c.MaximumRetryAttempts = rapid.IntRange(-1, 3).Draw(rt, "retries")
		r = &running{buckets: s3.New(s3.Options{})}
		if err := r.buckets.CreateBucket(s3.BucketConfig{Name: bucket}); err != nil {
			rt.Fatal(err)
		}
		m, err := mapping.New(mapping.Options{Region: "eu-west-1", Streams: f, Buckets: r.buckets, Now: atEpoch}).AddStream(c)
		if err != nil {
			rt.Fatal(err)
		}
		r.Mapping = m
		m.Start()
		defer m.Stop()
		eventually(rt, "every record arrives", func() bool {
			select {
			case <-halt:
				m.Stop()
				m.Start()
			default:
			}
			mu.Lock()
			defer mu.Unlock()
			return len(arrived()) == total
		})
		m.Stop()
		mu.Lock()
		defer mu.Unlock()
		if len(wrong) > 0 {
			rt.Fatal(wrong)
		}
		if len(seen) != total {
			rt.Fatalf("%d records were delivered of %d", len(seen), total)
		}
	})
}

package mapping_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/esgen/esgen/esgen/internal/cloud/mapping"
	"github.com/esgen/esgen/esgen/internal/cloud/sqs"
)

// clock is a time that passes when the test says so.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func queues(t interface{ Fatal(...any) }, now func() time.Time, configs ...sqs.Config) *sqs.Service {
	s := sqs.New(sqs.Options{Region: "eu-west-1", Account: "000000000000", Now: now})
	for _, c := range configs {
		if _, err := s.Create(c); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

const deadARN = "arn:aws:sqs:eu-west-1:000000000000:dead.fifo"

// visible is the visibility time-out of the tests' queues.
var visible = 60 * time.Second

func fifoQueues(t interface{ Fatal(...any) }, now func() time.Time) *sqs.Service {
	return queues(t, now, sqs.Config{Name: "dead.fifo", FIFO: true},
		sqs.Config{Name: "work.fifo", FIFO: true, VisibilityTimeout: &visible, Redrive: &sqs.Redrive{DeadLetterARN: deadARN, MaxReceiveCount: 3}})
}

func queueConfig(q *sqs.Queue, invoke mapping.Invoke) mapping.QueueConfig {
	return mapping.QueueConfig{FunctionARN: functionARN, QueueARN: q.ARN(), ReportBatchItemFailures: true, Invoke: invoke}
}

func send(t interface{ Fatal(...any) }, q *sqs.Queue, group, body string) {
	m := sqs.Outgoing{Body: body}
	if q.Config().FIFO {
		m.GroupID, m.DeduplicationID = group, group+body
	}
	if _, err := q.Send(m); err != nil {
		t.Fatal(err)
	}
}

type queueEvent struct {
	Records []struct {
		MessageID, ReceiptHandle, Body string
		Attributes                     map[string]string
	}
}

func decodeQueue(event []byte) queueEvent {
	var e queueEvent
	if err := json.Unmarshal(event, &e); err != nil {
		panic(err)
	}
	return e
}

func (e queueEvent) bodies() []string {
	var list []string
	for _, r := range e.Records {
		list = append(list, r.Body)
	}
	return list
}

func failingMessages(ids ...string) []byte {
	list := []map[string]string{}
	for _, id := range ids {
		list = append(list, map[string]string{"itemIdentifier": id})
	}
	text, _ := json.Marshal(map[string]any{"batchItemFailures": list})
	return text
}

func addQueue(t testing.TB, s *sqs.Service, c mapping.QueueConfig) *mapping.Mapping {
	t.Helper()
	m, err := mapping.New(mapping.Options{Region: "eu-west-1", Queues: s}).AddQueue(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Stop)
	return m
}

func TestQueueConfigsThatAreNotHonoured(t *testing.T) {
	s := queues(t, nil, sqs.Config{Name: "q.fifo", FIFO: true}, sqs.Config{Name: "q"})
	r := mapping.New(mapping.Options{Queues: s})
	none := func(context.Context, []byte) ([]byte, string, error) { return nil, "", nil }
	for name, change := range map[string]func(c *mapping.QueueConfig){
		"no queue":         func(c *mapping.QueueConfig) { c.QueueARN += "x" },
		"no function":      func(c *mapping.QueueConfig) { c.FunctionARN = "" },
		"FIFO batch":       func(c *mapping.QueueConfig) { c.BatchSize = 11 },
		"FIFO window":      func(c *mapping.QueueConfig) { c.BatchingWindow = time.Second },
		"filter":           func(c *mapping.QueueConfig) { c.Filters = []string{`{"body":["a"]}`} },
		"concurrency":      func(c *mapping.QueueConfig) { c.MaximumConcurrency = 1 },
		"time-out":         func(c *mapping.QueueConfig) { c.FunctionTimeout = 31 * time.Second },
		"batch, no window": func(c *mapping.QueueConfig) { c.QueueARN, c.BatchSize = s.Queue("q").ARN(), 11 },
		"large batch": func(c *mapping.QueueConfig) {
			c.QueueARN, c.BatchSize, c.BatchingWindow = s.Queue("q").ARN(), 10_001, time.Second
		},
	} {
		c := queueConfig(s.Queue("q.fifo"), none)
		change(&c)
		if _, err := r.AddQueue(c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := r.AddQueue(queueConfig(s.Queue("q.fifo"), none)); err != nil {
		t.Error(err)
	}
	if _, err := r.AddQueue(queueConfig(s.Queue("q.fifo"), none)); err == nil {
		t.Error("a function is mapped to a queue twice")
	}
}

func TestMessagesComeAsLambdaSendsThem(t *testing.T) {
	s := fifoQueues(t, atEpoch)
	q := s.Queue("work.fifo")
	sent, err := q.Send(sqs.Outgoing{Body: "{\"a\":\"é<\"}\n", GroupID: "g", DeduplicationID: "d", Attributes: map[string]sqs.Attribute{
		"type": {DataType: "String", String: "placed"}, "raw": {DataType: "Binary", Binary: []byte{0, 255}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan []byte, 1)
	m := addQueue(t, s, queueConfig(q, func(_ context.Context, event []byte) ([]byte, string, error) {
		got <- event
		return nil, "", nil
	}))
	m.Start()
	event := <-got
	receipt := decodeQueue(event).Records[0].ReceiptHandle
	sameJSON(t, event, `{"Records":[{
		"messageId":"`+sent.MessageID+`","receiptHandle":"`+receipt+`","body":"{\"a\":\"é<\"}\n",
		"attributes":{"ApproximateReceiveCount":"1","SentTimestamp":"1767323045000","SequenceNumber":"`+sent.SequenceNumber+`","MessageGroupId":"g","SenderId":"000000000000","MessageDeduplicationId":"d","ApproximateFirstReceiveTimestamp":"1767323045000"},
		"messageAttributes":{"type":{"stringValue":"placed","stringListValues":[],"binaryListValues":[],"dataType":"String"},"raw":{"binaryValue":"AP8=","stringListValues":[],"binaryListValues":[],"dataType":"Binary"}},
		"md5OfBody":"`+sqs.MD5("{\"a\":\"é<\"}\n")+`","md5OfMessageAttributes":"`+sqs.AttributesMD5(map[string]sqs.Attribute{"type": {DataType: "String", String: "placed"}, "raw": {DataType: "Binary", Binary: []byte{0, 255}}})+`",
		"eventSource":"aws:sqs","eventSourceARN":"`+q.ARN()+`","awsRegion":"eu-west-1"}]}`)
	eventually(t, "the message is deleted", func() bool { return q.Counts() == sqs.Counts{} })
}

func TestFailuresOfMessages(t *testing.T) {
	now := &clock{at: epoch}
	s := fifoQueues(t, now.now)
	q, dead := s.Queue("work.fifo"), s.Queue("dead.fifo")
	for _, body := range []string{"0", "1", "2", "3"} {
		send(t, q, "g", body)
	}
	var mu sync.Mutex
	var calls [][]string
	m := addQueue(t, s, queueConfig(q, func(_ context.Context, event []byte) ([]byte, string, error) {
		e := decodeQueue(event)
		mu.Lock()
		defer mu.Unlock()
		calls = append(calls, e.bodies())
		switch len(calls) {
		case 1: // stop at the first that failed, return that and all after it
			return failingMessages(e.Records[1].MessageID, e.Records[2].MessageID, e.Records[3].MessageID), "", nil
		case 2:
			return nil, "Unhandled", nil
		case 3:
			return failingMessages(e.Records[0].MessageID), "", nil
		}
		return nil, "", nil
	}))
	m.Start()
	called := func(n int) func() bool {
		return func() bool { mu.Lock(); defer mu.Unlock(); return len(calls) >= n }
	}
	eventually(t, "the first call", func() bool { return m.Stats().Delivered == 1 })
	now.pass(visible - 1)
	if n := q.Counts(); n != (sqs.Counts{InFlight: 3}) {
		t.Errorf("before the visibility is over: %+v", n)
	}
	now.pass(1)
	eventually(t, "the second call", called(2))
	now.pass(visible)
	eventually(t, "the third call", func() bool { return m.Stats().Delivered == 3 })
	now.pass(visible)
	eventually(t, "what failed three times is dead", func() bool { return q.Counts() == sqs.Counts{} && dead.Counts().Visible == 1 })
	mu.Lock()
	defer mu.Unlock()
	if want := [][]string{{"0", "1", "2", "3"}, {"1", "2", "3"}, {"1", "2", "3"}}; !reflect.DeepEqual(calls, want) {
		t.Errorf("%v, not %v", calls, want)
	}
	if letters := dead.Peek(10); letters[0].Body != "1" {
		t.Errorf("dead: %v", letters)
	}
}

func TestAnswersThatFailAllMessages(t *testing.T) {
	for _, answer := range []string{`no`, `{"batchItemFailures":[{"itemIdentifier":""}]}`, `{"batchItemFailures":[{"itemIdentifier":"unknown"}]}`} {
		s := fifoQueues(t, atEpoch)
		q := s.Queue("work.fifo")
		send(t, q, "g", "0")
		send(t, q, "g", "1")
		m := addQueue(t, s, queueConfig(q, func(context.Context, []byte) ([]byte, string, error) { return []byte(answer), "", nil }))
		m.Start()
		eventually(t, "the call", func() bool { return m.Stats().Invocations == 1 })
		m.Stop()
		if n := q.Counts(); n.Visible+n.InFlight != 2 || m.Stats().Delivered != 0 {
			t.Errorf("%s: %+v", answer, n)
		}
	}
}

func TestConcurrency(t *testing.T) {
	for most, want := range map[int]int{0: 5, 2: 2} {
		s := fifoQueues(t, atEpoch)
		q := s.Queue("work.fifo")
		entered, leave := make(chan string), make(chan bool)
		c := queueConfig(q, func(_ context.Context, event []byte) ([]byte, string, error) {
			entered <- decodeQueue(event).Records[0].Body
			<-leave
			return nil, "", nil
		})
		c.MaximumConcurrency, c.BatchSize = most, 1
		m := addQueue(t, s, c)
		for i := range 10 {
			send(t, q, fmt.Sprint("group", i), fmt.Sprint(i))
			send(t, q, fmt.Sprint("group", i), fmt.Sprint(i, "b"))
		}
		m.Start()
		for range want {
			if body := <-entered; strings.HasSuffix(body, "b") {
				t.Errorf("%s came while its group has a message in flight", body)
			}
		}
		if n := q.Counts().InFlight; n != want {
			t.Errorf("at most %d: %d in work", most, n)
		}
		close(leave)
		for range 20 - want {
			<-entered
		}
		eventually(t, "all are delivered", func() bool { return q.Counts() == sqs.Counts{} })
	}
}

func TestAStopReturnsWhatIsInWork(t *testing.T) {
	s := fifoQueues(t, atEpoch)
	q := s.Queue("work.fifo")
	for _, body := range []string{"0", "1", "2"} {
		send(t, q, "g", body)
	}
	entered := make(chan []string)
	m := addQueue(t, s, queueConfig(q, func(ctx context.Context, event []byte) ([]byte, string, error) {
		entered <- decodeQueue(event).bodies()
		<-ctx.Done()
		return nil, "", ctx.Err()
	}))
	m.Start()
	<-entered
	m.Stop()
	if n := q.Counts(); n != (sqs.Counts{Visible: 3}) {
		t.Errorf("%+v", n)
	}
	m.Start()
	if got := <-entered; !slices.Equal(got, []string{"0", "1", "2"}) {
		t.Error(got)
	}
}

func TestPayloadsOfQueuesHaveSixMegabytes(t *testing.T) {
	s := queues(t, nil, sqs.Config{Name: "q"})
	q := s.Queue("q")
	for i := range 10 {
		send(t, q, "", fmt.Sprint(i)+strings.Repeat("\"", 500_000)) // each of these is two bytes in JSON
	}
	var mu sync.Mutex
	var sizes []int
	m := addQueue(t, s, queueConfig(q, func(_ context.Context, event []byte) ([]byte, string, error) {
		mu.Lock()
		defer mu.Unlock()
		sizes = append(sizes, len(event))
		return nil, "", nil
	}))
	m.Start()
	eventually(t, "all are delivered", func() bool { return m.Stats().Delivered == 10 })
	mu.Lock()
	defer mu.Unlock()
	if len(sizes) < 2 || slices.Max(sizes) > 6<<20 {
		t.Errorf("payloads of %v bytes", sizes)
	}
}

func TestAWindowCollectsMessages(t *testing.T) {
	s := queues(t, nil, sqs.Config{Name: "q"})
	q := s.Queue("q")
	calls := make(chan []string, 10)
	c := queueConfig(q, func(_ context.Context, event []byte) ([]byte, string, error) {
		calls <- decodeQueue(event).bodies()
		return nil, "", nil
	})
	c.BatchSize, c.BatchingWindow = 20, 300*time.Second
	m := addQueue(t, s, c)
	// Each of the pollers collects: together they take 100 before they call.
	for i := range 100 {
		send(t, q, "", fmt.Sprint(i))
	}
	m.Start()
	for range 5 {
		if got := <-calls; len(got) != 20 {
			t.Errorf("a batch of %d", len(got))
		}
	}
}

// Whatever the function answers: messages of a group come in order, and each is taken or dead.
func TestEveryMessageArrives(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		now := &clock{at: epoch}
		s := fifoQueues(rt, now.now)
		q, dead := s.Queue("work.fifo"), s.Queue("dead.fifo")
		total := rapid.IntRange(0, 20).Draw(rt, "messages")
		for i := range total {
			send(rt, q, rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "group"), fmt.Sprint(i))
		}
		behaviours := rapid.SliceOfN(rapid.IntRange(0, 4), 0, 30).Draw(rt, "behaviours")
		var mu sync.Mutex
		calls := 0
		taken := map[string]bool{}
		first := map[string]int{}
		var wrong []string
		invoke := func(_ context.Context, event []byte) ([]byte, string, error) {
			e := decodeQueue(event)
			mu.Lock()
			defer mu.Unlock()
			behaviour := 0
			if calls < len(behaviours) {
				behaviour = behaviours[calls]
			}
			calls++
			for _, r := range e.Records {
				var n int
				_, _ = fmt.Sscan(r.Body, &n)
				if r.Attributes["ApproximateReceiveCount"] != "1" {
					continue
				}
				group := r.Attributes["MessageGroupId"]
				if last, ok := first[group]; ok && n < last {
					wrong = append(wrong, fmt.Sprintf("group %s: %d came after %d", group, n, last))
				}
				first[group] = n
			}
			failed := len(e.Records)
			switch behaviour {
			case 1:
				return nil, "Unhandled", nil
			case 2:
				return nil, "", errors.New("throttled")
			case 3:
				failed = len(e.Records) / 2
			case 4:
				return failingMessages("unknown"), "", nil
			}
			var ids []string
			for i, r := range e.Records {
				if i < failed {
					taken[r.Body] = true
				} else {
					ids = append(ids, r.MessageID)
				}
			}
			return failingMessages(ids...), "", nil
		}
		m, err := mapping.New(mapping.Options{Queues: s}).AddQueue(queueConfig(q, invoke))
		if err != nil {
			rt.Fatal(err)
		}
		m.Start()
		defer m.Stop()
		invocations := 0
		eventually(rt, "the queue is empty", func() bool {
			// Time passes only while nothing is in work: a call that outlasts the visibility gets company.
			if n := m.Stats().Invocations; n != invocations || q.Counts().InFlight == 0 {
				invocations = n
			} else {
				m.Stop()
				now.pass(visible)
				m.Start()
			}
			return q.Counts() == sqs.Counts{}
		})
		m.Stop()
		for _, letter := range dead.Peek(1000) {
			taken[letter.Body] = true
		}
		if len(taken) != total || len(wrong) > 0 {
			rt.Fatalf("%d of %d are taken or dead; %v", len(taken), total, wrong)
		}
	})
}

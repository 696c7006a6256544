package sns_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"github.com/esgen/esgen/esgen/internal/cloud/sns"
	"github.com/esgen/esgen/esgen/internal/cloud/sqs"
)

// cloud is a FIFO topic, "t.fifo", with its client, and FIFO queues that could subscribe.
type cloud struct {
	*client.Client
	topics *sns.Service
	queues *sqs.Service
	topic  string
	now    time.Time
}

func start(t *testing.T, fail func(string, sns.Entry) error, queues ...string) *cloud {
	t.Helper()
	c := &cloud{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	now := func() time.Time { return c.now }
	c.queues = sqs.New(sqs.Options{Region: "eu-west-1", Account: "000000000000", Now: now})
	for _, name := range queues {
		if _, err := c.queues.Create(sqs.Config{Name: name, FIFO: strings.HasSuffix(name, ".fifo")}); err != nil {
			t.Fatal(err)
		}
	}
	c.topics = sns.New(sns.Options{Region: "eu-west-1", Account: "000000000000", Queues: c.queues, Now: now, Fail: fail})
	arn, err := c.topics.CreateTopic(sns.TopicConfig{Name: "t.fifo", FIFO: true})
	if err != nil {
		t.Fatal(err)
	}
	c.topic = arn
	server := httptest.NewServer(c.topics)
	t.Cleanup(server.Close)
	c.Client = client.New(client.Options{
		Region: "eu-west-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "key", SecretAccessKey: "secret"}, nil
		}),
	})
	return c
}

func (c *cloud) subscribe(t *testing.T, queue, policy string) {
	t.Helper()
	_, err := c.topics.Subscribe(sns.SubscriptionConfig{TopicARN: c.topic, QueueARN: c.queues.Queue(queue).ARN(), RawMessageDelivery: true, FilterPolicy: json.RawMessage(policy)})
	if err != nil {
		t.Fatal(err)
	}
}

func (c *cloud) bodies(queue string) []string {
	var bodies []string
	for _, m := range c.queues.Queue(queue).Peek(1000) {
		bodies = append(bodies, m.Body)
	}
	return bodies
}

func entry(id, group, kind string) types.PublishBatchRequestEntry {
	e := types.PublishBatchRequestEntry{Id: &id, Message: aws.String("body " + id), MessageGroupId: &group, MessageDeduplicationId: aws.String("d" + id)}
	if kind != "" {
		e.MessageAttributes = map[string]types.MessageAttributeValue{"type": {DataType: aws.String("String"), StringValue: &kind}}
	}
	return e
}

func TestPublishReachesTheQueues(t *testing.T) {
	c := start(t, nil, "a.fifo", "b.fifo")
	c.subscribe(t, "a.fifo", "")
	c.subscribe(t, "b.fifo", `{"type":["order-placed"]}`)
	text := "héllo <&>\r\n\t\"\u2028" + strings.Repeat("x", 1000)
	in := &client.PublishInput{
		TopicArn: &c.topic, Message: &text, MessageGroupId: aws.String("g"), MessageDeduplicationId: aws.String("d"),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"type": {DataType: aws.String("String"), StringValue: aws.String("order-placed")}, "raw": {DataType: aws.String("Binary"), BinaryValue: []byte{0, 255}},
		},
	}
	first, err := c.Publish(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.fifo", "b.fifo"} {
		got := c.queues.Queue(name).Peek(10)
		if len(got) != 1 || got[0].Body != text || got[0].System["MessageGroupId"] != "g" || got[0].System["MessageDeduplicationId"] != "d" {
			t.Fatalf("%s has %+v", name, got)
		}
		if a := got[0].Attributes; a["type"].String != "order-placed" || string(a["raw"].Binary) != "\x00\xff" {
			t.Errorf("%s: attributes %+v", name, a)
		}
	}
	again, err := c.Publish(t.Context(), in)
	if err != nil || *again.MessageId != *first.MessageId || *again.SequenceNumber != *first.SequenceNumber {
		t.Errorf("a duplicate is %v %v", again, err)
	}
	c.now = c.now.Add(5 * time.Minute)
	later, err := c.Publish(t.Context(), in)
	if err != nil || *later.SequenceNumber <= *first.SequenceNumber {
		t.Errorf("sequence numbers: %s, then %s (%v)", *first.SequenceNumber, *later.SequenceNumber, err)
	}
	if n := len(c.bodies("a.fifo")); n != 2 {
		t.Errorf("%d messages, 2 were published", n)
	}
}

func TestBatchesKeepTheOrderAndPassTheFilter(t *testing.T) {
	c := start(t, nil, "all.fifo", "some.fifo")
	c.subscribe(t, "all.fifo", "")
	c.subscribe(t, "some.fifo", `{"type":["a","c"]}`)
	var entries []types.PublishBatchRequestEntry
	var want []string
	for i := range 10 {
		entries = append(entries, entry(fmt.Sprint(i), "g", []string{"a", "b", "c", ""}[i%4]))
		want = append(want, fmt.Sprint("body ", i))
	}
	out, err := c.PublishBatch(t.Context(), &client.PublishBatchInput{TopicArn: &c.topic, PublishBatchRequestEntries: entries})
	if err != nil || len(out.Successful) != 10 || len(out.Failed) != 0 {
		t.Fatal(out, err)
	}
	for i, s := range out.Successful {
		if *s.Id != fmt.Sprint(i) || *s.MessageId == "" || i > 0 && *s.SequenceNumber <= *out.Successful[i-1].SequenceNumber {
			t.Errorf("entry %d: %v %v %v", i, *s.Id, *s.MessageId, *s.SequenceNumber)
		}
	}
	if got := c.bodies("all.fifo"); !slices.Equal(got, want) {
		t.Errorf("without a filter: %v", got)
	}
	if got := c.bodies("some.fifo"); !slices.Equal(got, []string{"body 0", "body 2", "body 4", "body 6", "body 8"}) {
		t.Errorf("with a filter: %v", got)
	}
}

func TestABatchFailsInParts(t *testing.T) {
	c := start(t, func(topic string, e sns.Entry) error {
		if e.ID == "1" {
			return errors.New("this one fails")
		}
		return nil
	}, "q.fifo")
	c.subscribe(t, "q.fifo", "")
	noGroup := entry("2", "", "")
	noGroup.MessageGroupId = nil
	out, err := c.PublishBatch(t.Context(), &client.PublishBatchInput{TopicArn: &c.topic, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{entry("0", "g", ""), entry("1", "g", ""), noGroup}})
	if err != nil || len(out.Successful) != 1 || len(out.Failed) != 2 {
		t.Fatal(out, err)
	}
	if f := out.Failed[0]; *f.Id != "1" || *f.Code != "InternalError" || f.SenderFault {
		t.Errorf("%+v", f)
	}
	if f := out.Failed[1]; *f.Id != "2" || *f.Code != "InvalidParameter" || !f.SenderFault {
		t.Errorf("%+v", f)
	}
	if got := c.bodies("q.fifo"); !slices.Equal(got, []string{"body 0"}) {
		t.Errorf("delivered: %v", got)
	}
}

func TestRefusals(t *testing.T) {
	c := start(t, nil, "q.fifo")
	c.subscribe(t, "q.fifo", "")
	publish := func(change func(in *client.PublishInput)) error {
		in := &client.PublishInput{TopicArn: &c.topic, Message: aws.String("x"), MessageGroupId: aws.String("g"), MessageDeduplicationId: aws.String("d")}
		change(in)
		_, err := c.Publish(t.Context(), in)
		return err
	}
	batch := func(entries ...types.PublishBatchRequestEntry) error {
		_, err := c.PublishBatch(t.Context(), &client.PublishBatchInput{TopicArn: &c.topic, PublishBatchRequestEntries: entries})
		return err
	}
	large := func(id string, n int) types.PublishBatchRequestEntry {
		e := entry(id, "g", "")
		e.Message = aws.String(strings.Repeat("x", n))
		return e
	}
	var eleven []types.PublishBatchRequestEntry
	for i := range 11 {
		eleven = append(eleven, entry(fmt.Sprint(i), "g", ""))
	}
	for name, tc := range map[string]struct {
		err  error
		code string
	}{
		"no such topic":       {publish(func(in *client.PublishInput) { in.TopicArn = aws.String(c.topic + "x") }), "NotFound"},
		"subject":             {publish(func(in *client.PublishInput) { in.Subject = aws.String("s") }), "InvalidParameter"},
		"structure":           {publish(func(in *client.PublishInput) { in.MessageStructure = aws.String("json") }), "InvalidParameter"},
		"no group":            {publish(func(in *client.PublishInput) { in.MessageGroupId = nil }), "InvalidParameter"},
		"no deduplication id": {publish(func(in *client.PublishInput) { in.MessageDeduplicationId = nil }), "InvalidParameter"},
		"too large":           {publish(func(in *client.PublishInput) { in.Message = aws.String(strings.Repeat("x", 256<<10+1)) }), "InvalidParameter"},
		"an attribute counts": {publish(func(in *client.PublishInput) {
			in.Message = aws.String(strings.Repeat("x", 256<<10))
			in.MessageAttributes = map[string]types.MessageAttributeValue{"a": {DataType: aws.String("String"), StringValue: aws.String("v")}}
		}), "InvalidParameter"},
		"array": {publish(func(in *client.PublishInput) {
			in.MessageAttributes = map[string]types.MessageAttributeValue{"a": {DataType: aws.String("String.Array"), StringValue: aws.String("[]")}}
		}), "InvalidParameter"},
		"batch too large": {batch(large("0", 128<<10), large("1", 128<<10+1)), "BatchRequestTooLong"},
		"eleven":          {batch(eleven...), "TooManyEntriesInBatchRequest"},
		"ids":             {batch(entry("0", "g", ""), entry("0", "g", "")), "BatchEntryIdsNotDistinct"},
		"id":              {batch(entry("a b", "g", "")), "InvalidBatchEntryId"},
		"operation": {func() error {
			_, err := c.CreateTopic(t.Context(), &client.CreateTopicInput{Name: aws.String("x")})
			return err
		}(), "InvalidAction"},
	} {
		api, ok := errors.AsType[smithy.APIError](tc.err)
		if !ok || api.ErrorCode() != tc.code {
			t.Errorf("%s: %v, not %s", name, tc.err, tc.code)
		}
	}
	if got := c.bodies("q.fifo"); len(got) != 0 {
		t.Errorf("delivered all the same: %d messages", len(got))
	}
	if err := batch(large("0", 128<<10), large("1", 128<<10)); err != nil {
		t.Errorf("256 KiB in two messages: %v", err)
	}
	w := httptest.NewRecorder()
	c.topics.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusBadRequest {
		t.Errorf("GET: %d", w.Code)
	}
}

func TestSubscriptionsThatAreNotHonoured(t *testing.T) {
	c := start(t, nil, "q.fifo", "plain")
	good := sns.SubscriptionConfig{TopicARN: c.topic, QueueARN: c.queues.Queue("q.fifo").ARN(), RawMessageDelivery: true}
	for name, change := range map[string]func(s *sns.SubscriptionConfig){
		"no topic":    func(s *sns.SubscriptionConfig) { s.TopicARN += "x" },
		"no queue":    func(s *sns.SubscriptionConfig) { s.QueueARN += "x" },
		"kind":        func(s *sns.SubscriptionConfig) { s.QueueARN = c.queues.Queue("plain").ARN() },
		"envelope":    func(s *sns.SubscriptionConfig) { s.RawMessageDelivery = false },
		"scope":       func(s *sns.SubscriptionConfig) { s.FilterPolicyScope = "MessageBody" },
		"operator":    func(s *sns.SubscriptionConfig) { s.FilterPolicy = []byte(`{"type":[{"prefix":"a"}]}`) },
		"number":      func(s *sns.SubscriptionConfig) { s.FilterPolicy = []byte(`{"type":[1]}`) },
		"null":        func(s *sns.SubscriptionConfig) { s.FilterPolicy = []byte(`{"type":[null]}`) },
		"no list":     func(s *sns.SubscriptionConfig) { s.FilterPolicy = []byte(`{"type":"a"}`) },
		"empty list":  func(s *sns.SubscriptionConfig) { s.FilterPolicy = []byte(`{"type":[]}`) },
		"or":          func(s *sns.SubscriptionConfig) { s.FilterPolicy = []byte(`{"$or":[{"a":["b"]}]}`) },
		"no object":   func(s *sns.SubscriptionConfig) { s.FilterPolicy = []byte(`[]`) },
		"null policy": func(s *sns.SubscriptionConfig) { s.FilterPolicy = []byte(`null`) },
		"two objects": func(s *sns.SubscriptionConfig) { s.FilterPolicy = []byte(`{}{}`) },
		"too many names": func(s *sns.SubscriptionConfig) {
			s.FilterPolicy = []byte(`{"a":["1"],"b":["1"],"c":["1"],"d":["1"],"e":["1"],"f":["1"]}`)
		},
	} {
		s := good
		change(&s)
		if _, err := c.topics.Subscribe(s); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := c.topics.Subscribe(good); err != nil {
		t.Error(err)
	}
	if _, err := c.topics.Subscribe(good); err == nil {
		t.Error("taken twice")
	}
	for _, topic := range []sns.TopicConfig{{Name: ""}, {Name: "x", FIFO: true}, {Name: "x.fifo"}, {Name: "x", ContentBasedDeduplication: true}, {Name: "t.fifo", FIFO: true}, {Name: "x", MaximumMessageSize: 2 << 20}} {
		if _, err := c.topics.CreateTopic(topic); err == nil {
			t.Errorf("taken: %+v", topic)
		}
	}
}

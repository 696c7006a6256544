package sqs_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/esgen/esgen/esgen/internal/cloud/sqs"
)

// clock is the time of a service under test.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func (c *clock) pass(d time.Duration) { c.Time = c.Add(d) }

func newClock() *clock { return &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

// serve returns a service with queues, and AWS's client of it.
func serve(t *testing.T, c *clock, configs ...sqs.Config) (*sqs.Service, *client.Client) {
	t.Helper()
	s := sqs.New(sqs.Options{Region: "eu-west-1", Account: "000000000000", Endpoint: "http://sqs.local", Now: c.now})
	for _, config := range configs {
		if _, err := s.Create(config); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, client.New(client.Options{
		Region: "eu-west-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "key", SecretAccessKey: "secret"}, nil
		}),
	})
}

func seconds(n int) *time.Duration {
	d := time.Duration(n) * time.Second
	return &d
}

func code(t *testing.T, err error) string {
	t.Helper()
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		t.Fatalf("no answer of the service: %v", err)
	}
	return api.ErrorCode()
}

func TestAClientSendsReceivesAndDeletes(t *testing.T) {
	s, c := serve(t, newClock(), sqs.Config{Name: "work.fifo", FIFO: true})
	url, err := c.GetQueueUrl(t.Context(), &client.GetQueueUrlInput{QueueName: aws.String("work.fifo")})
	if err != nil {
		t.Fatal(err)
	}
	if *url.QueueUrl != "http://sqs.local/000000000000/work.fifo" {
		t.Errorf("the URL is %s", *url.QueueUrl)
	}
	// The client compares the checksum of each body with the answer's.
	sent, err := c.SendMessage(t.Context(), &client.SendMessageInput{
		QueueUrl: url.QueueUrl, MessageBody: aws.String("héllo <&> \t"), MessageGroupId: aws.String("g"), MessageDeduplicationId: aws.String("1"),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"type":  {DataType: aws.String("String"), StringValue: aws.String("order-placed")},
			"bytes": {DataType: aws.String("Binary"), BinaryValue: []byte{0, 1, 255}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.ReceiveMessage(t.Context(), &client.ReceiveMessageInput{
		QueueUrl: url.QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil || len(got.Messages) != 1 {
		t.Fatalf("received %d, %v", len(got.Messages), err)
	}
	m := got.Messages[0]
	if *m.Body != "héllo <&> \t" || *m.MessageId != *sent.MessageId || *m.MD5OfMessageAttributes != *sent.MD5OfMessageAttributes {
		t.Errorf("received %q %s, sent %s", *m.Body, *m.MessageId, *sent.MessageId)
	}
	if a := m.MessageAttributes; *a["type"].StringValue != "order-placed" || string(a["bytes"].BinaryValue) != "\x00\x01\xff" {
		t.Errorf("attributes: %v", a)
	}
	want := map[string]string{
		"MessageGroupId": "g", "MessageDeduplicationId": "1", "SequenceNumber": *sent.SequenceNumber, "ApproximateReceiveCount": "1",
		"SentTimestamp": "1767323045000", "ApproximateFirstReceiveTimestamp": "1767323045000", "SenderId": "000000000000",
	}
	for name, value := range want {
		if m.Attributes[name] != value {
			t.Errorf("%s is %q, not %q", name, m.Attributes[name], value)
		}
	}
	if _, err := c.DeleteMessage(t.Context(), &client.DeleteMessageInput{QueueUrl: url.QueueUrl, ReceiptHandle: m.ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	if n := s.Queue("work.fifo").Counts(); n != (sqs.Counts{}) {
		t.Errorf("left: %+v", n)
	}
}

// The value is of AWS's own documentation of the checksum's algorithm, computed by another client.
func TestChecksumsOfAttributes(t *testing.T) {
	got := sqs.AttributesMD5(map[string]sqs.Attribute{"timestamp": {DataType: "Number", String: "1493147359900"}})
	if want := "235c5c510d26fb653d073faed50ae77c"; got != want {
		t.Errorf("%s, not %s", got, want)
	}
}

func TestABatchFailsInParts(t *testing.T) {
	s, c := serve(t, newClock(), sqs.Config{Name: "work.fifo", FIFO: true})
	url := s.Queue("work.fifo").URL()
	entry := func(id, group string) types.SendMessageBatchRequestEntry {
		e := types.SendMessageBatchRequestEntry{Id: &id, MessageBody: aws.String("body " + id), MessageDeduplicationId: &id}
		if group != "" {
			e.MessageGroupId = &group
		}
		return e
	}
	out, err := c.SendMessageBatch(t.Context(), &client.SendMessageBatchInput{QueueUrl: &url, Entries: []types.SendMessageBatchRequestEntry{entry("a", "g"), entry("b", ""), entry("c", "g")}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Successful) != 2 || len(out.Failed) != 1 || *out.Failed[0].Id != "b" || !out.Failed[0].SenderFault || *out.Failed[0].Code != "MissingParameter" {
		t.Errorf("%+v %+v", out.Successful, out.Failed)
	}
	got, err := c.ReceiveMessage(t.Context(), &client.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
	if err != nil || len(got.Messages) != 2 {
		t.Fatal(got, err)
	}
	var entries []types.DeleteMessageBatchRequestEntry
	for i, m := range got.Messages {
		entries = append(entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), ReceiptHandle: m.ReceiptHandle})
	}
	entries = append(entries, types.DeleteMessageBatchRequestEntry{Id: aws.String("x"), ReceiptHandle: aws.String("nonsense")})
	deleted, err := c.DeleteMessageBatch(t.Context(), &client.DeleteMessageBatchInput{QueueUrl: &url, Entries: entries})
	if err != nil || len(deleted.Successful) != 2 || len(deleted.Failed) != 1 {
		t.Errorf("%+v %v", deleted, err)
	}
}

func TestRefusals(t *testing.T) {
	s, c := serve(t, newClock(), sqs.Config{Name: "work.fifo", FIFO: true}, sqs.Config{Name: "plain"})
	fifo, plain := s.Queue("work.fifo").URL(), s.Queue("plain").URL()
	send := func(in client.SendMessageInput) error {
		if in.QueueUrl == nil {
			in.QueueUrl = &plain
		}
		if in.MessageBody == nil {
			in.MessageBody = aws.String("x")
		}
		_, err := c.SendMessage(t.Context(), &in)
		return err
	}
	attributes := map[string]types.MessageAttributeValue{}
	for i := range 11 {
		attributes[fmt.Sprint("a", i)] = types.MessageAttributeValue{DataType: aws.String("Number"), StringValue: aws.String("1")}
	}
	for name, tc := range map[string]struct {
		err  error
		code string
	}{
		"unknown queue":        {send(client.SendMessageInput{QueueUrl: aws.String("http://sqs.local/0/none")}), "AWS.SimpleQueueService.NonExistentQueue"},
		"delay":                {send(client.SendMessageInput{DelaySeconds: 1}), "AWS.SimpleQueueService.UnsupportedOperation"},
		"system attributes":    {send(client.SendMessageInput{MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String("x")}}}), "SerializationException"},
		"too large":            {send(client.SendMessageInput{MessageBody: aws.String(strings.Repeat("x", 1<<20+1))}), "InvalidParameterValue"},
		"characters":           {send(client.SendMessageInput{MessageBody: aws.String("\x01")}), "InvalidMessageContents"},
		"attributes":           {send(client.SendMessageInput{MessageAttributes: attributes}), "InvalidParameterValue"},
		"no group":             {send(client.SendMessageInput{QueueUrl: &fifo, MessageDeduplicationId: aws.String("1")}), "MissingParameter"},
		"no deduplication id":  {send(client.SendMessageInput{QueueUrl: &fifo, MessageGroupId: aws.String("1")}), "InvalidParameterValue"},
		"group, standard":      {send(client.SendMessageInput{MessageGroupId: aws.String("1")}), "AWS.SimpleQueueService.UnsupportedOperation"},
		"deduplication, plain": {send(client.SendMessageInput{MessageDeduplicationId: aws.String("1")}), "InvalidParameterValue"},
		"operation": {func() error {
			_, err := c.CreateQueue(t.Context(), &client.CreateQueueInput{QueueName: aws.String("q")})
			return err
		}(), "AWS.SimpleQueueService.UnsupportedOperation"},
		"receipt": {func() error {
			_, err := c.DeleteMessage(t.Context(), &client.DeleteMessageInput{QueueUrl: &fifo, ReceiptHandle: aws.String("x")})
			return err
		}(), "ReceiptHandleIsInvalid"},
		"too many": {func() error {
			_, err := c.ReceiveMessage(t.Context(), &client.ReceiveMessageInput{QueueUrl: &fifo, MaxNumberOfMessages: 11})
			return err
		}(), "InvalidParameterValue"},
	} {
		if tc.err == nil {
			t.Errorf("%s: taken", name)
		} else if got := code(t, tc.err); got != tc.code {
			t.Errorf("%s: %s, not %s (%v)", name, got, tc.code, tc.err)
		}
	}
	if n := s.Queue("plain").Counts(); n.Visible != 0 {
		t.Errorf("%d messages were taken", n.Visible)
	}
	if _, ok := errors.AsType[*types.QueueDoesNotExist](send(client.SendMessageInput{QueueUrl: aws.String("http://sqs.local/0/none")})); !ok {
		t.Error("an unknown queue is no QueueDoesNotExist")
	}
}

func TestRedriveOverTheAPI(t *testing.T) {
	now := newClock()
	s, c := serve(t, now, sqs.Config{Name: "dead.fifo", FIFO: true},
		sqs.Config{Name: "work.fifo", FIFO: true, VisibilityTimeout: seconds(10), Redrive: &sqs.Redrive{DeadLetterARN: "arn:aws:sqs:eu-west-1:000000000000:dead.fifo", MaxReceiveCount: 2}})
	work, dead := s.Queue("work.fifo"), s.Queue("dead.fifo")
	for _, id := range []string{"1", "2"} {
		if _, err := work.Send(sqs.Outgoing{Body: id, GroupID: "g", DeduplicationID: id}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if got, err := work.Receive(t.Context(), sqs.ReceiveInput{}); err != nil || len(got) != 1 || got[0].Body != "1" {
			t.Fatal(got, err)
		}
		now.pass(10 * time.Second)
	}
	// The first is dead, so its group goes on.
	if got, err := work.Receive(t.Context(), sqs.ReceiveInput{Max: 10}); err != nil || len(got) != 1 || got[0].Body != "2" {
		t.Fatal(got, err)
	}
	letters := dead.Peek(10)
	if len(letters) != 1 || letters[0].Body != "1" || letters[0].System["DeadLetterQueueSourceArn"] != work.ARN() || letters[0].System["MessageGroupId"] != "g" {
		t.Fatalf("dead: %+v", letters)
	}
	attributes, err := c.GetQueueAttributes(t.Context(), &client.GetQueueAttributesInput{QueueUrl: aws.String(dead.URL()), AttributeNames: []types.QueueAttributeName{"ApproximateNumberOfMessages", "QueueArn"}})
	if err != nil || attributes.Attributes["ApproximateNumberOfMessages"] != "1" || attributes.Attributes["QueueArn"] != dead.ARN() {
		t.Fatal(attributes, err)
	}
	if _, err := c.StartMessageMoveTask(t.Context(), &client.StartMessageMoveTaskInput{SourceArn: aws.String(work.ARN())}); err == nil {
		t.Error("a queue that takes no dead letters was redriven")
	}
	started, err := c.StartMessageMoveTask(t.Context(), &client.StartMessageMoveTaskInput{SourceArn: aws.String(dead.ARN())})
	if err != nil || started.TaskHandle == nil {
		t.Fatal(started, err)
	}
	tasks, err := c.ListMessageMoveTasks(t.Context(), &client.ListMessageMoveTasksInput{SourceArn: aws.String(dead.ARN()), MaxResults: aws.Int32(10)})
	if err != nil || len(tasks.Results) != 1 {
		t.Fatal(tasks, err)
	}
	if r := tasks.Results[0]; *r.Status != "COMPLETED" || r.ApproximateNumberOfMessagesMoved != 1 || r.FailureReason != nil {
		t.Errorf("%+v", r)
	}
	now.pass(10 * time.Second)
	got, err := work.Receive(t.Context(), sqs.ReceiveInput{Max: 10})
	if err != nil || len(got) != 2 || got[0].Body != "2" || got[1].Body != "1" || got[1].System["ApproximateReceiveCount"] != "1" {
		t.Errorf("after the redrive: %+v %v", got, err)
	}
}

func TestARedriveSaysWhatItCannotMove(t *testing.T) {
	s, c := serve(t, newClock(), sqs.Config{Name: "dead"},
		sqs.Config{Name: "work", Redrive: &sqs.Redrive{DeadLetterARN: "arn:aws:sqs:eu-west-1:000000000000:dead", MaxReceiveCount: 2}})
	dead := s.Queue("dead")
	if _, err := dead.Send(sqs.Outgoing{Body: "of nowhere"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.StartMessageMoveTask(t.Context(), &client.StartMessageMoveTaskInput{SourceArn: aws.String(dead.ARN())}); err != nil {
		t.Fatal(err)
	}
	tasks, err := c.ListMessageMoveTasks(t.Context(), &client.ListMessageMoveTasksInput{SourceArn: aws.String(dead.ARN())})
	if err != nil || len(tasks.Results) != 1 || *tasks.Results[0].Status != "FAILED" || *tasks.Results[0].FailureReason != "CouldNotDetermineMessageSource" {
		t.Error(tasks, err)
	}
	if dead.Counts().Visible != 1 {
		t.Error("the message is gone")
	}
}

func TestWhatIsNoRequest(t *testing.T) {
	s, _ := serve(t, newClock(), sqs.Config{Name: "plain"})
	for _, tc := range []struct{ method, target, body string }{
		{"GET", "AmazonSQS.SendMessage", ""},
		{"POST", "", "{}"},
		{"POST", "AmazonSQS.SendMessage", ""},
		{"POST", "AmazonSQS.SendMessage", "[]"},
		{"POST", "AmazonSQS.SendMessage", `{"QueueUrl":"` + s.Queue("plain").URL() + `","MessageBody":"x","Unheard":1}`},
		{"POST", "AmazonSQS.SendMessage", `{"QueueUrl":"` + s.Queue("plain").URL() + `","MessageBody":"` + strings.Repeat("x", 9<<20) + `"}`},
	} {
		r := httptest.NewRequest(tc.method, "/", strings.NewReader(tc.body))
		r.Header.Set("X-Amz-Target", tc.target)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != http.StatusBadRequest {
			t.Errorf("%s %s: %d", tc.method, tc.target, w.Code)
		}
	}
	if s.Queue("plain").Counts().Visible != 0 {
		t.Error("a message was taken")
	}
}

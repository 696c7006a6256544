package lambda_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/lambda"
)

// mailer notes what it handles, and fails at what it is told to.
type mailer struct {
	handled []string
	fails   func(what string) error
}

func (m *mailer) handle(what string) error {
	if m.fails != nil {
		if err := m.fails(what); err != nil {
			return err
		}
	}
	m.handled = append(m.handled, what)
	return nil
}

func (m *mailer) HandleEvent(_ context.Context, e es.Event, meta es.Meta) error {
	return m.handle(fmt.Sprintf("%s.%d %.9s", meta.EntityID, meta.Version, e.(*noteTaken).Text))
}

func (m *mailer) HandleChange(_ context.Context, c es.RecordChange) error {
	return m.handle(fmt.Sprintf("%s.%d %d %d", c.Key, c.Guard, len(c.Old), len(c.New)))
}

func (m *mailer) of(view string) es.Consumer {
	c := es.Consumer{Name: "mailer", Events: []string{"NoteTaken"}, Start: func(context.Context, *es.Appender) (es.Handler, error) { return m, nil }}
	if view != "" {
		c.Events, c.View = nil, view
	}
	return c
}

// consumer is the function of a consumer that was deployed an hour ago.
func consumer(t *testing.T, n *notes, c es.Consumer) lambda.Handler {
	t.Helper()
	if _, err := es.RememberConsumerStart(t.Context(), n.stores.Progress, c.Name, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	return lambda.ConsumerHandler(n.model, c, n.stores, n.options())
}

func (m *mailer) wants(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(m.handled, want) {
		t.Errorf("handled %q, want %q", m.handled, want)
	}
	m.handled = nil
}

// queueOf is a batch of a queue, its messages numbered from 1 on.
func queueOf(t *testing.T, messages ...lambda.Publication) string {
	var records []any
	for i, m := range messages {
		records = append(records, object{
			"messageId": fmt.Sprint("m-", i+1), "receiptHandle": "h", "body": m.Body, "md5OfBody": "x", "eventSource": "aws:sqs",
			"attributes": object{"ApproximateReceiveCount": "1", "MessageGroupId": m.Group, "SequenceNumber": "1"}, "messageAttributes": object{},
		})
	}
	return jsonText(t, object{"Records": records})
}

// received is a batch whose messages have been received so often.
func received(batch string, times int) string {
	return strings.ReplaceAll(batch, `"ApproximateReceiveCount":"1"`, fmt.Sprintf(`"ApproximateReceiveCount":"%d"`, times))
}

func TestConsumerOfAStream(t *testing.T) {
	n := newNotes(t)
	m := &mailer{}
	h := consumer(t, n, m.of(""))
	batch := streamOf(t, n.event("a", 1, "x"), n.event("b", 1, "y"), n.event("a", 2, "z"))
	for range 2 { // delivered twice
		if got := invoke(t, h, batch); got != `{"batchItemFailures":[]}` {
			t.Errorf("answer %s", got)
		}
	}
	m.wants(t, "a.1 x", "b.1 y", "a.2 z")
	n.quiet()

	m.fails = func(what string) error {
		if what == "b.2 y" {
			return errors.New("mail server away")
		}
		return nil
	}
	batch = streamOf(t, n.event("a", 3, "x"), n.event("b", 2, "y"), n.event("a", 4, "z"))
	if got := invoke(t, h, batch); got != `{"batchItemFailures":[{"itemIdentifier":"2"}]}` {
		t.Errorf("answer %s", got)
	}
	n.says("mail server away")
	m.wants(t, "a.3 x")
	m.fails = nil
	invoke(t, h, batch)
	m.wants(t, "b.2 y", "a.4 z")
	if n.metrics.Len() > 0 {
		t.Errorf("metrics: %s", n.metrics.String())
	}
}

func TestConsumerOfTheStreamOfAView(t *testing.T) {
	n := newNotes(t)
	m := &mailer{}
	h := consumer(t, n, m.of("default"))
	at := time.Now()
	got := invoke(t, h, viewStreamOf(t,
		es.RecordChange{Key: "old", Guard: 1, Time: at.Add(-2 * time.Hour), New: "{}"},
		es.RecordChange{Key: "a", Guard: 1, Time: at, New: `{"text":"1"}`},
		es.RecordChange{Key: "a", Guard: 2, Time: at, Old: `{"text":"1"}`, New: `{"text":"1"}`},
		es.RecordChange{Key: "a", Guard: 3, Time: at, Old: `{"text":"1"}`},
	))
	if got != `{"batchItemFailures":[]}` {
		t.Errorf("answer %s", got)
	}
	m.wants(t, "a.1 0 12", "a.3 12 0")
	invoke(t, h, `{"Records":[{"eventSource":"aws:dynamodb","eventName":"INSERT","dynamodb":{"SequenceNumber":"9","NewImage":{"_id":{"S":"x"}}}}]}`)
	n.says("none of ours")
}

func TestConsumerOfAQueue(t *testing.T) {
	n := newNotes(t)
	m := &mailer{}
	h := consumer(t, n, m.of(""))
	to := &topic{t: t}
	relayed := relay(t, n, "events", to)
	n.take("large", strings.Repeat("L", 220<<10))
	stored, _, err := n.stores.Events.Read(t.Context(), "large", 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	invoke(t, relayed, streamOf(t, n.event("a", 1, "x"), n.event("b", 1, "y"), stored[0], n.event("c", 1, "z")))
	for range 2 {
		if got := invoke(t, h, queueOf(t, to.taken...)); got != `{"batchItemFailures":[]}` {
			t.Errorf("answer %s", got)
		}
	}
	m.wants(t, "a.1 x", "b.1 y", "large.1 LLLLLLLLL", "c.1 z")
	n.quiet()
}

// TestAGroupOfAQueueStopsAtItsFirstFailure: those behind it must not overtake it; other groups go on.
func TestAGroupOfAQueueStopsAtItsFirstFailure(t *testing.T) {
	n := newNotes(t)
	m := &mailer{fails: func(what string) error {
		if what == "a.2 x" {
			panic("secret")
		}
		return nil
	}}
	h := consumer(t, n, m.of(""))
	message := func(id string, version int64) lambda.Publication {
		e := n.event(id, version, "x")
		return lambda.Publication{Group: id, Body: string((&es.Message{Event: &e}).AppendJSON(nil))}
	}
	got := invoke(t, h, queueOf(t, message("a", 1), message("a", 2), message("b", 1), message("a", 3), message("b", 2)))
	if got != `{"batchItemFailures":[{"itemIdentifier":"m-2"},{"itemIdentifier":"m-4"}]}` {
		t.Errorf("answer %s", got)
	}
	m.wants(t, "a.1 x", "b.1 x", "b.2 x")
	n.log.Reset() // a panic's value is the user's own and is told

	for name, body := range map[string]string{
		"garbage":           `{"secret":`,
		"another stream":    `{"esgen":1,"view":"default","key":"secret"}`,
		"a later form":      `{"esgen":9,"id":"secret","version":1}`,
		"nothing there":     `{"esgen":1,"id":"none","version":1,"elsewhere":1}`,
		"nothing there yet": `{"esgen":1,"view":"default","key":"k","elsewhere":2}`,
	} {
		got := invoke(t, h, queueOf(t, lambda.Publication{Group: "a", Body: body}, message("a", 9), message("b", 9)))
		if got != `{"batchItemFailures":[{"itemIdentifier":"m-1"},{"itemIdentifier":"m-2"}]}` {
			t.Errorf("%s: answer %s", name, got)
		}
		n.says("to be delivered again")
	}
}

// What is received for the last time goes to the dead letters when it fails, and those behind it in its group
// have been received as often: they would go with it and never have been handled.
func TestAMessageThatIsGivenUpTakesNoneOfItsGroupAlong(t *testing.T) {
	n := newNotes(t)
	m := &mailer{fails: func(what string) error {
		if what == "a.1 x" {
			return errors.New("never")
		}
		return nil
	}}
	h := consumer(t, n, m.of(""))
	var messages []lambda.Publication
	for version := range int64(3) {
		e := n.event("a", version+1, "x")
		messages = append(messages, lambda.Publication{Group: "a", Body: string((&es.Message{Event: &e}).AppendJSON(nil))})
	}
	batch := queueOf(t, messages...)
	for times := 1; times < 5; times++ {
		if got := invoke(t, h, received(batch, times)); strings.Count(got, "m-") != 3 {
			t.Errorf("received %d times: answer %s", times, got)
		}
	}
	m.wants(t)
	if got := invoke(t, h, received(batch, 5)); got != `{"batchItemFailures":[{"itemIdentifier":"m-1"}]}` {
		t.Errorf("answer %s", got)
	}
	m.wants(t, "a.2 x", "a.3 x")
	n.log.Reset() // says it five times

	template, err := os.ReadFile("../../templates/infra/consumers_gen.go.tmpl")
	if err != nil || !strings.Contains(string(template), "MaxReceiveCount: jsii.Number(5)") {
		t.Errorf("queues do not give up after 5 times: %v", err)
	}
}

func TestLargeChangesReachAConsumerThroughItsQueue(t *testing.T) {
	n := newNotes(t)
	m := &mailer{}
	h := consumer(t, n, m.of("default"))
	to := &topic{t: t}
	large := `{"text":"` + strings.Repeat("é日😀", 30<<10) + `"}`
	invoke(t, relay(t, n, "view:default", to), viewStreamOf(t, es.RecordChange{Key: "a", Guard: 2, Time: time.Now(), Old: `{"text":"1"}`, New: large}))
	if got := invoke(t, h, queueOf(t, to.taken...)); got != `{"batchItemFailures":[]}` {
		t.Errorf("answer %s: %s", got, n.log.String())
	}
	m.wants(t, fmt.Sprintf("a.2 12 %d", len(large)))
}

// TestAConsumerThatDoesNotStartIsStartedAgain: the batch fails and comes again.
func TestAConsumerThatDoesNotStartIsStartedAgain(t *testing.T) {
	n := newNotes(t)
	m := &mailer{}
	c := m.of("")
	starts := 0
	begin := c.Start
	c.Start = func(ctx context.Context, a *es.Appender) (es.Handler, error) {
		if starts++; starts < 3 {
			if starts == 1 {
				panic("secret")
			}
			return nil, errors.New("no password")
		}
		return begin(ctx, a)
	}
	h := consumer(t, n, c)
	batch := streamOf(t, n.event("a", 1, "x"))
	for range 2 {
		if _, err := h.Invoke(t.Context(), []byte(batch)); err == nil || !strings.Contains(err.Error(), "consumer mailer: start") {
			t.Errorf("error %v", err)
		}
	}
	for range 2 {
		invoke(t, h, batch)
	}
	m.wants(t, "a.1 x")
	if starts != 3 {
		t.Errorf("started %d times", starts)
	}
}

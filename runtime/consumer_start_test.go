package es_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// On AWS a consumer's process is started by the first event that it gets, which is older than the
// process. The start is therefore remembered at deployment.
func TestConsumerGetsWhatHappenedSinceItsDeployment(t *testing.T) {
	s := newPresentService(t)
	s.mustPost(t, placed("o-1"))
	deployed, err := es.RememberConsumerStart(t.Context(), s.stores.Progress, "mailer", s.tick())
	if err != nil {
		t.Fatal(err)
	}
	s.mustPost(t, placed("o-2"))
	if again, err := es.RememberConsumerStart(t.Context(), s.stores.Progress, "mailer", s.tick()); err != nil || !again.Equal(deployed) {
		t.Errorf("a second deployment: %v, %v; want %v", again, err, deployed)
	}
	var handled []string
	r := startConsumer(t, s, "", func(*es.Appender) handlerFunc {
		return handlerFunc{event: func(_ context.Context, _ es.Event, m es.Meta) error {
			handled = append(handled, m.EntityID)
			return nil
		}}
	})
	batch := append(s.events(t, "o-1"), s.events(t, "o-2")...)
	if retry, err := r.HandleEvents(t.Context(), batch); retry != len(batch) || err != nil {
		t.Fatalf("HandleEvents = %d, %v", retry, err)
	}
	if want := []string{"o-2"}; !slices.Equal(handled, want) {
		t.Errorf("handled %q, want %q", handled, want)
	}
}

// DynamoDB gives the time of a change in whole seconds: one of the second in which the consumer
// started may be newer than the start, and must not be lost.
func TestChangesOfTheSecondOfTheStartAreHandled(t *testing.T) {
	s := newPresentService(t)
	s.now = s.now.Truncate(time.Second).Add(700 * time.Millisecond)
	var handled []string
	r := startConsumer(t, s, "default", func(*es.Appender) handlerFunc {
		return handlerFunc{change: func(_ context.Context, c es.RecordChange) error {
			handled = append(handled, c.Key)
			return nil
		}}
	})
	start, err := es.RememberConsumerStart(t.Context(), s.stores.Progress, "mailer", s.now)
	if err != nil || start.Nanosecond() == 0 {
		t.Fatalf("started at %v, %v", start, err)
	}
	second := start.Truncate(time.Second)
	batch := []es.RecordChange{
		{View: "default", Key: "before", Guard: 1, Time: second.Add(-time.Second), New: "{}"},
		{View: "default", Key: "within", Guard: 1, Time: second, New: "{}"},
	}
	if _, err := r.HandleChanges(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if want := []string{"within"}; !slices.Equal(handled, want) {
		t.Errorf("handled %q, want %q", handled, want)
	}
}

func TestAPanicInTheStartOfAConsumerIsAnError(t *testing.T) {
	s := newPresentService(t)
	c := es.Consumer{Name: "mailer", Start: func(context.Context, *es.Appender) (es.Handler, error) { panic("secret") }}
	_, err := es.StartConsumer(t.Context(), s.model, c, s.stores, es.ConsumerOptions{})
	if err == nil || !strings.Contains(err.Error(), "consumer mailer: start") {
		t.Errorf("error %v", err)
	}
}

package es_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// handlerFunc is a consumer's handler made of functions.
type handlerFunc struct {
	event  func(context.Context, es.Event, es.Meta) error
	change func(context.Context, es.RecordChange) error
}

func (h handlerFunc) HandleEvent(ctx context.Context, e es.Event, m es.Meta) error {
	return h.event(ctx, e, m)
}
func (h handlerFunc) HandleChange(ctx context.Context, c es.RecordChange) error {
	return h.change(ctx, c)
}

// newPresentService is a service whose clock is near the store's, which forgets what has
// expired.
func newPresentService(t *testing.T) *service {
	s := newService(t, ordersModel())
	s.now = time.Now().UTC().Round(0)
	return s
}

// startConsumer starts a consumer of OrderPlaced and OrderNoted, or of a view.
func startConsumer(t *testing.T, s *service, view string, make func(*es.Appender) handlerFunc) *es.ConsumerRunner {
	t.Helper()
	c := es.Consumer{Name: "mailer", Events: []string{"OrderPlaced", "OrderNoted"}, Start: func(_ context.Context, a *es.Appender) (es.Handler, error) {
		return make(a), nil
	}}
	if view != "" {
		c.Events, c.View = nil, view
	}
	r, err := es.StartConsumer(t.Context(), s.model, c, s.stores, es.ConsumerOptions{Clock: s.tick, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestConsumerHandlesEachEventOnceAndNothingOlderThanItself(t *testing.T) {
	s := newPresentService(t)
	s.mustPost(t, placed("o-1"))
	var handled []string
	start := func() *es.ConsumerRunner {
		return startConsumer(t, s, "", func(*es.Appender) handlerFunc {
			return handlerFunc{event: func(_ context.Context, e es.Event, m es.Meta) error {
				handled = append(handled, e.EventType()+" "+m.EntityID)
				return nil
			}}
		})
	}
	r := start()
	s.mustPost(t, placed("o-2"), noted("o-2", "x"), shipped("o-2"))
	batch := append(s.events(t, "o-1"), s.events(t, "o-2")...)

	for range 2 { // delivered twice
		if retry, err := r.HandleEvents(t.Context(), batch); retry != len(batch) || err != nil {
			t.Fatalf("HandleEvents = %d, %v", retry, err)
		}
	}
	if retry, err := start().HandleEvents(t.Context(), batch); retry != len(batch) || err != nil { // and to another process
		t.Fatalf("HandleEvents = %d, %v", retry, err)
	}

	if want := []string{"OrderPlaced o-2", "OrderNoted o-2"}; !slices.Equal(handled, want) {
		t.Errorf("handled %q, want %q", handled, want)
	}
}

func TestConsumerStopsAtTheFirstFailure(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("no mail today") },
		"panic": func() error { panic("no mail today") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, ordersModel())
			var handled []int64
			broken := true
			r := startConsumer(t, s, "", func(*es.Appender) handlerFunc {
				return handlerFunc{event: func(_ context.Context, _ es.Event, m es.Meta) error {
					if m.Version == 2 && broken {
						return fail()
					}
					handled = append(handled, m.Version)
					return nil
				}}
			})
			s.mustPost(t, placed("o-1"), noted("o-1", "a"), noted("o-1", "b"))
			batch := s.events(t, "o-1")

			retry, err := r.HandleEvents(t.Context(), batch)
			if retry != 1 || err == nil {
				t.Fatalf("HandleEvents = %d, %v; want 1 and an error", retry, err)
			}
			if text := err.Error(); name == "panic" && (strings.Contains(text, "today") || !strings.Contains(text, "panic in ")) {
				t.Errorf("%q: it must say where, and not with what", text)
			}
			broken = false
			if retry, err := r.HandleEvents(t.Context(), batch[1:]); retry != 2 || err != nil {
				t.Fatalf("HandleEvents = %d, %v", retry, err)
			}
			if want := []int64{1, 2, 3}; !slices.Equal(handled, want) {
				t.Errorf("handled versions %v, want %v", handled, want)
			}
		})
	}
}

// A handler that fails after it has appended runs again from the start: what it
// appends then is there already, even though a note of the time has changed.
func TestAppendsOfAHandlerAreIdempotent(t *testing.T) {
	s := newService(t, ordersModel())
	tries := 0
	r := startConsumer(t, s, "", func(a *es.Appender) handlerFunc {
		return handlerFunc{event: func(ctx context.Context, e es.Event, m es.Meta) error {
			if m.Type != "OrderPlaced" {
				return nil
			}
			tries++
			for _, text := range []string{"first", "second"} {
				stored, err := a.Append(ctx, orderNoted{OrderID: m.EntityID, Text: text + strings.Repeat("!", tries)})
				if err != nil {
					return err
				}
				if stored.CausationID != m.EventID || stored.Actor != "consumer:mailer" {
					t.Errorf("appended because of %q by %q", stored.CausationID, stored.Actor)
				}
			}
			if tries < 3 {
				return errors.New("the mail server is down")
			}
			return nil
		}}
	})
	s.mustPost(t, placed("o-1"))
	batch := s.events(t, "o-1")
	for range 3 {
		_, _ = r.HandleEvents(t.Context(), batch)
	}

	var notes []string
	for _, e := range s.events(t, "o-1")[1:] {
		notes = append(notes, e.Payload)
	}
	if tries != 3 || len(notes) != 2 || !strings.Contains(notes[0], "first!\"") || !strings.Contains(notes[1], "second!\"") {
		t.Errorf("after %d tries the notes are %q; want those of the first try, once", tries, notes)
	}
}

func TestAppendRefusesWhatHTTPWouldRefuse(t *testing.T) {
	s := newService(t, ordersModel())
	a := es.NewAppender(s.model, s.stores.Events, es.CommandOptions{Clock: s.tick})

	_, err := a.Append(t.Context(), orderNoted{OrderID: "o-1", Text: "never placed"})
	if refused, ok := errors.AsType[*es.RefusedError](err); !ok || refused.Code != "state" {
		t.Errorf("an event that does not fit the state: %v", err)
	}
	_, err = a.Append(t.Context(), orderNoted{OrderID: "", Text: "of nothing"})
	if _, ok := errors.AsType[*es.InvalidError](err); !ok {
		t.Errorf("an event without a key: %v", err)
	}
	if events := s.events(t, "o-1"); len(events) != 0 {
		t.Errorf("%d events were stored", len(events))
	}
}

func TestConsumerOfAViewGetsChangesOnce(t *testing.T) {
	s := newPresentService(t)
	var got []string
	r := startConsumer(t, s, "default", func(*es.Appender) handlerFunc {
		return handlerFunc{change: func(_ context.Context, c es.RecordChange) error {
			got = append(got, c.Old+"→"+c.New)
			return nil
		}}
	})
	now := s.tick()
	changes := []es.RecordChange{
		{View: "default", Key: "o-1", Guard: 1, Time: now, New: "{1}"},
		{View: "default", Key: "o-1", Guard: 2, Time: now, Old: "{1}", New: "{2}"},
		{View: "default", Key: "o-1", Guard: 3, Time: now, Old: "{2}", New: "{2}"},    // nothing has changed
		{View: "customer", Key: "o-1", Guard: 1, Time: now, New: "{}"},                // another view
		{View: "default", Key: "o-2", Guard: 1, Time: now.Add(-time.Hour), New: "{}"}, // before its time
	}
	for range 2 {
		if retry, err := r.HandleChanges(t.Context(), changes); retry != len(changes) || err != nil {
			t.Fatalf("HandleChanges = %d, %v", retry, err)
		}
	}
	if want := []string{"→{1}", "{1}→{2}"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// In the second in which a new revision is deployed, the old table and the new one may have the same
// change: live the one, a rebuild's the other. To have seen the second is not to have seen the first.
func TestRebuildsChangeDoesNotHideALiveOne(t *testing.T) {
	s := newPresentService(t)
	live := 0
	r := startConsumer(t, s, "default", func(*es.Appender) handlerFunc {
		return handlerFunc{change: func(_ context.Context, c es.RecordChange) error {
			if !c.Rebuilding {
				live++
			}
			return nil
		}}
	})
	change := es.RecordChange{View: "default", Key: "o-1", Guard: 1, Time: s.tick(), New: "{1}"}
	rebuilt := change
	rebuilt.Rebuilding = true
	if retry, err := r.HandleChanges(t.Context(), []es.RecordChange{rebuilt, change, rebuilt, change}); retry != 4 || err != nil {
		t.Fatalf("HandleChanges = %d, %v", retry, err)
	}
	if live != 1 {
		t.Errorf("%d live changes were handled, want 1", live)
	}
}

package sqs_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/esgen/esgen/esgen/internal/cloud/sqs"
)

func TestConfigsThatAreNotHonoured(t *testing.T) {
	s := sqs.New(sqs.Options{Region: "eu-west-1", Account: "000000000000"})
	if _, err := s.Create(sqs.Config{Name: "plain"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []sqs.Config{
		{Name: ""}, {Name: "a b"}, {Name: "a.fifo"}, {Name: "a", FIFO: true}, {Name: "plain"},
		{Name: "a", Delay: time.Second}, {Name: "a", ContentBasedDeduplication: true}, {Name: "a.fifo", FIFO: true, DeduplicationScope: "region"},
		{Name: "a", VisibilityTimeout: seconds(13 * 3600)}, {Name: "a", Retention: time.Second}, {Name: "a", MaximumMessageSize: 2 << 20},
		{Name: "a", ReceiveWait: 21 * time.Second},
		{Name: "a", Redrive: &sqs.Redrive{DeadLetterARN: "arn:aws:sqs:eu-west-1:000000000000:none", MaxReceiveCount: 1}},
		{Name: "a", Redrive: &sqs.Redrive{DeadLetterARN: "arn:aws:sqs:eu-west-1:000000000000:plain"}},
		{Name: "a.fifo", FIFO: true, Redrive: &sqs.Redrive{DeadLetterARN: "arn:aws:sqs:eu-west-1:000000000000:plain", MaxReceiveCount: 1}},
	} {
		if _, err := s.Create(c); err == nil {
			t.Errorf("taken: %+v", c)
		}
	}
}

func TestDeduplicationLastsFiveMinutes(t *testing.T) {
	now := newClock()
	s, _ := serve(t, now, sqs.Config{Name: "q.fifo", FIFO: true, ContentBasedDeduplication: true}, sqs.Config{Name: "groups.fifo", FIFO: true, DeduplicationScope: "messageGroup"})
	q := s.Queue("q.fifo")
	send := func(q *sqs.Queue, m sqs.Outgoing) sqs.Sent {
		t.Helper()
		sent, err := q.Send(m)
		if err != nil {
			t.Fatal(err)
		}
		return sent
	}
	first := send(q, sqs.Outgoing{Body: "b", GroupID: "g"})
	got, _ := q.Receive(t.Context(), sqs.ReceiveInput{})
	if err := q.Delete(got[0].Receipt); err != nil {
		t.Fatal(err)
	}
	now.pass(5*time.Minute - 1)
	if again := send(q, sqs.Outgoing{Body: "b", GroupID: "other"}); again != first || q.Counts().Visible != 0 {
		t.Errorf("a duplicate of a message that was received already: %+v %+v", again, q.Counts())
	}
	now.pass(1)
	if again := send(q, sqs.Outgoing{Body: "b", GroupID: "g"}); again == first || q.Counts().Visible != 1 {
		t.Errorf("after five minutes: %+v", q.Counts())
	}
	groups := s.Queue("groups.fifo")
	send(groups, sqs.Outgoing{Body: "b", GroupID: "1", DeduplicationID: "d"})
	send(groups, sqs.Outgoing{Body: "b", GroupID: "1", DeduplicationID: "d"})
	send(groups, sqs.Outgoing{Body: "b", GroupID: "2", DeduplicationID: "d"})
	if n := groups.Counts().Visible; n != 2 {
		t.Errorf("deduplicated within groups: %d messages", n)
	}
}

func TestRetention(t *testing.T) {
	now := newClock()
	s, _ := serve(t, now, sqs.Config{Name: "q", Retention: time.Minute})
	q := s.Queue("q")
	if _, err := q.Send(sqs.Outgoing{Body: "b"}); err != nil {
		t.Fatal(err)
	}
	now.pass(time.Minute - 1)
	if q.Counts().Visible != 1 {
		t.Error("gone too early")
	}
	now.pass(1)
	if got, err := q.Receive(t.Context(), sqs.ReceiveInput{}); err != nil || len(got) != 0 {
		t.Error(got, err)
	}
}

func TestReceiptsRunOut(t *testing.T) {
	now := newClock()
	s, _ := serve(t, now, sqs.Config{Name: "q"}, sqs.Config{Name: "q.fifo", FIFO: true})
	for _, q := range []*sqs.Queue{s.Queue("q"), s.Queue("q.fifo")} {
		m := sqs.Outgoing{Body: "b"}
		if q.Config().FIFO {
			m.GroupID, m.DeduplicationID = "g", "d"
		}
		if _, err := q.Send(m); err != nil {
			t.Fatal(err)
		}
		old, _ := q.Receive(t.Context(), sqs.ReceiveInput{})
		now.pass(30 * time.Second)
		current, _ := q.Receive(t.Context(), sqs.ReceiveInput{})
		err := q.Delete(old[0].Receipt)
		if q.Config().FIFO != (err != nil) {
			t.Errorf("%s: delete with the receipt of an earlier receive: %v", q.Name(), err)
		}
		if n := q.Counts(); n.InFlight != 1 {
			t.Errorf("%s: %+v", q.Name(), n)
		}
		if err := q.ChangeVisibility(current[0].Receipt, time.Hour); err != nil {
			t.Fatal(err)
		}
		now.pass(time.Hour - 1)
		if n := q.Counts(); n.InFlight != 1 {
			t.Errorf("%s: visible before the hour is over", q.Name())
		}
		if err := q.Delete(current[0].Receipt); err != nil {
			t.Error(err)
		}
		if err := q.Delete(current[0].Receipt); err != nil {
			t.Errorf("deleted twice: %v", err)
		}
	}
}

func TestAReceiveWaits(t *testing.T) {
	s, _ := serve(t, newClock(), sqs.Config{Name: "q"})
	q := s.Queue("q")
	got := make(chan []sqs.Message)
	go func() {
		messages, _ := q.Receive(context.Background(), sqs.ReceiveInput{Wait: time.Minute})
		got <- messages
	}()
	if _, err := q.Send(sqs.Outgoing{Body: "b"}); err != nil {
		t.Fatal(err)
	}
	if messages := <-got; len(messages) != 1 {
		t.Error("nothing came")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := q.Receive(ctx, sqs.ReceiveInput{Wait: time.Minute}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	s := sqs.New(sqs.Options{MaxBytes: 10_000})
	q, err := s.Create(sqs.Config{Name: "q"})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for ; err == nil && n < 100; n++ {
		_, err = q.Send(sqs.Outgoing{Body: fmt.Sprintf("%01000d", n)})
	}
	if f, ok := errors.AsType[*sqs.Failure](err); !ok || f.Status != 503 || n > 10 {
		t.Errorf("after %d messages of 1,000 bytes: %v", n, err)
	}
	q.Purge()
	if _, err := q.Send(sqs.Outgoing{Body: "b"}); err != nil {
		t.Errorf("after the purge: %v", err)
	}
}

// Whatever is sent, received, deleted and left to time out: within a group, messages come in the
// order in which they were sent, the next not before those before it are deleted; each is received
// at least once or dead; duplicates never come.
func TestOrderOfGroups(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := newClock()
		s := sqs.New(sqs.Options{Region: "r", Account: "0", Now: now.now})
		dead, err := s.Create(sqs.Config{Name: "dead.fifo", FIFO: true})
		if err != nil {
			t.Fatal(err)
		}
		q, err := s.Create(sqs.Config{Name: "q.fifo", FIFO: true, VisibilityTimeout: seconds(10), Redrive: &sqs.Redrive{DeadLetterARN: dead.ARN(), MaxReceiveCount: 3}})
		if err != nil {
			t.Fatal(err)
		}
		type flight struct {
			sqs.Message
			until time.Time
		}
		expected := map[string][]string{} // bodies by group, in order, neither deleted nor dead
		receives := map[string]int{}
		flying := map[string]flight{} // by body
		var gone []string
		settle := func() {
			for body, f := range flying {
				if now.Before(f.until) {
					continue
				}
				delete(flying, body)
				if receives[body] == 3 {
					group := f.System["MessageGroupId"]
					expected[group] = slices.DeleteFunc(expected[group], func(b string) bool { return b == body })
					gone = append(gone, body)
				}
			}
		}
		receive := func(most int) {
			got, err := q.Receive(context.Background(), sqs.ReceiveInput{Max: most})
			if err != nil {
				t.Fatal(err)
			}
			next := map[string]int{}
			blocked := map[string]bool{}
			for _, f := range flying {
				blocked[f.System["MessageGroupId"]] = true
			}
			for _, m := range got {
				group := m.System["MessageGroupId"]
				if blocked[group] {
					t.Fatalf("group %s has a message in flight, and %s came", group, m.Body)
				}
				if i := next[group]; i >= len(expected[group]) || expected[group][i] != m.Body {
					t.Fatalf("group %s: %s came, expected of %v", group, m.Body, expected[group])
				}
				next[group]++
				receives[m.Body]++
				flying[m.Body] = flight{m, now.Add(10 * time.Second)}
			}
			if len(got) == 0 && most > 0 {
				for group, bodies := range expected {
					if len(bodies) > 0 && !blocked[group] {
						t.Fatalf("nothing came, although group %s has %v", group, bodies)
					}
				}
			}
		}
		sent, sentAt := 0, []time.Time(nil)
		t.Repeat(map[string]func(*rapid.T){
			"send": func(t *rapid.T) {
				id := rapid.IntRange(0, sent).Draw(t, "id")
				group := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "group")
				if id < sent && sentAt[id].Add(5*time.Minute).After(now.Time) {
					group = "any"
				} else {
					id = sent
					sentAt = append(sentAt, now.Time)
					sent++
					expected[group] = append(expected[group], fmt.Sprint(id))
				}
				if _, err := q.Send(sqs.Outgoing{Body: fmt.Sprint(id), GroupID: group, DeduplicationID: fmt.Sprint(id)}); err != nil {
					t.Fatal(err)
				}
			},
			"receive": func(t *rapid.T) { receive(rapid.IntRange(1, 10).Draw(t, "most")) },
			"delete": func(t *rapid.T) {
				if len(flying) == 0 {
					return
				}
				var bodies []string
				for body := range flying {
					bodies = append(bodies, body)
				}
				slices.Sort(bodies)
				body := rapid.SampledFrom(bodies).Draw(t, "body")
				if err := q.Delete(flying[body].Receipt); err != nil {
					t.Fatal(err)
				}
				group := flying[body].System["MessageGroupId"]
				expected[group] = slices.DeleteFunc(expected[group], func(b string) bool { return b == body })
				delete(flying, body)
			},
			"wait": func(t *rapid.T) {
				now.pass(rapid.SampledFrom([]time.Duration{time.Second, 9 * time.Second, 10 * time.Second}).Draw(t, "wait"))
				settle()
			},
			"": func(t *rapid.T) {
				left := 0
				for _, bodies := range expected {
					left += len(bodies)
				}
				if n := q.Counts(); n.Visible+n.InFlight != left || n.InFlight != len(flying) {
					t.Fatalf("%+v, expected %d, in flight %d", n, left, len(flying))
				}
				var dying []string
				for _, m := range dead.Peek(1000) {
					dying = append(dying, m.Body)
				}
				slices.Sort(dying)
				slices.Sort(gone)
				if !slices.Equal(dying, gone) {
					t.Fatalf("dead are %v, expected %v", dying, gone)
				}
			},
		})
	})
}

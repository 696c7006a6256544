package es_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	es "github.com/esgen/esgen/runtime"
)

var errTimeout = errors.New("time-out")

type put = func(ctx context.Context, event *es.Recorded) (*es.Recorded, error)

// putFaults are what a Put can do instead of what it should.
func (s *service) afterCommit(ctx context.Context, event *es.Recorded) (*es.Recorded, error) {
	if occupant, err := s.faults.EventStore.Put(ctx, event); err != nil || occupant != nil {
		return occupant, err
	}
	return nil, errTimeout
}

func beforeCommit(context.Context, *es.Recorded) (*es.Recorded, error) { return nil, errTimeout }

func throttled(context.Context, *es.Recorded) (*es.Recorded, error) { return nil, es.ErrThrottled }

// overtaken lets another event take the slot first, with an id and content of its own or ours.
func (s *service) overtaken(change func(*es.Recorded)) put {
	return func(ctx context.Context, event *es.Recorded) (*es.Recorded, error) {
		other := *event
		change(&other)
		if occupant, err := s.faults.EventStore.Put(ctx, &other); err != nil || occupant != nil {
			return nil, fmt.Errorf("overtaking: %v, %v", occupant, err)
		}
		return s.faults.EventStore.Put(ctx, event)
	}
}

// unreliable fails one time in three, in every way.
func (s *service) unreliable(ctx context.Context, event *es.Recorded) (*es.Recorded, error) {
	switch rand.IntN(9) {
	case 0:
		return beforeCommit(ctx, event)
	case 1:
		return s.afterCommit(ctx, event)
	case 2:
		return throttled(ctx, event)
	}
	return s.faults.EventStore.Put(ctx, event)
}

func TestAppendSurvivesFaults(t *testing.T) {
	another := func(r *es.Recorded) {
		r.EventID, r.Type, r.Payload, r.Digest = "other", "OrderNoted", `{"text":"z"}`, "d"
	}
	for _, c := range []struct {
		name     string
		puts     func(s *service) []put
		body     string // posted to an entity at version 1, state placed
		status   int
		code     string
		versions int      // of the entity afterwards
		tried    []string // slots
		replayed bool
	}{
		{"time-out after the commit", func(s *service) []put { return []put{s.afterCommit} },
			noted("o", "x"), 201, "", 2, []string{"put 2", "put 2"}, false},
		{"time-outs before and after the commit", func(s *service) []put { return []put{beforeCommit, s.afterCommit, beforeCommit} },
			noted("o", "x"), 201, "", 2, []string{"put 2", "put 2", "put 2", "put 2"}, false},
		{"time-out before the commit", func(*service) []put { return []put{beforeCommit} },
			noted("o", "x"), 201, "", 2, []string{"put 2", "put 2"}, false},
		{"time-out, then overtaken", func(s *service) []put { return []put{beforeCommit, s.overtaken(another)} },
			noted("o", "x"), 201, "", 3, []string{"put 2", "put 2", "put 3"}, false},
		{"throttled", func(*service) []put { return []put{throttled, throttled} },
			noted("o", "x"), 201, "", 2, []string{"put 2", "put 2", "put 2"}, false},
		{"overtaken by another event", func(s *service) []put { return []put{s.overtaken(another)} },
			noted("o", "x"), 201, "", 3, []string{"put 2", "put 3"}, false},
		{"overtaken, with an expected version", func(s *service) []put { return []put{s.overtaken(another)} },
			noted("o", "x", `"expectedVersion":1`), 409, "version", 2, []string{"put 2"}, false},
		{"overtaken by the same event", func(s *service) []put { return []put{s.overtaken(func(*es.Recorded) {})} },
			noted("o", "x"), 200, "", 2, []string{"put 2"}, true},
		{"overtaken by our id with other content", func(s *service) []put {
			return []put{s.overtaken(func(r *es.Recorded) { r.Digest = "d" })}
		}, noted("o", "x"), 422, "event-id-reused", 2, []string{"put 2"}, false},
		{"overtaken by what changes the state", func(s *service) []put {
			return []put{s.overtaken(func(r *es.Recorded) { another(r); r.State = "shipped" })}
		}, shipped("o"), 409, "state", 2, []string{"put 2"}, false},
		{"too large", func(*service) []put {
			return []put{func(context.Context, *es.Recorded) (*es.Recorded, error) { return nil, es.ErrTooLarge }}
		}, noted("o", "x"), 413, "too-large", 1, []string{"put 2"}, false},
		{"entity full", func(*service) []put {
			return []put{func(context.Context, *es.Recorded) (*es.Recorded, error) {
				return nil, fmt.Errorf("put: %w", es.ErrEntityFull)
			}}
		}, noted("o", "x"), 507, "entity-full", 1, []string{"put 2"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newService(t, ordersModel())
			s.mustPost(t, placed("o"))
			s.faults.calls, s.faults.puts = nil, c.puts(s)
			body := strings.Replace(c.body, "{", `{"eventId":"ours",`, 1)
			a := s.post(t, body)
			if c.code != "" {
				if m := wantProblem(t, a, c.status, c.code); m["eventId"] != "ours" {
					t.Errorf("problem names %v", m["eventId"])
				}
			} else if a.Status != c.status || (header(a, "Idempotency-Replayed") == "true") != c.replayed {
				t.Errorf("%d %v, want %d: %s", a.Status, a.Header, c.status, a.Body)
			}
			tried := slices.DeleteFunc(slices.Clone(s.faults.calls), func(call string) bool { return !strings.HasPrefix(call, "put") })
			if !slices.Equal(tried, c.tried) {
				t.Errorf("tried %v, want %v", tried, c.tried)
			}
			if n := len(s.events(t, "o")); n != c.versions {
				t.Errorf("%d events, want %d", n, c.versions)
			}
			s.faults.puts = nil
			if a.Status == 201 { // whatever happened, a retry finds it
				if again := s.post(t, body); again.Status != 200 || string(again.Body) != string(a.Body) {
					t.Errorf("again: %d %s, want 200 %s", again.Status, again.Body, a.Body)
				}
			}
		})
	}
}

func TestAppendReadsHeadThenEventIDThenPuts(t *testing.T) {
	s := newService(t, ordersModel())
	s.mustPost(t, placed("o"))
	s.faults.calls = nil
	s.mustPost(t, noted("o", "x", `"expectedVersion":1`))
	if want := []string{"head", "lookup", "put 2"}; !slices.Equal(s.faults.calls, want) {
		t.Errorf("calls %v, want %v", s.faults.calls, want)
	}
}

// torn are events whose next read does not show one of them, as a read that is not of one moment may.
type torn struct {
	es.EventStore
	version int64 // 0: the next read is whole
}

func (e *torn) Read(ctx context.Context, id string, after int64, limit int) (events []es.Recorded, more bool, err error) {
	events, more, err = e.EventStore.Read(ctx, id, after, limit)
	events = slices.DeleteFunc(events, func(r es.Recorded) bool { return r.Version == e.version })
	e.version = 0
	return events, more, err
}

// TestAppendAfterALostRace: what came since the event that was in the way is read in one go, and what that cannot
// tell is asked for as at first.
func TestAppendAfterALostRace(t *testing.T) {
	// others stores events up to a version; one may be ours, sent by somebody else.
	others := func(t *testing.T, s *service, last, ours int64) {
		for v := int64(2); v <= last; v++ {
			id := fmt.Sprint("other-", v)
			if v == ours {
				id = "ours"
			}
			if a := serviceOn(s.model, es.Stores{Events: s.faults.EventStore}).post(t, noted("o", "x", `"eventId":`+quote(id))); a.Status != 201 {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
		}
	}
	for _, c := range []struct {
		name   string
		last   int64 // version when our first put, of version 2, arrives
		ours   int64 // the version among them that has our id
		torn   int64 // the version that the next read does not show
		status int
		calls  []string // after the first put
	}{
		{"one was in the way", 2, 0, 0, 201, []string{"read 2", "put 3"}},
		{"more came after it", 6, 0, 0, 201, []string{"read 2", "put 7"}},
		{"ours came after it", 6, 4, 0, 200, []string{"read 2"}},
		{"ours came last and is not shown", 6, 6, 6, 200, []string{"read 2", "put 6"}},
		{"a gap", 6, 0, 4, 201, []string{"read 2", "head", "lookup", "put 7"}},
		{"a gap where ours is", 6, 4, 4, 200, []string{"read 2", "head", "lookup"}},
		{"very many came", 103, 0, 0, 201, []string{"read 2", "head", "lookup", "put 104"}},
		{"very many came, and ours", 103, 103, 0, 200, []string{"read 2", "head", "lookup"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newService(t, ordersModel())
			s.mustPost(t, placed("o"))
			reads := &torn{EventStore: s.faults.EventStore}
			s.faults.EventStore, s.faults.calls = reads, nil
			s.faults.puts = []put{func(ctx context.Context, event *es.Recorded) (*es.Recorded, error) {
				others(t, s, c.last, c.ours)
				reads.version = c.torn
				return reads.Put(ctx, event)
			}}
			a := s.post(t, noted("o", "x", `"eventId":"ours"`))
			if a.Status != c.status {
				t.Errorf("%d %s, want %d", a.Status, a.Body, c.status)
			}
			if want := append([]string{"head", "lookup", "put 2"}, c.calls...); !slices.Equal(s.faults.calls, want) {
				t.Errorf("calls %v, want %v", s.faults.calls, want)
			}
			stored := 0
			for _, r := range s.events(t, "o") {
				if r.EventID == "ours" {
					stored++
				}
			}
			if stored != 1 {
				t.Errorf("ours is stored %d times", stored)
			}
		})
	}
}

func TestAppendGivesUp(t *testing.T) {
	for name, fault := range map[string]put{"time-outs": beforeCommit, "throttles": throttled} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, ordersModel())
			s.faults.always = fault
			id, _ := wantProblem(t, s.post(t, placed("o")), 503, "unavailable")["eventId"].(string)
			if id == "" {
				t.Fatal("the problem names no eventId")
			}
			if n := len(s.faults.calls); n > 2+8 {
				t.Errorf("%d calls", n)
			}
		})
	}
	t.Run("stored all the same", func(t *testing.T) {
		s := newService(t, ordersModel())
		s.faults.always = func(ctx context.Context, event *es.Recorded) (*es.Recorded, error) {
			_, _ = s.faults.EventStore.Put(ctx, event)
			return nil, errTimeout
		}
		id := wantProblem(t, s.post(t, placed("o")), 503, "unavailable")["eventId"].(string)
		s.faults.always = nil
		if a := s.post(t, placed("o", `"eventId":`+quote(id))); a.Status != 200 {
			t.Errorf("the retry: %d %s", a.Status, a.Body)
		}
		if n := len(s.events(t, "o")); n != 1 {
			t.Errorf("%d events", n)
		}
	})
	t.Run("races lost", func(t *testing.T) {
		s := newService(t, ordersModel())
		s.mustPost(t, placed("o"))
		n := 0
		s.faults.always = s.overtaken(func(r *es.Recorded) { n++; r.EventID, r.Digest = fmt.Sprint("other", n), "d" })
		wantProblem(t, s.post(t, noted("o", "x")), 503, "unavailable")
		if n != 8 {
			t.Errorf("%d attempts, want 8", n)
		}
	})
	t.Run("reads fail", func(t *testing.T) {
		s := newService(t, ordersModel())
		s.faults.head = func() error { return errTimeout }
		m := wantProblem(t, s.post(t, placed("o", `"eventId":"e1"`)), 503, "unavailable")
		if m["eventId"] != "e1" || strings.Contains(fmt.Sprint(m), "time-out") {
			t.Errorf("problem %v", m)
		}
	})
	t.Run("reads fail at first", func(t *testing.T) {
		s := newService(t, ordersModel())
		fails := 2
		s.faults.head = func() error {
			if fails--; fails >= 0 {
				return es.ErrThrottled
			}
			return nil
		}
		s.mustPost(t, placed("o"))
	})
	t.Run("deadline passed", func(t *testing.T) {
		s := newService(t, ordersModel())
		s.faults.always = beforeCommit
		ctx, cancel := context.WithCancel(t.Context())
		s.faults.puts = nil
		s.faults.always = func(context.Context, *es.Recorded) (*es.Recorded, error) {
			cancel()
			return nil, ctx.Err()
		}
		wantProblem(t, s.do(ctx, "POST", "/", nil, placed("o")), 503, "unavailable")
		if n := len(s.faults.calls); n != 3 {
			t.Errorf("calls %v: tried on after the end", s.faults.calls)
		}
	})
	t.Run("a store that panics", func(t *testing.T) {
		s := newService(t, ordersModel())
		s.faults.always = func(context.Context, *es.Recorded) (*es.Recorded, error) { panic("secret") }
		m := wantProblem(t, s.post(t, placed("o", `"eventId":"e1"`)), 500, "internal")
		if m["eventId"] != "e1" || strings.Contains(fmt.Sprint(m), "secret") {
			t.Errorf("problem %v", m)
		}
	})
}

// Sixteen clients write to one entity; each event is sent several times at once by
// different clients, and again until it is answered.
func TestConcurrentAppends(t *testing.T) {
	for _, c := range []struct {
		copies int
		faults bool
	}{{2, false}, {4, false}, {4, true}} {
		t.Run(fmt.Sprintf("%d copies, faults %t", c.copies, c.faults), func(t *testing.T) {
			s := newService(t, ordersModel())
			s.mustPost(t, placed("o"))
			if c.faults {
				s.faults.always = s.unreliable
			}
			s.appendAtOnce(t, c.copies)
		})
	}
}

// appendAtOnce races for the versions of the entity "o", which has one event.
func (s *service) appendAtOnce(t *testing.T, copies int) {
	const clients, perClient = 16, 12
	type answered struct {
		status int
		body   string
	}
	answers := make([]map[string]answered, clients)
	var wg sync.WaitGroup
	for client := range clients {
		answers[client] = map[string]answered{}
		wg.Go(func() {
			for i := range perClient {
				// clients of one group send the same events
				id := fmt.Sprintf("e%d-%d", client/copies, i)
				body := noted("o", id, `"eventId":`+quote(id))
				a := s.do(t.Context(), "POST", "/", nil, body)
				for a.Status == 503 {
					a = s.do(t.Context(), "POST", "/", nil, body)
				}
				answers[client][id] = answered{a.Status, string(a.Body)}
			}
		})
	}
	wg.Wait()
	all := s.events(t, "o")
	if want := 1 + clients/copies*perClient; len(all) != want {
		t.Fatalf("%d events, want %d", len(all), want)
	}
	byID := map[string]int64{}
	for i, r := range all {
		if r.Version != int64(i+1) {
			t.Fatalf("a hole before version %d", r.Version)
		}
		if byID[r.EventID] != 0 {
			t.Fatalf("event %s twice", r.EventID)
		}
		byID[r.EventID] = r.Version
	}
	created := map[string]int{}
	first := map[string]string{}
	for _, of := range answers {
		for id, a := range of {
			if a.status != 200 && a.status != 201 {
				t.Fatalf("%s: %d %s", id, a.status, a.body)
			}
			if a.status == 201 {
				created[id]++
			}
			if first[id] == "" {
				first[id] = a.body
			}
			var event struct{ Version int64 }
			if err := json.Unmarshal([]byte(a.body), &event); err != nil || event.Version != byID[id] || first[id] != a.body {
				t.Fatalf("%s: answers differ: %s, %s, version %d", id, a.body, first[id], byID[id])
			}
		}
	}
	for id, n := range created {
		if n != 1 {
			t.Errorf("%s was answered 201 %d times", id, n)
		}
	}
}

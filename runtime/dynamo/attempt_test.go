package dynamo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/dynamo"
)

func failure(code, rest string) answer {
	return answer{status: 400, body: `{"__type":"com.amazonaws.dynamodb.v20120810#` + code + `"` + rest + `}`}
}

func cancelled(codes ...string) answer {
	var reasons []string
	for _, code := range codes {
		code, message, _ := strings.Cut(code, ": ")
		reasons = append(reasons, fmt.Sprintf(`{"Code":%q,"Message":%q}`, code, message))
	}
	return failure("TransactionCanceledException", `,"Message":"cancelled","CancellationReasons":[`+strings.Join(reasons, ",")+`]`)
}

var kinds = []error{es.ErrConflict, es.ErrThrottled, es.ErrTooLarge, es.ErrEntityFull, es.ErrCursor}

// wantKind checks that an error is of exactly one kind of package es; nil: of none, so its
// outcome is unknown.
func wantKind(t *testing.T, err, want error) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %v", want)
	}
	for _, kind := range kinds {
		if errors.Is(err, kind) != (kind == want) {
			t.Errorf("error %v: want %v", err, want)
		}
	}
}

func TestErrorsOfOneItem(t *testing.T) {
	lost := answer{err: errors.New("connection reset")}
	for _, c := range []struct {
		name     string
		answers  []answer
		want     error
		requests int
	}{
		{"throttled", []answer{failure("ProvisionedThroughputExceededException", "")}, es.ErrThrottled, 2},
		{"throttled, on demand", []answer{failure("ThrottlingException", "")}, es.ErrThrottled, 2},
		{"account's limit", []answer{failure("RequestLimitExceeded", "")}, es.ErrThrottled, 2},
		{"a transaction is under way", []answer{failure("TransactionConflictException", "")}, es.ErrThrottled, 2},
		{"lost, then throttled: may be written", []answer{lost, failure("ThrottlingException", "")}, nil, 2},
		{"lost", []answer{lost}, nil, 2},
		{"internal", []answer{{status: 500, body: `{"__type":"InternalServerError"}`}}, nil, 2},
		{"unavailable", []answer{{status: 503}}, nil, 2},
		{"full", []answer{failure("ItemCollectionSizeLimitExceededException", "")}, es.ErrEntityFull, 1},
		{"too large", []answer{failure("ValidationException", `,"message":"Item size has exceeded the maximum allowed size"`)}, es.ErrTooLarge, 1},
		{"malformed", []answer{failure("ValidationException", `,"message":"One or more parameter values were invalid"`)}, nil, 1},
		{"no such table", []answer{failure("ResourceNotFoundException", "")}, nil, 1},
		{"not allowed", []answer{failure("AccessDeniedException", "")}, nil, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, w := wired(t, c.answers...)
			_, err := s.Put(t.Context(), &placed)
			wantKind(t, err, c.want)
			if len(w.sent) != c.requests {
				t.Errorf("%d requests, want %d", len(w.sent), c.requests)
			}
			if strings.Contains(err.Error(), placed.Payload) {
				t.Errorf("the error shows the payload: %v", err)
			}
		})
	}
}

func TestErrorsOfATransaction(t *testing.T) {
	step := moveRecord(0, order)
	step.Markers = []es.MarkerWrite{{Marker: es.Marker{EntityID: "o-1", Position: 3}}}
	for _, c := range []struct {
		name     string
		answer   answer
		want     error
		requests int
	}{
		{"a condition", cancelled("None", "ConditionalCheckFailed"), es.ErrConflict, 1},
		{"another transaction", cancelled("TransactionConflict", "None"), es.ErrConflict, 1},
		{"another transaction, and capacity", cancelled("TransactionConflict", "ThrottlingError"), es.ErrThrottled, 2},
		{"another transaction, and a condition", cancelled("TransactionConflict", "ConditionalCheckFailed"), es.ErrConflict, 1},
		{"capacity", cancelled("ThrottlingError", "None"), es.ErrThrottled, 2},
		{"provisioned capacity", cancelled("None", "ProvisionedThroughputExceeded"), es.ErrThrottled, 2},
		{"too large", cancelled("ConditionalCheckFailed", "ValidationError: Item size to update has exceeded the maximum allowed size"), es.ErrTooLarge, 1},
		{"malformed", cancelled("None", "ValidationError: Type mismatch for key"), nil, 1},
		{"full", cancelled("ItemCollectionSizeLimitExceeded", "None"), es.ErrEntityFull, 1},
		{"our own is under way", failure("TransactionInProgressException", ""), nil, 2},
		{"all too large", failure("ValidationException", `,"message":"Transaction request size exceeded 4 MB"`), es.ErrTooLarge, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, w := wired(t, c.answer)
			wantKind(t, s.Write(t.Context(), step), c.want)
			if len(w.sent) != c.requests {
				t.Errorf("%d requests, want %d", len(w.sent), c.requests)
			}
			tokens := map[string]bool{}
			for _, r := range w.sent {
				var body struct{ ClientRequestToken string }
				if err := json.Unmarshal(r.body, &body); err != nil {
					t.Fatal(err)
				}
				tokens[body.ClientRequestToken] = true
			}
			if len(tokens) != 1 || tokens[""] {
				t.Errorf("tokens %v: tries of one step are one transaction", tokens)
			}
		})
	}
}

// TestLostAnswers: the first try was carried out and its answer lost; the second fails on what the
// first has written.
func TestLostAnswers(t *testing.T) {
	lost := answer{err: errors.New("connection reset")}
	stands := func(item string) answer {
		return failure("ConditionalCheckFailedException", `,"message":"The conditional request failed","Item":`+item)
	}
	for _, c := range []struct {
		name string
		call func(ctx context.Context, s *dynamo.Store) error
		// ours as it stands, and another's
		ours, others string
	}{
		{"an entry", func(ctx context.Context, s *dynamo.Store) error {
			return s.PutProgress(ctx, 1, es.Entry{Part: "p", ID: "i", Guard: 2, Value: "v"})
		}, `{"_part":{"S":"entry/p"},"_id":{"S":"i"},"_guard":{"N":"2"},"_value":{"S":"v"}}`,
			`{"_part":{"S":"entry/p"},"_id":{"S":"i"},"_guard":{"N":"2"},"_value":{"S":"w"}}`},
		{"a record", func(ctx context.Context, s *dynamo.Store) error {
			return s.Write(ctx, moveRecord(1, es.Item{Key: "o", Guard: 2, Payload: "{}"}))
		}, `{"_key":{"S":"o"},"_guard":{"N":"2"},"_payload":{"S":"{}"}}`, `{"_key":{"S":"o"},"_guard":{"N":"2"},"_payload":{"S":"{1}"}}`},
		{"a marker", func(ctx context.Context, s *dynamo.Store) error {
			return s.Write(ctx, moveMarker(1, es.Marker{EntityID: "o", Position: 2, State: "s"}))
		}, `{"_position":{"N":"2"},"_held":{"S":""},"_state":{"S":"s"}}`, `{"_position":{"N":"3"},"_held":{"S":""},"_state":{"S":"s"}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, again := range []struct {
				answers []answer
				ok      bool
			}{
				{[]answer{lost, stands(c.ours)}, true},
				{[]answer{lost, stands(c.others)}, false},
				{[]answer{stands(c.ours)}, false}, // another's, that happens to be the same
			} {
				s, _ := wired(t, again.answers...)
				err := c.call(t.Context(), s)
				if again.ok && err != nil {
					t.Errorf("%v, want none", err)
				}
				if !again.ok {
					wantKind(t, err, es.ErrConflict)
				}
			}
		})
	}
}

func TestAnOccupantComesWithTheRefusal(t *testing.T) {
	s, w := wired(t, failure("ConditionalCheckFailedException", `,"Item":{"_id":{"S":"o-1"},"_version":{"N":"3"},"_eventId":{"S":"other"},
		"_format":{"N":"1"},"_type":{"S":"T"},"_revision":{"N":"1"},"_time":{"S":"2026-02-03T04:05:06Z"},"_payload":{"S":"{}"}}`))
	occupant, err := s.Put(t.Context(), &placed)
	if err != nil || occupant == nil || occupant.EventID != "other" || occupant.Version != 3 || len(w.sent) != 1 {
		t.Errorf("occupant %+v, %v, %d requests", occupant, err, len(w.sent))
	}
}

func TestNothingIsSentAfterTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, w := wired(t, answer{err: errors.New("connection reset"), before: cancel})
	if _, err := s.Head(ctx, "o"); err == nil {
		t.Error("no error")
	}
	if len(w.sent) != 1 {
		t.Errorf("%d requests, want one", len(w.sent))
	}
}

func TestKeysLeftOverAreAskedForAgain(t *testing.T) {
	left := `"UnprocessedKeys":{"view-orders-2":{"Keys":[{"_key":{"S":"b"}}],"ConsistentRead":true}}`
	found := func(key string) string {
		return `"Responses":{"view-orders-2":[{"_key":{"S":"` + key + `"},"_guard":{"N":"1"},"_payload":{"S":"{}"}}]}`
	}
	read := []es.ViewRead{{Table: orders, Keys: []string{"a", "b"}}}

	s, w := wired(t, answer{body: "{" + found("a") + "," + left + "}"}, answer{body: "{" + left + "}"}, answer{body: "{" + found("b") + "}"})
	rows, err := s.Load(t.Context(), read)
	if err != nil || len(rows[0].Items) != 2 || len(w.sent) != 3 {
		t.Errorf("%+v, %v, %d requests", rows, err, len(w.sent))
	}
	s, _ = wired(t, answer{body: "{" + left + "}"})
	_, err = s.Load(t.Context(), read)
	wantKind(t, err, es.ErrThrottled)
}

func TestATryHasATimeOut(t *testing.T) {
	w := &wire{t: t, answers: []answer{{hang: true}}}
	o := wiredOptions(w)
	o.AttemptTimeout = time.Millisecond
	s, err := dynamo.New(o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Put(t.Context(), &placed)
	wantKind(t, err, nil)
	if len(w.sent) != 2 {
		t.Errorf("%d requests, want two", len(w.sent))
	}
}

func TestALargeHistoryIsToldOf(t *testing.T) {
	for _, c := range []struct{ from, told float64 }{{0, 0}, {4.9, 0}, {5, 5}, {9.5, 9.5}} {
		w := &wire{t: t, answers: []answer{{body: fmt.Sprintf(
			`{"ItemCollectionMetrics":{"ItemCollectionKey":{"_id":{"S":"o-1"}},"SizeEstimateRangeGB":[%g,%g]}}`, c.from, c.from+1)}}}
		o := wiredOptions(w)
		var told float64
		o.NearFull = func(id string, gigabytes float64) {
			if told = gigabytes; id != "o-1" {
				t.Errorf("told of %q", id)
			}
		}
		s, err := dynamo.New(o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Put(t.Context(), &placed); err != nil || told != c.told {
			t.Errorf("at %g GB: told of %g, %v, want %g", c.from, told, err, c.told)
		}
	}
}

func TestANewerFormatIsRefused(t *testing.T) {
	s, _ := wired(t, answer{body: `{"Items":[{"_id":{"S":"o"},"_version":{"N":"1"},"_format":{"N":"2"}}]}`})
	if _, err := s.Head(t.Context(), "o"); err == nil || !strings.Contains(err.Error(), "format 2") {
		t.Errorf("%v, want an error that names the format", err)
	}
}

func TestWhatIsNotUTF8IsNoKey(t *testing.T) {
	s, w := wired(t, answer{body: "{}"})
	bad := placed
	bad.EntityID = "\xff"
	if _, err := s.Put(t.Context(), &bad); err == nil {
		t.Error("put: no error")
	}
	if head, err := s.Head(t.Context(), "\xff"); head != nil || err != nil {
		t.Errorf("head: %v, %v", head, err)
	}
	if err := s.Write(t.Context(), moveRecord(0, es.Item{Key: "\xff", Guard: 1})); err == nil {
		t.Error("write: no error")
	}
	if len(w.sent) != 0 {
		t.Errorf("sent %s", w.sent[0].body)
	}
}

func TestOptions(t *testing.T) {
	env := map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "c"}
	o, err := dynamo.FromEnvironment(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	keys, err := o.Credentials.Retrieve(t.Context())
	if err != nil || o.Region != "eu-west-1" || keys.AccessKeyID != "a" || keys.SecretAccessKey != "b" || keys.SessionToken != "c" {
		t.Errorf("%+v, %+v, %v", o, keys, err)
	}
	if _, err := dynamo.New(o); err == nil {
		t.Error("options without a table: no error")
	}
	for _, name := range []string{"AWS_REGION", "AWS_SECRET_ACCESS_KEY"} {
		if _, err := dynamo.FromEnvironment(func(n string) string {
			if n == name {
				return ""
			}
			return env[n]
		}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
	o.Tables = dynamo.Tables{Views: []dynamo.ViewTable{{View: "v", Revision: 1, Name: "a", Shards: 1}, {View: "v", Revision: 1, Name: "b", Shards: 1}}}
	if _, err := dynamo.New(o); err == nil {
		t.Error("two tables of one revision: no error")
	}
	o.Tables.Views = []dynamo.ViewTable{{View: "v", Revision: 1, Name: "a"}}
	if _, err := dynamo.New(o); err == nil {
		t.Error("a table without shards: no error")
	}
	text, err := json.Marshal(dynamo.TablesOf(&es.Model{Views: []es.View{{Name: "v", Revision: 3, Indexes: []es.Index{{Name: "i"}}}}}, "x-"))
	if want := `{"events":"x-events","progress":"x-progress","views":[{"view":"v","revision":3,"name":"x-view-v-3","indexes":["i"],"shards":4}]}`; err != nil || string(text) != want {
		t.Errorf("as the environment has it: %s, %v, want %s", text, err, want)
	}
}

package dynamo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/dynamo"
)

var update = flag.Bool("update", false, "write what is measured and sent now to testdata and COST.md")

// golden compares a text with a file. What testdata/requests.txt and testdata/tables.txt hold is
// in deployed tables: a difference needs a reader of both.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (accept with go test ./runtime/dynamo -update):\n%s", file, got)
	}
}

// wire is a connection that notes requests and gives prepared answers.
type wire struct {
	t       *testing.T
	answers []answer
	sent    []sent
}

type sent struct {
	operation string
	body      []byte
}

// answer is a status and a body, or an error; the last is given again and again.
type answer struct {
	status int
	body   string
	err    error
	hang   bool   // until the request's time is over
	before func() // what happens while the request is under way
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	w.sent = append(w.sent, sent{operation, body})
	a := w.answers[min(len(w.sent), len(w.answers))-1]
	if a.before != nil {
		a.before()
	}
	if a.hang {
		<-r.Context().Done()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if a.err != nil {
		return nil, a.err
	}
	if a.status == 0 {
		a.status = 200
	}
	return &http.Response{
		StatusCode: a.status, Request: r, Body: io.NopCloser(strings.NewReader(a.body)),
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
	}, nil
}

// wired is a store on a wire, with two tries a request.
func wired(t *testing.T, answers ...answer) (*dynamo.Store, *wire) {
	t.Helper()
	w := &wire{t: t, answers: answers}
	s, err := dynamo.New(wiredOptions(w))
	if err != nil {
		t.Fatal(err)
	}
	return s, w
}

func wiredOptions(w *wire) dynamo.Options {
	return dynamo.Options{
		Region: "us-east-1", Credentials: dynamo.Keys(aws.Credentials{AccessKeyID: "key", SecretAccessKey: "secret"}),
		HTTPClient: w, Attempts: 2, MaxWait: time.Nanosecond, Clock: func() time.Time { return at },
		Tables: dynamo.Tables{Events: "events", Progress: "progress", Views: []dynamo.ViewTable{
			{View: "orders", Revision: 2, Name: "view-orders-2", Indexes: []string{"status"}, Shards: 4},
		}},
	}
}

var (
	at     = time.Date(2026, 2, 3, 4, 5, 6, 70, time.UTC)
	orders = es.Table{View: "orders", Revision: 2}
	placed = es.Recorded{
		EntityID: "o-1", Version: 3, EventID: "e-1", Type: "OrderPlaced", Revision: 2, Time: at, State: "placed", Digest: "d",
		Payload: `{"total":"1.50"}`, CorrelationID: "corr", CausationID: "cause", Actor: "someone",
	}
	order = es.Item{
		Key: "o-1", Guard: 4, Version: 3, State: "placed", Payload: `{"orderId":"o-1"}`, Held: "d-7",
		Entries: []es.IndexEntry{{Index: "status", Key: "placed", Sort: []byte("2026-02-03T00")}},
		Latest:  es.Moment{Time: at, EntityID: "o-1", Version: 3},
	}
)

func moveRecord(was int64, item es.Item) es.Step {
	return es.Step{Table: orders, Records: []es.ItemWrite{{Was: was, Item: item}}}
}

func moveMarker(was int64, m es.Marker) es.Step {
	return es.Step{Table: orders, Markers: []es.MarkerWrite{{Was: was, Marker: m}}}
}

// TestRequestsAreFrozen holds what stands in tables, and the conditions it is written on.
func TestRequestsAreFrozen(t *testing.T) {
	var text strings.Builder
	for _, c := range []struct {
		name string
		call func(ctx context.Context, s *dynamo.Store) error
	}{
		{"an event", func(ctx context.Context, s *dynamo.Store) error { _, err := s.Put(ctx, &placed); return err }},
		{"a bare event", func(ctx context.Context, s *dynamo.Store) error {
			_, err := s.Put(ctx, &es.Recorded{EntityID: "o", Version: 1, EventID: "e", Type: "T", Revision: 1, Time: at, Payload: "{}"})
			return err
		}},
		{"a head", func(ctx context.Context, s *dynamo.Store) error { _, err := s.Head(ctx, "o-1"); return err }},
		{"an event id", func(ctx context.Context, s *dynamo.Store) error { _, err := s.Lookup(ctx, "o-1", "e-1"); return err }},
		{"a history", func(ctx context.Context, s *dynamo.Store) error { _, _, err := s.Read(ctx, "o-1", 2, 10); return err }},
		{"entities", func(ctx context.Context, s *dynamo.Store) error { _, _, err := s.Heads(ctx, 1, 4, ""); return err }},
		{"a new record", func(ctx context.Context, s *dynamo.Store) error { return s.Write(ctx, moveRecord(0, order)) }},
		{"a tombstone", func(ctx context.Context, s *dynamo.Store) error {
			gone := order
			gone.Payload, gone.Guard, gone.Held = "", 5, ""
			step := moveRecord(4, gone)
			step.Rebuild = true
			return s.Write(ctx, step)
		}},
		{"a new marker", func(ctx context.Context, s *dynamo.Store) error {
			return s.Write(ctx, moveMarker(0, es.Marker{EntityID: "o-1", Position: 3, State: "placed"}))
		}},
		{"a marker held", func(ctx context.Context, s *dynamo.Store) error {
			return s.Write(ctx, moveMarker(3, es.Marker{EntityID: "o-1", Position: 3, Held: "d-7"}))
		}},
		{"a record", func(ctx context.Context, s *dynamo.Store) error {
			_, err := s.Get(ctx, orders, "o-1", false)
			return err
		}},
		{"records and markers", func(ctx context.Context, s *dynamo.Store) error {
			_, err := s.Load(ctx, []es.ViewRead{{Table: orders, Keys: []string{"o-1", "o-1"}, Markers: []string{"o-1"}}})
			return err
		}},
		{"a list", func(ctx context.Context, s *dynamo.Store) error {
			_, err := s.List(ctx, orders, es.PageRequest{Limit: 10})
			return err
		}},
		{"an entry", func(ctx context.Context, s *dynamo.Store) error {
			return s.PutProgress(ctx, 1, es.Entry{Part: "p", ID: "i", Guard: 2, Value: "v", Expires: at})
		}},
		{"a new entry", func(ctx context.Context, s *dynamo.Store) error {
			return s.PutProgress(ctx, 0, es.Entry{Part: "p", ID: "i", Guard: 1})
		}},
		{"entries", func(ctx context.Context, s *dynamo.Store) error {
			_, err := s.ListProgress(ctx, "p", "a", 5)
			return err
		}},
	} {
		s, w := wired(t, answer{body: "{}"})
		if err := c.call(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if len(w.sent) != 1 {
			t.Errorf("%s: %d requests, want one", c.name, len(w.sent))
		}
		var body bytes.Buffer
		var fields map[string]any
		if err := json.Unmarshal(w.sent[0].body, &fields); err != nil {
			t.Fatal(err)
		}
		sorted, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Indent(&body, sorted, "", "  "); err != nil {
			t.Fatal(err)
		}
		text.WriteString("# " + c.name + ": " + w.sent[0].operation + "\n" + body.String() + "\n\n")
	}
	golden(t, "testdata/requests.txt", text.String())
}

func TestTablesAreFrozen(t *testing.T) {
	m := &es.Model{Views: []es.View{
		{Name: "default", Revision: 1},
		{Name: "orders-by-customer", Revision: 2, Indexes: []es.Index{{Name: "status"}, {Name: "id-2"}}},
	}}
	definitions := dynamo.TablesOf(m, "orders-dev-").Definitions()
	text, err := json.MarshalIndent(definitions, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/tables.txt", string(text)+"\n")
}

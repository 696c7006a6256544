package es_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/bolt"
)

// service is the write and read side on an embedded store whose events side can be made to fail.
type service struct {
	model   *es.Model
	stores  es.Stores
	faults  *faultyEvents
	command *es.Command
	query   *es.Query

	mu  sync.Mutex
	now time.Time
}

// epoch is the first reading of a test's clock.
var epoch = time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)

func newService(t testing.TB, model *es.Model) *service {
	t.Helper()
	store, err := bolt.Open(filepath.Join(t.TempDir(), "store.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return serviceOn(model, store.Stores())
}

// serviceOn is newService on a store of the caller's.
func serviceOn(model *es.Model, stores es.Stores) *service {
	s := &service{model: model, stores: stores, now: epoch}
	s.faults = &faultyEvents{EventStore: s.stores.Events}
	s.stores.Events = s.faults
	s.command = es.NewCommand(model, s.faults, es.CommandOptions{Clock: s.tick})
	s.query = es.NewQuery(model, s.stores, es.QueryOptions{Clock: s.tick})
	return s
}

// tick tells the time, a second later each time, so that cached answers age.
func (s *service) tick() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now
	s.now = now.Add(time.Second)
	return now
}

// do sends a request. target is a path as a client would spell it, with a query.
func (s *service) do(ctx context.Context, method, target string, header map[string]string, body string) *es.Response {
	path, query, _ := strings.Cut(target, "?")
	decoded, err := url.PathUnescape(path)
	if err != nil {
		panic(err)
	}
	h := http.Header{}
	for name, value := range header {
		h.Set(name, value)
	}
	r := &es.Request{
		Method: method, Path: decoded, RawQuery: query, Base: "/test",
		Header: h.Get, Body: []byte(body), Actor: "someone", ID: "request-1",
	}
	if method == "POST" && decoded == "/" {
		return s.command.Handle(ctx, r)
	}
	return s.query.Handle(ctx, r)
}

func (s *service) get(t testing.TB, target string) *es.Response {
	t.Helper()
	return s.do(t.Context(), "GET", target, nil, "")
}

func (s *service) post(t testing.TB, body string) *es.Response {
	t.Helper()
	return s.do(t.Context(), "POST", "/", nil, body)
}

// mustPost stores events that have to be stored.
func (s *service) mustPost(t testing.TB, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		if a := s.post(t, body); a.Status != 201 {
			t.Fatalf("POST %s: %d %s", body, a.Status, a.Body)
		}
	}
}

// project brings the views up to date with every event.
func (s *service) project(t testing.TB) {
	t.Helper()
	p := es.NewProjector(s.model, s.stores, es.ProjectorOptions{Deployment: "one", Logger: slog.New(slog.DiscardHandler)})
	for cursor, first := "", true; first || cursor != ""; first = false {
		heads, next, err := s.stores.Events.Heads(t.Context(), 0, 1, cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, head := range heads {
			for after, more := int64(0), true; more; {
				var events []es.Recorded
				if events, more, err = s.stores.Events.Read(t.Context(), head.EntityID, after, 100); err != nil {
					t.Fatal(err)
				}
				if _, retry, err := p.Project(t.Context(), events); err != nil || retry != len(events) {
					t.Fatalf("project: retry %d of %d, %v", retry, len(events), err)
				}
				after += int64(len(events))
			}
		}
		cursor = next
	}
}

// put stores an event past the command, as an older deployment left it.
func (s *service) put(t testing.TB, r es.Recorded) {
	t.Helper()
	if r.EventID == "" {
		r.EventID = fmt.Sprintf("%s-%d", r.EntityID, r.Version)
	}
	r.Time = epoch
	r.Revision = max(r.Revision, 1)
	if occupant, err := s.faults.EventStore.Put(t.Context(), &r); err != nil || occupant != nil {
		t.Fatalf("put: %v, occupant %v", err, occupant)
	}
}

// events reads the whole history of an entity.
func (s *service) events(t testing.TB, id string) (all []es.Recorded) {
	t.Helper()
	for more := true; more; {
		var page []es.Recorded
		var err error
		if page, more, err = s.faults.EventStore.Read(t.Context(), id, int64(len(all)), 500); err != nil {
			t.Fatal(err)
		}
		all = append(all, page...)
	}
	return all
}

// faultyEvents is an event store with hooks; the real store is inside.
type faultyEvents struct {
	es.EventStore
	mu    sync.Mutex
	calls []string
	// puts are taken one by one by calls of Put; a nil one, and every call after
	// the last, goes through.
	puts []func(ctx context.Context, event *es.Recorded) (*es.Recorded, error)
	// always stands in for every Put when it is set.
	always func(ctx context.Context, event *es.Recorded) (*es.Recorded, error)
	head   func() error
	read   func() error
}

func (f *faultyEvents) note(call string) {
	f.mu.Lock()
	f.calls = append(f.calls, call)
	f.mu.Unlock()
}

func (f *faultyEvents) Head(ctx context.Context, id string) (*es.Recorded, error) {
	f.note("head")
	if f.head != nil {
		if err := f.head(); err != nil {
			return nil, err
		}
	}
	return f.EventStore.Head(ctx, id)
}

func (f *faultyEvents) Lookup(ctx context.Context, id, eventID string) (*es.Recorded, error) {
	f.note("lookup")
	return f.EventStore.Lookup(ctx, id, eventID)
}

func (f *faultyEvents) Read(ctx context.Context, id string, after int64, limit int) ([]es.Recorded, bool, error) {
	f.note(fmt.Sprintf("read %d", after))
	if f.read != nil {
		if err := f.read(); err != nil {
			return nil, false, err
		}
	}
	return f.EventStore.Read(ctx, id, after, limit)
}

func (f *faultyEvents) Put(ctx context.Context, event *es.Recorded) (*es.Recorded, error) {
	f.mu.Lock()
	f.calls = append(f.calls, fmt.Sprintf("put %d", event.Version))
	fault := f.always
	if fault == nil && len(f.puts) > 0 {
		fault, f.puts = f.puts[0], f.puts[1:]
	}
	f.mu.Unlock()
	if fault == nil {
		return f.EventStore.Put(ctx, event)
	}
	return fault(ctx, event)
}

// header is the value of a header of an answer, "" when it is absent.
func header(a *es.Response, name string) string {
	for _, h := range a.Header {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

// object decodes the body of an answer.
func object(t testing.TB, a *es.Response) map[string]any {
	t.Helper()
	m := map[string]any{}
	if err := json.Unmarshal(a.Body, &m); err != nil {
		t.Fatalf("%d %s: %v", a.Status, a.Body, err)
	}
	return m
}

// wantProblem checks what every problem has.
func wantProblem(t testing.TB, a *es.Response, status int, code string) map[string]any {
	t.Helper()
	if a.Status != status {
		t.Fatalf("status %d, want %d: %s", a.Status, status, a.Body)
	}
	if got := header(a, "Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q", got)
	}
	m := object(t, a)
	if m["code"] != code || m["type"] != "urn:esgen:problem:"+code || m["status"] != float64(status) || m["requestId"] != "request-1" {
		t.Errorf("problem %s, want code %s", a.Body, code)
	}
	if title, _ := m["title"].(string); title == "" {
		t.Errorf("problem without title: %s", a.Body)
	}
	if status == 503 && header(a, "Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
	return m
}

// placed is the body of a valid OrderPlaced; more members may follow.
func placed(id string, more ...string) string {
	return `{"type":"OrderPlaced","orderId":` + quote(id) + `,"customerId":"c1","quantity":2,"total":10.50` +
		strings.Join(append([]string{""}, more...), ",") + `}`
}

func noted(id, text string, more ...string) string {
	return `{"type":"OrderNoted","orderId":` + quote(id) + `,"text":` + quote(text) +
		strings.Join(append([]string{""}, more...), ",") + `}`
}

func shipped(id string, more ...string) string {
	return `{"type":"OrderShipped","orderId":` + quote(id) + `,"carrier":"dhl"` +
		strings.Join(append([]string{""}, more...), ",") + `}`
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

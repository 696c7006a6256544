package es_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/dynamo"
	"github.com/esgen/esgen/runtime/dynamo/dynamotest"
	"pgregory.net/rapid"
)

// The same races and the same simulation as on the other stores, on DynamoDB Local, over a
// connection that loses requests and answers.

// flaky is a connection that fails on the way there, on the way back, or is refused.
type flaky struct {
	client http.Client
	when   func(context.Context) bool

	mu    sync.Mutex
	rand  *rand.Rand
	fault float64
}

func newFlaky(seed uint64, fault float64, when func(context.Context) bool) *flaky {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 32
	return &flaky{client: http.Client{Transport: transport}, when: when, rand: rand.New(rand.NewPCG(seed, 3)), fault: fault}
}

func (f *flaky) roll() float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rand.Float64()
}

func (f *flaky) Do(r *http.Request) (*http.Response, error) {
	if !f.when(r.Context()) {
		return f.client.Do(r)
	}
	switch roll := f.roll(); {
	case roll < f.fault/3:
		return nil, errors.New("connection refused")
	case roll < f.fault*2/3:
		answer, err := f.client.Do(r)
		if err == nil {
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
		}
		return nil, errors.New("connection reset")
	case roll < f.fault:
		return &http.Response{
			StatusCode: 400, Request: r, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
			Body: io.NopCloser(strings.NewReader(`{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}`)),
		}, nil
	}
	return f.client.Do(r)
}

func TestConcurrentAppendsOnDynamoDB(t *testing.T) {
	for _, c := range []struct {
		copies int
		fault  float64
	}{{2, 0}, {4, 0}, {4, 0.2}} {
		t.Run(fmt.Sprintf("%d copies, faults %g", c.copies, c.fault), func(t *testing.T) {
			o := dynamotest.Options(t)
			o.Tables = dynamo.TablesOf(ordersModel(), "")
			var begun atomic.Bool
			o.HTTPClient = newFlaky(1, c.fault, func(context.Context) bool { return begun.Load() })
			store := dynamotest.Open(t, o)
			s := serviceOn(ordersModel(), store.Stores())
			s.mustPost(t, placed("o"))
			begun.Store(true)
			s.appendAtOnce(t, c.copies)
			begun.Store(false)
		})
	}
}

// hooked are stores whose calls have a fault before or after them.
type hooked struct {
	es.Stores
	before, after func(ctx context.Context, call string) error
}

func (h *hooked) stores() es.Stores {
	return es.Stores{Events: hookedEvents{h.Events, h}, Views: hookedViews{h.Views, h}, Progress: hookedProgress{h.Progress, h}}
}

func (h *hooked) call(ctx context.Context, name string, do func() error) error {
	if err := h.before(ctx, name); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return h.after(ctx, name)
}

type hookedEvents struct {
	es.EventStore
	h *hooked
}

func (e hookedEvents) Read(ctx context.Context, id string, after int64, limit int) (events []es.Recorded, more bool, err error) {
	err = e.h.call(ctx, "Read", func() (err error) {
		events, more, err = e.EventStore.Read(ctx, id, after, limit)
		return err
	})
	return events, more, err
}

type hookedViews struct {
	es.ViewStore
	h *hooked
}

func (v hookedViews) Load(ctx context.Context, reads []es.ViewRead) (rows []es.ViewRows, err error) {
	err = v.h.call(ctx, "Load", func() (err error) {
		rows, err = v.ViewStore.Load(ctx, reads)
		return err
	})
	return rows, err
}

func (v hookedViews) Write(ctx context.Context, step es.Step) error {
	return v.h.call(ctx, "Write", func() error { return v.ViewStore.Write(ctx, step) })
}

type hookedProgress struct {
	es.ProgressStore
	h *hooked
}

func (p hookedProgress) Progress(ctx context.Context, part, id string) (entry *es.Entry, err error) {
	err = p.h.call(ctx, "Progress", func() (err error) {
		entry, err = p.ProgressStore.Progress(ctx, part, id)
		return err
	})
	return entry, err
}

func (p hookedProgress) PutProgress(ctx context.Context, was int64, entry es.Entry) error {
	return p.h.call(ctx, "PutProgress", func() error { return p.ProgressStore.PutProgress(ctx, was, entry) })
}

func (p hookedProgress) DeleteProgress(ctx context.Context, part, id string) error {
	return p.h.call(ctx, "DeleteProgress", func() error { return p.ProgressStore.DeleteProgress(ctx, part, id) })
}

// seeds is how many the simulation on DynamoDB Local runs; SEEDS sets another number.
func seeds(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("SEEDS")
	if text == "" {
		return 6
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		t.Fatalf("SEEDS: %v", err)
	}
	return n
}

func TestViewsEqualTheFoldOfTheHistoryOnDynamoDB(t *testing.T) {
	for seed := range seeds(t) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel() // most of the time they wait to try again
			fault := []float64{0.1, 0.02, 0.3, 0}[seed%4]
			o := dynamotest.Options(t)
			o.Tables = dynamo.TablesOf(ledgerModel(true), "")
			o.HTTPClient = newFlaky(seed, fault, func(ctx context.Context) bool { return ctx.Value(crashKey{}) != nil })
			h := &hooked{Stores: dynamotest.Open(t, o).Stores()}
			s := &simulation{
				stores: h.stores(), histories: rapid.Custom(drawHistories).Example(int(seed)),
				mixed: seed%3 == 1, fault: fault, rand: rand.New(rand.NewPCG(seed, 1)),
			}
			h.before, h.after = s.before, s.after
			s.run(t, 2+s.pick(8))
		})
	}
}

package es_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/bolt"
	"github.com/esgen/esgen/runtime/dynamo"
	"github.com/esgen/esgen/runtime/dynamo/dynamotest"
	"github.com/esgen/esgen/runtime/internal/jitter"
)

// A record that all entities feed: the sum of a bank. It must be exact whoever folds into it at once,
// and what that takes must be bounded.

const (
	hotWorkers = 4 // projectors, as many shards have one each
	// hotDeliveries is how often the generated stack's stream delivers a batch at most.
	hotDeliveries = 11
)

// bank are the events of so many entities that all feed one record of the boards.
func bank(entities int, seed uint64) (histories map[string][]es.Recorded, stream []es.Recorded) {
	random := rand.New(rand.NewPCG(seed, 5))
	histories = map[string][]es.Recorded{}
	for i := range entities {
		id := fmt.Sprint("account-", i)
		acts := []act{{kind: "Opened", Keys: []string{"bank"}, N: random.Int64N(1000)}}
		if i%4 == 0 {
			acts = append(acts, act{kind: "Added", Keys: []string{"bank"}, N: random.Int64N(1000)})
		}
		for v, a := range acts {
			r := record(id, int64(v)+1, a, "")
			r.Time = ledgerEpoch.Add(time.Duration(random.Int64N(int64(time.Hour))))
			histories[id] = append(histories[id], r)
			stream = append(stream, r)
		}
	}
	return histories, stream
}

// storeAll stores histories beside each other.
func storeAll(t *testing.T, events es.EventStore, histories map[string][]es.Recorded) {
	t.Helper()
	work := make(chan []es.Recorded)
	var wait sync.WaitGroup
	var failed atomic.Value
	for range 64 {
		wait.Go(func() {
			for h := range work {
				for i := range h {
					if occupant, err := events.Put(context.WithoutCancel(t.Context()), &h[i]); err != nil || occupant != nil {
						failed.Store(fmt.Sprint(occupant, err))
					}
				}
			}
		})
	}
	for _, h := range histories {
		work <- h
	}
	close(work)
	wait.Wait()
	if f := failed.Load(); f != nil {
		t.Fatal(f)
	}
}

// steps counts the writes of a worker.
type steps struct {
	es.ViewStore
	h *shared
}

func (s steps) Write(ctx context.Context, step es.Step) error {
	err := s.ViewStore.Write(ctx, step)
	items := int64(len(step.Records) + len(step.Markers))
	switch {
	case err == nil:
		s.h.taken.Add(1)
		s.h.items.Add(items)
	case errors.Is(err, es.ErrConflict):
		s.h.refused.Add(1)
		s.h.itemsRefused.Add(items)
	default:
		s.h.failed.Add(1)
	}
	return err
}

// shared is what became of a hot record: steps, the items in them, and batches that came again.
type shared struct {
	taken, refused, failed, items, itemsRefused, again atomic.Int64

	events float64
}

// each is so many for each event.
func (h *shared) each(n *atomic.Int64) float64 { return float64(n.Load()) / h.events }

// projectHot has workers project the batches of a stream beside each other, each on stores of its own, and
// checks that the record is what all the events come to.
func projectHot(t *testing.T, workers, size int, crowd bool, histories map[string][]es.Recorded, stream []es.Recorded, open func() es.Stores) (h *shared) {
	t.Helper()
	m := only(ledgerModel(true), "boards")
	h = &shared{events: float64(len(stream))}
	batches := make(chan []es.Recorded)
	var wait sync.WaitGroup
	for i := range workers {
		stores := open()
		ctx := jitter.Seeded(context.WithoutCancel(t.Context()), rand.New(rand.NewPCG(uint64(i), 11)))
		stores.Views = steps{stores.Views, h}
		p := es.NewProjector(m, stores, es.ProjectorOptions{Logger: quiet()})
		wait.Go(func() {
			for batch := range batches {
				for delivery := 1; len(batch) > 0; delivery++ {
					_, retry, err := p.Project(ctx, batch)
					if batch = batch[retry:]; err == nil {
						continue
					}
					if h.again.Add(1); delivery == hotDeliveries {
						t.Errorf("a batch of %d was delivered %d times, and would be given up: %v", size, delivery, err)
						break
					}
				}
			}
		})
	}
	for batch := range slices.Chunk(stream, size) {
		batches <- batch
	}
	close(batches)
	wait.Wait()
	got, err := contents(t.Context(), open().Views, m)
	if err != nil {
		t.Fatal(err)
	}
	if d := differences(got, map[string]content{"boards": expectLedger(histories, true)["boards"]}); d != "" {
		t.Error(d)
	}
	// A write is refused when another worker's was taken since the record was read: each that is taken
	// can refuse one of each other worker.
	if taken, refused := h.taken.Load(), h.refused.Load(); refused > int64(workers-1)*taken && !crowd {
		t.Errorf("%d writes were refused for %d that were taken", refused, taken)
	}
	if n := h.failed.Load(); n > 0 {
		t.Errorf("%d writes failed", n)
	}
	t.Logf("%d workers, batches of %d, %d events: %.3f writes an event with %.2f items, %.3f more with %.2f items were refused; %d of %d batches came again",
		workers, size, len(stream), h.each(&h.taken), h.each(&h.items), h.each(&h.refused), h.each(&h.itemsRefused), h.again.Load(), (len(stream)+size-1)/size)
	return h
}

func TestHotRecordOnTheEmbeddedStore(t *testing.T) {
	histories, stream := bank(sized(t, "ESGEN_HOT_ENTITIES", 10_000), 1)
	for _, c := range []struct{ workers, size int }{{1, 100}, {hotWorkers, 100}, {hotWorkers, 10}} {
		t.Run(fmt.Sprintf("%d workers, batches of %d", c.workers, c.size), func(t *testing.T) {
			store, err := bolt.Open(filepath.Join(t.TempDir(), "store.db"), bolt.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = store.Close() })
			storeAll(t, store, histories)
			projectHot(t, c.workers, c.size, false, histories, stream, store.Stores)
		})
	}
}

// far are views that answer in some milliseconds, however many ask.
type far struct {
	es.ViewStore
	random *rand.Rand
}

func (f *far) half(d time.Duration) {
	time.Sleep(d/4 + time.Duration(f.random.ExpFloat64()*float64(d)/4))
}

func (f *far) Load(ctx context.Context, reads []es.ViewRead) ([]es.ViewRows, error) {
	f.half(4 * time.Millisecond)
	defer f.half(4 * time.Millisecond)
	return f.ViewStore.Load(ctx, reads)
}

func (f *far) Write(ctx context.Context, step es.Step) error {
	f.half(12 * time.Millisecond)
	defer f.half(12 * time.Millisecond)
	return f.ViewStore.Write(ctx, step)
}

// TestHotRecordOfManyProjectors: the time is virtual, so what is refused hardly changes from run to run.
func TestHotRecordOfManyProjectors(t *testing.T) {
	histories, stream := bank(500, 1)
	for _, c := range []struct {
		workers, size int
		refused       float64 // of each event, at most
		again         int64   // batches, at most
	}{{1, 1, 0, 0}, {2, 1, 0.4, 1}, {4, 1, 0.9, 4}, {4, 10, 0.1, 1}, {4, 100, 0.02, 0}, {16, 1, 2.2, 15}, {16, 10, 0.3, 2}} {
		t.Run(fmt.Sprintf("%d workers, batches of %d", c.workers, c.size), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, n := newMemoryStore(), uint64(0)
				storeAll(t, store, histories)
				h := projectHot(t, c.workers, c.size, false, histories, stream, func() es.Stores {
					n++
					s := store.stores()
					s.Views = &far{s.Views, rand.New(rand.NewPCG(n, 9))}
					return s
				})
				if h.each(&h.refused) > c.refused || h.again.Load() > c.again {
					t.Errorf("%.3f refused for an event, at most %g; %d batches came again, at most %d", h.each(&h.refused), c.refused, h.again.Load(), c.again)
				}
			})
		})
	}
}

// crowded is a connection to a DynamoDB that refuses, as AWS does, a transaction while another is under way with
// the same item, which all of them have here.
type crowded struct {
	client   *http.Client
	underWay atomic.Int32
}

func (c *crowded) Do(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".TransactWriteItems") {
		return c.client.Do(r)
	}
	defer c.underWay.Add(-1)
	if c.underWay.Add(1) == 1 {
		return c.client.Do(r)
	}
	return &http.Response{
		StatusCode: 400, Request: r, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(`{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
			"Message":"Transaction cancelled","CancellationReasons":[{"Code":"TransactionConflict"},{"Code":"None"}]}`)),
	}, nil
}

func TestHotRecordOnDynamoDB(t *testing.T) {
	entities := sized(t, "ESGEN_HOT_ENTITIES", 500)
	for _, c := range []struct {
		workers, size int
		crowded       bool
	}{{1, 100, false}, {hotWorkers, 100, false}, {hotWorkers, 10, false}, {hotWorkers, 1, false}, {hotWorkers, 10, true}, {hotWorkers, 1, true}} {
		t.Run(fmt.Sprintf("%d workers, batches of %d, crowded %t", c.workers, c.size, c.crowded), func(t *testing.T) {
			some := entities
			if c.size == 1 {
				some = max(1, entities/5) // a transaction each takes its time
			}
			histories, stream := bank(some, 1)
			m := &meter{requests: map[string]int{}}
			o := dynamotest.Options(t)
			o.Tables, o.Meter = dynamo.TablesOf(only(ledgerModel(true), "boards"), ""), m.add
			transport := http.DefaultTransport.(*http.Transport).Clone()
			transport.MaxIdleConnsPerHost = 64
			t.Cleanup(transport.CloseIdleConnections)
			client := &http.Client{Transport: transport}
			if o.HTTPClient = client; c.crowded {
				o.HTTPClient = &crowded{client: client}
			}
			storeAll(t, dynamotest.Open(t, o), histories)
			var h *shared
			m.row("", func() {
				h = projectHot(t, c.workers, c.size, c.crowded, histories, stream, func() es.Stores {
					s, err := dynamo.New(o)
					if err != nil {
						t.Fatal(err)
					}
					return s.Stores()
				})
			})
			t.Logf("an event takes %.2f read units, %.2f write units, and %.2f of what was refused", m.reads/h.events, 2*h.each(&h.items), 2*h.each(&h.itemsRefused))
		})
	}
}

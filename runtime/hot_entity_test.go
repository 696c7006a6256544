package es_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/bolt"
	"github.com/esgen/esgen/runtime/dynamo"
	"github.com/esgen/esgen/runtime/dynamo/dynamotest"
	"github.com/esgen/esgen/runtime/internal/jitter"
	"github.com/esgen/esgen/runtime/local"
)

// An entity that everybody writes to at once: what it costs, and who waits how long. Times are
// told in appends that nobody contends, of the same run, and nothing is asserted of them.

// hotEvents is how many events each writer sends; ESGEN_HOT_EVENTS sets another number.
func hotEvents(t *testing.T) int { return sized(t, "ESGEN_HOT_EVENTS", 6) }

func sized(t *testing.T, variable string, usual int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s: %q is no number of things", variable, text)
	}
	return n
}

const (
	hotWriters = 64
	// hotResends is how often an event may be sent again until it is stored. One request in
	// thirty or so finds no slot in its attempts.
	hotResends = 12
)

// answered is what a client gets for a POST.
type answered struct {
	status     int
	retryAfter string
	body       []byte
}

// hotClient sends a body once.
type hotClient func(ctx context.Context, body string) (answered, error)

// sent is how it went with an event until it was stored.
type sent struct {
	eventID string
	version int64
	resends int
	took    time.Duration
}

// sendAll sends events one after the other, each until it is stored: with the same id, after as long a
// wait as it was told.
func (c hotClient) sendAll(ctx context.Context, entity, name string, events int) (all []sent, err error) {
	for i := range events {
		one := sent{eventID: fmt.Sprintf("%s-%d", name, i)}
		body := noted(entity, one.eventID, `"eventId":`+quote(one.eventID))
		for began := time.Now(); one.version == 0; one.took = time.Since(began) {
			a, err := c(ctx, body)
			if err != nil {
				return all, err
			}
			switch {
			case a.status == 201, a.status == 200 && one.resends > 0:
				var event struct {
					EventID string
					Version int64
				}
				if err := json.Unmarshal(a.body, &event); err != nil || event.Version < 1 || event.EventID != one.eventID {
					return all, fmt.Errorf("%s was answered with %s, %v", one.eventID, a.body, err)
				}
				one.version = event.Version
			case a.status == 503:
				seconds, err := strconv.Atoi(a.retryAfter)
				if err != nil || seconds < 1 {
					return all, fmt.Errorf("503 with Retry-After %q", a.retryAfter)
				}
				if one.resends++; one.resends > hotResends {
					return all, fmt.Errorf("%s starves: sent %d times, and not stored", one.eventID, one.resends)
				}
				time.Sleep(time.Duration(seconds) * time.Second)
			default:
				return all, fmt.Errorf("%s was answered with %d %s", one.eventID, a.status, a.body)
			}
		}
		all = append(all, one)
	}
	return all, nil
}

// storm has all clients write to one entity, which has an event, and checks what must hold on any store: each
// event is stored once, where its answer says, and no version is missing.
func storm(t *testing.T, entity string, events int, clients []hotClient, history func() []es.Recorded) (all []sent) {
	t.Helper()
	of := make([][]sent, len(clients))
	errs := make([]error, len(clients))
	var wait sync.WaitGroup
	for i, c := range clients {
		wait.Go(func() { of[i], errs[i] = c.sendAll(t.Context(), entity, fmt.Sprint("writer-", i), events) })
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	all = slices.Concat(of...)
	stored := history()
	if want := 1 + len(clients)*events; len(all) != want-1 || len(stored) != want {
		t.Fatalf("%d events are acknowledged, %d stored, want %d and %d", len(all), len(stored), want-1, want)
	}
	for i, r := range stored {
		if r.Version != int64(i)+1 {
			t.Fatalf("version %d is missing", i+1)
		}
	}
	for _, one := range all {
		if one.version > int64(len(stored)) || stored[one.version-1].EventID != one.eventID {
			t.Errorf("%s was acknowledged as version %d, which is another event", one.eventID, one.version)
		}
	}
	return all
}

// toll counts what requests do to the store.
type toll struct {
	es.EventStore
	random   *rand.Rand // of the waits
	calls    int
	slots    map[int64]bool // tried by the request that is under way
	attempts []int          // of each request that is done
}

func (c *toll) Head(ctx context.Context, id string) (*es.Recorded, error) {
	c.calls++
	return c.EventStore.Head(ctx, id)
}

func (c *toll) Lookup(ctx context.Context, id, eventID string) (*es.Recorded, error) {
	c.calls++
	return c.EventStore.Lookup(ctx, id, eventID)
}

func (c *toll) Read(ctx context.Context, id string, after int64, limit int) ([]es.Recorded, bool, error) {
	c.calls++
	return c.EventStore.Read(ctx, id, after, limit)
}

func (c *toll) Put(ctx context.Context, r *es.Recorded) (*es.Recorded, error) {
	c.calls++
	if c.slots != nil {
		c.slots[r.Version] = true
	}
	return c.EventStore.Put(ctx, r)
}

// client has a command of its own, as every instance of a function has, and one request at a time.
func (c *toll) client(model *es.Model) hotClient {
	command := es.NewCommand(model, c, es.CommandOptions{Logger: quiet()})
	return func(ctx context.Context, body string) (answered, error) {
		c.slots = map[int64]bool{}
		a := command.Handle(jitter.Seeded(ctx, c.random), &es.Request{Method: "POST", Path: "/", Body: []byte(body), ID: "request-1"})
		c.attempts = append(c.attempts, len(c.slots))
		return answered{a.Status, header(a, "Retry-After"), a.Body}, nil
	}
}

// alone is what an append takes that nobody contends: the median of some.
func alone(t *testing.T, c hotClient, entity string) time.Duration {
	t.Helper()
	all, err := c.sendAll(t.Context(), entity, "alone", 21)
	if err != nil {
		t.Fatal(err)
	}
	return percentile(all, 0.5)
}

func percentile(all []sent, p float64) time.Duration {
	times := make([]time.Duration, 0, len(all))
	for _, one := range all {
		times = append(times, one.took)
	}
	slices.Sort(times)
	return times[int(p*float64(len(times)-1))]
}

// report says what the storm was like.
func report(t *testing.T, all []sent, writers int, unit time.Duration) {
	t.Helper()
	most, resent := 0, 0
	for _, one := range all {
		most, resent = max(most, one.resends), resent+one.resends
	}
	times := func(p float64) float64 { return float64(percentile(all, p)) / float64(unit) }
	t.Logf("%d writers, %d events: %.1f %% of the requests were answered 503, one event %d times; p50, p99 and the longest took %.1f, %.0f and %.0f appends that nobody contends (%v)",
		writers, len(all), 100*float64(resent)/float64(resent+len(all)), most, times(0.5), times(0.99), times(1), unit)
}

// raced is what became of a race.
type raced struct {
	all             []sent
	unit            time.Duration // an append that nobody contends
	calls, attempts int
	requests        int
}

// each is so many for each event that is stored.
func (r raced) each(n int) float64 { return float64(n) / float64(len(r.all)) }

// race has functions race on the stores that open gives each of them. What is random in a function, and may be
// in its store, is its own.
func race(t *testing.T, seed uint64, writers, events int, open func(random *rand.Rand) es.EventStore) (r raced) {
	t.Helper()
	model := ordersModel()
	functions := make([]*toll, 1+writers)
	for i := range functions {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		functions[i] = &toll{EventStore: open(random), random: random}
	}
	first, functions := functions[0], functions[1:]
	s := serviceOn(model, es.Stores{Events: first})
	s.mustPost(t, placed("hot"), placed("cold"))
	r.unit = alone(t, first.client(model), "cold")
	var clients []hotClient
	for _, f := range functions {
		clients = append(clients, f.client(model))
	}
	began := time.Now()
	r.all = storm(t, "hot", events, clients, func() []es.Recorded { return s.events(t, "hot") })
	pace := float64(time.Since(began)) / float64(len(r.all)) / float64(r.unit)
	for _, c := range functions {
		r.calls += c.calls
		for _, n := range c.attempts {
			r.requests++
			if r.attempts += n; n > 8 {
				t.Errorf("a request tried %d slots, at most 8", n)
			}
		}
	}
	report(t, r.all, writers, r.unit)
	t.Logf("an event every %.2f of such appends, with %.2f attempts and %.1f requests of the store", pace, r.each(r.attempts), r.each(r.calls))
	if r.calls > 3*r.attempts {
		t.Errorf("%d requests for %d attempts, at most three for each", r.calls, r.attempts)
	}
	return r
}

// distant is a store that answers in 2 ms and more, 4 on average, however many ask.
type distant struct {
	es.EventStore
	random *rand.Rand
}

func (d *distant) half() {
	time.Sleep(time.Millisecond + time.Duration(d.random.ExpFloat64()*float64(time.Millisecond)))
}

func (d *distant) Head(ctx context.Context, id string) (*es.Recorded, error) {
	d.half()
	defer d.half()
	return d.EventStore.Head(ctx, id)
}

func (d *distant) Lookup(ctx context.Context, id, eventID string) (*es.Recorded, error) {
	d.half()
	defer d.half()
	return d.EventStore.Lookup(ctx, id, eventID)
}

func (d *distant) Read(ctx context.Context, id string, after int64, limit int) ([]es.Recorded, bool, error) {
	d.half()
	defer d.half()
	return d.EventStore.Read(ctx, id, after, limit)
}

func (d *distant) Put(ctx context.Context, r *es.Recorded) (*es.Recorded, error) {
	d.half()
	defer d.half()
	return d.EventStore.Put(ctx, r)
}

// bounds are what a race may take, far enough from what it takes to hold with any seed: 64 writers have 2.5 % refused,
// 3.2 attempts and 7.5 requests an event, and wait for 420 appends at most.
type bounds struct {
	refused  float64 // share of the requests that are answered 503
	attempts float64 // of each event
	calls    float64 // of each event
	longest  float64 // in appends that nobody contends
}

var hotBounds = map[int]bounds{
	1:  {0, 1, 3, 2},
	2:  {0, 1.6, 4.5, 60},
	8:  {0.01, 2.2, 5.5, 250},
	64: {0.06, 4, 9, 1000},
}

func (r raced) bound(t *testing.T, b bounds) {
	t.Helper()
	got := bounds{
		refused:  1 - float64(len(r.all))/float64(r.requests),
		attempts: r.each(r.attempts), calls: r.each(r.calls),
		longest: float64(percentile(r.all, 1)) / float64(r.unit),
	}
	if got.refused > b.refused || got.attempts > b.attempts || got.calls > b.calls || got.longest > b.longest {
		t.Errorf("took %.3f, at most %v", got, b)
	}
}

// TestHotEntityOfManyFunctions: a store like DynamoDB answers in some milliseconds however many ask.
// The time is virtual, so what is seen of it follows from the seed.
func TestHotEntityOfManyFunctions(t *testing.T) {
	for _, writers := range []int{1, 2, 8, 64} {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("%d writers, seed %d", writers, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					store := newMemoryStore()
					r := race(t, seed, writers, 20, func(random *rand.Rand) es.EventStore { return &distant{store, random} })
					r.bound(t, hotBounds[writers])
				})
			})
		}
	}
}

func TestHotEntityOnTheEmbeddedStore(t *testing.T) {
	store, err := bolt.Open(filepath.Join(t.TempDir(), "store.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	race(t, 1, hotWriters, hotEvents(t), func(*rand.Rand) es.EventStore { return store })
}

func TestHotEntityOnDynamoDB(t *testing.T) {
	o := dynamotest.Options(t)
	o.Tables = dynamo.TablesOf(ordersModel(), "")
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = hotWriters
	t.Cleanup(transport.CloseIdleConnections)
	o.HTTPClient = &http.Client{Transport: transport}
	dynamotest.Open(t, o)
	race(t, 1, hotWriters, hotEvents(t), func(*rand.Rand) es.EventStore {
		store, err := dynamo.New(o)
		if err != nil {
			t.Fatal(err)
		}
		return store
	})
}

// TestHotEntityOfTheLocalProgram: who writes to one file is one process, where appends to one
// entity take turns. None fails.
func TestHotEntityOfTheLocalProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	url, stop := runLocal(t, ordersModel(), "-store", path)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = hotWriters
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport}
	post := func(ctx context.Context, body string) (a answered, err error) {
		r, err := http.NewRequestWithContext(ctx, "POST", url+"/", strings.NewReader(body))
		if err != nil {
			return a, err
		}
		answer, err := client.Do(r)
		if err != nil {
			return a, err
		}
		defer func() { _ = answer.Body.Close() }()
		a.status, a.retryAfter = answer.StatusCode, answer.Header.Get("Retry-After")
		a.body, err = io.ReadAll(answer.Body)
		return a, err
	}
	for _, id := range []string{"hot", "cold"} {
		if a, err := post(t.Context(), placed(id)); err != nil || a.status != 201 {
			t.Fatal(a.status, string(a.body), err)
		}
	}
	unit := alone(t, post, "cold")
	all := storm(t, "hot", max(20, hotEvents(t)), slices.Repeat([]hotClient{post}, hotWriters), func() []es.Recorded {
		stop()
		store, err := bolt.Open(path, bolt.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = store.Close() }()
		return serviceOn(ordersModel(), store.Stores()).events(t, "hot")
	})
	report(t, all, hotWriters, unit)
	for _, one := range all {
		if one.resends > 0 {
			t.Errorf("%s was sent %d times again", one.eventID, one.resends)
		}
	}
}

// runLocal runs a local program in this process.
func runLocal(t *testing.T, m *es.Model, args ...string) (url string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	out, in := io.Pipe()
	ended := make(chan int, 1)
	var log strings.Builder // read when the program has ended
	go func() {
		ended <- local.Run(ctx, m, append([]string{"-addr", "127.0.0.1:0"}, args...), strings.NewReader(""), in, &log)
		_ = in.Close()
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if status := <-ended; status != 0 {
			t.Errorf("the program ended with %d:\n%s", status, log.String())
		}
	})
	t.Cleanup(stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the program did not start: %v", err)
	}
	return strings.TrimSpace(line), stop
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The processes tests have many clients send events of one hot entity and of some cold ones while the
// processes that serve them are killed. The clients live in the test: what they were told is known.

// crowd is what the clients send and are told.
type crowd struct {
	domain domain
	seed   uint64
	each   int // events of a client
	every  int // sends that are answered between two kills, about
	// address is where a server is; it may be gone.
	address func(r *rand.Rand) string
	// behind a gateway that answers by itself when a function dies.
	gateway bool
	client  *http.Client

	mu       sync.Mutex
	rand     *rand.Rand
	sent     map[string]string // by event id
	answered map[string]string // likewise, the first answer that says what is stored
	created  map[string]bool   // answered 201
	tally    map[string]int    // answers by what they are
	settled  int               // sends that were answered for good
	next     int               // of settled, when the next kill is due
	due      chan struct{}
}

const (
	crowdSize  = 50
	crowdEach  = 6 // events of a client, unless the environment says otherwise
	eventSends = 4 // of each event
	coldOnes   = 12
	hotEntity  = "hot-1"
	sendTries  = 1000 // of one send
)

// newCrowd takes what the environment says: ESGEN_KILL_EVENTS is how many events each client sends,
// ESGEN_KILL_SEED decides which.
func newCrowd(t *testing.T, every int, gateway bool, address func(r *rand.Rand) string) *crowd {
	t.Helper()
	c := &crowd{
		domain: sensors, seed: rand.Uint64(), each: crowdEach, every: every, address: address, gateway: gateway,
		client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: crowdSize * eventSends}},
		sent:   map[string]string{}, answered: map[string]string{}, created: map[string]bool{}, tally: map[string]int{}, due: make(chan struct{}, 1),
	}
	t.Cleanup(c.client.CloseIdleConnections)
	if n, err := strconv.Atoi(os.Getenv("ESGEN_KILL_EVENTS")); err == nil {
		c.each = n
	}
	if n, err := strconv.ParseUint(os.Getenv("ESGEN_KILL_SEED"), 10, 64); err == nil {
		c.seed = n
	}
	c.rand = rand.New(rand.NewPCG(c.seed, crowdSize))
	t.Logf("seed %d", c.seed)
	return c
}

// victim is what is killed: all processes of a program, or one.
type victim struct {
	name string
	kill func() (int, error)
}

// run sends everything and kills meanwhile, until all is answered for good. It returns how many processes of
// each victim were killed.
func (c *crowd) run(t *testing.T, victims []victim) map[string]int {
	t.Helper()
	killed := make(chan map[string]int)
	go func() { killed <- c.reap(t, victims) }()
	var all sync.WaitGroup
	for n := range crowdSize {
		all.Go(func() { c.live(t, n) })
	}
	all.Wait()
	close(c.due)
	kills := <-killed
	for _, v := range victims {
		if kills[v.name] == 0 {
			t.Errorf("no process of %s was killed: the test has shown less than it should", v.name)
		}
	}
	retries := -c.settled
	for what, n := range c.tally {
		if strings.HasPrefix(what, http.MethodPost) {
			retries += n
		}
	}
	t.Logf("%d clients, %d events, %d sends, %d retries; answers %v", crowdSize, len(c.sent), c.settled, retries, c.tally)
	t.Logf("killed %v", kills)
	return kills
}

// reap kills one of the victims, each about as often as the others, whenever some more sends have been
// answered: a number of kills, not a time, on every machine.
func (c *crowd) reap(t *testing.T, victims []victim) map[string]int {
	r := rand.New(rand.NewPCG(c.seed, crowdSize+1))
	kills := map[string]int{}
	var turn []int
	for range c.due {
		if len(turn) == 0 {
			turn = r.Perm(len(victims))
		}
		v := victims[turn[0]]
		turn = turn[1:]
		time.Sleep(time.Duration(r.IntN(20_000)) * time.Microsecond) // anywhere in what it does
		n, err := v.kill()
		if err != nil {
			t.Errorf("kill %s: %v", v.name, err)
		}
		kills[v.name] += n
	}
	return kills
}

// live is the life of a client: it sends an event all at once, in pairs, or one send after another, and now and then
// reads what it was told is stored.
func (c *crowd) live(t *testing.T, n int) {
	r := rand.New(rand.NewPCG(c.seed, uint64(n)))
	for i := range c.each {
		entity := hotEntity
		if r.IntN(5) == 0 {
			entity = fmt.Sprintf("cold-%d", r.IntN(coldOnes))
		}
		id := fmt.Sprintf("e-%d-%d", n, i)
		event := c.domain.next(r, entity)
		event[c.domain.key], event["eventId"] = entity, id
		body, err := json.Marshal(event)
		if err != nil {
			t.Error(err)
			return
		}
		c.mu.Lock()
		c.sent[id] = string(body)
		c.mu.Unlock()
		together := 1 + r.IntN(eventSends)
		var sends sync.WaitGroup
		for n := range eventSends {
			if n%together == 0 {
				sends.Wait()
			}
			of := rand.New(rand.NewPCG(r.Uint64(), r.Uint64()))
			sends.Go(func() { c.send(t, of, id, string(body)) })
		}
		sends.Wait()
		if r.IntN(4) == 0 {
			c.readBack(t, r, id, entity)
		}
	}
}

// send sends an event until the answer says what is stored.
func (c *crowd) send(t *testing.T, r *rand.Rand, id, body string) {
	status, text := c.ask(t, r, func() (*http.Request, error) {
		request, err := http.NewRequest(http.MethodPost, c.address(r)+"/", strings.NewReader(body))
		if err == nil {
			request.Header.Set("Content-Type", "application/json")
		}
		return request, err
	})
	if status != http.StatusOK && status != http.StatusCreated {
		t.Errorf("POST %s: %d %s", body, status, text)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if status == http.StatusCreated && c.created[id] {
		t.Errorf("%s was answered 201 twice", id)
	}
	c.created[id] = c.created[id] || status == http.StatusCreated
	if first, ok := c.answered[id]; ok && first != text {
		t.Errorf("%s was answered in two ways:\n%s\n%s", id, first, text)
	}
	c.answered[id] = text
	if c.settled++; c.settled >= c.next {
		c.next = c.settled + 1 + c.rand.IntN(2*c.every)
		select {
		case c.due <- struct{}{}:
		default: // the last kill still goes on
		}
	}
}

// ask sends a request until it is answered for good, as clients do; longer pauses would only have it wait.
func (c *crowd) ask(t *testing.T, r *rand.Rand, request func() (*http.Request, error)) (status int, text string) {
	for try := range sendTries {
		if try > 0 {
			time.Sleep(time.Millisecond + time.Duration(r.IntN(min(try, 20)*5_000))*time.Microsecond)
		}
		out, err := request()
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		response, err := c.client.Do(out)
		if err != nil {
			what := "no answer"
			if errors.Is(err, syscall.ECONNREFUSED) {
				what = "refused"
			}
			c.note(out.Method, what)
			continue
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			c.note(out.Method, "no answer")
			continue
		}
		what, again := c.judgeAnswer(t, response, body)
		c.note(out.Method, what)
		if !again {
			return response.StatusCode, string(body)
		}
	}
	t.Errorf("%d tries without an answer", sendTries)
	return 0, ""
}

// judgeAnswer says what an answer is, and whether the client has to ask again: after a 503 of the service, which
// says when, and where the gateway answers for a function that has died.
func (c *crowd) judgeAnswer(t *testing.T, response *http.Response, body []byte) (what string, again bool) {
	status := strconv.Itoa(response.StatusCode)
	var problem struct{ Code, EventID, Message string }
	if response.StatusCode < 300 || json.Unmarshal(body, &problem) != nil {
		return status, false
	}
	if response.Header.Get("Content-Type") != "application/problem+json" {
		return status + " of the gateway", c.gateway && response.StatusCode >= 500 && problem.Message != ""
	}
	if response.StatusCode == http.StatusServiceUnavailable {
		if response.Header.Get("Retry-After") == "" {
			t.Errorf("503 without Retry-After: %s", body)
		}
		if response.Request.Method == http.MethodPost && problem.EventID == "" {
			t.Errorf("503 for an event that does not name its id: %s", body)
		}
		return status + " " + problem.Code, true
	}
	return status + " " + problem.Code, false
}

func (c *crowd) note(method, what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tally[method+" "+what]++
}

// readBack reads the default view at the version that a client was told.
func (c *crowd) readBack(t *testing.T, r *rand.Rand, id, entity string) {
	c.mu.Lock()
	version := parsed(c.answered[id])["version"]
	c.mu.Unlock()
	status, text := c.ask(t, r, func() (*http.Request, error) {
		return http.NewRequest(http.MethodGet, fmt.Sprintf("%s/default?id=%s&minVersion=%v", c.address(r), entity, version), nil)
	})
	if status != http.StatusOK || number(parsed(text)["version"]).Cmp(number(version)) < 0 {
		t.Errorf("%s at minVersion %v was answered %d %s", entity, version, status, text)
	}
}

// parsed reads a JSON object, nil if it is none.
func parsed(text string) (o object) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if d.Decode(&o) != nil {
		return nil
	}
	return o
}

// judge compares what is stored, what the clients were told and what views show. It returns the histories.
func (c *crowd) judge(t *testing.T, base string) map[string][]object {
	t.Helper()
	histories, stored := map[string][]object{}, map[string]int{}
	for _, body := range c.sent {
		entity := text(parsed(body)[c.domain.key])
		if histories[entity] == nil {
			histories[entity] = pages(t, base+"/events?limit=100&id="+url.QueryEscape(entity))
		}
	}
	checkVersions(t, histories)
	for _, events := range histories {
		for _, e := range events {
			id := text(e["eventId"])
			stored[id]++
			c.judgeStored(t, id, e)
		}
	}
	for id := range c.sent {
		if stored[id] != 1 {
			t.Errorf("%s is stored %d times", id, stored[id])
		}
	}
	t.Logf("%d versions of the hot entity", len(histories[hotEntity]))
	want := c.domain.fold(histories)
	eventually(t, func() error { return compareViews(t, c.domain, base, want) })
	for _, x := range c.domain.indexes {
		compareIndex(t, base, x, want[x.view])
	}
	return histories
}

// judgeStored: what is stored was sent, and is what the client was told.
func (c *crowd) judgeStored(t *testing.T, id string, e object) {
	t.Helper()
	for name, value := range parsed(c.sent[id]) {
		if !same(value, e[name]) {
			t.Errorf("%s was sent with %s %v and is stored with %v", id, name, value, e[name])
		}
	}
	if c.sent[id] == "" || !same(parsed(c.answered[id]), e) {
		t.Errorf("%s was sent as %s, answered as %s and is stored as %v", id, c.sent[id], c.answered[id], e)
	}
}

// makeReporting makes the sensors with consumers of all events, which leave a line for each that they are handed, and
// with a gateway that lets a crowd through.
func makeReporting(t *testing.T, consumers ...string) (dir string) {
	t.Helper()
	path, err := tool()
	if err != nil {
		t.Fatal(err)
	}
	dir = makeService(t, path, sensors.name)
	schema := filepath.Join(dir, "esgen.yaml")
	text, err := os.ReadFile(schema)
	if err != nil {
		t.Fatal(err)
	}
	section := "consumers:\n"
	for _, name := range consumers {
		section += "  " + name + ": {events: [SensorInstalled, ReadingTaken, SensorRetired]}\n"
	}
	writeText(t, schema, string(withSection(text, "api", section+"api: {auth: none, throttle: {rate: 10000, burst: 5000}}\n")))
	run(t, dir, path, "regenerate")
	for _, name := range consumers {
		copyEdited(t, filepath.Join("testdata", "processes", "handler.go.txt"), filepath.Join(dir, "consumers", name, "handler.go"), strings.NewReplacer("CONSUMER", name))
	}
	return dir
}

// checkOutbox waits until a consumer has left a line for each event, and for nothing else, in a file of its name.
func checkOutbox(t *testing.T, outbox string, histories map[string][]object) {
	t.Helper()
	want := map[string]bool{}
	for entity, events := range histories {
		for _, e := range events {
			want[fmt.Sprintf("%s %v %v", entity, e["version"], e["eventId"])] = true
		}
	}
	lines := 0
	eventually(t, func() error {
		left, err := os.ReadFile(outbox)
		if err != nil {
			return err
		}
		handled := map[string]bool{}
		lines = bytes.Count(left, []byte("\n"))
		for line := range strings.Lines(string(left)) {
			line = strings.TrimSuffix(line, "\n")
			if !want[line] {
				t.Fatalf("%s was handed %q, which is not stored", filepath.Base(outbox), line)
			}
			handled[line] = true
		}
		if len(handled) < len(want) {
			missing := slices.DeleteFunc(slices.Collect(maps.Keys(want)), func(line string) bool { return handled[line] })
			return fmt.Errorf("%s was handed %d events of %d; %q is missing", filepath.Base(outbox), len(handled), len(want), missing[0])
		}
		return nil
	})
	t.Logf("%s was handed %d events, and some again %d times", filepath.Base(outbox), len(want), lines-len(want))
}

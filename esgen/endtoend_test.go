package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The end-to-end tests take the services of testdata/services the way their
// users would: init from the schema, fill in the stubs, build, run the program,
// speak HTTP. Afterwards every record of every view must equal a fold of the
// histories that the service itself answers, written here on plain maps.

// object is a JSON object; numbers are json.Number.
type object = map[string]any

// index is an index of a view whose pages are compared too.
type index struct {
	view, name, key, sort string
	desc                  bool
}

// domain is one service of testdata/services.
type domain struct {
	name    string
	key     string            // the entity's
	views   map[string]string // view → member that holds its key
	indexes []index
	// next makes some event of an entity; many will not fit its state.
	next func(r *rand.Rand, entity string) object
	// fold makes the records of all views from the histories: view → key → record.
	fold func(histories map[string][]object) map[string]map[string]object
	// fails says which events a view cannot fold; nil for none.
	fails func(view string, event object) bool
}

func TestServices(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs whole services")
	}
	tool := buildTool(t)
	for _, d := range []domain{bank, library, sensors, ballot, notes} {
		t.Run(d.name, func(t *testing.T) {
			dir := makeService(t, tool, d.name)
			if simulate(t, d, dir) {
				return
			}
			program := buildProgram(t, dir)
			store := filepath.Join(t.TempDir(), "store.db")

			base, kill := startProgram(t, program, store)
			entities := post(t, d, base, 1, 150)
			kill() // without a word of warning: what was acknowledged is there afterwards
			base, _ = startProgram(t, program, store)
			entities = append(entities, post(t, d, base, 2, 150)...)

			histories := map[string][]object{}
			for _, e := range entities {
				histories[e] = pages(t, base+"/events?limit=17&id="+url.QueryEscape(e))
			}
			checkVersions(t, histories)
			want := d.fold(histories)
			eventually(t, func() error { return compareViews(t, d, base, want) })
			for _, x := range d.indexes {
				compareIndex(t, base, x, want[x.view])
			}
		})
	}
}

func buildTool(t *testing.T) string {
	t.Helper()
	tool := filepath.Join(t.TempDir(), "esgen")
	run(t, ".", "go", "build", "-o", tool, ".")
	return tool
}

// makeService does what a user does with a schema and an editor: the stubs that
// testdata fills in take the place of those that init made.
func makeService(t *testing.T, tool, name string) string {
	t.Helper()
	from, err := filepath.Abs(filepath.Join("..", "testdata", "services", name))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), name)
	run(t, ".", tool, "init", dir, "--from", filepath.Join(from, "esgen.yaml"))
	filled, _ := filepath.Glob(filepath.Join(from, "views", "*", "*.go"))
	for _, path := range filled {
		pkg := filepath.Base(filepath.Dir(path))
		if !slices.ContainsFunc(filled, func(p string) bool { return p < path && filepath.Dir(p) == filepath.Dir(path) }) {
			removeStubs(t, filepath.Join(dir, "views", pkg))
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "views", pkg, filepath.Base(path)), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, tool, "regenerate")
	run(t, dir, tool, "regenerate", "--check")
	run(t, dir, "go", "vet", "./...")
	return dir
}

func removeStubs(t *testing.T, dir string) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	for _, f := range files {
		if !strings.HasSuffix(f, "_gen.go") {
			if err := os.Remove(f); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func buildProgram(t *testing.T, dir string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "local")
	run(t, dir, "go", "build", "-o", program, "./cmd/local")
	return program
}

func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return string(out)
}

// startProgram runs the service on a free port and waits until it says where
// it is. kill sends SIGKILL.
func startProgram(t *testing.T, program, store string, flags ...string) (base string, kill func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, append([]string{"-addr", "127.0.0.1:0", "-store", store}, flags...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() { cancel(); _ = cmd.Wait() })
	t.Cleanup(kill)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if i := strings.Index(lines.Text(), "http://"); i >= 0 {
			base = strings.Fields(lines.Text()[i:])[0]
			break
		}
	}
	if base == "" {
		kill()
		t.Fatalf("the program did not say where it listens; its log:\n%s", log.String())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return strings.TrimSuffix(base, "/"), kill
}

// post sends n random events from four clients, each with an id of its own and
// every third of them twice, and returns the entities that have one.
func post(t *testing.T, d domain, base string, seed uint64, n int) []string {
	t.Helper()
	var mu sync.Mutex
	stored := map[string]bool{}
	var wg sync.WaitGroup
	for client := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(client)))
			for i := range n / 4 {
				entity := fmt.Sprintf("T-%d%03d", seed, r.IntN(1+n/12))
				event := d.next(r, entity)
				event[d.key] = entity
				event["eventId"] = fmt.Sprintf("e-%d-%d-%d", seed, client, i)
				first := send(t, base, event)
				if first == nil {
					continue
				}
				if i%3 == 0 {
					again := send(t, base, event)
					if again == nil || again["version"] != first["version"] || again["time"] != first["time"] {
						t.Errorf("the same event again was answered %v, at first %v", again, first)
					}
				}
				checkReadYourWrite(t, base, entity, first["version"])
				mu.Lock()
				stored[entity] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(stored) == 0 {
		t.Fatal("no event was accepted")
	}
	var entities []string
	for e := range stored {
		entities = append(entities, e)
	}
	slices.Sort(entities)
	return entities
}

// send posts an event: nil when it does not fit the entity's state.
func send(t *testing.T, base string, event object) object {
	t.Helper()
	body, _ := json.Marshal(event)
	resp, err := http.Post(base+"/", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return nil
	}
	answer := decode(t, resp)
	switch resp.StatusCode {
	case http.StatusCreated, http.StatusOK:
		return answer
	case http.StatusConflict:
		if answer["code"] == "state" {
			return nil
		}
	}
	t.Errorf("POST %s: %d %v", body, resp.StatusCode, answer)
	return nil
}

// checkReadYourWrite reads the default view at once, at the version just written.
func checkReadYourWrite(t *testing.T, base, entity string, version any) {
	t.Helper()
	resp, err := http.Get(fmt.Sprintf("%s/default?id=%s&minVersion=%v", base, url.QueryEscape(entity), version))
	if err != nil {
		t.Error(err)
		return
	}
	answer := decode(t, resp)
	switch resp.StatusCode {
	case http.StatusOK:
		if number(answer["version"]).Cmp(number(version)) < 0 {
			t.Errorf("%s at minVersion %v was answered at %v", entity, version, answer["version"])
		}
	case http.StatusNotFound, http.StatusServiceUnavailable: // removed, or quarantined
	default:
		t.Errorf("%s at minVersion %v: %d %v", entity, version, resp.StatusCode, answer)
	}
}

func decode(t *testing.T, resp *http.Response) object {
	t.Helper()
	defer resp.Body.Close()
	d := json.NewDecoder(resp.Body)
	d.UseNumber()
	var o object
	if err := d.Decode(&o); err != nil {
		t.Errorf("%s %s: not a JSON object: %v", resp.Request.Method, resp.Request.URL, err)
	}
	return o
}

// pages follows next to the end.
func pages(t *testing.T, address string) []object {
	t.Helper()
	var items []object
	for cursor := ""; ; {
		u := address
		if cursor != "" {
			u += "&cursor=" + url.QueryEscape(cursor)
		}
		resp, err := http.Get(u)
		if err != nil {
			t.Fatal(err)
		}
		page := decode(t, resp)
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("GET %s: %d %v", u, resp.StatusCode, page)
		}
		for _, item := range page["items"].([]any) {
			items = append(items, item.(object))
		}
		next, more := page["next"].(string)
		if !more {
			return items
		}
		cursor = next
	}
}

func checkVersions(t *testing.T, histories map[string][]object) {
	t.Helper()
	for entity, events := range histories {
		for i, e := range events {
			if number(e["version"]).Cmp(big.NewRat(int64(i+1), 1)) != 0 {
				t.Errorf("event %d of %s has version %v", i+1, entity, e["version"])
			}
		}
	}
}

// eventually waits for the projector, which is behind the answers of POST.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func compareViews(t *testing.T, d domain, base string, want map[string]map[string]object) error {
	t.Helper()
	for view, key := range d.views {
		got := map[string]object{}
		for _, record := range pages(t, base+"/"+view+"?limit=9") {
			id := text(record[key])
			if got[id] != nil {
				return fmt.Errorf("view %s: %s is listed twice", view, id)
			}
			got[id] = record
		}
		for id, record := range want[view] {
			if got[id] == nil {
				return fmt.Errorf("view %s: %s is missing; want %v", view, id, record)
			}
			if diff := differ(record, got[id]); diff != "" {
				return fmt.Errorf("view %s: %s: %s\n got %v\nwant %v", view, id, diff, got[id], record)
			}
		}
		for id := range got {
			if want[view][id] == nil {
				return fmt.Errorf("view %s: %s should not be there: %v", view, id, got[id])
			}
		}
	}
	return nil
}

// compareIndex reads every value of an index, in both orders, and compares
// membership and order with the records.
func compareIndex(t *testing.T, base string, x index, records map[string]object) {
	t.Helper()
	values := map[string]int{}
	for _, r := range records {
		if r[x.key] != nil && text(r[x.key]) != "" && (x.sort == "" || r[x.sort] != nil) {
			values[text(r[x.key])]++
		}
	}
	for value, n := range values {
		for _, order := range []string{"", "asc", "desc"} {
			address := fmt.Sprintf("%s/%s?%s=%s&limit=4", base, x.view, x.name, url.QueryEscape(value))
			if order != "" {
				address += "&order=" + order
			}
			items := pages(t, address)
			if len(items) != n {
				t.Errorf("GET %s: %d records, want %d", address, len(items), n)
			}
			desc := order == "desc" || order == "" && x.desc
			for i := 1; i < len(items) && x.sort != ""; i++ {
				c := compareSort(items[i-1][x.sort], items[i][x.sort])
				if desc && c < 0 || !desc && c > 0 {
					t.Errorf("GET %s: %v comes before %v", address, items[i-1][x.sort], items[i][x.sort])
				}
			}
		}
	}
}

func compareSort(a, b any) int {
	if _, ok := a.(json.Number); ok {
		return number(a).Cmp(number(b))
	}
	at, errA := time.Parse(time.RFC3339Nano, text(a))
	bt, errB := time.Parse(time.RFC3339Nano, text(b))
	if errA == nil && errB == nil {
		return at.Compare(bt)
	}
	return strings.Compare(text(a), text(b))
}

// differ names the first member in which two records are not the same JSON
// value; numbers are compared as numbers.
func differ(want, got object) string {
	for k := range want {
		if !same(want[k], got[k]) {
			return fmt.Sprintf("%s is %v, want %v", k, got[k], want[k])
		}
	}
	for k := range got {
		if _, ok := want[k]; !ok {
			return fmt.Sprintf("%s is %v, want none", k, got[k])
		}
	}
	return ""
}

func same(a, b any) bool {
	switch a := a.(type) {
	case json.Number, int:
		n, ok := b.(json.Number)
		return ok && number(a).Cmp(number(n)) == 0
	case object:
		o, ok := b.(object)
		return ok && differ(a, o) == ""
	case []any:
		l, ok := b.([]any)
		return ok && slices.EqualFunc(a, l, same)
	}
	return reflect.DeepEqual(a, b)
}

func number(v any) *big.Rat {
	r, ok := new(big.Rat).SetString(text(v))
	if !ok {
		return new(big.Rat)
	}
	return r
}

func text(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// take copies members that are there.
func take(from object, names ...string) object {
	o := object{}
	for _, n := range names {
		if v, ok := from[n]; ok {
			o[n] = v
		}
	}
	return o
}

// record returns the record of a key, made with its start values when new.
func record(records map[string]object, key string, start func() object) object {
	if records[key] == nil {
		records[key] = start()
	}
	return records[key]
}

// later reports whether an event comes after what a record has seen so far, in
// the order (time, entity, version), and notes it under a name no view has.
func later(seen map[string]object, recordKey, entity string, e object) bool {
	now := object{"time": e["time"], "entity": entity, "version": e["version"]}
	old := seen[recordKey]
	if old != nil {
		c := compareSort(now["time"], old["time"])
		if c == 0 {
			c = strings.Compare(entity, text(old["entity"]))
		}
		if c == 0 {
			c = number(now["version"]).Cmp(number(old["version"]))
		}
		if c < 0 {
			return false
		}
	}
	seen[recordKey] = now
	return true
}

func sum(a, b any) json.Number {
	return json.Number(new(big.Rat).Add(number(a), number(b)).RatString())
}

//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// before and later are the orders as they are first deployed, and with their views' second revisions:
// the default view has a field and an index more, the summary another key.
var (
	ordersBefore = withCurrencies(orders)
	ordersLater  = withCurrencies(domain{
		name: "orders", key: "orderId",
		views:   map[string]string{"default": "orderId", "customer-summary": "currency"},
		indexes: append(orders.indexes[:1:1], index{"default", "customer", "customerId", "placedAt", false}),
		next:    orders.next,
		fold:    foldOrdersLater,
	})
)

// withCurrencies makes orders in several currencies, some with a note.
func withCurrencies(d domain) domain {
	next := d.next
	d.next = func(r *rand.Rand, entity string) object {
		e := next(r, entity)
		if e["type"] == "OrderPlaced" {
			e["currency"] = []string{"EUR", "USD", "GBP"}[r.IntN(3)]
			if r.IntN(2) == 0 {
				e["note"] = fmt.Sprint("note ", r.IntN(100))
			}
		}
		return e
	}
	return d
}

func foldOrdersLater(histories map[string][]object) map[string]map[string]object {
	all, currencies, seen := foldOrders(histories)["default"], map[string]object{}, map[string]object{}
	for id, events := range histories {
		for _, e := range events {
			if e["type"] != "OrderPlaced" {
				continue
			}
			if e["note"] != nil {
				all[id]["note"] = e["note"]
			}
			key := text(e["currency"])
			c := record(currencies, key, func() object { return object{"currency": key, "orders": 0, "spent": json.Number("0")} })
			c["orders"], c["spent"] = sum(c["orders"], 1), sum(c["spent"], e["total"])
			if later(seen, key, id, e) {
				c["lastOrderAt"] = e["placedAt"]
			}
		}
	}
	return map[string]map[string]object{"default": all, "customer-summary": currencies}
}

// TestStandingRebuild takes a deployed service through a change of its views: the second deployment in
// place, the rebuild with writers beside it, killed and begun again, the switch of the readers, and the
// deployment after that, which takes the old tables away.
func TestStandingRebuild(t *testing.T) {
	needsCDK(t)
	s := standOrders(t, api{"http", "none", 0, 1})
	r := &rebuilding{standing: s, ids: map[string]bool{}}
	first := r.post(t, ordersBefore, 21, 240)
	before := ordersBefore.fold(r.histories(t))
	eventually(t, func() error { return compareViews(t, ordersBefore, s.base, before) })
	// The consumer has been told of all that when it has been told of what comes after.
	r.wantMarks(t, r.post(t, ordersBefore, 20, 4), "before")
	before = ordersBefore.fold(r.histories(t))
	eventually(t, func() error { return compareViews(t, ordersBefore, s.base, before) })

	r.changeViews(t)
	r.redeploy(t)
	r.shows(t, []string{"due", "readers of default get revision 1; to build revision 2:\n  esgen rebuild default --stack orders-dev"}, "status", "--stack", "orders-dev")
	r.wantRebuild(t, "default", 1, es.RebuildDue)
	r.wantRebuild(t, "customer-summary", 1, es.RebuildDue)
	r.fails(t, []string{"still needed"}, "rebuild", "default", "--drop-old", "--stack", "orders-dev")
	// What comes now goes into the new revision, is marked for consumers, and shows to nobody.
	r.wantMarks(t, r.post(t, ordersBefore, 22, 24), "rebuilding")
	if err := compareViews(t, ordersBefore, s.base, before); err != nil {
		t.Errorf("readers do not get the old revision as it stood: %v", err)
	}

	stop := r.writeOn(t)
	started := r.killedRebuild(t, before)
	done := r.rebuild(t, "default")
	if !done.Started.Equal(started) {
		t.Errorf("the rebuild that was killed began at %v, the one that went on says %v", started, done.Started)
	}
	r.rebuild(t, "customer-summary")
	stop()

	// Readers have switched by themselves, and have what the histories say. Each function notices within two
	// seconds; until then a list that one begins, another may refuse to go on with.
	time.Sleep(3 * time.Second)
	r.wantViews(t)
	r.wantRebuild(t, "default", 2, es.RebuildDone)
	r.shows(t, []string{"nobody reads revision 1 of default any more", "esgen rebuild default --drop-old --stack orders-dev"}, "status", "--stack", "orders-dev")
	for _, id := range first {
		if r.marked(id, "live") {
			t.Errorf("the consumer was told of %s as of something new, and it was only rebuilt", id)
		}
	}
	r.wantMarks(t, r.post(t, ordersLater, 40, 24), "live")

	for _, view := range []string{"default", "customer-summary"} {
		r.shows(t, []string{"revision 1 of the view " + view + " is needed no more"}, "rebuild", view, "--drop-old", "--stack", "orders-dev")
	}
	if s.stand.Tables["orders-dev-data/View-default-1"] == "" {
		t.Error("a table went before the deployment")
	}
	// The folder no longer knows the table; other stages have it until they are deployed.
	if err := esgen("regenerate", s.dir); err != nil {
		t.Fatal(err)
	}
	r.shows(t, []string{"nobody reads revision 1 of default any more"}, "status", "--stack", "orders-dev")
	r.shows(t, []string{"revision 1 of the view default is needed no more"}, "rebuild", "default", "--drop-old", "--stack", "orders-dev")
	r.redeploy(t)
	for table := range s.stand.Tables {
		if strings.HasSuffix(table, "-1") {
			t.Errorf("the stack still has the table %s", table)
		}
	}
	for _, view := range []string{"default", "customer-summary"} {
		r.shows(t, []string{"the table of revision 1 of " + view + " is gone"}, "status", "--stack", "orders-dev")
		r.shows(t, []string{"dropped revision 1 of the view " + view}, "rebuild", view, "--drop-old", "--stack", "orders-dev")
	}
	r.post(t, ordersLater, 41, 24)
	r.wantViews(t)
	r.wantRebuild(t, "default", 2, es.RebuildDone)
	if out, err := r.operate(t, "status", "--stack", "orders-dev"); err != nil || strings.Contains(out, "revision 1") {
		t.Errorf("status after the old tables are gone: %s%v", out, err)
	}
	s.wantNoDenials(t)
}

// rebuilding is a service whose views change while it is used.
type rebuilding struct {
	*standing

	mu  sync.Mutex
	ids map[string]bool // of orders with an event
}

func (r *rebuilding) post(t *testing.T, d domain, seed uint64, n int) []string {
	t.Helper()
	entities := post(t, d, r.base, seed, n)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range entities {
		r.ids[id] = true
	}
	return entities
}

func (r *rebuilding) histories(t *testing.T) map[string][]object {
	t.Helper()
	histories := map[string][]object{}
	for id := range r.ids {
		histories[id] = pages(t, r.base+"/events?limit=17&id="+url.QueryEscape(id))
	}
	checkVersions(t, histories)
	return histories
}

// wantViews waits until all records of the new revisions are what an independent fold makes of the histories.
func (r *rebuilding) wantViews(t *testing.T) {
	t.Helper()
	want := ordersLater.fold(r.histories(t))
	eventually(t, func() error { return compareViews(t, ordersLater, r.base, want) })
	for _, x := range ordersLater.indexes {
		compareIndex(t, r.base, x, want[x.view])
	}
}

// changeViews does what a user does: the schema's views change, with a new revision, and so does the code. The
// consumer leaves other files than before, and others again for what a rebuild has made.
func (r *rebuilding) changeViews(t *testing.T) {
	t.Helper()
	r.replace(t, "esgen.yaml",
		"  default:                        # the view that answers at /\n", "  default:\n    revision: 2\n",
		"      carrier:    \"string?\"\n", "      carrier:    \"string?\"\n      note:       \"string?\"\n",
		"      status: {key: status, sort: placedAt, order: desc}", "      customer: {key: customerId, sort: placedAt}\n      status: {key: status, sort: placedAt, order: desc}",
		"    key: customerId               # one record per customer, fed by many orders\n", "    revision: 2\n    key: currency\n")
	r.replace(t, filepath.Join("views", "defaultview", "order_placed.go"), "	view.CustomerID", "	view.Note = event.Note\n	view.CustomerID")
	r.replace(t, filepath.Join("consumers", "watcher1", "handler.go"),
		"	if change.Rebuilding || change.New == nil {\n		return nil\n	}\n", "	if change.New == nil {\n		return nil\n	}\n	if change.Rebuilding {\n		return h.leave(change.New.OrderID, 1)\n	}\n",
		"h.leave(change.New.OrderID, 0)", "h.leave(change.New.OrderID, 2)")
}

// replace changes a file of the service; texts come in pairs.
func (r *rebuilding) replace(t *testing.T, file string, texts ...string) {
	t.Helper()
	path := filepath.Join(r.dir, file)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(texts); i += 2 {
		if !bytes.Contains(text, []byte(texts[i])) {
			t.Fatalf("%s does not have %q", file, texts[i])
		}
		text = bytes.Replace(text, []byte(texts[i]), []byte(texts[i+1]), 1)
	}
	writeText(t, path, string(text))
}

func (r *rebuilding) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := tool()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.Env = r.dir, append(os.Environ(), r.operator(t, args)...)
	return cmd
}

// status is what status says of a view.
func (r *rebuilding) status(t *testing.T, view string) es.ViewStatus {
	t.Helper()
	for _, v := range r.standing.status(t) {
		if v.View == view {
			return v
		}
	}
	t.Fatalf("status does not know the view %s", view)
	return es.ViewStatus{}
}

func (r *rebuilding) wantRebuild(t *testing.T, view string, active int, state string) {
	t.Helper()
	if v := r.status(t, view); v.Active != active || v.Rebuild.State != state {
		t.Errorf("%s: readers get revision %d, and its rebuild is %q; want %d and %q", view, v.Active, v.Rebuild.State, active, state)
	}
}

// marks are what the consumer calls its files: of its first code, and of its second for what is new and for
// what a rebuild has made.
var marks = map[string]int{"before": 0, "live": 2, "rebuilding": 1}

// marked reports whether the consumer has left such a file for an order.
func (r *rebuilding) marked(id, how string) bool {
	_, err := os.Stat(filepath.Join(r.outbox, handledFile("watcher1", id, marks[how])))
	return err == nil
}

// wantMarks waits until the consumer has been told of orders in one way, and sees that it is not in another.
func (r *rebuilding) wantMarks(t *testing.T, ids []string, how string) {
	t.Helper()
	eventually(t, func() error {
		for _, id := range ids {
			if !r.marked(id, how) {
				return fmt.Errorf("the consumer was never told of %s as %s", id, how)
			}
		}
		return nil
	})
	for other := range marks {
		for _, id := range ids {
			if other != how && r.marked(id, other) {
				t.Errorf("the consumer was told of %s as %s; want %s alone", id, other, how)
			}
		}
	}
}

// writeOn posts orders until it is stopped.
func (r *rebuilding) writeOn(t *testing.T) (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for seed := uint64(100); ; seed++ {
			select {
			case <-end:
				return
			case <-time.After(50 * time.Millisecond):
				r.post(t, ordersLater, seed, 16)
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(end)
		<-ended
	})
}

// killedRebuild begins to rebuild the default view and kills it when it has got somewhere. It returns
// when the rebuild began.
func (r *rebuilding) killedRebuild(t *testing.T, before map[string]map[string]object) time.Time {
	t.Helper()
	cmd := r.command(t, "rebuild", "default", "--rate", "40", "--stack", "orders-dev")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the command, and the program that it runs
	progress, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(progress).ReadString('\n')
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // it was killed
	if err != nil || !strings.Contains(line, "default revision 2 [") {
		t.Fatalf("no progress is shown: %q, %v", line, err)
	}
	v := r.status(t, "default")
	if v.Active != 1 || v.Rebuild.State != es.RebuildRunning || v.Rebuild.SegmentsDone == v.Rebuild.Segments {
		t.Fatalf("the rebuild was not killed in its middle: readers get revision %d, %+v", v.Active, v.Rebuild)
	}
	r.shows(t, []string{fmt.Sprintf("running: %d of %d parts", v.Rebuild.SegmentsDone, v.Rebuild.Segments)}, "status", "--stack", "orders-dev")
	if err := compareViews(t, ordersBefore, r.base, before); err != nil {
		t.Errorf("readers get something of a rebuild that is not complete: %v", err)
	}
	return v.Rebuild.Started
}

// rebuild rebuilds a view to its end.
func (r *rebuilding) rebuild(t *testing.T, view string) es.Rebuilt {
	t.Helper()
	cmd := r.command(t, "rebuild", view, "--json", "--stack", "orders-dev")
	var said, progress bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &progress
	var done es.Rebuilt
	err := cmd.Run()
	if err == nil {
		err = json.Unmarshal(said.Bytes(), &done)
	}
	if err != nil {
		t.Fatalf("rebuild %s: %v\n%s%s", view, err, &said, &progress)
	}
	if done.Active != 2 || done.State != es.RebuildDone || done.Quarantined > 0 || done.Folds == 0 {
		t.Errorf("rebuild %s: %s", view, &said)
	}
	if !strings.Contains(progress.String(), "100%") || strings.Contains(progress.String(), "\r") {
		t.Errorf("the progress of a rebuild, not on a terminal: %q", &progress)
	}
	return done
}

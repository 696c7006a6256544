package local_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/notes"
)

// A stream that duplicates and reorders ends in the same views.
func TestFaults(t *testing.T) {
	p := run(t, notes.Model(""), "-store", storeFile(t), "-faults", "seed=7,duplicate=0.4,reorder=0.5")
	var wait sync.WaitGroup
	for w := range 4 {
		wait.Go(func() {
			for range 25 {
				post(t, p.url, fmt.Sprintf("n%d", w), "text", "all")
			}
		})
	}
	wait.Wait()
	for w := range 4 {
		until(t, fmt.Sprintf("%s/n%d", p.url, w), `"edits":25,"version":25`)
	}
	until(t, p.url+"/tags/all", `"notes":100`)
}

// What a stream drops is mended by the entity's next event, or by a reconcile.
func TestDrops(t *testing.T) {
	store := storeFile(t)
	p := run(t, notes.Model(""), "-store", store, "-faults", "drop=1")
	for range 3 {
		post(t, p.url, "next", "text", "all")
		post(t, p.url, "reconciled", "text", "all")
	}
	until(t, p.url+"/-/status", `"events":6,"waiting":0`) // dropped, not merely not delivered yet
	p.end(t)
	p = run(t, notes.Model(""), "-store", store)
	if status, body := call(t, "GET", p.url+"/next", ""); status != 404 {
		t.Fatalf("nothing was delivered, and still: %d %s", status, body)
	}
	post(t, p.url, "next", "text", "all")
	until(t, p.url+"/next", `"edits":4`)
	until(t, p.url+"/tags/all", `"notes":4`)
	// Nothing was recorded as left behind.
	if status, body := call(t, "POST", p.url+"/-/reconcile", ""); status != 200 || !strings.Contains(body, `"folds":0`) {
		t.Fatalf("reconcile: %d %s", status, body)
	}
	if status, body := call(t, "POST", p.url+"/-/reconcile?full=true", ""); status != 200 {
		t.Fatalf("reconcile: %d %s", status, body)
	}
	until(t, p.url+"/reconciled", `"edits":3`)
	until(t, p.url+"/tags/all", `"notes":7`)
}

func TestRefold(t *testing.T) {
	store := storeFile(t)
	p := run(t, notes.Model("bad"), "-store", store, "-fold", "default=1", "-fold", "tags=1")
	post(t, p.url, "n", "good", "red")
	post(t, p.url, "n", "bad", "red")
	until(t, p.url+"/-/quarantine", `"entity":"n"`)
	until(t, p.url+"/tags/red", `"notes":2`)
	p.end(t)

	// The same code: nothing moves.
	p = run(t, notes.Model("bad"), "-store", store, "-fold", "default=1", "-fold", "tags=1")
	until(t, p.url+"/n", `"version":1`)
	p.end(t)

	// Other code of one view.
	p = run(t, notes.Model(""), "-store", store, "-fold", "default=2", "-fold", "tags=1")
	until(t, p.url+"/n", `"text":"bad","edits":2,"version":2`)
	if status, body := call(t, "GET", p.url+"/-/quarantine", ""); status != 200 || strings.Contains(body, `"entity"`) {
		t.Errorf("after the refold: %d %s", status, body)
	}
	until(t, p.url+"/tags/red", `"notes":2`)
	p.end(t)

	// A view goes, events happen, it comes back.
	m := notes.Model("")
	m.Views = m.Views[:1]
	p = run(t, m, "-store", store)
	post(t, p.url, "n", "while tags was gone", "blue")
	until(t, p.url+"/n", `"edits":3`)
	p.end(t)
	p = run(t, notes.Model(""), "-store", store)
	until(t, p.url+"/tags/blue", `"notes":1`)
	until(t, p.url+"/tags/red", `"notes":2`)
	p.end(t)

	// A new revision of a view is a table of its own, and is filled at once if its code is named.
	m = notes.Model("")
	m.Views[1].Revision = 2
	p = run(t, m, "-store", store, "-fold", "tags=2")
	until(t, p.url+"/tags/red", `"notes":2`)
	until(t, p.url+"/-/status", `{"view":"tags","revision":2,"entities":1,"behind":0,`)
}

// recorder is a consumer that keeps what it gets.
type recorder struct {
	mu     sync.Mutex
	got    []string
	failed bool
}

func (r *recorder) note(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, line)
}

func (r *recorder) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.got, "; ")
}

func (r *recorder) wait(t *testing.T, want string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if r.String() == want {
			return
		}
	}
	t.Fatalf("the consumer got %q\nwant %q", r, want)
}

// waitEnd waits until what was got ends so.
func (r *recorder) waitEnd(t *testing.T, end string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if strings.HasSuffix(r.String(), end) {
			return
		}
	}
	t.Fatalf("the consumer got %q\nwant at the end %q", r, end)
}

// consumers are one of events, which fails at its first event, and one of changes.
func consumers(events, changes *recorder) []es.Consumer {
	return []es.Consumer{
		{Name: "mailer", Events: []string{"Written"}, Start: func(context.Context, *es.Appender) (es.Handler, error) {
			return notes.Handler{Event: func(event es.Event, meta es.Meta) error {
				if !events.failed {
					events.failed = true
					return errors.New("the mail server is away")
				}
				events.note(fmt.Sprintf("%s %d %s", meta.EntityID, meta.Version, event.(*notes.Written).Text))
				return nil
			}}, nil
		}},
		{Name: "report", View: "default", Start: func(context.Context, *es.Appender) (es.Handler, error) {
			return notes.Handler{Change: func(c es.RecordChange) error {
				changes.note(fmt.Sprintf("%s %d %t %t %t", c.Key, c.Guard, c.Old != "", c.New != "", c.Rebuilding))
				return nil
			}}, nil
		}},
	}
}

func TestConsumers(t *testing.T) {
	store := storeFile(t)
	p := run(t, notes.Model(""), "-store", store)
	post(t, p.url, "old", "before any consumer", "")
	until(t, p.url+"/old", `"version":1`)
	p.end(t)

	events, changes := &recorder{}, &recorder{}
	p = run(t, notes.Model("", consumers(events, changes)...), "-store", store)
	post(t, p.url, "n", "one", "")
	post(t, p.url, "n", "two", "")
	events.wait(t, "n 1 one; n 2 two")
	until(t, p.url+"/n", `"version":2`)
	changes.wait(t, "n 1 false true false; n 2 true true false")
	p.end(t)

	// Again: nothing comes twice, and a refold is marked as one.
	again, rebuilt := &recorder{failed: true}, &recorder{}
	p = run(t, notes.Model("", consumers(again, rebuilt)...), "-store", store, "-fold", "default=2")
	until(t, p.url+"/n", `"version":2`)
	post(t, p.url, "n", "three", "")
	again.wait(t, "n 3 three")
	until(t, p.url+"/-/status", `"consumers":[{"name":"mailer","waiting":0},{"name":"report","waiting":0}]`)
	if got := rebuilt.String(); strings.Contains(got, "old 1 false true false") || !strings.HasSuffix(got, "n 3 true true false") {
		t.Errorf("the consumer of changes got %q", got)
	}
}

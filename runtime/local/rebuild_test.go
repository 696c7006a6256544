package local_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/esgen/esgen/runtime/internal/notes"
	"github.com/esgen/esgen/runtime/local"
)

// rebuild asks the program for a rebuild and returns the last line of the answer.
func rebuild(t *testing.T, url, query string) (status int, last local.RebuildLine) {
	t.Helper()
	answer, err := http.Post(url+"/-/rebuild?"+query, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	for lines := json.NewDecoder(answer.Body); lines.More(); {
		last = local.RebuildLine{}
		if err := lines.Decode(&last); err != nil {
			t.Fatal(err)
		}
	}
	return answer.StatusCode, last
}

// A new revision without a fingerprint is built beside the old one, as in a deployed service:
// readers get the old one as it stood, then the new one; consumers are told which changes are the
// rebuild's.
func TestRebuild(t *testing.T) {
	store := storeFile(t)
	events, before := &recorder{failed: true}, &recorder{}
	p := run(t, notes.Model("", consumers(events, before)...), "-store", store)
	for i := range 30 {
		post(t, p.url, fmt.Sprint("n", i), "old", "red")
	}
	until(t, p.url+"/-/status", `"consumers":[{"name":"mailer","waiting":0},{"name":"report","waiting":0}]`)
	until(t, p.url+"/tags/red", `"notes":30`)
	p.end(t)

	m := notes.Model("", consumers(&recorder{failed: true}, before)...)
	m.Views[0].Revision, m.Views[1].Revision = 2, 2
	changes := &recorder{}
	m.Consumers = consumers(&recorder{failed: true}, changes)
	p = run(t, m, "-store", store)
	post(t, p.url, "n1", "while it is built", "red")
	until(t, p.url+"/-/status", `"active":1,"rebuild":{"view":"default","revision":2,"state":"due"`)
	until(t, p.url+"/-/status", `"waiting":0,"views"`)
	until(t, p.url+"/n1", `"text":"old"`)
	until(t, p.url+"/tags/red", `"notes":30`)
	if status, body := call(t, "POST", p.url+"/-/drop-old?view=default", ""); status != 409 || !strings.Contains(body, "still-needed") {
		t.Errorf("dropping what is read: %d %s", status, body)
	}
	var writers sync.WaitGroup
	for range 2 {
		writers.Go(func() {
			for i := range 20 {
				post(t, p.url, fmt.Sprint("n", i), "beside", "red")
			}
		})
	}
	for _, view := range []string{"default", "tags"} {
		if status, line := rebuild(t, p.url, "view="+view); status != 200 || line.Done == nil || line.Done.Active != 2 {
			t.Fatalf("%s: %d %+v", view, status, line)
		}
	}
	writers.Wait()
	until(t, p.url+"/n1", `"text":"beside","edits":4,"version":4`)
	until(t, p.url+"/n29", `"text":"old","edits":1`)
	until(t, p.url+"/tags/red", `"notes":71`)
	post(t, p.url, "n29", "live", "")
	until(t, p.url+"/-/status", `"consumers":[{"name":"mailer","waiting":0},{"name":"report","waiting":0}]`)
	until(t, p.url+"/n29", `"live"`)
	changes.waitEnd(t, "n29 2 true true false")
	// Generated handlers return at once from what is marked as a rebuild's.
	if got := changes.String(); strings.Contains(got, " 1 false true false") || strings.Count(got, " true; ") < 30 {
		t.Errorf("changes of the rebuild are not marked: %s", got)
	}

	for query, want := range map[string]int{"view=nothing": 404, "view=default&rate=-1": 400, "view=default&parallel=x": 400} {
		if status, line := rebuild(t, p.url, query); status != want {
			t.Errorf("%s: %d %+v, want %d", query, status, line.Failure, want)
		}
	}
	if status, body := call(t, "GET", p.url+"/-/rebuild?view=default", ""); status != 405 {
		t.Errorf("GET: %d %s", status, body)
	}
	if status, body := call(t, "POST", p.url+"/-/drop-old?view=default", ""); status != 200 || !strings.Contains(body, `"revisions":[1]`) {
		t.Errorf("drop-old: %d %s", status, body)
	}
	if status, body := call(t, "POST", p.url+"/-/drop-old?view=default", ""); status != 200 || !strings.Contains(body, `"revisions":[]`) {
		t.Errorf("drop-old again: %d %s", status, body)
	}
	until(t, p.url+"/n1", `"version":4`)
	p.end(t)

	// Nothing is due or undone after a restart, with fingerprints or without.
	for _, args := range [][]string{nil, {"-fold", "default=1", "-fold", "tags=1"}} {
		p = run(t, m, append([]string{"-store", store}, args...)...)
		until(t, p.url+"/n1", `"version":4`)
		until(t, p.url+"/tags/red", `"notes":71`)
		p.end(t)
	}
}

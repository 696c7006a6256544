package ops_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/notes"
)

func atRevision(m *es.Model, n int) *es.Model {
	for i := range m.Views {
		m.Views[i].Revision = n
	}
	return m
}

// A rebuild through the running program and on the file: what it says, what it is afterwards.
func TestRebuild(t *testing.T) {
	for _, running := range []bool{true, false} {
		t.Run(fmt.Sprint("running ", running), func(t *testing.T) {
			store := filepath.Join(t.TempDir(), "store.db")
			first, second := notes.Model(""), atRevision(notes.Model(""), 2)
			url, stop := serve(t, first, store)
			post(t, url, "n1", "fine")
			post(t, url, "n1", "bad")
			post(t, url, "n2", "fine")
			waitFor(t, first, store, `"waiting": 0`, "status", "-json")
			stop()
			if running {
				_, stop = serve(t, second, store)
			}
			check := func(m *es.Model, status int, wants []string, args ...string) {
				t.Helper()
				got, out, errs := run(t, m, store, args...)
				for _, want := range wants {
					if !strings.Contains(out+errs, want) {
						t.Errorf("%q: %s%s\nwant %q", args, out, errs, want)
					}
				}
				if got != status {
					t.Errorf("%q: status %d, want %d\n%s%s", args, got, status, out, errs)
				}
			}
			check(second, 0, []string{"READERS GET", "due", "see REBUILD", "esgen rebuild default --store " + store}, "status")
			check(second, 2, []string{"still needed"}, "rebuild", "default", "--drop-old")
			check(second, 0, []string{"revision 2 of the view default is complete, and readers get it: looked at 2 entities, folded 3 events"}, "rebuild", "default")
			check(second, 0, []string{`"active": 2`, `"state": "done"`, `"entities": 2`}, "rebuild", "tags", "--json", "-rate", "1000", "-parallel", "2")
			check(second, 0, []string{"done 20"}, "status")
			check(second, 0, []string{"dropped revision 1 of the view default"}, "rebuild", "-drop-old", "default")
			check(second, 0, []string{`"revisions": []`}, "rebuild", "-drop-old", "default", "-json")
			check(second, 2, []string{"there is no view", "default"}, "rebuild", "nothing")
			check(second, 2, []string{"unknown view"}, "rebuild", "-drop-old", "nothing")
			check(second, 2, []string{"usage"}, "rebuild")
			check(second, 2, []string{"-rate"}, "rebuild", "default", "-rate", "-1")
			check(second, 2, []string{"-drop-old"}, "rebuild", "default", "-drop-old", "-rate", "5")
			check(second, 2, []string{"go with rebuild"}, "status", "-drop-old")
			check(second, 0, []string{"entities  2"}, "status", "-full")
			check(second, 2, []string{"goes with reconcile"}, "quarantine", "list", "-full")
			check(second, 2, []string{"goes with reconcile"}, "status", "-entities", "3")
			check(second, 0, []string{"looked at 0"}, "reconcile")
			check(second, 0, []string{"compared 2 entities, looked at 0"}, "reconcile", "-full")
			check(second, 0, []string{"compared 2 entities"}, "reconcile", "-entities", "5")
			stop()

			// Code that cannot fold what the old could: readers keep what they have.
			third := atRevision(notes.Model("bad"), 3)
			check(third, 1, []string{"readers still get revision 2", "n1, from version 2 on", "this text cannot be folded", "-accept-quarantined"}, "rebuild", "default")
			check(third, 0, []string{"held"}, "status")
			check(third, 1, []string{"is complete", "in quarantine 1"}, "rebuild", "default", "-accept-quarantined")
		})
	}
}

// Progress is a line now and then where there is no terminal.
func TestProgressLines(t *testing.T) {
	store := filepath.Join(t.TempDir(), "store.db")
	m := notes.Model("")
	url, stop := serve(t, m, store)
	for i := range 20 {
		post(t, url, fmt.Sprint("n", i), "fine")
	}
	stop()
	started := time.Now()
	_, out, errs := run(t, atRevision(notes.Model(""), 2), store, "rebuild", "default")
	lines := strings.Count(errs, "\n")
	if lines < 1 || lines > 5+int(time.Since(started).Seconds()) || !strings.Contains(errs, "100%, 20 events") || strings.Contains(out, "%") {
		t.Errorf("%d lines: %s%s", lines, out, errs)
	}
}

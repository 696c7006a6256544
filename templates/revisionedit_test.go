package templates_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/esgen/esgen/templates"
)

// recordOf brings a record through schemas, one after the other.
func recordOf(t *testing.T, texts ...[]byte) (record []byte) {
	t.Helper()
	for _, text := range texts {
		var err error
		if record, _, err = templates.Revisions(record, load(t, "esgen.yaml", text)); err != nil {
			t.Fatal(err)
		}
	}
	return record
}

func TestDropRevisions(t *testing.T) {
	const another = "  totals: {events: [Placed], fields: {count: int}}\n"
	third := revisionsText("3", "total: Money", "")
	record := recordOf(t, revisionsText("1", "total: Money", another), revisionsText("2", "total: Money, n: int", another), third)
	if _, _, err := templates.DropRevisions(record, "nothing"); err == nil || !strings.Contains(err.Error(), "default, totals") {
		t.Errorf("a view that never was: %v", err)
	}
	if templates.IsRemoved(record, "default") || !templates.IsRemoved(record, "totals") {
		t.Error("which views are removed?")
	}
	record, d, err := templates.DropRevisions(record, "default")
	if err != nil || d.Removed || !slices.Equal(d.Revisions, []int{2, 1}) {
		t.Fatalf("%+v, %v", d, err)
	}
	if record, d, err = templates.DropRevisions(record, "totals"); err != nil || !d.Removed || !slices.Equal(d.Revisions, []int{1}) {
		t.Fatalf("%+v, %v", d, err)
	}
	s := load(t, "esgen.yaml", third)
	if got := tablesIn(t, s, record); got != "default.3/4" || templates.IsRemoved(record, "totals") {
		t.Errorf("tables %q of\n%s", got, record)
	}
	if record, d, err = templates.DropRevisions(record, "default"); err != nil || len(d.Revisions) != 0 {
		t.Errorf("again: %+v, %v", d, err)
	}
	want := strings.Replace(string(recordOf(t, third)), "\n}\n", ",\n  \"dropped\": {\n    \"totals\": 1\n  }\n}\n", 1)
	if want != string(record) {
		t.Errorf("what is left is not a new record, and the numbers that were used:\n%s", record)
	}
}

// The progress of a stage has what became of a view that is gone: how far each entity was folded. A view that
// comes back with a number that was used before would take that for its own, and never fold what is older.
func TestAViewThatComesBackAfterItWasDroppedIsWarnedOf(t *testing.T) {
	without := revisionsText("1", "total: Money", "")
	of := func(revision string) []byte {
		return revisionsText("1", "total: Money", "  totals: {revision: "+revision+", events: [Placed], fields: {count: int}}\n")
	}
	record, _, err := templates.DropRevisions(recordOf(t, of("1"), of("2"), without), "totals")
	if err != nil {
		t.Fatal(err)
	}
	if record, _, err = templates.Revisions(record, load(t, "esgen.yaml", without)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		revision string
		warned   bool
	}{{"1", true}, {"2", true}, {"3", false}} {
		_, warnings, err := templates.Revisions(record, load(t, "esgen.yaml", of(c.revision)))
		if err != nil || (len(warnings) == 1) != c.warned || c.warned && !strings.Contains(warnings[0].Message, "begin with revision 3") {
			t.Errorf("revision %s: %v, %v", c.revision, warnings, err)
		}
	}
}

// A revision whose code changes after it was seen deployed is warned of, until it is raised or the
// change accepted.
func TestCodeWarnings(t *testing.T) {
	first := revisionsText("1", "total: Money", "")
	s := load(t, "esgen.yaml", first)
	record := recordOf(t, first)
	warnings := func(code string) int {
		t.Helper()
		found, err := templates.CodeWarnings(record, s, func(folder string) string {
			if folder != "views/defaultview" {
				t.Errorf("folder %s", folder)
			}
			return code
		})
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	if warnings("a") != 0 {
		t.Error("a warning before anything is deployed")
	}
	see := func(revision int, code string) []string {
		t.Helper()
		next, changed, err := templates.Deployed(record, map[string]templates.SeenRevision{"default": {Revision: revision, Code: code}, "other": {Revision: 1, Code: code}})
		if err != nil {
			t.Fatal(err)
		}
		record = next
		return changed
	}
	if changed := see(2, "z"); len(changed) != 0 {
		t.Errorf("another revision was noted: %v", changed)
	}
	if changed := see(1, "a"); len(changed) != 1 {
		t.Errorf("noted %v", changed)
	}
	if changed := see(1, "b"); len(changed) != 0 {
		t.Errorf("noted again %v", changed)
	}
	record, _, err := templates.Revisions(record, s)
	if err != nil {
		t.Fatal(err)
	}
	if warnings("a") != 0 || warnings("") != 0 || warnings("b") != 1 {
		t.Errorf("warnings %d, %d, %d; want 0, 0, 1", warnings("a"), warnings(""), warnings("b"))
	}
	accepted, err := templates.AcceptCode(record, "default", "b")
	if err != nil {
		t.Fatal(err)
	}
	record = accepted
	if warnings("b") != 0 {
		t.Error("a warning of what was accepted")
	}
	second := revisionsText("2", "total: Money", "")
	s = load(t, "esgen.yaml", second)
	if record, _, err = templates.Revisions(record, s); err != nil {
		t.Fatal(err)
	}
	if warnings("c") != 0 {
		t.Error("a warning of a new revision")
	}
}

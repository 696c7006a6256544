package templates_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/esgen/esgen/runtime/dynamo"
	"github.com/esgen/esgen/schema"
	"github.com/esgen/esgen/templates"
)

const revisionsSchema = `
esgen: 1
service: orders
module: example.com/orders
entity: {name: order, key: orderId}
types:
  Money: {fields: {amount: decimal}}
events:
  Placed: {fields: {total: Money}}
views:
  default:
    revision: REVISION
    events: [Placed]
    fields: {FIELDS}
OTHER`

func revisionsText(revision, fields, other string) []byte {
	return []byte(strings.NewReplacer("REVISION", revision, "FIELDS", fields, "OTHER", other).Replace(revisionsSchema))
}

// TestRevisions walks one record of revisions through edits of a schema.
func TestRevisions(t *testing.T) {
	const another = "  totals: {events: [Placed], fields: {count: int}}\n"
	var record []byte
	for _, step := range []struct {
		what    string
		text    []byte
		warning string
		has     []string
		lacks   []string
	}{
		{"a new service", revisionsText("1", "total: Money", another), "", []string{`"totals"`, "Money{amount: decimal}"}, []string{"previous", "removed"}},
		{"nothing changed", revisionsText("1", "total: Money", another), "", nil, []string{"previous"}},
		{"a field without a new revision", revisionsText("1", "total: Money, n: int", another), "raise it to 2", []string{`"n"`}, []string{"previous"}},
		{"the same again", revisionsText("1", "total: Money, n: int", another), "", nil, nil},
		{"a new revision", revisionsText("2", "total: Money", another), "", []string{`"previous"`, `"revision": 2`, `"n"`}, []string{"removed"}},
		{"a view removed", revisionsText("2", "total: Money", ""), "", []string{`"removed": true`, `"totals"`}, nil},
		{"and back", revisionsText("2", "total: Money", another), "", nil, []string{"removed"}},
		{"a revision used again", revisionsText("1", "total: Money", another), "goes back from revision 2 to 1", nil, nil},
	} {
		next, warnings, err := templates.Revisions(record, load(t, "esgen.yaml", step.text))
		if err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		switch {
		case step.warning == "" && len(warnings) > 0:
			t.Errorf("%s: unexpected warning %v", step.what, warnings)
		case step.warning != "" && (len(warnings) != 1 || !strings.Contains(warnings[0].Message, step.warning)):
			t.Errorf("%s: warnings %v, want one with %q", step.what, warnings, step.warning)
		}
		for _, text := range step.has {
			if !bytes.Contains(next, []byte(text)) {
				t.Errorf("%s: no %s in\n%s", step.what, text, next)
			}
		}
		for _, text := range step.lacks {
			if bytes.Contains(next, []byte(text)) {
				t.Errorf("%s: %s in\n%s", step.what, text, next)
			}
		}
		record = next
	}
}

func TestRevisionsThatCannotBeRead(t *testing.T) {
	s := load(t, "esgen.yaml", revisionsText("1", "total: Money", ""))
	for _, text := range []string{"{", `{"views": {"default": null}}`, `{"views": {"default": {}}}`, `[]`} {
		if _, _, err := templates.Revisions([]byte(text), s); err == nil || !strings.Contains(err.Error(), templates.RevisionsPath) {
			t.Errorf("%s: error %v does not name the file", text, err)
		}
	}
}

// TestTables: what a service has for tables follows its record of revisions, and a table's layout
// stays what it was when its revision began.
func TestTables(t *testing.T) {
	const another = "  totals: {events: [Placed], fields: {count: int}}\n"
	var record []byte
	for _, step := range []struct {
		what, want string
		text       []byte
	}{
		{"a new service", "default.1/4 totals.1/4", revisionsText("1", "total: Money", another)},
		{"a new revision", "default.2/4 default.1/4 totals.1/4", revisionsText("2", "total: Money, n: int", another)},
		{"a third", "default.3/4 default.2/4 default.1/4 totals.1/4", revisionsText("3", "total: Money, n: int", another)},
		{"a view removed", "default.3/4 default.2/4 default.1/4", revisionsText("3", "total: Money, n: int", "")},
	} {
		s := load(t, "esgen.yaml", step.text)
		var err error
		if record, _, err = templates.Revisions(record, s); err != nil {
			t.Fatal(err)
		}
		if got := tablesIn(t, s, record); got != step.want {
			t.Errorf("%s: tables %q, want %q", step.what, got, step.want)
		}
	}
	// A table made with another number of shards keeps it until its revision goes.
	record = bytes.Replace(record, []byte(`"shards": 4`), []byte(`"shards": 2`), -1)
	s := load(t, "esgen.yaml", revisionsText("4", "total: Money", ""))
	record, _, err := templates.Revisions(record, s)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tablesIn(t, s, record), "default.4/4 default.3/2 default.2/2 default.1/2"; got != want {
		t.Errorf("tables %q, want %q", got, want)
	}
}

var tableLine = regexp.MustCompile(`View: "(.*?)",\s*Revision: (\d+).*?Shards: (\d+)`)

// tablesIn reads the tables out of the generated package that describes them.
func tablesIn(t *testing.T, s *schema.Service, record []byte) string {
	t.Helper()
	files, err := templates.Files(s, record)
	if err != nil {
		t.Fatal(err)
	}
	var tables []string
	for _, f := range files {
		if f.Path == "cmd/internal/tables/tables_gen.go" {
			for _, m := range tableLine.FindAllSubmatch(f.Content, -1) {
				tables = append(tables, fmt.Sprintf("%s.%s/%s", m[1], m[2], m[3]))
			}
		}
	}
	return strings.Join(tables, " ")
}

func TestIndexShards(t *testing.T) {
	s := load(t, "esgen.yaml", revisionsText("1", "total: Money", ""))
	if got, want := tablesIn(t, s, nil), fmt.Sprintf("default.1/%d", dynamo.DefaultShards); got != want {
		t.Errorf("tables %q, want %q as the store's own default", got, want)
	}
}

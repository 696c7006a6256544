package templates_test

import (
	"bytes"
	"strings"
	"testing"

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

package schema_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/esgen/esgen/schema"
)

var misspelt = schema.Diagnostics{{
	Code: "unknown-event", Severity: schema.SeverityError, File: "esgen.yaml", Line: 31, Column: 14, EndLine: 31, EndColumn: 25,
	Message: `view "default" lists the event "OrderPlcaed", which the schema does not define`,
	Hint:    `did you mean "OrderPlaced"?`, Source: "    events: [OrderPlcaed, OrderShipped]",
}}

func TestText(t *testing.T) {
	want := `esgen.yaml:31:14: error: view "default" lists the event "OrderPlcaed", which the schema does not define [unknown-event]
   31 |     events: [OrderPlcaed, OrderShipped]
      |              ^^^^^^^^^^^
   hint: did you mean "OrderPlaced"?
`
	if got := misspelt.String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// What Load finds in the contract's example is what the contract shows.
func TestContractExample(t *testing.T) {
	text := strings.Repeat("# a line\n", 22) + `esgen: 1
service: orders
module: example.com/orders
entity: {name: order, key: orderId}
events: {OrderPlaced: {}, OrderShipped: {}}

views:
  default:
    events: [OrderPlcaed, OrderShipped]
`
	_, found := schema.Load("esgen.yaml", []byte(text))
	if found.String() != misspelt.String() {
		t.Errorf("got:\n%s\nwant:\n%s", found, misspelt)
	}
}

func TestJSON(t *testing.T) {
	var out bytes.Buffer
	if err := misspelt.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Diagnostics []map[string]any `json:"diagnostics"`
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || len(got.Diagnostics) != 1 {
		t.Fatalf("%v in %s", err, &out)
	}
	for key, want := range map[string]any{
		"code": "unknown-event", "severity": "error", "file": "esgen.yaml", "line": 31.0, "column": 14.0, "endLine": 31.0, "endColumn": 25.0,
		"message": misspelt[0].Message, "hint": misspelt[0].Hint,
	} {
		if got.Diagnostics[0][key] != want {
			t.Errorf("%s: got %v, want %v", key, got.Diagnostics[0][key], want)
		}
	}
	if related, ok := got.Diagnostics[0]["related"].([]any); !ok || len(related) != 0 || len(got.Diagnostics[0]) != 10 {
		t.Errorf("got %s", &out)
	}
	out.Reset()
	if err := (schema.Diagnostics)(nil).WriteJSON(&out); err != nil || strings.TrimSpace(out.String()) != "{\n  \"diagnostics\": []\n}" {
		t.Errorf("nothing found is %s (%v)", &out, err)
	}
}

func TestGitHub(t *testing.T) {
	var out bytes.Buffer
	odd := schema.Diagnostics{{Code: "a,b:c", Severity: schema.SeverityWarning, File: "a,b.yaml", Line: 1, Column: 2, EndLine: 1, EndColumn: 3, Message: "50% of\nit: all", Hint: "none"}}
	if err := odd.WriteGitHub(&out); err != nil {
		t.Fatal(err)
	}
	want := "::warning file=a%2Cb.yaml,line=1,endLine=1,col=2,endColumn=3,title=a%2Cb%3Ac::50%25 of%0Ait: all%0Ahint: none\n"
	if out.String() != want {
		t.Errorf("got %s, want %s", &out, want)
	}
}

func TestExcerpts(t *testing.T) {
	for name, c := range map[string]struct {
		d    schema.Diagnostic
		want string
	}{
		"tabs keep their width":          {schema.Diagnostic{Line: 1, Column: 3, EndLine: 1, EndColumn: 4, Source: "\tä x"}, "    1 |  ä x\n      |   ^\n"},
		"wide characters take two":       {schema.Diagnostic{Line: 1, Column: 5, EndLine: 1, EndColumn: 7, Source: "日é😀 本x"}, "    1 | 日é😀 本x\n      |       ^^^\n"},
		"combining characters take none": {schema.Diagnostic{Line: 1, Column: 4, EndLine: 1, EndColumn: 6, Source: "e\u0301 o\u0308"}, "    1 | e\u0301 o\u0308\n      |   ^\n"},
		"no line, no excerpt":            {schema.Diagnostic{Line: 1, Column: 3}, ""},
		"several lines end at the first": {schema.Diagnostic{Line: 1, Column: 2, EndLine: 3, EndColumn: 1, Source: "abc"}, "    1 | abc\n      |  ^^\n"},
		"beyond the end":                 {schema.Diagnostic{Line: 1, Column: 9, EndLine: 1, EndColumn: 12, Source: "abc"}, "    1 | abc\n      |    ^\n"},
		"escapes do nothing":             {schema.Diagnostic{Line: 1, Column: 1, EndLine: 1, EndColumn: 2, Source: "\x1b[31m"}, "    1 | \ufffd[31m\n      | ^\n"},
		"a long line": {schema.Diagnostic{Line: 1, Column: 301, EndLine: 1, EndColumn: 304, Source: strings.Repeat("a", 300) + "bcd" + strings.Repeat("e", 300)},
			"    1 | …" + strings.Repeat("a", 40) + "bcd" + strings.Repeat("e", 117) + "…\n      | " + strings.Repeat(" ", 41) + "^^^\n"},
	} {
		t.Run(name, func(t *testing.T) {
			_, got, _ := strings.Cut(schema.Diagnostics{c.d}.String(), "\n")
			if got != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}

// The page that README.md links to is what Reference makes.
func TestReferenceIsCurrent(t *testing.T) {
	if *update {
		if err := os.WriteFile("REFERENCE.md", schema.Reference(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile("REFERENCE.md")
	if err != nil || !bytes.Equal(page, schema.Reference()) {
		t.Errorf("REFERENCE.md is not current (%v); go test ./schema -update writes it", err)
	}
}

func TestReferenceNamesEveryKeyAndRule(t *testing.T) {
	text := string(schema.Reference())
	var editor struct {
		Properties map[string]any
		Defs       map[string]struct{ Properties map[string]any } `json:"definitions"`
	}
	if err := json.Unmarshal(schema.EditorSchema(), &editor); err != nil {
		t.Fatal(err)
	}
	for key := range editor.Properties {
		if !strings.Contains(text, "`"+key+"`") {
			t.Errorf("the reference lacks %s", key)
		}
	}
	for name, def := range editor.Defs {
		for key := range def.Properties {
			if !strings.Contains(text, "`"+key+"`") {
				t.Errorf("the reference lacks %s of %s", key, name)
			}
		}
	}
	for _, r := range schema.Rules() {
		if !strings.Contains(text, "| `"+r.Code+"` |") {
			t.Errorf("the reference lacks the rule %s", r.Code)
		}
	}
}

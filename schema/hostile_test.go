package schema_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/esgen/esgen/schema"
)

// Whatever the text, Load gives findings with a place in it, and not too many.
func checkLoad(t *testing.T, text []byte) {
	t.Helper()
	service, found := schema.Load("esgen.yaml", text)
	if (service == nil) != found.HasErrors() {
		t.Fatalf("service given: %t, with findings:\n%s", service != nil, found)
	}
	if len(found) > 1001 {
		t.Fatalf("%d findings", len(found))
	}
	for _, d := range found {
		if d.Line < 1 || d.Column < 1 || d.EndLine < d.Line || d.EndLine == d.Line && d.EndColumn <= d.Column {
			t.Errorf("place %d:%d to %d:%d in %v", d.Line, d.Column, d.EndLine, d.EndColumn, d)
		}
		if _, known := schema.Explain(d.Code); !known {
			t.Errorf("the code %q is of no rule", d.Code)
		}
		if strings.Contains(d.Message, "yaml:") || strings.Contains(d.Message, "jsonschema") {
			t.Errorf("a library speaks: %s", d.Message)
		}
	}
	if text := found.String(); !utf8.ValidString(text) {
		t.Errorf("the findings are not UTF-8: %q", text)
	}
}

func FuzzLoad(f *testing.F) {
	files, _ := filepath.Glob(schemas + "/*/*.yaml")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(checkLoad)
}

const minimal = `esgen: 1
service: notes
module: example.com/notes
entity: {name: note, key: noteId}
events:
  NoteTaken: {fields: {text: string}}
views:
  default: {events: [NoteTaken], fields: {text: string}}
`

func TestHostileText(t *testing.T) {
	laughs := minimal + "x-a: &a [l, l, l, l, l, l, l, l, l]\n"
	for c := 'b'; c < 'z'; c++ {
		laughs += fmt.Sprintf("x-%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	for name, text := range map[string]string{
		"nothing":          "",
		"only a BOM":       "\ufeff",
		"UTF-16":           "\xff\xfee\x00s\x00",
		"a billion laughs": laughs,
		"brackets":         strings.Repeat("[", 1<<20),
		"braces":           strings.Repeat("{a: ", 1<<16),
		"dashes":           strings.Repeat("- ", 1<<17),
		"question marks":   strings.Repeat("? ", 1<<17),
		"many keys":        minimal + strings.Repeat("a: b\n", 1<<16),
		"commas":           "a: {" + strings.Repeat("a,", 1<<17) + "}",
		"open quote":       minimal + "description: \"" + strings.Repeat("x\n", 1<<16),
		"types in a row":   "a: [" + strings.Repeat("a?, ", 1<<14),
		"comments":         strings.Repeat("#\n\n", 1<<16) + minimal,
		"comments in flow": strings.Repeat("[[],\n#\n", 1<<13),
		"long line":        minimal + "description: " + strings.Repeat("x", 1<<20) + ": y",
		"long number":      minimal + "x-n: " + strings.Repeat("9", 1<<20),
		"exponent":         strings.Replace(minimal, "text: string}}\nviews", "n: {type: decimal, minimum: 1e5000000}}}\nviews", 1),
		"page size":        minimal + "api: {pageSize: 1e400}",
		"deep type":        strings.Replace(minimal, "text: string}}\nviews", "t: \""+strings.Repeat("list<", 1<<16)+"\"}}\nviews", 1),
		"4 MiB and more":   strings.Repeat(" ", 5<<20),
		"nested pattern":   strings.Replace(minimal, "text: string}}\nviews", "t: {type: string, pattern: \"((((a{100}){100}){100}){100})\"}}}\nviews", 1),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			checkLoad(t, []byte(text))
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 3<<30 {
				t.Errorf("%d MiB allocated", used>>20)
			}
		})
	}
}

func TestBillionLaughsIsRefused(t *testing.T) {
	text := minimal + "x-a: &a [l, l, l, l, l, l, l, l, l, l]\n"
	for c := 'b'; c < 'h'; c++ {
		text += fmt.Sprintf("x-%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	service, found := schema.Load("esgen.yaml", []byte(text))
	if service != nil || len(found) != 1 || found[0].Code != "alias" {
		t.Errorf("got %v", found)
	}
}

// large is a schema of n events and n/20 views.
func large(events int) []byte {
	var b strings.Builder
	b.WriteString("esgen: 1\nservice: large\nmodule: example.com/large\nentity: {name: thing, key: thingId}\n")
	b.WriteString("types:\n  Item:\n    fields:\n      sku: {type: string, maxLength: 64}\n      price: {type: decimal, minimum: 0}\nevents:\n")
	for i := range events {
		fmt.Fprintf(&b, "  ThingHappened%d:\n    description: It happened.\n    fields:\n", i)
		b.WriteString("      ownerId: {type: string, minLength: 1, maxLength: 64}\n      items: {type: \"Item[]\", maxItems: 9}\n" +
			"      total: decimal\n      at: {type: timestamp, default: now}\n      note: \"string?\"\n      kind: {type: string, enum: [a, b, c], default: a}\n")
	}
	b.WriteString("views:\n")
	for i := range max(events/20, 1) {
		fmt.Fprintf(&b, "  view%d:\n    events: [ThingHappened%d]\n    fields: {ownerId: string, total: decimal, at: timestamp}\n    indexes: {owner: {key: ownerId, sort: at}}\n", i, i)
	}
	return []byte(b.String())
}

func BenchmarkLoad(b *testing.B) {
	for _, events := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("%d_events", events), func(b *testing.B) {
			text := large(events)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if service, found := schema.Load("esgen.yaml", text); service == nil {
					b.Fatal(found)
				}
			}
		})
	}
}

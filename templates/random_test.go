package templates_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/esgen/esgen/schema"
	"github.com/esgen/esgen/templates"
)

// TestRandomSchemasCompile has Go judge what is generated for schemas made of traps:
// a schema is either refused with a diagnostic, or gives code that passes vet, its own
// tests, and staticcheck where that is installed. All are one module, so that what they share is compiled once.
// ESGEN_RANDOM_SCHEMAS="seed count" tries others.
func TestRandomSchemasCompile(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles services")
	}
	seed, n := 1, 6
	if text := os.Getenv("ESGEN_RANDOM_SCHEMAS"); text != "" {
		if _, err := fmt.Sscan(text, &seed, &n); err != nil {
			t.Fatal(err)
		}
	}
	dir := writeModule(t, nil)
	good := 0
	for i := seed; i < seed+n; i++ {
		text := newRandomSchema(uint64(i)).text()
		name := "s" + strconv.Itoa(i)
		s, found := schema.Load(name, []byte(text))
		if s == nil {
			if testing.Verbose() {
				t.Logf("seed %d refused: %s %s", i, found[0].Code, found[0].Message)
			}
			if !found.HasErrors() {
				t.Errorf("seed %d: refused without a diagnostic\n%s", i, text)
			}
			continue
		}
		good++
		s.Module = "example.com/cases/" + name
		files, err := templates.Files(s, nil)
		if err != nil {
			t.Errorf("seed %d: %v\n%s", i, err, text)
			continue
		}
		write(t, filepath.Join(dir, name), files)
		writeFile(t, filepath.Join(dir, name, "esgen.yaml"), []byte(text))
	}
	if good < n/2 {
		t.Errorf("only %d of %d schemas were good", good, n)
	}
	if keep := os.Getenv("ESGEN_RANDOM_KEEP"); keep != "" {
		if err := os.CopyFS(keep, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
	}
	goCommand(t, dir, "vet", "./...")
	goCommand(t, dir, "test", "./...")
	staticcheck, err := exec.LookPath("staticcheck")
	if err != nil {
		t.Skip("not run: staticcheck is not on PATH")
	}
	run(t, dir, staticcheck, "./...")
}

// randomSchema writes one schema.
type randomSchema struct {
	*rand.Rand
	b       strings.Builder
	objects map[string][]randomField
	enums   map[string][]string
	scalars map[string]string // named scalar -> kind
	types   []string
	events  map[string][]randomField
	order   []string // of the events
	states  []string
}

type randomField struct {
	name, base string
	text       string // as the schema writes it
	optional   bool
	bounded    bool // a list with maxItems
}

func newRandomSchema(seed uint64) *randomSchema {
	return &randomSchema{Rand: rand.New(rand.NewPCG(seed, 7)), objects: map[string][]randomField{},
		enums: map[string][]string{}, scalars: map[string]string{}, events: map[string][]randomField{}}
}

var (
	trapTypes = []string{"View", "String", "Time", "Decimal", "Event", "Error", "Types", "Events", "Es", "Date", "UUID", "Meta",
		"Record", "Int64", "Float64", "Init", "Main", "Test", "Context", "Fmt", "JSON", "Slog", "Maps", "Slices", "Any", "New", "X", "Key"}
	trapEvents = []string{"SelfTest", "DeviceWindows", "Main", "Init", "View", "ViewGen", "ViewTest", "Test", "Linux",
		"OrderURL", "Events2", "Change", "String", "Error", "A", "AB", "Events", "Service", "Ab1", "Es", "Fold", "Load",
		"Definition", "Func", "Type", "UUID", "Handler", "Arm64", "Internal", "DocGo", "Patterns"}
	trapFields = []string{"view", "event", "es", "string", "len", "append", "error", "nil", "type2", "fold", "load", "appendJSON", "appendJson", "decode",
		"eventType", "entityId", "entityID2", "func", "range", "map", "chan", "interface", "select", "go", "defer", "var", "const", "int", "float64",
		"true", "false", "iota", "new", "make", "copy", "panic", "err", "v", "d", "e", "t", "dst", "seen", "name", "value", "i", "start", "json",
		"fmt", "slog", "maps", "slices", "context", "logValue", "format", "goString", "ok", "key", "state", "status", "url", "ipv4", "html5",
		"appendIndexEntries", "appendSubmission", "check", "startValues", "element", "index", "x", "a1", "aB", "urlId", "userIDs", "utf8"}
	trapViews = []string{"default", "func", "internal", "main", "test", "events-2", "vendor", "es", "view", "views", "types", "error", "string", "len",
		"init", "true", "a-b", "linux", "windows-amd64", "self-test", "testdata", "fmt", "json", "time", "any", "x", "v2", "go", "maps", "context"}
	trapConsumers = []string{"vendor", "es", "main", "internal", "context", "fmt", "events", "views", "view", "load", "start", "handler", "test",
		"self-test", "func", "adapter", "consumer", "init", "nil", "error", "linux"}
	trapValues = []string{"1st", "", " ", "ä", "a-b", "true", "null", "~", "-", "+", "A+", "\"", "\\", "`", "€", "placed", "PLACED",
		"in-progress", "1-2", "12", "func", "日本", "x\ny", "'", "%s", "%", "//", "*/", "🙂"}
	scalarNames = []string{"string", "int", "float", "decimal", "bool", "timestamp", "date", "uuid", "bytes", "json"}
)

// some picks up to n different names.
func (r *randomSchema) some(from []string, n int) []string {
	var picked []string
	for _, i := range r.Perm(len(from))[:min(n, len(from))] {
		picked = append(picked, from[i])
	}
	return picked
}

func (r *randomSchema) one(from []string) string { return from[r.IntN(len(from))] }

func (r *randomSchema) chance(percent int) bool { return r.IntN(100) < percent }

func quotedList(values []string) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = strconv.Quote(v)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func (r *randomSchema) text() string {
	r.b.WriteString("esgen: 1\nservice: random\nmodule: example.com/random\n")
	key := r.one([]string{"orderId", "id", "es", "entityId", "key", "view", "string", "decode", "event"})
	if r.chance(60) {
		r.states = r.some([]string{"func", "linux", "in-progress", "open", "closed", "nil", "a1"}, 1+r.IntN(4))
		fmt.Fprintf(&r.b, "entity: {name: %s, key: %q, states: %s}\n", r.one([]string{"order", "func", "type", "hero", "bus", "big-city"}), key, quotedList(r.states))
	} else {
		fmt.Fprintf(&r.b, "entity: {name: entry, key: {name: %q, pattern: \"^[A-Za-z0-9`-]+$\", minLength: 2, maxLength: 40}}\n", key)
	}
	r.writeTypes(key)
	r.writeEvents(key)
	r.writeViews(key)
	return r.b.String()
}

func (r *randomSchema) writeTypes(key string) {
	r.b.WriteString("types:\n")
	names := r.some(trapTypes, 3+r.IntN(8))
	for _, name := range names {
		r.types = append(r.types, name)
		switch r.IntN(4) {
		case 0:
			r.enums[name] = r.some(trapValues, 1+r.IntN(6))
			fmt.Fprintf(&r.b, "  %s: {enum: %s}\n", name, quotedList(r.enums[name]))
		case 1:
			kind := r.one(scalarNames)
			r.scalars[name] = kind
			fmt.Fprintf(&r.b, "  %s: {type: %s%s}\n", name, kind, r.constraints(kind))
		default:
			fields := r.fields(1+r.IntN(6), append([]string{name}, r.types...), false, "")
			r.objects[name] = fields
			fmt.Fprintf(&r.b, "  %s:\n    fields:\n", name)
			r.writeFields(fields, "      ")
		}
	}
}

func (r *randomSchema) writeFields(fields []randomField, indent string) {
	for _, f := range fields {
		fmt.Fprintf(&r.b, "%s%q: %s\n", indent, f.name, f.text)
	}
}

// fields makes fields of random types. Types of the schema may be used only where
// recursion has an end: below a list or a map, or optional.
func (r *randomSchema) fields(n int, types []string, inView bool, without string) []randomField {
	var fields []randomField
	for _, name := range r.some(trapFields, n) {
		if strings.EqualFold(name, without) || name == "meta" || name == "type" {
			continue
		}
		fields = append(fields, r.field(name, types, inView))
	}
	return fields
}

func (r *randomSchema) field(name string, types []string, inView bool) randomField {
	f := randomField{name: name, base: r.one(scalarNames)}
	if len(types) > 0 && r.chance(45) {
		f.base = r.one(types)
	}
	container := ""
	depth := []int{0, 0, 0, 0, 1, 1, 2, 3}[r.IntN(8)]
	text := f.base
	for range depth {
		container = r.one([]string{"list<%s>", "map<%s>", "%s[]"})
		text = fmt.Sprintf(container, text)
	}
	_, isObject := r.objects[f.base]
	isObject = isObject || len(types) > 0 && f.base == types[0] && r.enums[f.base] == nil && r.scalars[f.base] == ""
	f.optional = r.chance(30) || isObject && depth == 0 && len(types) > 0 && f.base == types[0]
	var more []string
	switch {
	case f.base == "string" && depth == 0 && r.chance(25):
		values := r.some(trapValues, 1+r.IntN(5))
		more = append(more, "enum: "+quotedList(values))
		if !f.optional && r.chance(50) {
			more = append(more, "default: "+strconv.Quote(values[0]))
		}
	case depth == 0 && r.chance(40) && !inView:
		if c := strings.TrimPrefix(r.constraints(f.base), ", "); c != "" {
			more = append(more, c)
		}
	case depth > 0 && r.chance(40) && !inView:
		if strings.HasPrefix(container, "map") {
			more = append(more, "maxProperties: 5")
		} else {
			more = append(more, "maxItems: 9, uniqueItems: true")
			f.bounded = true
		}
	case !f.optional && r.chance(50):
		if d := r.defaultOf(f.base, container); d != "" && (!inView || d != "now" && d != "new") {
			more = append(more, "default: "+d)
		}
	}
	if f.optional {
		more = append(more, "optional: true")
	}
	if r.chance(12) {
		more = append(more, "sensitive: true")
	}
	if r.chance(10) {
		more = append(more, `description: "*/ //go:embed x\n+build ignore"`)
	}
	f.text = fmt.Sprintf("{type: %q", text)
	for _, m := range more {
		f.text += ", " + m
	}
	f.text += "}"
	return f
}

func (r *randomSchema) constraints(kind string) string {
	switch kind {
	case "string":
		return r.one([]string{", minLength: 1", ", maxLength: 7", ", minLength: 2, maxLength: 3", ", pattern: \"^[a-z`\\\"]+$\"", ", pattern: x",
			", format: email", ", format: uri", ", format: hostname", ", format: ipv4", ", format: ipv6"})
	case "int":
		return r.one([]string{", minimum: 1", ", maximum: -3", ", exclusiveMinimum: 0, exclusiveMaximum: 9", ", multipleOf: 3", ", enum: [1, 2, 3]"})
	case "float", "decimal":
		return r.one([]string{", minimum: 0.5", ", exclusiveMaximum: 1e10", ", multipleOf: 0.01", ", minimum: 1, maximum: 2"})
	case "bytes":
		return r.one([]string{", minLength: 1", ", minLength: 2, maxLength: 3"})
	}
	return ""
}

// defaultOf is a default for a field, "" for none.
func (r *randomSchema) defaultOf(base, container string) string {
	switch {
	case container == "map<%s>":
		return "{}"
	case container != "":
		return "[]"
	case r.enums[base] != nil:
		return strconv.Quote(r.enums[base][0])
	}
	return map[string]string{"string": "\"say `\\\"%d\\\"`\"", "int": "-7", "float": "1e-7", "decimal": "1.50", "bool": "true", "timestamp": "now",
		"date": "now", "uuid": "new", "bytes": "\"AP8=\"", "json": "{a: [1, null]}"}[base]
}

func (r *randomSchema) writeEvents(key string) {
	r.b.WriteString("events:\n")
	r.order = r.some(trapEvents, 2+r.IntN(9))
	for i, name := range r.order {
		n := r.IntN(9)
		if r.chance(4) {
			n = 70
		}
		fields := r.fields(n, r.types, false, key)
		r.events[name] = fields
		fmt.Fprintf(&r.b, "  %s:\n", name)
		if len(r.states) > 0 && (i == 0 || r.chance(50)) {
			if i == 0 {
				r.b.WriteString("    from: none\n")
			}
			fmt.Fprintf(&r.b, "    to: %q\n", r.one(r.states))
		}
		if r.chance(10) {
			fmt.Fprintf(&r.b, "    revision: %d\n", 1+r.IntN(3))
		}
		if len(fields) > 0 {
			r.b.WriteString("    fields:\n")
			r.writeFields(fields, "      ")
		}
	}
}

func (r *randomSchema) writeViews(key string) {
	r.b.WriteString("views:\n")
	views := r.some(trapViews, 2+r.IntN(5))
	for _, v := range views {
		listed := r.some(r.order, 1+r.IntN(len(r.order)))
		by := ""
		fmt.Fprintf(&r.b, "  %q:\n", v)
		if k, events := r.otherKey(); k != "" && r.chance(50) {
			by = k
			fmt.Fprintf(&r.b, "    key: %s\n    events: %s\n", k, events)
		} else {
			fmt.Fprintf(&r.b, "    events: %s\n", quotedList(listed))
		}
		r.writeViewFields(listed, key, by)
	}
	r.b.WriteString("consumers:\n")
	for _, c := range r.some(trapConsumers, 1+r.IntN(4)) {
		if r.chance(40) {
			fmt.Fprintf(&r.b, "  %q: {view: %q}\n", c, r.one(views))
		} else {
			fmt.Fprintf(&r.b, "  %q: {events: %s}\n", c, quotedList(r.some(r.order, 1+r.IntN(3))))
		}
	}
}

// otherKey finds a field that can key a view, and writes the events that have it.
func (r *randomSchema) otherKey() (string, string) {
	for _, name := range r.some(r.order, len(r.order)) {
		for _, f := range r.events[name] {
			if !strings.HasPrefix(f.text, "{type: \""+f.base+"\"") {
				continue
			}
			if f.base == "string" || f.base == "uuid" || f.base == "int" || f.base == "date" || r.enums[f.base] != nil {
				return "recordKey", fmt.Sprintf("{%s: {key: %q}}", name, f.name)
			}
		}
	}
	return "", ""
}

// writeViewFields takes some fields as an event has them, and some at random.
func (r *randomSchema) writeViewFields(listed []string, key, by string) {
	r.b.WriteString("    fields:\n")
	taken := map[string]bool{strings.ToLower(by): true, "version": true, "meta": true}
	if by == "" {
		taken[strings.ToLower(key)] = true
	}
	add := func(f randomField) {
		if !taken[strings.ToLower(f.name)] {
			taken[strings.ToLower(f.name)] = true
			r.writeFields([]randomField{f}, "      ")
		}
	}
	for _, e := range listed {
		for _, f := range r.events[e] {
			if r.chance(50) {
				base, _, _ := strings.Cut(strings.TrimPrefix(f.text, "{type: \""), "\"")
				text := fmt.Sprintf("{type: %q", base)
				if at := strings.Index(f.text, "enum: ["); at >= 0 && base == "string" && r.chance(70) {
					text += ", " + f.text[at:at+strings.Index(f.text[at:], "]")+1]
				}
				if r.chance(30) {
					text += ", optional: true"
				}
				if r.chance(20) {
					text += ", sensitive: true"
				}
				add(randomField{name: f.name, text: text + "}"})
			}
		}
	}
	for _, f := range r.fields(1+r.IntN(4), r.types, true, key) {
		add(f)
	}
	if len(r.states) > 0 {
		add(randomField{name: r.one([]string{"state", "status"}), text: "{type: string, enum: " + quotedList(r.states) + "}"})
	}
}

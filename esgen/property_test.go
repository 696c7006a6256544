package main_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/esgen/esgen/esgen/internal/cli"
)

// However a schema is edited, what the user wrote keeps its bytes, a second run
// has nothing to do, and each handler is declared exactly once.
func TestUserFilesSurviveAnyEditOfTheSchema(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory(t)
		defer os.RemoveAll(filepath.Dir(h.dir))
		for range rapid.IntRange(1, 8).Draw(t, "edits") {
			h.edit()
			h.write()
			h.regenerate()
			h.settled()
			h.meddle()
		}
	})
}

// After any edits, once the handlers that belong to nothing have been deleted, the service compiles.
func TestServiceCompilesAfterAnyEdits(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles services")
	}
	for seed := range 3 {
		gen := rapid.Custom(func(t *rapid.T) string {
			h := newHistory(t)
			for range 6 {
				h.edit()
				h.write()
				h.regenerate()
				h.meddle()
			}
			h.tidy()
			h.settled()
			return h.dir
		})
		dir := gen.Example(seed)
		t.Cleanup(func() { os.RemoveAll(filepath.Dir(dir)) })
		cmd := exec.Command("go", "vet", "./...")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			text, _ := os.ReadFile(filepath.Join(dir, "esgen.yaml"))
			t.Errorf("%v\n%s\n%s", err, out, text)
		}
	}
}

// history is a service whose schema changes.
type history struct {
	t         *rapid.T
	dir       string
	events    map[string]map[string]string // event -> field -> type
	views     map[string][]string          // view -> events
	consumers map[string][]string
	mine      map[string]string // files of the user's, with what is in them
}

var (
	eventNames = []string{"OrderPlaced", "OrderShipped", "SelfTest", "DeviceWindows", "A", "AB"}
	viewNames  = []string{"default", "by-day", "internal", "func", "summary"}
	fieldNames = []string{"name", "total", "when", "type1", "itemId"}
	fieldTypes = []string{"string", "int", `"decimal?"`, "timestamp", `"string[]"`, "uuid"}
)

func newHistory(t *rapid.T) *history {
	dir, err := os.MkdirTemp("", "esgen-history")
	if err != nil {
		t.Fatal(err)
	}
	h := &history{t: t, dir: dir, mine: map[string]string{}, consumers: map[string][]string{},
		events: map[string]map[string]string{"OrderPlaced": {"name": "string"}},
		views:  map[string][]string{"default": {"OrderPlaced"}}}
	from := filepath.Join(dir, "from.yaml")
	if err := os.WriteFile(from, []byte(h.schema()), 0o644); err != nil {
		t.Fatal(err)
	}
	h.dir = filepath.Join(dir, "svc")
	h.esgen(0, "init", h.dir, "--from", from)
	return h
}

func (h *history) schema() string {
	var b strings.Builder
	b.WriteString("esgen: 1\nservice: shop\nmodule: example.com/shop\nentity: {name: order, key: orderId}\nevents:\n")
	for _, e := range slices.Sorted(maps.Keys(h.events)) {
		fmt.Fprintf(&b, "  %s:\n    fields:\n", e)
		for _, f := range slices.Sorted(maps.Keys(h.events[e])) {
			fmt.Fprintf(&b, "      %s: %s\n", f, h.events[e][f])
		}
	}
	b.WriteString("views:\n")
	for _, v := range slices.Sorted(maps.Keys(h.views)) {
		fmt.Fprintf(&b, "  %s:\n    events: [%s]\n    fields: {name: string, count: int}\n", v, strings.Join(h.views[v], ", "))
	}
	if len(h.consumers) > 0 {
		b.WriteString("consumers:\n")
	}
	for _, c := range slices.Sorted(maps.Keys(h.consumers)) {
		fmt.Fprintf(&b, "  %s: {events: [%s]}\n", c, strings.Join(h.consumers[c], ", "))
	}
	return b.String()
}

// edit changes one thing, and what else has to change for the schema to be right.
func (h *history) edit() {
	event := rapid.SampledFrom(eventNames).Draw(h.t, "event")
	switch rapid.IntRange(0, 5).Draw(h.t, "kind") {
	case 0: // an event comes or changes
		if h.events[event] == nil {
			h.events[event] = map[string]string{}
		}
		h.events[event][rapid.SampledFrom(fieldNames).Draw(h.t, "field")] = rapid.SampledFrom(fieldTypes).Draw(h.t, "type")
	case 1: // an event goes
		if len(h.events) > 1 {
			delete(h.events, event)
		}
	case 2, 3: // a view comes or lists other events
		h.views[rapid.SampledFrom(viewNames).Draw(h.t, "view")] = h.someEvents()
	case 4: // a view goes
		if view := rapid.SampledFrom(viewNames).Draw(h.t, "view"); len(h.views) > 1 {
			delete(h.views, view)
		}
	case 5:
		name := rapid.SampledFrom([]string{"mailer", "default"}).Draw(h.t, "consumer")
		if h.consumers[name] == nil || rapid.Bool().Draw(h.t, "stays") {
			h.consumers[name] = h.someEvents()
		} else {
			delete(h.consumers, name)
		}
	}
	for _, lists := range []map[string][]string{h.views, h.consumers} {
		for name, list := range lists {
			list = slices.DeleteFunc(slices.Clone(list), func(e string) bool { return h.events[e] == nil })
			if len(list) == 0 {
				list = []string{slices.Sorted(maps.Keys(h.events))[0]}
			}
			lists[name] = list
		}
	}
}

func (h *history) someEvents() []string {
	var list []string
	for _, e := range slices.Sorted(maps.Keys(h.events)) {
		if rapid.Bool().Draw(h.t, "listed") {
			list = append(list, e)
		}
	}
	return list
}

func (h *history) write() {
	if err := os.WriteFile(filepath.Join(h.dir, "esgen.yaml"), []byte(h.schema()), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

// esgen runs the command in process and returns what it printed.
func (h *history) esgen(want int, args ...string) string {
	var out, errs bytes.Buffer
	if got := cli.Run(context.Background(), args, &out, &errs); got != want {
		h.t.Fatalf("esgen %s: status %d, not %d\n%s%s\n%s", strings.Join(args, " "), got, want, &out, &errs, h.schema())
	}
	return out.String()
}

func (h *history) regenerate() {
	h.esgen(0, "regenerate", h.dir)
	for name, want := range h.mine {
		if got, err := os.ReadFile(filepath.Join(h.dir, name)); err != nil || string(got) != want {
			h.t.Fatalf("%s is no longer what the user wrote: %v\n%s", name, err, got)
		}
	}
}

// settled checks that nothing is left to do and that no handler exists twice.
func (h *history) settled() {
	if out := h.esgen(0, "regenerate", "--check", h.dir); out != "" {
		h.t.Fatalf("a second run would change\n%s", out)
	}
	declared := map[string]string{}
	for name, text := range h.userGoFiles() {
		for _, fn := range handlerFunc.FindAllString(text, -1) {
			key := filepath.Dir(name) + " " + fn
			if other := declared[key]; other != "" {
				h.t.Fatalf("%s is in %s and in %s", fn, other, name)
			}
			declared[key] = name
		}
	}
	for view, events := range h.views {
		pkg := map[string]string{"default": "defaultview", "by-day": "byday", "internal": "internalview", "func": "funcview"}[view]
		if pkg == "" {
			pkg = view
		}
		for _, e := range events {
			if declared[filepath.Join("views", pkg)+" func on"+e+"("] == "" {
				h.t.Fatalf("nobody declares on%s in view %s", e, view)
			}
		}
	}
}

var handlerFunc = regexp.MustCompile(`(?m)^func (\(\w+ \*Handler\) O|o)n\w+\(`)

func (h *history) userGoFiles() map[string]string {
	files := map[string]string{}
	for _, root := range []string{"views", "consumers"} {
		_ = filepath.WalkDir(filepath.Join(h.dir, root), func(p string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_gen.go") {
				return nil
			}
			text, err := os.ReadFile(p)
			if err != nil {
				h.t.Fatal(err)
			}
			rel, _ := filepath.Rel(h.dir, p)
			files[rel] = string(text)
			return nil
		})
	}
	return files
}

// meddle is what a user does: writes comments and helpers, moves functions, deletes tests.
func (h *history) meddle() {
	files := h.userGoFiles()
	names := slices.Sorted(maps.Keys(files))
	if len(names) == 0 {
		return
	}
	name := rapid.SampledFrom(names).Draw(h.t, "file")
	full := filepath.Join(h.dir, name)
	test := strings.HasSuffix(name, "_test.go")
	switch rapid.IntRange(0, 3).Draw(h.t, "meddling") {
	case 0: // a comment, and the file is the user's
		files[name] += "\n/* mine: func onOrderPlaced( */\n"
	case 1: // another name for the file
		if !test {
			moved := filepath.Join(filepath.Dir(name), "my_"+strings.TrimPrefix(filepath.Base(name), "my_"))
			if moved == name || files[moved] != "" {
				return
			}
			if err := os.Remove(full); err != nil {
				h.t.Fatal(err)
			}
			delete(h.mine, name)
			files[moved] = files[name]
			name = moved
		}
	case 2:
		if test {
			if err := os.Remove(full); err != nil {
				h.t.Fatal(err)
			}
			delete(h.mine, name)
			return
		}
	}
	h.mine[name] = files[name]
	if err := os.WriteFile(filepath.Join(h.dir, name), []byte(files[name]), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

var orphan = regexp.MustCompile(`(?m)^(.+\.go):\d+: .*(?:belongs to nothing|the schema has no)`)

// tidy deletes what the command says belongs to nothing, and files whose fields have changed.
func (h *history) tidy() {
	for range 3 {
		out := h.esgen(0, "regenerate", h.dir)
		for _, m := range orphan.FindAllStringSubmatch(out, -1) {
			_ = os.Remove(m[1])
		}
	}
	// A handler or test that was written for other fields is for its user to mend; here it is written again.
	for name := range h.userGoFiles() {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "views") {
			_ = os.Remove(filepath.Join(h.dir, name))
		}
	}
	h.mine = map[string]string{}
	h.esgen(0, "regenerate", h.dir)
}

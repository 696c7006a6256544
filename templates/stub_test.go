package templates_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/esgen/esgen/templates"
)

const stubSchema = `
esgen: 1
service: things
module: example.com/things
entity: {name: thing, key: thingId, states: [open, closed]}
types:
  Small: {enum: [a, b]}
  Large: {enum: [a, b, c]}
  Code:  {type: string, pattern: "^[a-z]+$"}
  Size:  {type: int, minimum: 1}
  Point: {fields: {x: int}}
  Place: {fields: {x: int}}
events:
  Happened:
    from: none
    to: open
    fields:
      owner: {type: string, minLength: 1, maxLength: 9}
      EVENT
views:
  VIEW
    events: [Happened]
    fields:
      FIELD
`

// stubBody is the body of the stub that a view with one field gets for an event
// with one, apart from the field "owner".
func stubBody(t *testing.T, view, eventField, viewField string) string {
	t.Helper()
	if eventField == "" {
		eventField = "unused: string"
	}
	text := strings.NewReplacer("VIEW", view, "EVENT", eventField, "FIELD", viewField).Replace(stubSchema)
	files, err := templates.Files(load(t, viewField, []byte(text)), nil)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(files, func(f templates.File) bool { return f.Declares == "onHappened" })
	stub := string(files[i].Content)
	_, body, ok := strings.Cut(stub, "error {\n")
	if !ok {
		t.Fatalf("no stub in:\n%s", stub)
	}
	lines := strings.Split(strings.TrimSuffix(body, "\treturn nil\n}\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.TrimSpace(strings.Join(lines, " "))
}

// TestStubCopies has a line for every rule of what a new stub copies.
func TestStubCopies(t *testing.T) {
	const (
		byEntity   = "default:"
		byOwner    = "owners:\n    key: owner"
		onlyLatest = "// Events of different things arrive in any order: only the latest may overwrite. if meta.Latest { "
	)
	for _, c := range []struct{ view, event, field, want string }{
		// The same type, constraints and defaults apart.
		{byEntity, "f: {type: string, maxLength: 5}", "f: string", "view.F = event.F"},
		{byEntity, "f: Code", "f: string", "view.F = event.F"},
		{byEntity, "f: string", "f: Code", "view.F = event.F"},
		{byEntity, "f: Size", "f: {type: int, default: 3}", "view.F = event.F"},
		{byEntity, "f: {type: timestamp, default: now}", "f: timestamp", "view.F = event.F"},
		{byEntity, "f: {type: uuid, default: new}", "f: uuid", "view.F = event.F"},
		{byEntity, `f: "Point[]"`, `f: "list<Point>"`, "view.F = event.F"},
		{byEntity, `f: "Code[]"`, `f: "string[]"`, "view.F = event.F"},
		{byEntity, `f: "map<decimal>"`, `f: "map<decimal>"`, "view.F = event.F"},
		{byEntity, "f: Point", "f: Point", "view.F = event.F"},
		{byEntity, "f: json", "f: json", "view.F = event.F"},
		{byEntity, "f: bytes", "f: bytes", "view.F = event.F"},
		// Other types.
		{byEntity, "f: int", "f: float", "// Not copied: f is an int in the event, a float in the view."},
		{byEntity, "f: int", "f: decimal", "// Not copied: f is an int in the event, a decimal in the view."},
		{byEntity, "f: date", "f: timestamp", "// Not copied: f is a date in the event, a timestamp in the view."},
		{byEntity, "f: Point", "f: Place", "// Not copied: f is a Point in the event, a Place in the view."},
		{byEntity, `f: "int[]"`, `f: "map<int>"`, "// Not copied: f is a list<int> in the event, a map<int> in the view."},
		{byEntity, `f: "Small[]"`, `f: "string[]"`, "// Not copied: f is a list<Small> in the event, a list<string> in the view."},
		{byEntity, "f: string", "f: Small", "// Not copied: f is a string in the event, a Small in the view."},
		{byEntity, "", "f: int", "// The event has no field for: f."},
		// Optional on one side or both.
		{byEntity, `f: "string?"`, "f: string", "if event.F != nil { view.F = *event.F }"},
		{byEntity, `f: "string?"`, `f: "string?"`, "if event.F != nil { view.F = event.F }"},
		{byEntity, "f: string", `f: "string?"`, "view.F = &event.F"},
		{byEntity, `f: "int[]?"`, `f: "int[]"`, "if event.F != nil { view.F = event.F }"},
		{byEntity, `f: "int[]"`, `f: "int[]?"`, "view.F = event.F"},
		{byEntity, `f: "json?"`, "f: json", "if event.F != nil { view.F = event.F }"},
		{byEntity, `f: "Point?"`, "f: Point", "if event.F != nil { view.F = *event.F }"},
		// Enums into strings and into wider enums.
		{byEntity, "f: Small", "f: Small", "view.F = event.F"},
		{byEntity, "f: Small", "f: Large", "view.F = types.Large(event.F)"},
		{byEntity, "f: Large", "f: Small", "// Not copied: f is a Large in the event, a Small in the view."},
		{byEntity, "f: Small", "f: string", "view.F = string(event.F)"},
		{byEntity, "f: Small", `f: "string?"`, "view.F = new(string(event.F))"},
		{byEntity, "f: Small?", `f: "string?"`, "if event.F != nil { view.F = new(string(*event.F)) }"},
		{byEntity, "f: Small?", "f: Large", "if event.F != nil { view.F = types.Large(*event.F) }"},
		{byEntity, "f: Small", "f: {type: string, enum: [b, a, x]}", "view.F = string(event.F)"},
		{byEntity, "f: {type: string, enum: [a]}", "f: Small", "view.F = types.Small(event.F)"},
		{byEntity, "f: {type: string, enum: [a]}", "f: {type: string, enum: [a, b]}", "view.F = event.F"},
		{byEntity, "f: {type: string, enum: [a]}", `f: {type: string, enum: [a, b], optional: true}`, "view.F = &event.F"},
		// The entity's state.
		{byEntity, "", "status: {type: string, enum: [open, closed]}", "view.Status = meta.State"},
		{byEntity, "state: {type: string, enum: [open, closed]}", "state: {type: string, enum: [closed, open]}", "view.State = meta.State"},
		{byEntity, "", "state: {type: string, enum: [open, closed], optional: true}", `if meta.State != "" { view.State = new(meta.State) }`},
		{byEntity, "", "status: {type: string, enum: [open]}", "// The event has no field for: status."},
		{byEntity, "", "phase: {type: string, enum: [open, closed]}", "// The event has no field for: phase."},
		{byEntity, "status: string", "status: string", "view.Status = event.Status"},
		// Elsewhere than in a view keyed by the entity only what is latest overwrites.
		{byOwner, "f: int", "f: int", onlyLatest + "view.F = event.F }"},
		{byOwner, "", "status: {type: string, enum: [open, closed]}", onlyLatest + "view.Status = meta.State }"},
		{byOwner, "", "thingId: string", onlyLatest + "view.ThingID = event.ThingID }"},
		{byOwner, "", "f: int", "// The event has no field for: f."},
	} {
		if got := stubBody(t, c.view, c.event, c.field); got != c.want {
			t.Errorf("event %q, view %q:\n got %s\nwant %s", c.event, c.field, got, c.want)
		}
	}
}

// TestStubsHaveFilesOfTheirOwn: no two, and none that Go or esgen reads a meaning into.
func TestStubsHaveFilesOfTheirOwn(t *testing.T) {
	var events, listed strings.Builder
	for _, name := range []string{"View", "ViewGen", "ViewTest", "DeviceWindows", "SelfTest", "OrderURL", "OrderUrl2"} {
		fmt.Fprintf(&events, "  %s:\n", name)
		fmt.Fprintf(&listed, "%s, ", name)
	}
	text := "esgen: 1\nservice: things\nmodule: example.com/things\nentity: {name: thing, key: thingId}\nevents:\n" + events.String() +
		"views:\n  default: {events: [" + strings.TrimSuffix(listed.String(), ", ") + "], fields: {n: int}}\n"
	files, err := templates.Files(load(t, "stubs", []byte(text)), nil)
	if err != nil {
		t.Fatal(err)
	}
	var stubs []string
	for _, f := range files {
		if f.Declares == "" {
			continue
		}
		stubs = append(stubs, f.Path)
		name := strings.TrimSuffix(f.Path, ".go")
		for _, end := range []string{"_test", "_windows", "_gen"} {
			if strings.HasSuffix(name, end) {
				t.Errorf("%s for %s", f.Path, f.Declares)
			}
		}
	}
	slices.Sort(stubs)
	if len(slices.Compact(stubs)) != 7 {
		t.Errorf("stubs %q", stubs)
	}
}

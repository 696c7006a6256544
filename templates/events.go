package templates

import (
	"fmt"

	"github.com/esgen/esgen/schema"
)

// eventFiles generates package events: a file for each event, and one that lists them.
func eventFiles(s *schema.Service) ([]File, error) {
	patterns := newPatternNames()
	taken := map[string]bool{"events": true, "patterns": true}
	var files []File
	for _, e := range s.Events {
		path := "events/" + uniqueFile(taken, schema.GoFile(e.Name)) + "_gen.go"
		files = append(files, eventFile(s, e, patterns, path))
	}
	files = append(files, patterns.sharedFile(s, "events", "events/patterns_gen.go")...)
	return append(files, eventListFile(s)), nil
}

func eventFile(s *schema.Service, e *schema.Event, patterns *patternNames, path string) File {
	g := newGofile("events")
	st := eventStructure(s, e, patterns)
	g.printf("%s", docComment(fmt.Sprintf("%s is an event of %s %s.", st.name, article(s.Entity.Name), s.Entity.Name), paragraphs(e.Description, st.filledIn()), e.Deprecated))
	g.printf("type %s struct {\n%s string // the %s's key\n", st.name, st.keyName, s.Entity.Name)
	if len(st.members) > 0 {
		g.printf("\n")
	}
	st.declare(g, s)
	g.printf("}\n\n")
	st.enumConstants(g)
	g.printf("// EventType is the event's name in the schema.\n")
	g.printf("func (%s) EventType() string { return %q }\n\n", st.name, e.Name)
	g.printf("// EntityID is the key of the %s.\n", s.Entity.Name)
	g.printf("func (e %s) EntityID() string { return e.%s }\n\n", st.name, st.keyName)
	st.decode(g, s)
	st.encode(g, "AppendJSON appends the fields as a JSON object, without the key.")
	st.redaction(g, s.Entity.Key)
	return g.generated(path)
}

// eventListFile generates what the runtime is told of the events.
func eventListFile(s *schema.Service) File {
	g := newGofile("events")
	g.useAs("es", runtimePath)
	g.doc = fmt.Sprintf("Package events holds the events of the %s service, one struct for each.", s.Name)
	g.printf("%s", comment(handshake))
	g.printf("const _ = es.IsVersion1\n\n")
	g.printf("// Key says what the key of %s %s is like.\n", article(s.Entity.Name), s.Entity.Name)
	g.printf("func Key() es.KeyRule {\nreturn es.KeyRule{\nName: %q,\n", s.Entity.Key)
	if s.Entity.Pattern != "" {
		g.printf("Pattern: %s,\n", quoted(s.Entity.Pattern))
	}
	g.printf("MinLength: %d,\nMaxLength: %d,\n}\n}\n\n", s.Entity.MinLength, s.Entity.MaxLength)
	g.printf("// States are those of the lifecycle, in order; nil without one.\n")
	g.printf("func States() []string {\nreturn %s\n}\n\n", stringList(s.Entity.States))
	g.printf("// Types describes every event.\n")
	g.printf("func Types() []es.EventType {\nreturn []es.EventType{\n")
	for _, e := range s.Events {
		writeEventType(g, s, e)
	}
	g.printf("}\n}\n")
	return g.generated("events/events_gen.go")
}

const handshake = "This constant is missing from the runtime if generated code and runtime do not fit each other. " +
	"Then bring both to one version: \"go get github.com/esgen/esgen@VERSION\", and \"esgen regenerate\" with an esgen of that version."

func writeEventType(g *gofile, s *schema.Service, e *schema.Event) {
	name := schema.GoName(e.Name)
	g.printf("{\nName: %q,\nRevision: %d,\n", e.Name, e.Revision)
	g.printf("New: func(id string) es.DecodableEvent { return &%s{%s: id} },\n", name, eventFieldNames(s, e)[s.Entity.Key])
	if e.FromNone {
		g.printf("FromNone: true,\n")
	}
	if e.From != nil {
		g.printf("From: %s,\n", stringList(e.From))
	}
	if e.To != "" {
		g.printf("To: %q,\n", e.To)
	}
	if e.Revision > 1 {
		g.use(s.Module + "/upcasts")
		g.printf("Upcasts: []func(es.Fields) error{\n")
		for r := 1; r < e.Revision; r++ {
			g.printf("upcasts.%s,\n", upcastName(e, r))
		}
		g.printf("},\n")
	}
	g.printf("},\n")
}

// upcastName is the user's function that turns a revision into the next.
func upcastName(e *schema.Event, revision int) string {
	return fmt.Sprintf("%sFrom%d", schema.GoName(e.Name), revision)
}

// stringList is a list of strings as an expression.
func stringList(values []string) string {
	if len(values) == 0 {
		return "nil"
	}
	items := make([]string, len(values))
	for i, v := range values {
		items[i] = quoted(v)
	}
	return braced("[]string", items)
}

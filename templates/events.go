package templates

import (
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/esgen/esgen/schema"
)

// eventFiles generates package events: a file for each event, and one that lists them.
func eventFiles(s *schema.Service) ([]File, error) {
	patterns := newPatternNames()
	taken := map[string]bool{"events": true, "patterns": true}
	var files []File
	for _, e := range s.Events {
		files = append(files, eventFile(s, e, patterns, uniqueFile(taken, schema.GoFile(e.Name))+"_gen.go"))
	}
	files = append(files, patterns.sharedFile(s, "events")...)
	return append(files, eventListFile(s)), nil
}

func eventFile(s *schema.Service, e *schema.Event, patterns *patternNames, name string) File {
	g := newGofile(s, "events", "events", "")
	st := eventStructure(s, e, patterns)
	what := fmt.Sprintf("%s is an event of %s %s.", st.name, article(s.Entity.Name), s.Entity.Name)
	st.declare(g, s, docText(what, paragraphs(e.Description, st.filledIn()), e.Deprecated),
		jen.Id(st.keyName).String().Comment("the "+s.Entity.Name+"'s key"))
	st.declareConstants(g)
	g.declare("EventType is the event's name in the schema.",
		jen.Func().Params(jen.Id(st.name)).Id("EventType").Params().String().Add(inline(jen.Return(jen.Lit(e.Name)))))
	g.declare(fmt.Sprintf("EntityID is the key of the %s.", s.Entity.Name),
		st.method("EntityID").Params().String().Add(inline(jen.Return(fieldOf("e", st.keyName).value()))))
	st.declareDecode(g, s)
	st.declareEncode(g, "AppendJSON appends the fields as a JSON object, without the key.")
	st.declareRedaction(g, s.Entity.Key)
	return g.generated(name)
}

// eventListFile generates what the runtime is told of the events.
func eventListFile(s *schema.Service) File {
	g := newGofile(s, "events", "events", fmt.Sprintf("Package events holds the events of the %s service, one struct for each.", s.Name))
	g.declare(handshake, jen.Const().Id("_").Op("=").Add(es("IsVersion1")))
	g.declare(fmt.Sprintf("Key says what the key of %s %s is like.", article(s.Entity.Name), s.Entity.Name),
		jen.Func().Id("Key").Params().Add(es("KeyRule")).Block(jen.Return(es("KeyRule").Add(braced(true, keyRule(&s.Entity)...)))))
	g.declare("States are those of the lifecycle, in order; nil without one.",
		jen.Func().Id("States").Params().Index().String().Block(jen.Return(stringList(s.Entity.States))))
	types := make([]jen.Code, len(s.Events))
	for i, e := range s.Events {
		types[i] = eventType(s, e)
	}
	g.declare("Types describes every event.",
		jen.Func().Id("Types").Params().Index().Add(es("EventType")).Block(jen.Return(jen.Index().Add(es("EventType")).Add(braced(true, types...)))))
	return g.generated("events_gen.go")
}

func keyRule(e *schema.Entity) []jen.Code {
	rule := []jen.Code{keyed("Name", jen.Lit(e.Key))}
	if e.Pattern != "" {
		rule = append(rule, keyed("Pattern", quoted(e.Pattern)))
	}
	return append(rule, keyed("MinLength", jen.Lit(e.MinLength)), keyed("MaxLength", jen.Lit(e.MaxLength)))
}

const handshake = "This constant is missing from the runtime if generated code and runtime do not fit each other. " +
	"Then bring both to one version: \"go get github.com/esgen/esgen@VERSION\", and \"esgen regenerate\" with an esgen of that version."

// eventType is the description of an event, as an element of a list.
func eventType(s *schema.Service, e *schema.Event) jen.Code {
	empty := addressOf(jen.Id(schema.GoName(e.Name))).Values(keyed(eventFieldNames(s, e)[s.Entity.Key], jen.Id("id")))
	items := []jen.Code{
		keyed("Name", jen.Lit(e.Name)),
		keyed("Revision", jen.Lit(e.Revision)),
		keyed("New", jen.Func().Params(jen.Id("id").String()).Add(es("DecodableEvent")).Add(inline(jen.Return(empty)))),
	}
	if e.FromNone {
		items = append(items, keyed("FromNone", jen.True()))
	}
	if e.From != nil {
		items = append(items, keyed("From", stringList(e.From)))
	}
	if e.To != "" {
		items = append(items, keyed("To", jen.Lit(e.To)))
	}
	if e.Revision > 1 {
		var steps []jen.Code
		for r := 1; r < e.Revision; r++ {
			steps = append(steps, jen.Qual(s.Module+"/upcasts", upcastName(e, r)))
		}
		items = append(items, keyed("Upcasts", jen.Index().Func().Params(es("Fields")).Error().Add(braced(true, steps...))))
	}
	return braced(true, items...)
}

// upcastName is the user's function that turns a revision into the next.
func upcastName(e *schema.Event, revision int) string {
	return fmt.Sprintf("%sFrom%d", schema.GoName(e.Name), revision)
}

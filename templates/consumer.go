package templates

import (
	"fmt"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/esgen/esgen/schema"
)

// consumerFiles generates the consumers: per consumer the wiring, which esgen
// owns, and the handler, which is the user's.
func consumerFiles(s *schema.Service) ([]File, error) {
	var files []File
	for _, c := range s.Consumers {
		files = append(files, consumerFile(s, c), handlerFile(s, c))
		files = append(files, methodFiles(s, c)...)
	}
	return files, nil
}

func consumerPackage(c *schema.Consumer) string { return schema.GoPackage(c.Name, "consumer") }

func consumerFolder(c *schema.Consumer) string { return "consumers/" + consumerPackage(c) }

// consumerFile generates what connects the user's handler to the runtime.
func consumerFile(s *schema.Service, c *schema.Consumer) File {
	doc := fmt.Sprintf("Package %s is the consumer %q: it handles %s.", consumerPackage(c), c.Name, handled(c))
	g := newGofile(s, consumerFolder(c), consumerPackage(c), docText(doc, c.Description, c.Deprecated))
	g.declare("Env is what New is given.", jen.Type().Id("Env").Struct(
		comment("Service appends events to this service. Within a handler it does so idempotently: when the "+
			"handler runs again for what it has handled before, the same append finds the event stored."),
		param("Service", pointed(es("Appender"))),
	))
	if c.View != nil {
		g.declareChange(s, c)
	}
	g.declareDefinition(c)
	g.declare("adapter calls the methods of the user's handler.",
		jen.Type().Id("adapter").Struct(param("handler", pointed(jen.Id("Handler")))))
	g.declare("HandleEvent hands an event to its method.", handleEvent(s, c))
	g.declare("HandleChange hands a change of a record to OnChange.", handleChange(c))
	if c.View != nil {
		g.declare("load reads a stored record; nil where there is none.", loadRecord())
	}
	return g.generated("consumer_gen.go")
}

// handled says what a consumer is called for.
func handled(c *schema.Consumer) string {
	if c.View != nil {
		return fmt.Sprintf("changes of the view %q", c.View.Name)
	}
	var names []string
	for _, e := range c.Events {
		names = append(names, e.Name)
	}
	switch n := len(names); n {
	case 0:
		return "no events"
	case 1:
		return names[0] + " events"
	default:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1] + " events"
	}
}

// declareChange declares what a consumer of a view handles. The name View makes
// handlers independent of how the view's package is called.
func (g *gofile) declareChange(s *schema.Service, c *schema.Consumer) {
	taken := map[string]bool{"adapter": true, "load": true, "start": true}
	path := g.importAs(taken, s.Module+"/"+viewFolder(c.View), viewPackage(c.View), "view")
	g.declare(fmt.Sprintf("View is a record of the view %q.", c.View.Name), jen.Type().Id("View").Op("=").Qual(path, "View"))
	g.declare("Change is one change of a record.", jen.Type().Id("Change").Struct(
		comment("Old and New are the record before and after the change, nil for none."),
		jen.List(jen.Id("Old"), jen.Id("New")).Op("*").Id("View"),
		comment("Rebuilding is set while a rebuild of the view made the change: nothing new has happened."),
		jen.Id("Rebuilding").Bool(),
	))
}

func (g *gofile) declareDefinition(c *schema.Consumer) {
	var names []string
	for _, e := range c.Events {
		names = append(names, e.Name)
	}
	source := keyed("Events", stringList(names))
	if c.View != nil {
		source = keyed("View", jen.Lit(c.View.Name))
	}
	g.declare("Definition describes the consumer to the runtime.",
		jen.Func().Id("Definition").Params().Add(es("Consumer")).Block(
			jen.Return(es("Consumer").Add(braced(true, keyed("Name", jen.Lit(c.Name)), source, keyed("Start", jen.Id("start")))))))
	g.declare("", jen.Func().Id("start").Params(ctx(), param("service", pointed(es("Appender")))).Params(es("Handler"), jen.Error()).Block(
		jen.List(jen.Id("handler"), jen.Err()).Op(":=").Id("New").Call(jen.Id("ctx"), jen.Id("Env").Values(keyed("Service", jen.Id("service")))),
		ifError(jen.Nil(), jen.Err()),
		jen.Return(jen.Id("adapter").Values(jen.Id("handler")), jen.Nil()),
	))
}

// ctx is the parameter of that name.
func ctx() jen.Code { return jen.Id("ctx").Qual("context", "Context") }

// ifError returns results when the variable err holds an error.
func ifError(results ...jen.Code) jen.Code {
	return jen.If(jen.Err().Op("!=").Nil()).Block(jen.Return(results...))
}

// errorf is an error with one argument.
func errorf(format string, arg jen.Code) jen.Code {
	return jen.Qual("fmt", "Errorf").Call(jen.Lit(format), arg)
}

func handleEvent(s *schema.Service, c *schema.Consumer) jen.Code {
	var cases []jen.Code
	for _, e := range c.Events {
		handle := jen.Id("a").Dot("handler").Dot("On" + schema.GoName(e.Name))
		cases = append(cases, caseOf(s, e, jen.Return(handle.Call(jen.Id("ctx"), pointed(jen.Id("e")), jen.Id("meta")))))
	}
	return method("a", jen.Id("adapter"), "HandleEvent").Params(ctx(), param("event", es("Event")), param("meta", es("Meta"))).Error().Block(
		switchOnEvent(cases),
		jen.Return(errorf("the consumer "+c.Name+" does not handle events of type %s", jen.Id("event").Dot("EventType").Call())),
	)
}

// switchOnEvent tells the types of an event apart; nil without cases.
func switchOnEvent(cases []jen.Code) jen.Code {
	if len(cases) == 0 {
		return nil
	}
	return jen.Switch(jen.Id("e").Op(":=").Id("event").Assert(jen.Type())).Block(cases...)
}

// caseOf is the case of an event in such a switch.
func caseOf(s *schema.Service, e *schema.Event, body ...jen.Code) jen.Code {
	return jen.Case(pointed(goEvent(s, e))).Block(body...)
}

func handleChange(c *schema.Consumer) jen.Code {
	change := jen.Id("change")
	begin := method("a", jen.Id("adapter"), "HandleChange").Params(ctx(), param("change", es("RecordChange"))).Error()
	if c.View == nil {
		return begin.Block(jen.Return(errorf("the consumer "+c.Name+" does not handle changes of the view %s", jen.Add(change).Dot("View"))))
	}
	load := func(variable, field string) jen.Code {
		return lines(
			jen.List(jen.Id(variable), jen.Err()).Op(":=").Id("load").Call(jen.Add(change).Dot(field)),
			ifError(errorf("record "+variable+" the change: %w", jen.Err())),
		)
	}
	return begin.Block(
		load("before", "Old"),
		load("after", "New"),
		jen.Return(jen.Id("a").Dot("handler").Dot("OnChange").Call(jen.Id("ctx"), jen.Id("Change").Values(
			keyed("Old", jen.Id("before")), keyed("New", jen.Id("after")), keyed("Rebuilding", jen.Add(change).Dot("Rebuilding"))))),
	)
}

func loadRecord() jen.Code {
	payload, view := jen.Id("payload"), jen.Id("view")
	return jen.Func().Id("load").Params(jen.Id("payload").String()).Params(pointed(jen.Id("View")), jen.Error()).Block(
		jen.If(jen.Add(payload).Op("==").Lit("")).Block(jen.Return(jen.Nil(), jen.Nil())),
		define("view", jen.New(jen.Id("View"))),
		jen.Return(view, jen.Add(view).Dot("Load").Call(payload)),
	)
}

// handlerMethod is one method of a handler.
type handlerMethod struct {
	name, doc string
	params    []jen.Code // behind ctx
	body      jen.Code   // before the return; nil for none
}

// handlerMethods are those that a consumer's handler needs.
func handlerMethods(s *schema.Service, c *schema.Consumer) []handlerMethod {
	if c.View != nil {
		return []handlerMethod{{
			name: "OnChange",
			doc: fmt.Sprintf("OnChange is called when a record of the view %q has changed: at least once, usually in "+
				"order. An error has it called again.", c.View.Name),
			params: []jen.Code{jen.Id("change").Id("Change")},
			body: jen.If(jen.Id("change").Dot("Rebuilding")).Block(
				jen.Comment("A rebuild fills the view again: nothing has happened."), jen.Return(jen.Nil())),
		}}
	}
	var all []handlerMethod
	for _, e := range c.Events {
		name := schema.GoName(e.Name)
		all = append(all, handlerMethod{
			name: "On" + name,
			doc: fmt.Sprintf("On%s is called for every %s event: at least once, usually in order. "+
				"An error has it called again.", name, name),
			params: []jen.Code{param("event", goEvent(s, e)), param("meta", es("Meta"))},
		})
	}
	return all
}

// declareIn adds the method to a file.
func (m handlerMethod) declareIn(g *gofile) {
	params := append([]jen.Code{ctx()}, m.params...)
	g.declare(m.doc, method("h", pointed(jen.Id("Handler")), m.name).Params(params...).Error().Block(m.body, jen.Return(jen.Nil())))
}

// handlerFile is the user's handler, with the methods that it needs today.
func handlerFile(s *schema.Service, c *schema.Consumer) File {
	g := newGofile(s, consumerFolder(c), consumerPackage(c), "")
	handler := jen.Id("Handler")
	g.declare("Handler keeps what the methods share, such as clients of other services.", jen.Type().Add(handler).Struct())
	g.declare("New makes the handler, once per cold start. env.Service appends events to this service.",
		jen.Func().Id("New").Params(ctx(), jen.Id("env").Id("Env")).Params(pointed(handler), jen.Error()).Block(
			jen.Return(addressOf(handler).Values(), jen.Nil())))
	for _, m := range handlerMethods(s, c) {
		m.declareIn(g)
	}
	return g.once("handler.go")
}

// methodFiles are the same methods one by one, for a handler that was created
// before the schema asked for them.
func methodFiles(s *schema.Service, c *schema.Consumer) []File {
	taken := map[string]bool{"handler": true, "consumer": true}
	var files []File
	for _, m := range handlerMethods(s, c) {
		g := newGofile(s, consumerFolder(c), consumerPackage(c), "")
		m.declareIn(g)
		f := g.once(uniqueFile(taken, schema.GoFile(m.name)) + ".go")
		f.Declares = "Handler." + m.name
		f.Left = "does nothing"
		files = append(files, f)
	}
	return files
}

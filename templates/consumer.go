package templates

import (
	"fmt"
	"strings"

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
	g := newGofile(consumerPackage(c))
	g.use("context")
	g.use("fmt")
	g.useAs("es", runtimePath)
	g.doc = fmt.Sprintf("Package %s is the consumer %q: it handles %s.", g.pkg, c.Name, handled(c))
	if c.Description != "" {
		g.doc += "\n\n" + c.Description
	}
	if c.Deprecated.Set {
		g.doc += "\n\n" + deprecated(c.Deprecated)
	}
	g.printf("%s", comment("Env is what New is given."))
	g.printf("type Env struct {\n%s", comment("Service appends events to this service. Within a handler it does so idempotently: when the "+
		"handler runs again for what it has handled before, the same append finds the event stored."))
	g.printf("Service *es.Appender\n}\n\n")
	if c.View != nil {
		writeChange(g, s, c)
	}
	writeConsumerDefinition(g, c)
	g.printf("// adapter calls the methods of the user's handler.\ntype adapter struct{ handler *Handler }\n\n")
	writeHandleEvent(g, s, c)
	writeHandleChange(g, c)
	return g.generated(consumerFolder(c) + "/consumer_gen.go")
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

// writeChange declares what a consumer of a view handles. The name View makes
// handlers independent of how the view's package is called.
func writeChange(g *gofile, s *schema.Service, c *schema.Consumer) {
	taken := map[string]bool{"adapter": true, "load": true, "start": true}
	pkg := importAs(g, taken, s.Module+"/"+viewFolder(c.View), viewPackage(c.View), "view")
	g.printf("// View is a record of the view %q.\ntype View = %s.View\n\n", c.View.Name, pkg)
	g.printf("// Change is one change of a record.\ntype Change struct {\n")
	g.printf("// Old and New are the record before and after the change, nil where there is none.\nOld, New *View\n")
	g.printf("%s", comment("Rebuilding is set while a rebuild of the view made the change: nothing new has happened."))
	g.printf("Rebuilding bool\n}\n\n")
}

func writeConsumerDefinition(g *gofile, c *schema.Consumer) {
	g.printf("// Definition describes the consumer to the runtime.\nfunc Definition() es.Consumer {\nreturn es.Consumer{\nName: %q,\n", c.Name)
	if c.View != nil {
		g.printf("View: %q,\n", c.View.Name)
	} else {
		var names []string
		for _, e := range c.Events {
			names = append(names, fmt.Sprintf("%q", e.Name))
		}
		g.printf("Events: []string{%s},\n", strings.Join(names, ", "))
	}
	g.printf(`Start: start,
	}
}

func start(ctx context.Context, service *es.Appender) (es.Handler, error) {
	handler, err := New(ctx, Env{Service: service})
	if err != nil {
		return nil, err
	}
	return adapter{handler}, nil
}

`)
}

func writeHandleEvent(g *gofile, s *schema.Service, c *schema.Consumer) {
	g.printf("// HandleEvent hands an event to its method.\n")
	g.printf("func (a adapter) HandleEvent(ctx context.Context, event es.Event, meta es.Meta) error {\n")
	if len(c.Events) > 0 {
		g.use(s.Module + "/events")
		g.printf("switch e := event.(type) {\n")
		for _, e := range c.Events {
			name := schema.GoName(e.Name)
			g.printf("case *events.%s:\nreturn a.handler.On%s(ctx, *e, meta)\n", name, name)
		}
		g.printf("}\n")
	}
	g.printf("return fmt.Errorf(\"the consumer %s does not handle events of type %%s\", event.EventType())\n}\n\n", c.Name)
}

func writeHandleChange(g *gofile, c *schema.Consumer) {
	g.printf("// HandleChange hands a change of a record to OnChange.\n")
	g.printf("func (a adapter) HandleChange(ctx context.Context, change es.RecordChange) error {\n")
	if c.View == nil {
		g.printf("return fmt.Errorf(\"the consumer %s does not handle changes of the view %%s\", change.View)\n}\n", c.Name)
		return
	}
	g.printf(`before, err := load(change.Old)
	if err != nil {
		return fmt.Errorf("record before the change: %%w", err)
	}
	after, err := load(change.New)
	if err != nil {
		return fmt.Errorf("record after the change: %%w", err)
	}
	return a.handler.OnChange(ctx, Change{Old: before, New: after, Rebuilding: change.Rebuilding})
}

// load reads a stored record; nil where there is none.
func load(payload string) (*View, error) {
	if payload == "" {
		return nil, nil
	}
	view := new(View)
	return view, view.Load(payload)
}
`)
}

// method is one method of a handler.
type method struct{ name, doc, params, body string }

// methods are those that a consumer's handler needs.
func methods(c *schema.Consumer) []method {
	if c.View != nil {
		return []method{{
			name: "OnChange",
			doc: fmt.Sprintf("OnChange is called when a record of the view %q has changed: at least once, usually in "+
				"order. An error has it called again.", c.View.Name),
			params: "change Change",
			body:   "if change.Rebuilding { // a rebuild fills the view again: nothing has happened\nreturn nil\n}\n",
		}}
	}
	var all []method
	for _, e := range c.Events {
		name := schema.GoName(e.Name)
		all = append(all, method{
			name: "On" + name,
			doc: fmt.Sprintf("On%s is called for every %s event: at least once, usually in order. "+
				"An error has it called again.", name, name),
			params: fmt.Sprintf("event events.%s, meta es.Meta", name),
		})
	}
	return all
}

func (m method) write(g *gofile, s *schema.Service, c *schema.Consumer) {
	g.use("context")
	if c.View == nil {
		g.use(s.Module + "/events")
		g.useAs("es", runtimePath)
	}
	g.printf("%s", comment(m.doc))
	g.printf("func (h *Handler) %s(ctx context.Context, %s) error {\n%sreturn nil\n}\n\n", m.name, m.params, m.body)
}

// handlerFile is the user's handler, with the methods that it needs today.
func handlerFile(s *schema.Service, c *schema.Consumer) File {
	g := newGofile(consumerPackage(c))
	g.use("context")
	g.printf("// Handler keeps what the methods share, such as clients of other services.\ntype Handler struct{}\n\n")
	g.printf("%s", comment("New makes the handler, once per cold start. env.Service appends events to this service."))
	g.printf("func New(ctx context.Context, env Env) (*Handler, error) {\nreturn &Handler{}, nil\n}\n\n")
	for _, m := range methods(c) {
		m.write(g, s, c)
	}
	return g.once(consumerFolder(c) + "/handler.go")
}

// methodFiles are the same methods one by one, for a handler that was created
// before the schema asked for them.
func methodFiles(s *schema.Service, c *schema.Consumer) []File {
	taken := map[string]bool{"handler": true, "consumer": true}
	var files []File
	for _, m := range methods(c) {
		g := newGofile(consumerPackage(c))
		m.write(g, s, c)
		f := g.once(consumerFolder(c) + "/" + uniqueFile(taken, schema.GoFile(m.name)) + ".go")
		f.Declares = "Handler." + m.name
		f.Left = "does nothing"
		files = append(files, f)
	}
	return files
}

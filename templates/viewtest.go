package templates

import (
	"encoding/json"
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/esgen/esgen/schema"
)

// viewTestFiles returns a test to start from: what the new stubs of a view make
// of one event.
func viewTestFiles(s *schema.Service, v *schema.View) []File {
	if len(v.Events) == 0 {
		return nil
	}
	w := &viewTest{service: s, view: v, event: beginning(v), id: sampleID(s)}
	w.sample = sampleEvent(w.event.Event)
	g := newGofile(s, viewFolder(v), viewPackage(v), "")
	g.declare("TestView folds events into the view, without a store or a server. Adapt what it wants to what the aggregators do.",
		jen.Func().Id("TestView").Params(jen.Id("t").Op("*").Qual("testing", "T")).Block(w.body()))
	return []File{g.once("view_test.go")}
}

// viewTest composes the test of one view.
type viewTest struct {
	service *schema.Service
	view    *schema.View
	event   *schema.ViewEvent
	id      string
	sample  map[string]any
}

// beginning is the event that a history of the view can begin with.
func beginning(v *schema.View) *schema.ViewEvent {
	if i := slices.IndexFunc(v.Events, func(ve *schema.ViewEvent) bool { return ve.Event.FromNone }); i >= 0 {
		return v.Events[i]
	}
	return v.Events[0]
}

func (w *viewTest) body() jen.Code {
	given := jen.Qual(runtimePath+"/estest", "Given")
	t, definition := jen.Id("t"), jen.Id("Definition").Call()
	if w.view.KeyedByEntity {
		onItsLine := jen.Line().Add(w.eventLiteral())
		return given.Call(t, definition, onItsLine, jen.Line()).Dot("Want").Add(arguments(true, w.wanted(w.id)...))
	}
	key := eventFieldNames(w.service, w.event.Event)[w.service.Entity.Key]
	another := w.service.Entity.Name + "-2"
	first, second := jen.Id("first"), jen.Id("second")
	return lines(
		define("first", w.eventLiteral()),
		define("second", first),
		assign(jen.Add(second).Dot(key), jen.Lit(another)),
		jen.Line().Commentf("Events of different %s arrive in any order: each must give the same records.", plural(w.service.Entity.Name)),
		given.Call(t, definition, first, second).Dot("InAnyOrder").Call().Dot("Want").Add(arguments(true, w.wanted(w.id, another)...)),
	)
}

// eventLiteral is the event as a Go value.
func (w *viewTest) eventLiteral() jen.Code {
	e := w.event.Event
	names := eventFieldNames(w.service, e)
	items := []jen.Code{keyed(names[w.service.Entity.Key], jen.Lit(w.id))}
	for _, f := range e.Fields {
		if value, ok := w.sample[f.Name]; ok {
			items = append(items, keyed(names[f.Name], literal(w.service, f.Type, value)))
		}
	}
	return goEvent(w.service, e).Add(braced(len(items) > 2, items...))
}

// wanted are the records that the new stubs make of the event, when the
// entities that it happens to are ids, in this order.
func (w *viewTest) wanted(ids ...string) (records []jen.Code) {
	var order []any
	last := map[any]string{} // key -> entity whose event came last
	for _, id := range ids {
		for _, key := range w.keys(id) {
			if !slices.Contains(order, key) {
				order = append(order, key)
			}
			last[key] = id
		}
	}
	for _, key := range order {
		records = append(records, w.record(key, last[key]))
	}
	return records
}

// keys are those of the records that the event of an entity names.
func (w *viewTest) keys(id string) []any {
	if w.view.KeyedByEntity {
		return []any{id}
	}
	var keys []any
	for _, path := range w.event.Keys {
		found := follow(w.sample, path.Steps)
		if path.Text == w.service.Entity.Key {
			found = []any{id}
		}
		for _, key := range found {
			if key != "" && !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// follow leads along a path to the strings and numbers at its end.
func follow(value any, steps []schema.Step) []any {
	if len(steps) == 0 {
		switch value.(type) {
		case string, json.Number:
			return []any{value}
		}
		return nil
	}
	object, _ := value.(map[string]any)
	next := object[steps[0].Field.Name]
	if !steps[0].Each {
		return follow(next, steps[1:])
	}
	var all []any
	list, _ := next.([]any)
	for _, element := range list {
		all = append(all, follow(element, steps[1:])...)
	}
	return all
}

// record is one wanted record: start values, then what the stub copies.
func (w *viewTest) record(key any, id string) jen.Code {
	names := viewFieldNames(w.view)
	keyType := w.view.KeyType
	if w.view.KeyedByEntity {
		keyType = &schema.Type{Kind: schema.String}
	}
	items := []jen.Code{keyed(names[w.view.Key], w.value(w.view.Key, keyType, key))}
	for _, c := range copies(w.service, w.view, w.event.Event) {
		v, ok := w.copied(c, id)
		if !ok {
			continue
		}
		value := w.value(c.field.Name, c.field.Type, v)
		if c.field.Optional && !nilable(c.field.Type) {
			value = pointerTo(w.service, c.field.Type, value)
		}
		items = append(items, keyed(names[c.field.Name], value))
	}
	return jen.Id("View").Add(braced(len(items) > 2, items...))
}

// copied is what a field of the record holds in the end, false for the zero value.
func (w *viewTest) copied(c fieldCopy, id string) (any, bool) {
	switch {
	case c.state && w.event.Event.To != "":
		return w.event.Event.To, true
	case c.key:
		return id, true
	case c.source != nil && w.sample[c.source.Name] != nil:
		return w.sample[c.source.Name], true
	}
	if d := c.field.Default; d != nil && d.Literal != "" {
		value, err := decodeLiteral(d.Literal)
		return value, err == nil
	}
	return nil, false
}

// value is a Go value of a field of the view; values of enums in place have constants.
func (w *viewTest) value(field string, t *schema.Type, value any) jen.Code {
	if text, ok := value.(string); ok && t.Kind == schema.Enum && t.Named == nil {
		return jen.Id(schema.GoFieldConst("View", viewFieldNames(w.view)[field], text))
	}
	return literal(w.service, t, value)
}

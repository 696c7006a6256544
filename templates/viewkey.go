package templates

import (
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/esgen/esgen/schema"
)

// declareKeys declares the function that lists the records an event names. A view
// keyed by the entity has none.
func (w *viewWriter) declareKeys() {
	if w.view.KeyedByEntity {
		return
	}
	var cases []jen.Code
	for _, ve := range w.view.Events {
		var body []jen.Code
		for _, path := range ve.Keys {
			body = append(body, w.keysAt(eventFieldNames(w.service, ve.Event), jen.Id("e"), path.Steps, 0))
		}
		cases = append(cases, caseOf(w.service, ve.Event, body...))
	}
	w.declare("recordKeys lists the keys of the records that an event is folded into.",
		jen.Func().Id("recordKeys").Params(param("event", es("Event"))).Index().String().Block(
			jen.Var().Id("keys").Index().String(),
			switchOnEvent(cases),
			jen.Return(jen.Id("keys")),
		))
}

// keysAt leads from an object, whose fields have the names, through the
// steps to the keys at their end. Whatever is absent on the way names nothing.
func (w *viewWriter) keysAt(names map[string]string, object jen.Code, steps []schema.Step, depth int) jen.Code {
	step := steps[0]
	f := step.Field
	value := place{expression: jen.Add(object).Dot(names[f.Name])}
	if step.Each {
		return w.keysAtEach(f, value, steps, depth)
	}
	var present jen.Code
	if f.Optional && !nilable(f.Type) {
		present = notNil(value)
		value.pointer = true
	}
	if len(steps) > 1 {
		return when(present, w.keysAt(typeFieldNames(f.Type.Named), value.expression, steps[1:], depth))
	}
	return when(present, w.appendKey(f.Type, value))
}

func (w *viewWriter) keysAtEach(f *schema.Field, list place, steps []schema.Step, depth int) jen.Code {
	elem := f.Type.Elem
	if len(steps) == 1 {
		item := jen.Id("item")
		return forEach(jen.List(jen.Id("_"), item), list.value(), w.appendKey(elem, place{expression: item}))
	}
	i := local("i", depth)
	return forEach(jen.Id(i), list.value(), w.keysAt(typeFieldNames(elem.Named), list.at(i).expression, steps[1:], depth+1))
}

func (w *viewWriter) appendKey(t *schema.Type, value place) jen.Code {
	var present jen.Code
	if t.Kind == schema.Date { // a date that an older event lacks has no text
		present = notZero(value)
	}
	keys := jen.Id("keys")
	return when(present, assign(keys, es("AppendKey").Call(keys, keyText(t, value))))
}

// keyText is a key as text: the canonical form of its type.
func keyText(t *schema.Type, value place) jen.Code {
	switch t.Kind {
	case schema.Int:
		return jen.Qual("strconv", "FormatInt").Call(value.value(), jen.Lit(10))
	case schema.Bool:
		return jen.Qual("strconv", "FormatBool").Call(value.value())
	case schema.UUID, schema.Date:
		return value.dot("String").Call()
	}
	return plainString(t, value.value())
}

// declareStart declares how a record begins: the schema's start values, then the key.
func (w *viewWriter) declareStart() {
	key := w.field(w.view.Key)
	body := []jen.Code{define("v", w.start()), setKey(w.service, w.keyType(), key), jen.Return(addressOf(jen.Id("v")))}
	if w.keyType().Kind == schema.String && !w.hasStartValues() {
		body = []jen.Code{jen.Return(addressOf(jen.Id("View")).Values(keyed(w.names[w.view.Key], jen.Id("key"))))}
	}
	w.declare("newRecord returns the record of a key before its first event.",
		jen.Func().Id("newRecord").Params(jen.Id("key").String()).Add(es("Record")).Block(body...))
	if w.hasStartValues() {
		w.declare("startValues are what the schema has a record begin with.",
			jen.Func().Id("startValues").Params().Id("View").Block(jen.Return(jen.Id("View").Add(braced(true, w.startValues()...)))))
	}
}

// start is the record that nothing has been folded into.
func (w *viewWriter) start() jen.Code {
	if w.hasStartValues() {
		return jen.Id("startValues").Call()
	}
	return jen.Id("View").Values()
}

// hasStartValues reports whether a new record differs from the zero View.
func (w *viewWriter) hasStartValues() bool {
	return slices.ContainsFunc(w.view.Fields, func(f *schema.Field) bool { return w.startValue(f) != nil })
}

func (w *viewWriter) startValues() (items []jen.Code) {
	for _, f := range w.view.Fields {
		if value := w.startValue(f); value != nil {
			items = append(items, keyed(w.names[f.Name], value))
		}
	}
	return items
}

// startValue is what a field begins with, nil for the zero
// value. A required map is never nil, so that aggregators may write to it.
func (w *viewWriter) startValue(f *schema.Field) jen.Code {
	switch {
	case f.Default != nil && f.Default.Literal != "":
		value, err := decodeLiteral(f.Default.Literal)
		if text, ok := value.(string); ok && f.Type.Kind == schema.Enum && f.Type.Named == nil {
			return w.enumValue(f.Name, f.Type, text)
		}
		if err != nil {
			return nil
		}
		return literal(w.service, f.Type, value)
	case f.Type.Kind == schema.Map && !f.Optional:
		return goType(w.service, f.Type).Values()
	}
	return nil
}

// setKey turns the key's text back into its Go type. The text comes from
// recordKeys or from the store, so it is of that type.
func setKey(s *schema.Service, t *schema.Type, to place) jen.Code {
	key := jen.Id("key")
	parsed := func(call jen.Code) jen.Code { return assign(jen.List(to.value(), jen.Id("_")), call) }
	switch t.Kind {
	case schema.Int:
		return parsed(jen.Qual("strconv", "ParseInt").Call(key, jen.Lit(10), jen.Lit(64)))
	case schema.UUID:
		return parsed(es("ParseUUID").Call(key))
	case schema.Date:
		return parsed(es("ParseDate").Call(key))
	}
	if isNamedEnum(t) {
		return assign(to.value(), goType(s, t).Parens(key))
	}
	return assign(to.value(), key)
}

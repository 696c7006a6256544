package templates

import (
	"github.com/dave/jennifer/jen"

	"github.com/esgen/esgen/schema"
)

// declareFold declares the method that hands each event to its aggregator.
func (w *viewWriter) declareFold() {
	event := jen.Id("event")
	unknown := errorf("the view "+w.view.Name+" does not fold events of type %s", jen.Add(event).Dot("EventType").Call())
	body := []jen.Code{jen.Return(unknown)}
	if len(w.view.Events) > 0 {
		var cases []jen.Code
		for _, ve := range w.view.Events {
			call := jen.Id(aggregator(ve.Event)).Call(jen.Id("v"), pointed(jen.Id("e")), jen.Id("meta"))
			cases = append(cases, caseOf(w.service, ve.Event, assign(jen.Err(), call)))
		}
		cases = append(cases, jen.Default().Block(assign(jen.Err(), unknown)))
		body = []jen.Code{jen.Var().Err().Error(), switchOnEvent(cases)}
		if w.checked() {
			body = append(body, ifError(jen.Err()), jen.Return(jen.Id("v").Dot("check").Call()))
		} else {
			body = append(body, jen.Return(jen.Err()))
		}
	}
	w.declare("Fold calls the aggregator of an event.",
		w.method("Fold").Params(param("event", es("Event")), param("meta", es("Meta"))).Error().Block(body...))
}

// declareAppendJSON declares the canonical form of a record: the key, then the fields
// in the schema's order.
func (w *viewWriter) declareAppendJSON() {
	body := []jen.Code{
		appendText(`{` + jsonText(w.view.Key) + `:`),
		appendValue(w.keyType(), w.field(w.view.Key), 0, false),
	}
	for _, f := range w.view.Fields {
		value := w.field(f.Name)
		body = append(body, when(w.present(f, value), appendMember(f, value, false)))
	}
	body = append(body, jen.Return(jen.Append(dst, jen.LitRune('}'))))
	w.declare("AppendJSON appends the record as it is stored and answered. What is absent or not yet assigned is left out.",
		appendMethod(w.method("AppendJSON")).Block(body...))
}

// present is the condition on which a field is part of an answer; nil for always.
func (w *viewWriter) present(f *schema.Field, value place) jen.Code {
	if f.Optional {
		return notNil(value)
	}
	switch kind := f.Type.Kind; {
	case kind == schema.JSON:
		return notNil(value)
	case kind == schema.Date:
		return notZero(value)
	case f.Default != nil: // assigned from the start; left out it would read as the default again
		return nil
	case kind == schema.Enum:
		return notEmpty(value)
	case kind == schema.Timestamp, kind == schema.UUID:
		return notZero(value)
	case kind == schema.Object:
		return not(jen.Parens(w.zeroObject(f.Type, value)))
	}
	return nil
}

// zeroObject is the condition that an object has not been assigned.
func (w *viewWriter) zeroObject(t *schema.Type, value place) jen.Code {
	if isComparable(t) {
		return value.value().Op("==").Add(goType(w.service, t)).Values()
	}
	names := typeFieldNames(t.Named)
	var zero []jen.Code
	for _, f := range t.Named.Type.Fields {
		zero = append(zero, w.zeroField(f, place{expression: value.dot(names[f.Name])}))
	}
	return allOf(zero...)
}

func (w *viewWriter) zeroField(f *schema.Field, value place) jen.Code {
	if f.Optional {
		return value.value().Op("==").Nil()
	}
	switch f.Type.Kind {
	case schema.Timestamp, schema.Date, schema.UUID:
		return value.dot("IsZero").Call()
	case schema.Object:
		return jen.Parens(w.zeroObject(f.Type, value))
	case schema.Bool:
		return not(value.value())
	}
	return value.value().Op("==").Add(zeroValue(w.service, f.Type))
}

// isComparable reports whether Go compares values of an object's type with ==.
func isComparable(t *schema.Type) bool {
	for _, f := range t.Named.Type.Fields {
		switch {
		case nilable(f.Type):
			return false
		case f.Type.Kind == schema.Object && !f.Optional && !isComparable(f.Type):
			return false
		}
	}
	return true
}

// declareLoad declares how a stored record is read: what it lacks has its start value.
func (w *viewWriter) declareLoad() {
	v, payload := jen.Id("v"), jen.Id("payload")
	w.declare("Load reads what AppendJSON has written; what it lacks gets its start value.",
		w.method("Load").Params(jen.Id("payload").String()).Error().Block(
			assign(pointed(v), w.start()),
			jen.Return(es("DecodeStored").Call(payload, v)),
		))
	key := &schema.Field{Name: w.view.Key, Type: w.keyType()}
	var cases []jen.Code
	for _, f := range append([]*schema.Field{key}, w.view.Fields...) {
		cases = append(cases, jen.Case(jen.Lit(f.Name)).Block(decodeField(w.service, f, w.field(f.Name), nil)))
	}
	w.declare("Decode reads the members of a stored record.", decodeMethod("v", "View", decodeMembers(cases)))
}

// declareIndexEntries declares the record's place in the indexes. A record whose key or
// sort value is absent or empty is in none.
func (w *viewWriter) declareIndexEntries() {
	var body []jen.Code
	for _, ix := range w.view.Indexes {
		entry := []jen.Code{keyed("Index", jen.Lit(ix.Name)), keyed("Key", keyText(ix.Key.Type, w.held(ix.Key)))}
		conditions := []jen.Code{w.counts(ix.Key)}
		if ix.Sort != nil {
			conditions = append(conditions, w.counts(ix.Sort))
			value := plainString(ix.Sort.Type, w.held(ix.Sort).value())
			entry = append(entry, keyed("Sort", es(valueMethods[ix.Sort.Type.Kind].sort).Call(jen.Nil(), value)))
		}
		body = append(body, when(allOf(conditions...), assign(dst, jen.Append(dst, es("IndexEntry").Values(entry...)))))
	}
	w.declare("AppendIndexEntries appends the record's place in each index it is in.",
		w.method("AppendIndexEntries").Params(jen.Id("dst").Index().Add(es("IndexEntry"))).Index().Add(es("IndexEntry")).Block(
			append(body, jen.Return(dst))...))
}

// held is the value of a field of an index, which a pointer may hold.
func (w *viewWriter) held(f *schema.Field) place {
	value := w.field(f.Name)
	value.pointer = f.Optional
	return value
}

// counts is the condition on which a field's value counts in an index; nil for always.
func (w *viewWriter) counts(f *schema.Field) jen.Code {
	value := w.held(f)
	var present, filled jen.Code
	if f.Optional {
		present = notNil(value)
	}
	switch f.Type.Kind {
	case schema.String, schema.Enum:
		filled = notEmpty(value)
	case schema.Timestamp, schema.Date, schema.UUID:
		if !f.Optional {
			filled = notZero(value)
		}
	}
	return allOf(present, filled)
}

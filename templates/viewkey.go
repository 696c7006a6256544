package templates

import (
	"fmt"
	"slices"

	"github.com/esgen/esgen/schema"
)

// writeKeys writes the function that lists the records an event names. A view
// keyed by the entity has none.
func (w *viewWriter) writeKeys() {
	if w.view.KeyedByEntity {
		return
	}
	w.printf("// recordKeys lists the keys of the records that an event is folded into.\n")
	w.printf("func recordKeys(event es.Event) []string {\nvar keys []string\n")
	if len(w.view.Events) > 0 {
		w.printf("switch e := event.(type) {\n")
		for _, ve := range w.view.Events {
			w.printf("case *events.%s:\n", schema.GoName(ve.Event.Name))
			for _, path := range ve.Keys {
				w.writePath(eventFieldNames(w.service, ve.Event), "e", path.Steps, 0)
			}
		}
		w.printf("}\n")
	}
	w.printf("return keys\n}\n\n")
}

// writePath writes what leads from the object in the variable base through the
// steps to the keys at their end. Whatever is absent on the way names nothing.
func (w *viewWriter) writePath(names map[string]string, base string, steps []schema.Step, depth int) {
	step := steps[0]
	f := step.Field
	value := base + "." + names[f.Name]
	if step.Each {
		w.writeEach(f, value, steps, depth)
		return
	}
	if f.Optional && !nilable(f.Type) {
		w.printf("if %s != nil {\n", value)
		defer w.printf("}\n")
	}
	if len(steps) > 1 {
		w.writePath(typeFieldNames(f.Type.Named), value, steps[1:], depth)
		return
	}
	if f.Optional {
		value = "*" + value
	}
	w.writeKey(f.Type, value)
}

func (w *viewWriter) writeEach(f *schema.Field, value string, steps []schema.Step, depth int) {
	elem := f.Type.Elem
	if len(steps) > 1 {
		i := local("i", depth)
		w.printf("for %s := range %s {\n", i, value)
		w.writePath(typeFieldNames(elem.Named), fmt.Sprintf("%s[%s]", value, i), steps[1:], depth+1)
	} else {
		w.printf("for _, item := range %s {\n", value)
		w.writeKey(elem, "item")
	}
	w.printf("}\n")
}

func (w *viewWriter) writeKey(t *schema.Type, value string) {
	if t.Kind == schema.Date { // a date that an older event lacks has no text
		w.printf("if !%s.IsZero() {\n", parenthesized(value))
		defer w.printf("}\n")
	}
	w.printf("keys = es.AppendKey(keys, %s)\n", w.keyText(t, value))
}

// keyText is the expression of a key as text: the canonical form of its type.
func (w *viewWriter) keyText(t *schema.Type, value string) string {
	switch t.Kind {
	case schema.Int:
		w.use("strconv")
		return "strconv.FormatInt(" + value + ", 10)"
	case schema.Bool:
		w.use("strconv")
		return "strconv.FormatBool(" + value + ")"
	case schema.UUID, schema.Date:
		return parenthesized(value) + ".String()"
	}
	return plainString(t, value)
}

// writeStart writes how a record begins: the schema's start values, then the key.
func (w *viewWriter) writeStart() {
	start := "View{}"
	if w.hasStartValues() {
		start = "startValues()"
	}
	w.printf("// newRecord returns the record of a key before its first event.\n")
	w.printf("func newRecord(key string) es.Record {\n")
	if w.keyIsText() && start == "View{}" {
		w.printf("return &View{%s: key}\n}\n\n", w.names[w.view.Key])
	} else {
		w.printf("v := %s\n", start)
		w.writeSetKey()
		w.printf("return &v\n}\n\n")
	}
	if w.hasStartValues() {
		w.writeStartValues()
	}
}

func (w *viewWriter) keyIsText() bool { return w.keyType() == "string" }

// hasStartValues reports whether a new record differs from the zero View.
func (w *viewWriter) hasStartValues() bool {
	return slices.ContainsFunc(w.view.Fields, func(f *schema.Field) bool { return w.startValue(f) != "" })
}

func (w *viewWriter) writeStartValues() {
	w.printf("// startValues are what the schema has a record begin with.\n")
	w.printf("func startValues() View {\nreturn View{\n")
	for _, f := range w.view.Fields {
		if value := w.startValue(f); value != "" {
			w.printf("%s: %s,\n", w.names[f.Name], value)
		}
	}
	w.printf("}\n}\n\n")
}

// startValue is the expression of what a field begins with, "" for the zero
// value. A required map is never nil, so that aggregators may write to it.
func (w *viewWriter) startValue(f *schema.Field) string {
	switch {
	case f.Default != nil && f.Default.Literal != "":
		value, err := decodeLiteral(f.Default.Literal)
		if text, ok := value.(string); ok && f.Type.Kind == schema.Enum && f.Type.Named == nil {
			return schema.GoFieldConst("View", w.names[f.Name], text)
		}
		if err != nil {
			return ""
		}
		return literal(w.gofile, w.service, f.Type, value)
	case f.Type.Kind == schema.Map && !f.Optional:
		return goType(w.gofile, w.service, f.Type) + "{}"
	}
	return ""
}

// writeSetKey turns the key's text back into its Go type. The text comes from
// recordKeys or from the store, so it is of that type.
func (w *viewWriter) writeSetKey() {
	to := "v." + w.names[w.view.Key]
	t := w.view.KeyType
	if w.view.KeyedByEntity || t == nil {
		w.printf("%s = key\n", to)
		return
	}
	switch t.Kind {
	case schema.Int:
		w.use("strconv")
		w.printf("%s, _ = strconv.ParseInt(key, 10, 64)\n", to)
	case schema.UUID:
		w.printf("%s, _ = es.ParseUUID(key)\n", to)
	case schema.Date:
		w.printf("%s, _ = es.ParseDate(key)\n", to)
	default:
		value := "key"
		if enumName(t) != "" {
			value = goType(w.gofile, w.service, t) + "(key)"
		}
		w.printf("%s = %s\n", to, value)
	}
}

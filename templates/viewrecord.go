package templates

import (
	"fmt"
	"strings"

	"github.com/esgen/esgen/schema"
)

// writeFold writes the switch that hands each event to its aggregator.
func (w *viewWriter) writeFold() {
	w.use("fmt")
	w.printf("// Fold calls the aggregator of an event.\n")
	w.printf("func (v *View) Fold(event es.Event, meta es.Meta) error {\n")
	if len(w.view.Events) > 0 {
		w.printf("var err error\nswitch e := event.(type) {\n")
		for _, ve := range w.view.Events {
			name := schema.GoName(ve.Event.Name)
			w.printf("case *events.%s:\nerr = on%s(v, *e, meta)\n", name, name)
		}
		w.printf("default:\nerr = fmt.Errorf(\"the view %s does not fold events of type %%s\", event.EventType())\n}\n", w.view.Name)
		if w.checked() {
			w.printf("if err != nil {\nreturn err\n}\nreturn v.check()\n}\n\n")
		} else {
			w.printf("return err\n}\n\n")
		}
		return
	}
	w.printf("return fmt.Errorf(\"the view %s does not fold events of type %%s\", event.EventType())\n}\n\n", w.view.Name)
}

// writeAppendJSON writes the canonical form of a record: the key, then the fields
// in the schema's order.
func (w *viewWriter) writeAppendJSON() {
	w.printf("// AppendJSON appends the record as it is stored and answered. What is absent or not\n")
	w.printf("// yet assigned is left out.\n")
	w.printf("func (v *View) AppendJSON(dst []byte) []byte {\n")
	key := &schema.Type{Kind: schema.String}
	if !w.view.KeyedByEntity {
		key = w.view.KeyType
	}
	w.printf("dst = append(dst, `{%q:`...)\n", w.view.Key)
	writeAppend(w.gofile, key, "v."+w.names[w.view.Key], 0, "")
	for _, f := range w.view.Fields {
		value := "v." + w.names[f.Name]
		present := w.present(f, value)
		if present != "" {
			w.printf("if %s {\n", present)
		}
		if f.Optional && !nilable(f.Type) && f.Type.Kind != schema.Object {
			value = "*" + value
		}
		w.printf("dst = append(dst, `,%q:`...)\n", f.Name)
		writeAppend(w.gofile, f.Type, value, 0, "")
		if present != "" {
			w.printf("}\n")
		}
	}
	w.printf("return append(dst, '}')\n}\n\n")
}

// present is the condition on which a field is part of an answer; "" for always.
func (w *viewWriter) present(f *schema.Field, value string) string {
	if f.Optional {
		return value + " != nil"
	}
	switch kind := f.Type.Kind; {
	case kind == schema.JSON:
		return value + " != nil"
	case kind == schema.Date:
		return "!" + value + ".IsZero()"
	case f.Default != nil: // assigned from the start; left out it would read as the default again
		return ""
	case kind == schema.Enum:
		return value + ` != ""`
	case kind == schema.Timestamp, kind == schema.UUID:
		return "!" + value + ".IsZero()"
	case kind == schema.Object:
		return "!" + w.zeroObject(f.Type, value)
	}
	return ""
}

// zeroObject is the condition that an object has not been assigned.
func (w *viewWriter) zeroObject(t *schema.Type, value string) string {
	if isComparable(t) {
		return fmt.Sprintf("(%s == %s{})", value, goType(w.gofile, w.service, t))
	}
	names := typeFieldNames(t.Named)
	var all []string
	for _, f := range t.Named.Type.Fields {
		all = append(all, w.zeroField(f, value+"."+names[f.Name]))
	}
	return "(" + strings.Join(all, " && ") + ")"
}

func (w *viewWriter) zeroField(f *schema.Field, value string) string {
	if f.Optional {
		return value + " == nil"
	}
	switch f.Type.Kind {
	case schema.String, schema.Enum:
		return value + ` == ""`
	case schema.Int, schema.Float:
		return value + " == 0"
	case schema.Bool:
		return "!" + value
	case schema.Decimal:
		return value + " == es.Decimal{}"
	case schema.Object:
		return w.zeroObject(f.Type, value)
	case schema.Timestamp, schema.Date, schema.UUID:
		return value + ".IsZero()"
	}
	return value + " == nil"
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

// writeLoad writes how a stored record is read: what it lacks has its start value.
func (w *viewWriter) writeLoad() {
	w.printf("// Load reads what AppendJSON has written; what it lacks gets its start value.\n")
	start := "View{}"
	if w.hasStartValues() {
		start = "startValues()"
	}
	w.printf("func (v *View) Load(payload string) error {\n*v = %s\nreturn es.DecodeStored(payload, v)\n}\n\n", start)
	w.printf("// Decode reads the members of a stored record.\n")
	w.printf("func (v *View) Decode(d *es.Decoder) {\nif !d.Object() {\nreturn\n}\nfor d.Member() {\nswitch d.Name() {\n")
	key := &schema.Type{Kind: schema.String}
	if !w.view.KeyedByEntity {
		key = w.view.KeyType
	}
	w.printf("case %q:\n", w.view.Key)
	writeDecode(w.gofile, w.service, key, "v."+w.names[w.view.Key], nil, 0)
	for _, f := range w.view.Fields {
		w.printf("case %q:\n", f.Name)
		w.writeDecodeField(f)
	}
	w.printf("default:\nd.Unknown()\n}\n}\n}\n\n")
}

func (w *viewWriter) writeDecodeField(f *schema.Field) {
	target := "v." + w.names[f.Name]
	switch {
	case !f.Optional:
		writeDecode(w.gofile, w.service, f.Type, target, nil, 0)
		return
	case nilable(f.Type):
		w.printf("if !d.Null() {\n")
		writeDecode(w.gofile, w.service, f.Type, target, nil, 0)
	case f.Type.Kind == schema.Object:
		w.printf("if !d.Null() {\n%s = new(%s)\n%s.Decode(d)\n", target, goType(w.gofile, w.service, f.Type), target)
	default:
		w.printf("if !d.Null() {\n%s = new(%s)\n", target, goType(w.gofile, w.service, f.Type))
		writeDecodeScalar(w.gofile, f.Type, target, nil)
	}
	w.printf("}\n")
}

// writeIndexEntries writes the record's place in the indexes. A record whose key or
// sort value is absent or empty is in none.
func (w *viewWriter) writeIndexEntries() {
	w.printf("// AppendIndexEntries appends the record's place in each index it is in.\n")
	w.printf("func (v *View) AppendIndexEntries(dst []es.IndexEntry) []es.IndexEntry {\n")
	for _, ix := range w.view.Indexes {
		var conditions []string
		if c := w.indexed(ix.Key); c != "" {
			conditions = append(conditions, c)
		}
		sort := ""
		if ix.Sort != nil {
			if c := w.indexed(ix.Sort); c != "" {
				conditions = append(conditions, c)
			}
			value := w.deref(ix.Sort)
			sort = fmt.Sprintf(", Sort: es.%s(nil, %s)", valueMethods[ix.Sort.Type.Kind].sort, plainString(ix.Sort.Type, value))
		}
		if len(conditions) > 0 {
			w.printf("if %s {\n", strings.Join(conditions, " && "))
		}
		w.printf("dst = append(dst, es.IndexEntry{Index: %q, Key: %s%s})\n", ix.Name, w.keyText(ix.Key.Type, w.deref(ix.Key)), sort)
		if len(conditions) > 0 {
			w.printf("}\n")
		}
	}
	w.printf("return dst\n}\n")
}

func (w *viewWriter) deref(f *schema.Field) string {
	if f.Optional {
		return "*v." + w.names[f.Name]
	}
	return "v." + w.names[f.Name]
}

// indexed is the condition on which a field's value counts in an index; "" for always.
func (w *viewWriter) indexed(f *schema.Field) string {
	value := "v." + w.names[f.Name]
	text := f.Type.Kind == schema.String || f.Type.Kind == schema.Enum
	switch {
	case f.Optional && text:
		return fmt.Sprintf("%s != nil && *%s != \"\"", value, value)
	case f.Optional:
		return value + " != nil"
	case text:
		return value + ` != ""`
	case f.Type.Kind == schema.Timestamp, f.Type.Kind == schema.Date, f.Type.Kind == schema.UUID:
		return "!" + value + ".IsZero()"
	}
	return ""
}

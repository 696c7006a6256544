package templates

import (
	"fmt"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/esgen/esgen/schema"
)

// structure is a struct to be generated, of an event or of a shared type, with
// everything that its methods need to know.
type structure struct {
	name      string // Go name
	receiver  string
	keyName   string // Go name of the entity's key, in an event
	members   []member
	secret    bool // something in it is sensitive
	secretKey bool // the key of a view's record is
	patterns  *patternNames

	ownPatterns []pattern // those that declareDecode came upon
}

// member is a field of the schema in its struct.
type member struct {
	*schema.Field
	goName string
}

// eventStructure is the struct of an event. The entity's key, its first field,
// is no member.
func eventStructure(s *schema.Service, e *schema.Event, patterns *patternNames) *structure {
	names := eventFieldNames(s, e)
	st := newStructure(schema.GoName(e.Name), "e", e.Fields, names, patterns)
	st.keyName = names[s.Entity.Key]
	return st
}

// typeStructure is the struct of a shared object type.
func typeStructure(t *schema.NamedType, patterns *patternNames) *structure {
	return newStructure(schema.GoName(t.Name), "t", t.Type.Fields, typeFieldNames(t), patterns)
}

func newStructure(name, receiver string, fields []*schema.Field, names map[string]string, patterns *patternNames) *structure {
	st := &structure{name: name, receiver: receiver, secret: schema.HoldsSensitive(fields), patterns: patterns}
	for _, f := range fields {
		st.members = append(st.members, member{f, names[f.Name]})
	}
	return st
}

// eventFieldNames maps the members of an event, the entity's key among them, to
// the Go names of their fields.
func eventFieldNames(s *schema.Service, e *schema.Event) map[string]string {
	return fieldNames(append([]string{s.Entity.Key}, namesOf(e.Fields)...), e.Fields)
}

// typeFieldNames maps the members of a shared object type to the Go names of their fields.
func typeFieldNames(t *schema.NamedType) map[string]string {
	return fieldNames(namesOf(t.Type.Fields), t.Type.Fields)
}

func fieldNames(names []string, fields []*schema.Field) map[string]string {
	methods := [][]string{schema.EventMethods}
	if schema.HoldsSensitive(fields) {
		methods = append(methods, schema.RedactionMethods)
	}
	byName := make(map[string]string, len(names))
	for i, id := range schema.GoFields(names, methods...) {
		byName[names[i]] = id
	}
	return byName
}

func namesOf(fields []*schema.Field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}

// declare declares the struct, whose first field may be a key.
func (st *structure) declare(g *gofile, s *schema.Service, doc string, key jen.Code) {
	fields := []jen.Code{key}
	for i, m := range st.members {
		text := docText("", m.Description, m.Deprecated)
		if i == 0 && key != nil || i > 0 && text != "" {
			fields = append(fields, jen.Line())
		}
		fields = append(fields, comment(text), jen.Id(m.goName).Add(fieldGoType(s, m.Field)).Add(remark(m.Field)))
	}
	g.declare(doc, jen.Type().Id(st.name).Struct(fields...))
}

// declareConstants declares the values of the enums that the fields have in place.
func (st *structure) declareConstants(g *gofile) {
	for _, m := range st.members {
		m.declareConstants(g, st.name)
	}
}

// method begins a method of the struct.
func (st *structure) method(name string) *jen.Statement {
	return method(st.receiver, jen.Id(st.name), name)
}

// remark is the comment behind a field that says what its Go type does not.
func remark(f *schema.Field) jen.Code {
	var parts []string
	if f.Optional {
		parts = append(parts, "optional")
	}
	if d := f.Default; d != nil {
		switch {
		case d.Now:
			parts = append(parts, "default: now")
		case d.New:
			parts = append(parts, "default: new")
		default:
			parts = append(parts, "default: "+shortened(d.Literal))
		}
	}
	if f.Sensitive {
		parts = append(parts, "sensitive")
	}
	if len(parts) == 0 {
		return nil
	}
	return jen.Comment("// " + strings.Join(parts, ", "))
}

// shortened is a JSON text that fits behind a field.
func shortened(text string) string {
	const most = 40
	text = oneLine(strings.Map(printable, text))
	if rs := []rune(text); len(rs) > most {
		return string(rs[:most]) + "…"
	}
	return text
}

// declareConstants declares the values of an enum that the field has in place.
func (m *member) declareConstants(g *gofile, structName string) {
	var constants []jen.Code
	for _, v := range valuesInPlace(m.Type) {
		constants = append(constants, jen.Id(schema.GoFieldConst(structName, m.goName, v)).Op("=").Add(quoted(v)))
	}
	if len(constants) > 0 {
		g.declare(fmt.Sprintf("Values of [%s.%s].", structName, m.goName), jen.Const().Defs(constants...))
	}
}

// valuesInPlace returns the values of an enum that is written in place, also
// as what a list or a map holds.
func valuesInPlace(t *schema.Type) []string {
	for t.Named == nil && (t.Kind == schema.List || t.Kind == schema.Map) {
		t = t.Elem
	}
	if t.Kind == schema.Enum && t.Named == nil {
		return t.Values
	}
	return nil
}

package templates

import (
	"fmt"
	"strings"

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

// declare writes the fields of a struct type, one a line.
func (st *structure) declare(g *gofile, s *schema.Service) {
	for i, m := range st.members {
		doc := docComment("", m.Description, m.Deprecated)
		if doc != "" && i > 0 {
			g.printf("\n")
		}
		g.printf("%s%s %s%s\n", doc, m.goName, fieldGoType(g, s, m.Field), remark(m.Field))
	}
}

// remark is the comment behind a field that says what its Go type does not.
func remark(f *schema.Field) string {
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
		return ""
	}
	return " // " + strings.Join(parts, ", ")
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

// enumConstants writes the constants for the values of the enums that the
// fields have in place.
func (st *structure) enumConstants(g *gofile) {
	for _, m := range st.members {
		values := valuesInPlace(m.Type)
		if len(values) == 0 {
			continue
		}
		g.printf("// Values of [%s.%s].\nconst (\n", st.name, m.goName)
		for _, v := range values {
			g.printf("%s = %s\n", schema.GoFieldConst(st.name, m.goName, v), quoted(v))
		}
		g.printf(")\n\n")
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

// quoted is a text as a Go string: raw where that is easier to read.
func quoted(text string) string {
	if strings.ContainsAny(text, `\"`) && !strings.ContainsFunc(text, unfitForRaw) {
		return "`" + text + "`"
	}
	return fmt.Sprintf("%q", text)
}

func unfitForRaw(r rune) bool { return r == '`' || r < ' ' || r > '~' }

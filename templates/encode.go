package templates

import (
	"fmt"
	"slices"
	"strings"

	"github.com/esgen/esgen/schema"
)

// encode writes the method that appends the struct as canonical JSON. A struct that can
// be short of a value gets a second one, which leaves out what nobody gave.
func (st *structure) encode(g *gofile, doc string) {
	g.printf("%s", comment(doc))
	g.printf("func (%s %s) AppendJSON(dst []byte) []byte {\n", st.receiver, st.name)
	defer g.printf("}\n\n")
	if len(st.members) == 0 {
		g.printf("return append(dst, \"{}\"...)\n")
		return
	}
	if st.maybeShort() {
		g.printf("return %s.AppendFields(dst, false)\n}\n\n", st.receiver)
		g.printf("%s", comment("AppendFields is AppendJSON or, with given, leaves out what was not given a value: "+
			"a time or UUID that is zero, and what is nil or an empty enum although it has a default."))
		g.printf("func (%s %s) AppendFields(dst []byte, given bool) []byte {\n", st.receiver, st.name)
	}
	g.useAs("es", runtimePath)
	g.printf("start := len(dst)\n")
	for i := range st.members {
		st.encodeMember(g, &st.members[i])
	}
	g.printf("return es.AppendObjectEnd(dst, start)\n")
}

func (st *structure) encodeMember(g *gofile, m *member) {
	value := st.receiver + "." + m.goName
	condition := ""
	switch holds := holdsValue(m.Field, value); {
	case m.Optional:
		condition = value + " != nil"
	case m.Type.Kind == schema.Date: // the zero Date is no day: in an older event, or not yet assigned in a view
		condition = holds
	case holds != "":
		condition = "!given || " + holds
	}
	if condition != "" {
		g.printf("if %s {\n", condition)
	}
	g.printf("dst = append(dst, `,%s:`...)\n", jsonText(m.Name))
	if m.Optional && !nilable(m.Type) && m.Type.Kind != schema.Object {
		value = "*" + value
	}
	writeAppend(g, m.Type, value, 0, "given")
	if condition != "" {
		g.printf("}\n")
	}
}

// holdsValue is the condition that a field was given a value; "" where the zero value is as
// good as any, and where nil is the empty list.
func holdsValue(f *schema.Field, value string) string {
	if f.Optional {
		return ""
	}
	switch f.Type.Kind {
	case schema.Timestamp, schema.Date, schema.UUID:
		return "!" + value + ".IsZero()"
	case schema.Enum:
		if f.Default != nil && !slices.Contains(f.Type.Values, "") {
			return value + ` != ""`
		}
	case schema.List, schema.Map, schema.Bytes, schema.JSON:
		if f.Default != nil {
			return value + " != nil"
		}
	}
	return ""
}

// needsGiven reports whether it depends on "given" that a field without a value is left out.
func needsGiven(f *schema.Field) bool {
	return holdsValue(f, "") != "" && f.Type.Kind != schema.Date
}

// maybeShort reports whether a struct can be short of a value, itself or in something it holds.
func (st *structure) maybeShort() bool {
	for _, m := range st.members {
		if needsGiven(m.Field) || shortType(m.Type, &visited{}) {
			return true
		}
	}
	return false
}

// shortType reports whether a value of the type, or what it holds, is a struct that has AppendFields.
func shortType(t *schema.Type, seen *visited) bool {
	for t.Kind == schema.List || t.Kind == schema.Map {
		t = t.Elem
	}
	if t.Kind != schema.Object || t.Named == nil || !seen.first(t.Named) {
		return false
	}
	return slices.ContainsFunc(t.Named.Type.Fields, func(f *schema.Field) bool {
		return needsGiven(f) || shortType(f.Type, seen)
	})
}

// filledIn says which fields get their default when an event without them is appended.
func (st *structure) filledIn() string {
	var names []string
	for _, m := range st.members {
		if m.Default != nil && holdsValue(m.Field, "") != "" {
			names = append(names, m.goName)
		}
	}
	switch n := len(names); n {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("%s may be left zero: it gets its default when the event is appended.", names[0])
	default:
		return fmt.Sprintf("%s and %s may be left zero: they get their defaults when the event is appended.",
			strings.Join(names[:n-1], ", "), names[n-1])
	}
}

// visited are the types that a search has been to; types may lead back to themselves.
type visited struct{ types map[*schema.NamedType]bool }

func (v *visited) first(t *schema.NamedType) bool {
	if v.types == nil {
		v.types = map[*schema.NamedType]bool{}
	}
	was := v.types[t]
	v.types[t] = true
	return !was
}

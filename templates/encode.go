package templates

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/esgen/esgen/schema"
)

// declareEncode declares the method that appends the struct as canonical JSON. A struct that can
// be short of a value gets a second one, which leaves out what nobody gave.
func (st *structure) declareEncode(g *gofile, doc string) {
	appendJSON := appendMethod(st.method("AppendJSON"))
	if len(st.members) == 0 {
		g.declare(doc, appendJSON.Block(jen.Return(jen.Append(dst, jen.Lit("{}").Op("...")))))
		return
	}
	body := []jen.Code{define("start", jen.Len(dst))}
	for i := range st.members {
		body = append(body, st.members[i].encode(fieldOf(st.receiver, st.members[i].goName)))
	}
	body = append(body, jen.Return(es("AppendObjectEnd").Call(dst, jen.Id("start"))))
	if !st.maybeShort() {
		g.declare(doc, appendJSON.Block(body...))
		return
	}
	g.declare(doc, appendJSON.Block(jen.Return(jen.Id(st.receiver).Dot("AppendFields").Call(dst, jen.False()))))
	g.declare("AppendFields is AppendJSON or, with given, leaves out what was not given a value: "+
		"a time or UUID that is zero, and what is nil or an empty enum although it has a default.",
		appendMethod(st.method("AppendFields"), jen.Id("given").Bool()).Block(body...))
}

// appendMethod is the head of a method that appends to its first parameter, dst.
func appendMethod(begin *jen.Statement, more ...jen.Code) *jen.Statement {
	return begin.Params(append([]jen.Code{jen.Id("dst").Index().Byte()}, more...)...).Index().Byte()
}

// encode appends a member where it is present.
func (m *member) encode(value place) jen.Code {
	var condition jen.Code
	switch holds := holdsValue(m.Field, value); {
	case m.Optional:
		condition = notNil(value)
	case m.Type.Kind == schema.Date: // the zero Date is no day: in an older event, or not yet assigned in a view
		condition = holds
	case holds != nil:
		condition = jen.Op("!").Id("given").Op("||").Add(holds)
	}
	return when(condition, appendMember(m.Field, value, true))
}

// appendMember appends the name and the value of a field, which a pointer may hold.
func appendMember(f *schema.Field, value place, given bool) jen.Code {
	value.pointer = f.Optional && !nilable(f.Type)
	return lines(
		appendText(`,`+jsonText(f.Name)+`:`),
		appendValue(f.Type, value, 0, given),
	)
}

// holdsValue is the condition that a field was given a value; nil where the zero value is as
// good as any, and where nil is the empty list.
func holdsValue(f *schema.Field, value place) jen.Code {
	if !hasAbsence(f) {
		return nil
	}
	switch f.Type.Kind {
	case schema.Timestamp, schema.Date, schema.UUID:
		return notZero(value)
	case schema.Enum:
		return notEmpty(value)
	}
	return notNil(value)
}

// hasAbsence reports whether the zero value of a required field's Go type means that it was not
// given a value.
func hasAbsence(f *schema.Field) bool {
	if f.Optional {
		return false
	}
	switch f.Type.Kind {
	case schema.Timestamp, schema.Date, schema.UUID:
		return true
	case schema.Enum:
		return f.Default != nil && !slices.Contains(f.Type.Values, "")
	}
	return nilable(f.Type) && f.Default != nil
}

// needsGiven reports whether it depends on "given" that a field without a value is left out.
func needsGiven(f *schema.Field) bool {
	return hasAbsence(f) && f.Type.Kind != schema.Date
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
		if m.Default != nil && hasAbsence(m.Field) {
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

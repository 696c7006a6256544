package templates

import (
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/esgen/esgen/schema"
)

// checkOf is the method of es.Checks for kinds whose Go types hold more than JSON can say.
var checkOf = map[schema.Kind]string{
	schema.Decimal: "Decimal", schema.Float: "Float", schema.Timestamp: "Time", schema.JSON: "JSON", schema.Date: "Date",
}

// checked reports whether an aggregator can leave something in the record that
// cannot be stored.
func (w *viewWriter) checked() bool {
	return slices.ContainsFunc(w.view.Fields, func(f *schema.Field) bool { return needsCheck(f.Type) })
}

func needsCheck(t *schema.Type) bool { return needsCheckBeside(t, map[*schema.NamedType]bool{}) }

// needsCheckBeside is needsCheck when the seen types are being looked at
// already: types may lead back to themselves.
func needsCheckBeside(t *schema.Type, seen map[*schema.NamedType]bool) bool {
	switch t.Kind {
	case schema.List, schema.Map:
		return needsCheckBeside(t.Elem, seen)
	case schema.Object:
		if seen[t.Named] {
			return false
		}
		seen[t.Named] = true
		return slices.ContainsFunc(t.Named.Type.Fields, func(f *schema.Field) bool { return needsCheckBeside(f.Type, seen) })
	}
	return checkOf[t.Kind] != ""
}

// declareChecks declares what finds values that cannot be stored: a method, and a
// function for each type of object that the record can hold.
func (w *viewWriter) declareChecks() {
	if !w.checked() {
		return
	}
	c := &viewChecks{service: w.service, checks: addressOf(jen.Id("c"))}
	body := []jen.Code{jen.Var().Id("c").Add(es("Checks"))}
	for _, f := range w.view.Fields {
		c.name = quoted(f.Name)
		body = append(body, c.field(f, w.field(f.Name)))
	}
	w.declare("check finds values that cannot be stored, such as a Decimal beyond 38 digits.",
		w.method("check").Params().Error().Block(append(body, jen.Return(jen.Id("c").Dot("Err").Call()))...))
	c.checks, c.name = jen.Id("c"), jen.Id("field")
	for i := 0; i < len(c.objects); i++ { // grows meanwhile
		w.declare("", c.object(c.objects[i]))
	}
}

// viewChecks composes the checks of one function.
type viewChecks struct {
	service *schema.Service
	checks  jen.Code // the *es.Checks
	name    jen.Code // of the view's field
	objects []*schema.NamedType
}

// object is the function that checks an object.
func (c *viewChecks) object(t *schema.NamedType) jen.Code {
	names := typeFieldNames(t)
	var body []jen.Code
	for _, f := range t.Type.Fields {
		body = append(body, c.field(f, fieldOf("o", names[f.Name])))
	}
	return jen.Func().Id("check"+schema.GoName(t.Name)).Params(param("c", pointed(es("Checks"))), jen.Id("field").String(),
		jen.Id("o").Op("*").Add(sharedType(c.service, t))).Block(body...)
}

// field checks a field; nil where there is nothing to check.
func (c *viewChecks) field(f *schema.Field, value place) jen.Code {
	if !needsCheck(f.Type) {
		return nil
	}
	switch {
	case f.Optional && !nilable(f.Type):
		return when(notNil(value), c.value(f.Type, place{value.expression, true}, 0))
	case f.Type.Kind == schema.Date: // not yet assigned
		return when(notZero(value), c.value(f.Type, value, 0))
	}
	return c.value(f.Type, value, 0)
}

func (c *viewChecks) value(t *schema.Type, value place, depth int) jen.Code {
	switch t.Kind {
	case schema.List:
		i := local("i", depth)
		return forEach(jen.Id(i), value.value(), c.value(t.Elem, value.at(i), depth+1))
	case schema.Map: // whose elements have no address
		element := jen.Id(local("element", depth))
		return forEach(jen.List(jen.Id("_"), element), value.value(), c.value(t.Elem, place{expression: element}, depth+1))
	case schema.Object:
		if !slices.Contains(c.objects, t.Named) {
			c.objects = append(c.objects, t.Named)
		}
		return jen.Id("check"+schema.GoName(t.Named.Name)).Call(c.checks, c.name, value.address())
	}
	return jen.Id("c").Dot(checkOf[t.Kind]).Call(c.name, value.value())
}

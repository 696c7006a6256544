package templates

import (
	"slices"

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

// writeChecks writes what finds values that cannot be stored: a method, and a
// function for each type of object that the record can hold.
func (w *viewWriter) writeChecks() {
	if !w.checked() {
		return
	}
	w.printf("// check finds values that cannot be stored, such as a Decimal beyond 38 digits.\n")
	w.printf("func (v *View) check() error {\nvar c es.Checks\n")
	c := &checkWriter{viewWriter: w, checks: "&c"}
	for _, f := range w.view.Fields {
		c.name = quoted(f.Name)
		c.field(f, "v."+w.names[f.Name])
	}
	w.printf("return c.Err()\n}\n\n")
	for i := 0; i < len(c.objects); i++ { // grows meanwhile
		c.object(c.objects[i])
	}
}

// checkWriter writes the checks of one function.
type checkWriter struct {
	*viewWriter
	checks  string // the *es.Checks
	name    string // the expression of the name of the view's field
	objects []*schema.NamedType
}

// object writes the function that checks an object.
func (c *checkWriter) object(t *schema.NamedType) {
	name := schema.GoName(t.Name)
	c.printf("func check%s(c *es.Checks, field string, o *%s) {\n", name, sharedType(c.gofile, c.service, t.Name))
	c.checks, c.name = "c", "field"
	names := typeFieldNames(t)
	for _, f := range t.Type.Fields {
		c.field(f, "o."+names[f.Name])
	}
	c.printf("}\n\n")
}

func (c *checkWriter) field(f *schema.Field, value string) {
	if !needsCheck(f.Type) {
		return
	}
	pointer := f.Optional && !nilable(f.Type)
	switch {
	case pointer:
		c.printf("if %s != nil {\n", value)
		defer c.printf("}\n")
		value = "*" + value
	case f.Type.Kind == schema.Date: // not yet assigned
		c.printf("if !%s.IsZero() {\n", value)
		defer c.printf("}\n")
	}
	c.value(f.Type, value, 0)
}

func (c *checkWriter) value(t *schema.Type, value string, depth int) {
	switch t.Kind {
	case schema.List:
		i := local("i", depth)
		c.printf("for %s := range %s {\n", i, value)
		c.value(t.Elem, indexed(value, i), depth+1)
		c.printf("}\n")
	case schema.Map: // whose elements have no address
		element := local("element", depth)
		c.printf("for _, %s := range %s {\n", element, value)
		c.value(t.Elem, element, depth+1)
		c.printf("}\n")
	case schema.Object:
		if !slices.Contains(c.objects, t.Named) {
			c.objects = append(c.objects, t.Named)
		}
		c.printf("check%s(%s, %s, %s)\n", schema.GoName(t.Named.Name), c.checks, c.name, address(value))
	default:
		c.printf("c.%s(%s, %s)\n", checkOf[t.Kind], c.name, value)
	}
}

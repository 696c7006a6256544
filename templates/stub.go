package templates

import (
	"fmt"
	"slices"
	"strings"

	"github.com/esgen/esgen/schema"
)

// stubFiles returns the aggregator stubs of a view: what the user fills in, one
// file per event.
func stubFiles(s *schema.Service, v *schema.View) []File {
	var files []File
	taken := map[string]bool{"view": true} // view_gen.go and view_test.go belong together with a view.go of the user's
	unset := fieldsNeverCopied(s, v)
	for _, ve := range v.Events {
		name := uniqueFile(taken, schema.GoFile(ve.Event.Name))
		f := stubFile(s, v, ve.Event, name)
		f.Unset = unset
		files = append(files, f)
	}
	return files
}

// fieldsNeverCopied are the Go names of the fields that no new stub of the view sets.
func fieldsNeverCopied(s *schema.Service, v *schema.View) []string {
	copied := map[string]bool{}
	for _, ve := range v.Events {
		for _, c := range copies(s, v, ve.Event) {
			copied[c.field.Name] = copied[c.field.Name] || c.text != ""
		}
	}
	var names []string
	for _, f := range v.Fields {
		if !copied[f.Name] {
			names = append(names, viewFieldNames(v)[f.Name])
		}
	}
	return names
}

func stubFile(s *schema.Service, v *schema.View, e *schema.Event, name string) File {
	g := newGofile(viewPackage(v))
	g.use(s.Module + "/events")
	g.useAs("es", runtimePath)
	event := schema.GoName(e.Name)
	g.printf("%s", comment(fmt.Sprintf("on%s folds %s %s event into the %s view.", event, article(event), event, v.Name)))
	g.printf("func on%s(view *View, event events.%s, meta es.Meta) error {\n", event, event)
	left := writeCopies(g, s, v, e)
	g.printf("return nil\n}\n")
	f := g.once(viewFolder(v) + "/" + name + ".go")
	f.Left = left
	f.Declares = "on" + event
	return f
}

// writeCopies writes the body of a stub: what view and event share. It returns what
// that leaves undone.
func writeCopies(g *gofile, s *schema.Service, v *schema.View, e *schema.Event) (undone string) {
	var lines, left, leftNames, missing []string
	for _, c := range copies(s, v, e) {
		switch {
		case c.text != "":
			lines = append(lines, c.text)
			if c.converts != "" {
				g.use(s.Module + "/types")
			}
		case c.why != "":
			left = append(left, c.why)
			leftNames = append(leftNames, c.field.Name)
		default:
			missing = append(missing, c.field.Name)
		}
	}
	if len(lines) > 0 && !v.KeyedByEntity {
		g.printf("// Events of different %s arrive in any order: only the latest may overwrite.\n", plural(s.Entity.Name))
		beware := partOfLatest(s, v, e)
		if beware != "" {
			undone = "lets the order of events show"
		}
		g.printf("%s", comment(beware))
		g.printf("if meta.Latest {\n%s}\n", strings.Join(lines, ""))
	} else {
		g.printf("%s", strings.Join(lines, ""))
	}
	for _, why := range left {
		g.printf("%s", comment("Not copied: "+why))
	}
	if len(missing) > 0 {
		g.printf("%s", comment(fmt.Sprintf("The event has no field for: %s.", strings.Join(missing, ", "))))
	}
	switch {
	case len(lines) == 0:
		return "does nothing"
	case len(leftNames) > 0:
		return "leaves out " + strings.Join(leftNames, ", ")
	}
	return undone
}

// partOfLatest is what a stub says of fields that it copies and that not every event of the view
// sets, itself included where its own field is optional; "" when there are none. Latest looks at every
// event of the record, so an event that comes late may be the last one to set a field and yet not be the latest.
func partOfLatest(s *schema.Service, v *schema.View, e *schema.Event) string {
	var alone []string
	for _, name := range copiedNames(s, v, e, false) {
		always := true
		for _, ve := range v.Events {
			always = always && slices.Contains(copiedNames(s, v, ve.Event, true), name)
		}
		if !always {
			alone = append(alone, name)
		}
	}
	if len(alone) == 0 {
		return ""
	}
	return fmt.Sprintf("Beware of %s: not every event of the view has a value for that. One that has none, folded before an older one that has, "+
		"keeps the older value out: the record depends on the order. So keep, in a field of the view, meta.Time of the event that was copied "+
		"(and meta.EntityID, for equal times), and copy from an event later than that, instead of under meta.Latest.", strings.Join(alone, ", "))
}

// copiedNames are the fields of a view that the stub of an event sets, or that it always sets.
func copiedNames(s *schema.Service, v *schema.View, e *schema.Event, always bool) []string {
	var names []string
	for _, c := range copies(s, v, e) {
		if c.text != "" && !(always && c.source != nil && c.source.Optional) {
			names = append(names, c.field.Name)
		}
	}
	return names
}

func plural(noun string) string {
	noun = strings.ReplaceAll(noun, "-", " ")
	switch {
	case strings.HasSuffix(noun, "s"), strings.HasSuffix(noun, "x"), strings.HasSuffix(noun, "ch"), strings.HasSuffix(noun, "sh"):
		return noun + "es"
	case len(noun) > 1 && strings.HasSuffix(noun, "y") && !strings.ContainsAny(noun[len(noun)-2:len(noun)-1], "aeiou"):
		return noun[:len(noun)-1] + "ies"
	}
	return noun + "s"
}

// fieldCopy is what a stub does for one field of a view.
type fieldCopy struct {
	field    *schema.Field
	text     string        // the statement; "" when nothing is copied
	why      string        // why a field of the same name is not copied; "" when there is none
	source   *schema.Field // of the event; nil for the entity's key and state
	state    bool          // set from meta.State
	key      bool          // set from the entity's key
	converts string        // the named type that the statement converts to
}

// copies says for each field of a view how a new stub fills it from an event.
func copies(s *schema.Service, v *schema.View, e *schema.Event) []fieldCopy {
	targets := viewFieldNames(v)
	sources := eventFieldNames(s, e)
	var all []fieldCopy
	for _, f := range v.Fields {
		c := fieldCopy{field: f}
		to := "view." + targets[f.Name]
		switch i := slices.IndexFunc(e.Fields, func(ef *schema.Field) bool { return ef.Name == f.Name }); {
		case holdsState(s, f):
			c.state = true
			c.setState(to)
		case f.Name == s.Entity.Key && f.Type.Kind == schema.String:
			c.key = true
			c.text = assign(to, "event."+sources[s.Entity.Key], f, f.Type, false)
		case i >= 0 && copyable(e.Fields[i].Type, f.Type):
			c.source = e.Fields[i]
			c.convert(to, "event."+sources[f.Name])
		case i >= 0:
			c.why = fmt.Sprintf("%s is %s in the event, %s in the view.", f.Name, typeText(e.Fields[i].Type), typeText(f.Type))
		}
		all = append(all, c)
	}
	return all
}

// holdsState reports whether a view's field follows the entity's lifecycle.
func holdsState(s *schema.Service, f *schema.Field) bool {
	return (f.Name == "status" || f.Name == "state") && len(s.Entity.States) > 0 &&
		f.Type.Kind == schema.Enum && containsAll(f.Type.Values, s.Entity.States)
}

func (c *fieldCopy) setState(to string) {
	value := c.conversion("meta.State", &schema.Type{Kind: schema.Enum, Values: c.field.Type.Values})
	if c.field.Optional {
		c.text = fmt.Sprintf("if meta.State != \"\" {\n%s = new(%s)\n}\n", to, value)
		return
	}
	c.text = fmt.Sprintf("%s = %s\n", to, value)
}

// convert writes the statement that copies from one field to another whose
// types [copyable] has accepted.
func (c *fieldCopy) convert(to, from string) {
	source := c.source
	if !source.Optional || nilable(source.Type) {
		c.text = assign(to, c.conversion(from, source.Type), c.field, source.Type, false)
		if source.Optional {
			c.text = fmt.Sprintf("if %s != nil {\n%s}\n", from, c.text)
		}
		return
	}
	value := c.conversion("*"+from, source.Type)
	if c.field.Optional && value == "*"+from {
		c.text = fmt.Sprintf("if %s != nil {\n%s = %s\n}\n", from, to, from)
		return
	}
	c.text = fmt.Sprintf("if %s != nil {\n%s}\n", from, assign(to, value, c.field, source.Type, true))
}

// assign writes an assignment of a value to a field that may be a pointer.
func assign(to, value string, f *schema.Field, from *schema.Type, dereferenced bool) string {
	switch {
	case !f.Optional || nilable(f.Type):
		return fmt.Sprintf("%s = %s\n", to, value)
	case dereferenced || strings.HasSuffix(value, ")"):
		return fmt.Sprintf("%s = new(%s)\n", to, value)
	}
	return fmt.Sprintf("%s = &%s\n", to, value)
}

// conversion wraps a value in a conversion to the field's Go type where enums need one.
func (c *fieldCopy) conversion(value string, from *schema.Type) string {
	to := c.field.Type
	if from.Kind != schema.Enum {
		return value
	}
	fromNamed, toNamed := enumName(from), enumName(to)
	switch {
	case fromNamed == toNamed:
		return value
	case toNamed == "":
		return "string(" + value + ")"
	}
	c.converts = toNamed
	return fmt.Sprintf("types.%s(%s)", toNamed, value)
}

// copyable reports whether an event's value fits a view's field as it is: the
// same type of the schema, constraints apart, or an enum into a string or a wider enum.
func copyable(from, to *schema.Type) bool {
	if from.Kind == schema.Enum {
		return to.Kind == schema.String || to.Kind == schema.Enum && containsAll(to.Values, from.Values)
	}
	return sameType(from, to)
}

func sameType(a, b *schema.Type) bool {
	if a.Kind != b.Kind {
		return false
	}
	switch a.Kind {
	case schema.List, schema.Map:
		return sameType(a.Elem, b.Elem)
	case schema.Object:
		return a.Named != nil && b.Named != nil && a.Named.Name == b.Named.Name
	case schema.Enum: // within a list or a map, where no conversion reaches
		return enumName(a) == enumName(b) && slices.Equal(a.Values, b.Values)
	}
	return true
}

func containsAll(all, some []string) bool {
	for _, v := range some {
		if !slices.Contains(all, v) {
			return false
		}
	}
	return true
}

// typeText is the type as the schema writes it, with an article.
func typeText(t *schema.Type) string {
	text := typeName(t)
	return article(text) + " " + text
}

func typeName(t *schema.Type) string {
	switch {
	case t.Named != nil:
		return t.Named.Name
	case t.Kind == schema.List:
		return "list<" + typeName(t.Elem) + ">"
	case t.Kind == schema.Map:
		return "map<" + typeName(t.Elem) + ">"
	}
	return kindNames[t.Kind]
}

var kindNames = map[schema.Kind]string{
	schema.String: "string", schema.Int: "int", schema.Float: "float", schema.Decimal: "decimal",
	schema.Bool: "bool", schema.Timestamp: "timestamp", schema.Date: "date", schema.UUID: "uuid",
	schema.Bytes: "bytes", schema.JSON: "json", schema.Enum: "enum", schema.Object: "object",
}

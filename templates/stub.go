package templates

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dave/jennifer/jen"

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
			copied[c.field.Name] = copied[c.field.Name] || c.statement != nil
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
	g := newGofile(s, viewFolder(v), viewPackage(v), "")
	event := schema.GoName(e.Name)
	body, left := stubBody(s, v, e)
	g.declare(fmt.Sprintf("%s folds %s %s event into the %s view.", aggregator(e), article(event), event, v.Name),
		jen.Func().Id(aggregator(e)).Params(param("view", pointed(jen.Id("View"))), param("event", goEvent(s, e)),
			param("meta", es("Meta"))).Error().Block(append(body, jen.Return(jen.Nil()))...))
	f := g.once(name + ".go")
	f.Left = left
	f.Declares = aggregator(e)
	return f
}

// aggregator is the user's function that folds an event into a record.
func aggregator(e *schema.Event) string { return "on" + schema.GoName(e.Name) }

// stubBody copies what view and event share, and says what that leaves undone.
func stubBody(s *schema.Service, v *schema.View, e *schema.Event) (body []jen.Code, undone string) {
	var left, missing []string
	var notes []jen.Code
	for _, c := range copies(s, v, e) {
		switch {
		case c.statement != nil:
			body = append(body, c.statement)
		case c.why != "":
			left = append(left, c.field.Name)
			notes = append(notes, comment("Not copied: "+c.why))
		default:
			missing = append(missing, c.field.Name)
		}
	}
	if len(missing) > 0 {
		notes = append(notes, comment(fmt.Sprintf("The event has no field for: %s.", strings.Join(missing, ", "))))
	}
	if len(body) == 0 {
		return notes, "does nothing"
	}
	if !v.KeyedByEntity {
		beware := partOfLatest(s, v, e)
		if beware != "" {
			undone = "lets the order of events show"
		}
		body = []jen.Code{
			jen.Commentf("Events of different %s arrive in any order: only the latest may overwrite.", plural(s.Entity.Name)),
			comment(beware),
			jen.If(jen.Id("meta").Dot("Latest")).Block(body...),
		}
	}
	if len(left) > 0 {
		undone = "leaves out " + strings.Join(left, ", ")
	}
	return append(body, notes...), undone
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
		if c.statement != nil && !(always && c.source != nil && c.source.Optional) {
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
	field     *schema.Field
	statement jen.Code      // nil when nothing is copied
	why       string        // why a field of the same name is not copied; "" when there is none
	source    *schema.Field // of the event; nil for the entity's key and state
	state     bool          // set from meta.State
	key       bool          // set from the entity's key
}

// copies says for each field of a view how a new stub fills it from an event.
func copies(s *schema.Service, v *schema.View, e *schema.Event) []fieldCopy {
	targets := viewFieldNames(v)
	sources := eventFieldNames(s, e)
	var all []fieldCopy
	for _, f := range v.Fields {
		c := fieldCopy{field: f}
		to := fieldOf("view", targets[f.Name])
		switch i := slices.IndexFunc(e.Fields, func(ef *schema.Field) bool { return ef.Name == f.Name }); {
		case holdsState(s, f):
			c.state = true
			c.statement = copyState(s, f, to)
		case f.Name == s.Entity.Key && f.Type.Kind == schema.String:
			c.key = true
			c.statement = copyTo(s, f, to, fieldOf("event", sources[s.Entity.Key]), f.Type)
		case i >= 0 && copyable(e.Fields[i].Type, f.Type):
			c.source = e.Fields[i]
			c.statement = copyField(s, f, to, fieldOf("event", sources[f.Name]), c.source)
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

// copyState copies the entity's state to a field of the view.
func copyState(s *schema.Service, f *schema.Field, to place) jen.Code {
	state := fieldOf("meta", "State")
	value, _ := inTypeOf(s, f, state, &schema.Type{Kind: schema.Enum, Values: f.Type.Values})
	if f.Optional {
		return when(notEmpty(state), assign(to.value(), jen.New(value)))
	}
	return assign(to.value(), value)
}

// copyField copies a field of the event, which may be absent, to one of the view whose
// type [copyable] has accepted.
func copyField(s *schema.Service, f *schema.Field, to, from place, source *schema.Field) jen.Code {
	if !source.Optional {
		return copyTo(s, f, to, from, source.Type)
	}
	from.pointer = !nilable(source.Type)
	return when(notNil(from), copyTo(s, f, to, from, source.Type))
}

// copyTo assigns a variable of a type to a field of the view, or a pointer to it where the
// field is one.
func copyTo(s *schema.Service, f *schema.Field, to, from place, t *schema.Type) jen.Code {
	value, converted := inTypeOf(s, f, from, t)
	switch {
	case !f.Optional || nilable(f.Type):
	case converted:
		value = jen.New(value)
	default:
		value = from.address()
	}
	return assign(to.value(), value)
}

// inTypeOf is the value of a variable in the Go type of a field, which differs for enums.
func inTypeOf(s *schema.Service, f *schema.Field, from place, t *schema.Type) (value jen.Code, converted bool) {
	if t.Kind == schema.Enum && enumName(t) != enumName(f.Type) {
		return goType(s, f.Type).Parens(from.value()), true
	}
	return from.value(), false
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

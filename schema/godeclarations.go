package schema

import (
	"fmt"
	"slices"
	"strconv"
)

// GoDeclaration is one Go name that generated code declares, and what in the
// schema it comes from.
type GoDeclaration struct {
	Scope string // what the name must be unique in: "events", "types", "events.OrderPlaced", "views", ...
	Name  string
	What  string // `event "OrderPlaced"`, `value "a-b" of field "status"`; "" for what generated code declares itself
	// Path leads to it in the schema file: "events", "OrderPlaced", "fields", "status";
	// behind "enum" stands the value.
	Path []string
}

// GoDeclarations lists what generated code declares, in the schema's order. If
// two have the same scope and name, generated code does not compile: [GoClashes] finds them.
func (s *Service) GoDeclarations() []GoDeclaration {
	d := &declarations{}
	for _, name := range []string{"Key", "States", "Types"} {
		d.add("events", name, "")
	}
	for _, t := range s.Types {
		d.namedType(t)
	}
	for _, e := range s.Events {
		name := GoName(e.Name)
		d.add("events", name, fmt.Sprintf("event %q", e.Name), "events", e.Name)
		d.fields("events", name, append([]*Field{s.Entity.keyField()}, e.Fields...), methodsOf(HoldsSensitive(e.Fields), EventMethods), "events", e.Name)
	}
	for _, name := range []string{"Definition", "View"} {
		d.add("view", name, "")
	}
	for _, v := range s.Views {
		d.add("views", GoPackage(v.Name, "view"), fmt.Sprintf("view %q", v.Name), "views", v.Name)
		fields := v.Fields
		if !v.KeyedByEntity {
			fields = append([]*Field{{Name: v.Key, Type: v.KeyType}}, fields...)
		} else {
			fields = append([]*Field{s.Entity.keyField()}, fields...)
		}
		d.fields("views/"+v.Name, "View", fields, methodsOf(v.HoldsSensitive(), ViewMethods), "views", v.Name)
	}
	for _, c := range s.Consumers {
		d.add("consumers", GoPackage(c.Name, "consumer"), fmt.Sprintf("consumer %q", c.Name), "consumers", c.Name)
	}
	return d.list
}

// GoClash is a pair of declarations that cannot stand beside each other.
type GoClash struct{ First, Second GoDeclaration }

// GoClashes finds the declarations that repeat one before them. What is inside
// something that clashes is left out: it clashes only for that reason.
func (s *Service) GoClashes() []GoClash {
	type place struct{ scope, name string }
	declared := s.GoDeclarations()
	first := make(map[place]int, len(declared))
	var clashes []GoClash
	for i, d := range declared {
		if len(clashes) > maxFindings {
			break
		}
		if slices.ContainsFunc(clashes, func(c GoClash) bool { return isInside(d.Path, c.Second.Path) }) {
			continue
		}
		at := place{d.Scope, d.Name}
		if before, ok := first[at]; ok {
			clashes = append(clashes, GoClash{declared[before], d})
			continue
		}
		first[at] = i
	}
	return clashes
}

func isInside(path, outer []string) bool {
	return len(path) > len(outer) && slices.Equal(path[:len(outer)], outer)
}

func (e *Entity) keyField() *Field {
	return &Field{Name: e.Key, Type: &Type{Kind: String}}
}

type declarations struct{ list []GoDeclaration }

// methodsOf are the methods of a generated struct: its own, and those that keep
// what is sensitive out of logs.
func methodsOf(sensitive bool, own []string) [][]string {
	if sensitive {
		return [][]string{own, RedactionMethods}
	}
	return [][]string{own}
}

func (d *declarations) add(scope, name, what string, path ...string) {
	d.list = append(d.list, GoDeclaration{Scope: scope, Name: name, What: what, Path: path})
}

func (d *declarations) namedType(t *NamedType) {
	switch t.Type.Kind {
	case Object:
		d.add("types", GoName(t.Name), fmt.Sprintf("type %q", t.Name), "types", t.Name)
		d.fields("types", GoName(t.Name), t.Type.Fields, methodsOf(HoldsSensitive(t.Type.Fields), EventMethods), "types", t.Name)
	case Enum:
		d.add("types", GoName(t.Name), fmt.Sprintf("type %q", t.Name), "types", t.Name)
		for _, v := range t.Type.Values {
			d.add("types", GoEnumConst(t.Name, v), fmt.Sprintf("value %q of type %q", v, t.Name), "types", t.Name, "enum", v)
		}
	}
}

// fields adds the fields of a struct, and to its package the constants of the
// enums that they have in place.
func (d *declarations) fields(pkg, structName string, fields []*Field, methods [][]string, path ...string) {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	scope := pkg + "." + structName
	for i, name := range GoFields(names, methods...) {
		f := fields[i]
		at := slices.Concat(path, []string{"fields", f.Name})
		d.add(scope, name, "field "+strconv.Quote(f.Name), at...)
		t := f.Type
		for t.Named == nil && (t.Kind == List || t.Kind == Map) {
			t = t.Elem
		}
		if t.Kind != Enum || t.Named != nil {
			continue
		}
		for _, v := range t.Values {
			d.add(pkg, GoFieldConst(structName, name, v), fmt.Sprintf("value %q of field %q", v, f.Name), slices.Concat(at, []string{"enum", v})...)
		}
	}
}

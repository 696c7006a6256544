package schema

import "fmt"

// goScope is a set of Go identifiers or folders that must differ.
type goScope struct {
	b     *builder
	where string // "package events"
	taken map[string]goOwner
}

type goOwner struct {
	what string
	at   *node // nil for what generated code declares itself
}

func (b *builder) scope(where string, own ...string) *goScope {
	s := &goScope{b, where, map[string]goOwner{}}
	for _, name := range own {
		s.taken[name] = goOwner{what: "esgen's own " + name}
	}
	return s
}

// declare notes that something of the schema gets a Go name, and reports a second one of that name.
func (s *goScope) declare(name, what string, at *node) {
	earlier, clash := s.taken[name]
	if !clash {
		s.taken[name] = goOwner{what, at}
		return
	}
	hint := "rename one of them"
	if earlier.at == nil {
		hint = "give it another name"
	}
	f := s.b.add("name-collision", at, fmt.Sprintf("%s and %s would both be called %s in %s", what, earlier.what, name, s.where), hint)
	if earlier.at != nil {
		f.relate(s.b.source, earlier.at, earlier.what+" is here")
	}
}

// collisions refuses names that differ in the schema and not in Go.
func (b *builder) collisions() {
	b.eventNamesInGo()
	b.typeNamesInGo()
	views := b.scope("views/")
	for _, v := range b.service.Views {
		entry := b.root.get("views").entry(v.Name)
		views.declare(GoPackage(v.Name, "view"), fmt.Sprintf("the view %q", v.Name), entry.key)
		b.viewNamesInGo(v, entry)
	}
	consumers := b.scope("consumers/")
	for _, c := range b.service.Consumers {
		consumers.declare(GoPackage(c.Name, "consumer"), fmt.Sprintf("the consumer %q", c.Name), b.root.get("consumers").key(c.Name))
	}
}

func (b *builder) eventNamesInGo() {
	pkg := b.scope("package events", "Types", "Key", "States")
	for _, e := range b.service.Events {
		pkg.declare(GoName(e.Name), fmt.Sprintf("the event %q", e.Name), b.eventAt[e])
	}
	for _, e := range b.service.Events {
		fields := b.root.get("events").get(e.Name).get("fields")
		names := append([]string{b.service.Entity.Key}, fieldNames(e.Fields)...)
		ids := b.structFields(fmt.Sprintf("the event %q", e.Name), names, fields, EventMethods, secretMethods(e.Fields))
		b.enumsInPlace(pkg, GoName(e.Name), e.Fields, ids[1:], fields)
	}
}

func (b *builder) typeNamesInGo() {
	pkg := b.scope("package types")
	for _, t := range b.service.Types {
		pkg.declare(GoName(t.Name), fmt.Sprintf("the type %q", t.Name), b.types[t.Name].key)
	}
	for _, t := range b.service.Types {
		body := b.types[t.Name].body
		switch t.Type.Kind {
		case Enum:
			for i, value := range t.Type.Values {
				pkg.declare(GoEnumConst(t.Name, value), fmt.Sprintf("the value %q of %q", value, t.Name), body.get("enum").items[i])
			}
		case Object:
			fields := body.get("fields")
			ids := b.structFields(fmt.Sprintf("the type %q", t.Name), fieldNames(t.Type.Fields), fields, EventMethods, secretMethods(t.Type.Fields))
			b.enumsInPlace(pkg, GoName(t.Name), t.Type.Fields, ids, fields)
		}
	}
}

func (b *builder) viewNamesInGo(v *View, entry *entry) {
	fields := entry.value.get("fields")
	names := append([]string{v.Key}, fieldNames(v.Fields)...)
	ids := b.structFields(fmt.Sprintf("the view %q", v.Name), names, fields, ViewMethods, secretMethods(v.Fields))
	pkg := b.scope("the view's package", "View", "Definition")
	if v.KeyType.Kind == Enum && v.KeyType.Named == nil {
		for _, value := range v.KeyType.Values {
			pkg.declare(GoFieldConst("View", ids[0], value), fmt.Sprintf("the key's value %q", value), entry.key)
		}
	}
	b.enumsInPlace(pkg, "View", v.Fields, ids[1:], fields)
}

// secretMethods are what a struct has beside its other methods when it holds something sensitive.
func secretMethods(fields []*Field) []string {
	for _, f := range fields {
		if holdsSecret(f, map[*NamedType]bool{}) {
			return RedactionMethods
		}
	}
	return nil
}

func holdsSecret(f *Field, seen map[*NamedType]bool) bool {
	if f.Sensitive {
		return true
	}
	t := f.Type
	for t.Elem != nil {
		t = t.Elem
	}
	if t.Kind != Object || seen[t.Named] {
		return false
	}
	seen[t.Named] = true
	for _, inner := range t.Fields {
		if holdsSecret(inner, seen) {
			return true
		}
	}
	return false
}

// structFields checks the fields of one struct and returns their Go names.
func (b *builder) structFields(where string, names []string, fields *node, methods ...[]string) []string {
	ids := GoFields(names, methods...)
	s := b.scope(where)
	for i, name := range names {
		at := fields.key(name)
		if at == nil || fields.entry(name) == nil {
			s.taken[ids[i]] = goOwner{what: fmt.Sprintf("the key %q", name)}
			continue
		}
		s.declare(ids[i], fmt.Sprintf("the field %q", name), at)
	}
	return ids
}

func (b *builder) enumsInPlace(pkg *goScope, structName string, fields []*Field, ids []string, body *node) {
	for i, f := range fields {
		if f.Type.Kind != Enum || f.Type.Named != nil {
			continue
		}
		items := body.get(f.Name).get("enum").items
		for j, value := range f.Type.Values {
			pkg.declare(GoFieldConst(structName, ids[i], value), fmt.Sprintf("the value %q of the field %q", value, f.Name), items[j])
		}
	}
}

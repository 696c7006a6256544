package schema

import "fmt"

// typeEntry is an entry of "types:" while the model is made.
type typeEntry struct {
	named *NamedType
	key   *node
	body  *node
	bad   bool // reported; what uses it is left out without another word

	sensitive bool
	examples  []*node
}

func (e *typeEntry) setExamples(texts []string) { e.named.Examples = texts }

func (b *builder) typeNames() []string {
	var names []string
	for _, e := range b.root.get("types").named() {
		names = append(names, e.key.text)
	}
	return names
}

// declareTypes makes an entry for each type and defines all that is no object:
// objects may refer to each other and to those.
func (b *builder) declareTypes(n *node) {
	for _, e := range n.named() {
		b.typeKeys[e.key.text] = true
	}
	for _, e := range b.entries(n, "type") {
		entry := &typeEntry{key: e.key, body: e.value, named: &NamedType{Name: e.key.text, Type: &Type{}}}
		b.types[e.key.text] = entry
		b.service.Types = append(b.service.Types, entry.named)
		entry.named.Description, entry.named.Deprecated = described(e.value)
		entry.sensitive = e.value.get("sensitive").isTrue()
		if examples := e.value.get("examples"); examples != nil {
			entry.examples = examples.items
		}
		if e.value.get("fields") != nil {
			entry.named.Type.Kind = Object
			continue
		}
		t := b.scalarType(entry)
		if t == nil {
			entry.bad = true
			continue
		}
		*entry.named.Type = *t
		b.valuesLater(t, entry.examples, "example-value", entry.setExamples)
	}
}

// scalarType reads a type that is an enum or a scalar.
func (b *builder) scalarType(entry *typeEntry) *Type {
	n := entry.body
	at := n
	if n.kind == mappingNode {
		at = n.get("type")
	}
	t := &Type{Kind: String}
	switch {
	case at != nil:
		expr, problem := parseType(at.text)
		if problem != "" {
			b.add("bad-type", at, fmt.Sprintf("the type %q %s", at.text, problem), "")
			return nil
		}
		if expr.list != nil || expr.mapOf != nil || expr.optional || b.typeKeys[expr.name] {
			b.add("bad-type", at, fmt.Sprintf("the shared type %q cannot be %q: it is an object, an enum or a scalar with constraints", entry.key.text, at.text),
				"give it fields, or write the type where it is used")
			return nil
		}
		if t = b.resolve(expr, at); t == nil {
			return nil
		}
	case n.get("enum") == nil:
		b.add("missing-key", entry.key, fmt.Sprintf("%q lacks fields, enum or type", entry.key.text), "")
		return nil
	}
	if n.kind == mappingNode && !b.constrain(t, n) {
		return nil
	}
	return t
}

// defineTypes reads the objects' fields.
func (b *builder) defineTypes() {
	for _, named := range b.service.Types {
		entry := b.types[named.Name]
		if named.Type.Kind != Object {
			continue
		}
		for _, e := range entry.body.entries {
			if e.key.text != "fields" && !isExtension(e.key.text) && !isAnnotation(e.key.text) {
				b.add("constraint-type", e.key, fmt.Sprintf("%q does not fit a type with fields", e.key.text), "")
			}
		}
		named.Type.Fields = b.fields(entry.body.get("fields"), fieldScope{what: "type"})
		b.valuesLater(named.Type, entry.examples, "example-value", entry.setExamples)
	}
}

func isAnnotation(key string) bool {
	switch key {
	case "description", "deprecated", "examples", "sensitive":
		return true
	}
	return false
}

// useOf copies a named type for one use of it; nil if it is wrong itself.
func (b *builder) useOf(entry *typeEntry) *Type {
	if entry.bad {
		return nil
	}
	t := *entry.named.Type
	t.Named = entry.named
	if t.Kind == Object {
		b.uses = append(b.uses, &t)
	}
	return &t
}

// finishUses hands each use of an object the fields, which may not have been
// read when it was used.
func (b *builder) finishUses() {
	for _, t := range b.uses {
		t.Fields = t.Named.Type.Fields
	}
}

// checkCycles refuses types without a finite value: an object that requires
// itself. An optional field, and a list or map that may be empty, end a cycle.
func (b *builder) checkCycles() {
	state := map[*NamedType]int{}
	var path []string
	var visit func(named *NamedType)
	visit = func(named *NamedType) {
		state[named] = 1
		path = append(path, named.Name)
		for _, f := range named.Type.Fields {
			next := requiredObject(f)
			switch {
			case next == nil:
			case state[next] == 1:
				b.add("cyclic-type", b.fieldAt[f], fmt.Sprintf("the type %q contains itself, by way of %s", next.Name, cycleText(path, next.Name)),
					"make a field on the way optional, or a list that may be empty")
			case state[next] == 0:
				visit(next)
			}
		}
		path = path[:len(path)-1]
		state[named] = 2
	}
	for _, named := range b.service.Types {
		if state[named] == 0 {
			visit(named)
		}
	}
}

func cycleText(path []string, name string) string {
	text := ""
	for i := len(path) - 1; i >= 0; i-- {
		text = path[i] + " → " + text
		if path[i] == name {
			break
		}
	}
	return text + name
}

// requiredObject is the named object that every value of a field contains, if any.
func requiredObject(f *Field) *NamedType {
	if f.Optional {
		return nil
	}
	for t := f.Type; ; t = t.Elem {
		switch t.Kind {
		case Object:
			return t.Named
		case List:
			if t.MinItems == nil || *t.MinItems == 0 {
				return nil
			}
		case Map:
			if t.MinProperties == nil || *t.MinProperties == 0 {
				return nil
			}
		default:
			return nil
		}
	}
}

// described reads what people are told of something.
func described(n *node) (string, Deprecation) {
	d := n.get("deprecated")
	return n.get("description").string(), Deprecation{Set: d.isTrue() || d.string() != "", Reason: d.string()}
}

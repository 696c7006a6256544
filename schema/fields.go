package schema

import "fmt"

// fieldScope says whose fields are read.
type fieldScope struct {
	what     string          // "event", "type" or "view"
	reserved map[string]bool // names that the envelope or the record needs itself
	why      string          // what a reserved name is
}

// fields reads a mapping of fields. A field that is wrong is left out after a report.
func (b *builder) fields(n *node, scope fieldScope) []*Field {
	var fields []*Field
	for _, e := range n.named() {
		name := e.key.text
		if len(name) > maxName {
			reportName(b.report, e.key, "field", camelCase)
			continue
		}
		if scope.reserved[name] {
			b.add("reserved-name", e.key, fmt.Sprintf("the name %q is reserved: %s", name, scope.why), "call the field something else")
			b.broken[name] = true
			continue
		}
		if f := b.field(e, scope); f != nil {
			fields = append(fields, f)
			b.fieldAt[f] = e.key
		} else {
			b.broken[e.key.text] = true
		}
	}
	return fields
}

func (b *builder) field(e entry, scope fieldScope) *Field {
	f := &Field{Name: e.key.text}
	n := e.value
	at := n
	if n.kind == mappingNode {
		at = n.get("type")
	}
	switch {
	case at != nil:
		f.Type, f.Optional = b.typeOf(at)
	case n.get("enum") != nil:
		f.Type = &Type{Kind: String}
	default:
		b.add("missing-key", e.key, fmt.Sprintf("the field %q lacks a type", f.Name), "write type: string, for example")
	}
	if f.Type == nil {
		return nil
	}
	if f.Type.Named != nil {
		entry := b.types[f.Type.Named.Name]
		f.Sensitive = entry.sensitive
	}
	if n.kind != mappingNode {
		return f
	}
	f.Description, f.Deprecated = described(n)
	f.Sensitive = f.Sensitive || n.get("sensitive").isTrue()
	if optional := n.get("optional"); optional != nil {
		if f.Optional && !optional.isTrue() {
			b.add("optional-twice", n.key("optional"), fmt.Sprintf("the type %q makes the field optional, and this says that it is not", at.text), "keep one of them")
		}
		f.Optional = f.Optional || optional.isTrue()
	}
	if !b.constrain(f.Type, n) {
		return nil
	}
	b.defaultOf(f, n, scope)
	if examples := n.get("examples"); examples != nil {
		b.valuesLater(f.Type, examples.items, "example-value", func(texts []string) { f.Examples = texts })
	}
	return f
}

func (b *builder) defaultOf(f *Field, n *node, scope fieldScope) {
	at := n.get("default")
	if at == nil {
		return
	}
	if f.Optional {
		b.add("default-optional", n.key("default"), fmt.Sprintf("the field %q is optional and has a default: it would never be absent", f.Name),
			"remove one of the two")
		return
	}
	switch word := at.string(); {
	case word == "now" && (f.Type.Kind == Timestamp || f.Type.Kind == Date):
		f.Default = &Default{Now: true}
	case word == "new" && f.Type.Kind == UUID:
		f.Default = &Default{New: true}
	default:
		f.Default = &Default{}
		b.valuesLater(f.Type, []*node{at}, "default-value", func(texts []string) { f.Default.Literal = texts[0] })
		return
	}
	if scope.what == "view" {
		b.add("default-value", at, fmt.Sprintf("a record starts with the same value whenever it is folded; %q is not one", at.text),
			"make the field optional, or leave the default out")
	}
}

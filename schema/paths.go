package schema

import (
	"fmt"
	"slices"
	"strings"
)

// maxRecords bounds the records that one event may name: a step of the
// projector is one transaction of at most 100 items, one of them its position.
const maxRecords = 99

var keyKinds = []Kind{String, UUID, Int, Date, Enum}

// path reads where an event has a view's key; nil after a report.
func (b *builder) path(e *Event, text string, at *node) (*Path, *Type) {
	path := &Path{Text: text}
	fields, owner := e.Fields, fmt.Sprintf("the event %q", e.Name)
	if text == b.service.Entity.Key {
		t := &Type{Kind: String}
		key := &Field{Name: text, Type: t}
		key.Type.MinLength, key.Type.MaxLength = &b.service.Entity.MinLength, &b.service.Entity.MaxLength
		path.Steps = []Step{{Field: key}}
		return path, t
	}
	var t *Type
	steps := strings.Split(text, ".")
	for i, step := range steps {
		name, each := strings.CutSuffix(step, "[]")
		if !matches(camelCase.pattern, name) {
			b.add("bad-path", at, fmt.Sprintf("%q is not a path: fields joined by dots, [] behind a list", text), `such as "standings[].playerId"`)
			return nil, nil
		}
		f := fieldNamed(fields, name)
		if f == nil {
			if b.partial[e] || b.broken[name] {
				return nil, nil // reported where the field is defined
			}
			b.add("unknown-field", at, fmt.Sprintf("%s has no field %q", owner, name), b.didYouMean(name, func() []string { return fieldNames(fields) }))
			return nil, nil
		}
		t = f.Type
		if t.Kind == List && !each {
			b.add("bad-path", at, fmt.Sprintf("%q is a list; a path goes on with each of its elements", name), fmt.Sprintf("write %q", name+"[]"))
			return nil, nil
		}
		if each && !b.fansOut(f, at) {
			return nil, nil
		}
		if each {
			t = t.Elem
		}
		path.Steps = append(path.Steps, Step{Field: f, Each: each})
		if i == len(steps)-1 {
			break
		}
		if t.Kind != Object {
			b.add("bad-path", at, fmt.Sprintf("%q is of type %s and has no fields", name, t.Kind), "")
			return nil, nil
		}
		fields, owner = t.Fields, fmt.Sprintf("the type %q", t.Named.Name)
	}
	if !slices.Contains(keyKinds, t.Kind) {
		b.add("view-key", at, fmt.Sprintf("%q is of type %s, and a view's key is a string, uuid, int, date or enum", text, t.Kind), "")
		return nil, nil
	}
	return path, t
}

// fansOut checks a step that goes on with each element.
func (b *builder) fansOut(f *Field, at *node) bool {
	if f.Type.Kind != List {
		b.add("bad-path", at, fmt.Sprintf("%q is of type %s; only a list takes []", f.Name, f.Type.Kind), fmt.Sprintf("write %q", f.Name))
		return false
	}
	if f.Type.MaxItems == nil || *f.Type.MaxItems > maxRecords {
		finding := b.add("fan-out", at, fmt.Sprintf("the list %q may name any number of records; one event may name at most %d", f.Name, maxRecords),
			fmt.Sprintf("give %q a maxItems of at most %d", f.Name, maxRecords))
		if key := b.fieldAt[f]; key != nil {
			finding.relate(b.source, key, "the list is defined here")
		}
		return false
	}
	return true
}

// records is how many records a path names at most.
func (p *Path) records() int {
	n := 1
	for _, s := range p.Steps {
		if s.Each {
			n = min(n*max(*s.Field.Type.MaxItems, 1), 1<<20)
		}
	}
	return n
}

func fieldNamed(fields []*Field, name string) *Field {
	for _, f := range fields {
		if f.Name == name {
			return f
		}
	}
	return nil
}

func fieldNames(fields []*Field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}

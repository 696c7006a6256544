package schema

// HoldsSensitive reports whether something sensitive stands in the fields, at any depth.
func HoldsSensitive(fields []*Field) bool { return sensitiveFields(fields, map[*NamedType]bool{}) }

// HoldsSensitive reports whether values of the type hold something sensitive, at any depth.
func (t *Type) HoldsSensitive() bool { return sensitiveType(t, map[*NamedType]bool{}) }

func sensitiveFields(fields []*Field, seen map[*NamedType]bool) bool {
	for _, f := range fields {
		if f.Sensitive || sensitiveType(f.Type, seen) {
			return true
		}
	}
	return false
}

// sensitiveType goes into each shared type once: types may lead back to themselves.
func sensitiveType(t *Type, seen map[*NamedType]bool) bool {
	for t.Kind == List || t.Kind == Map {
		t = t.Elem
	}
	if t.Kind != Object || t.Named == nil || seen[t.Named] {
		return false
	}
	seen[t.Named] = true
	return sensitiveFields(t.Named.Type.Fields, seen)
}

// HoldsSensitive reports whether records of the view hold something sensitive, their key included.
func (v *View) HoldsSensitive() bool { return v.SensitiveKey() || HoldsSensitive(v.Fields) }

// SensitiveKey reports whether an event's sensitive value is the key of records.
func (v *View) SensitiveKey() bool {
	for _, e := range v.Events {
		for _, p := range e.Keys {
			for _, step := range p.Steps {
				if step.Field != nil && step.Field.Sensitive {
					return true
				}
			}
		}
	}
	return false
}

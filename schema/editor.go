package schema

import (
	"bytes"
	"encoding/json"
	"sync"
)

const editorSchemaID = "https://github.com/esgen/esgen/schema/1"

// EditorSchema returns the JSON Schema (draft-07, which editors know best) of a schema file: what
// editors use, and what Load's structural check runs on. The caller owns the bytes.
func EditorSchema() []byte { return bytes.Clone(editorSchema()) }

var editorSchema = sync.OnceValue(func() []byte {
	defs := map[string]any{}
	root := jsonSchemaOf(rootShape, defs, true)
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	root["$id"] = editorSchemaID
	root["title"] = "esgen.yaml"
	root["definitions"] = defs
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(root); err != nil {
		panic(err) // maps, slices, strings and numbers always encode
	}
	return b.Bytes()
})

// jsonSchemaOf writes a shape as JSON Schema. A mapping with a name goes into
// defs and is referred to, unless inline asks for itself.
func jsonSchemaOf(s *shape, defs map[string]any, inline bool) map[string]any {
	if s.name != "" && !inline {
		if _, done := defs[s.name]; !done {
			defs[s.name] = true // a place holder: shapes may contain each other
			defs[s.name] = jsonSchemaOf(s, defs, true)
		}
		return map[string]any{"$ref": "#/definitions/" + s.name}
	}
	out := map[string]any{}
	if s.doc != "" {
		out["description"] = s.doc
	}
	if s.anyJSON {
		return out
	}
	var types []string
	if s.null {
		types = append(types, "null")
	}
	if s.boolean {
		types = append(types, "boolean")
	}
	if s.number != nil {
		types = append(types, s.number.appendTo(out))
	}
	if s.text != nil {
		types = append(types, "string")
		s.text.appendTo(out, len(types) > 1 || s.list != nil || s.object != nil)
	}
	if s.list != nil {
		types = append(types, "array")
		s.list.appendTo(out, defs)
	}
	if s.object != nil {
		types = append(types, "object")
		s.object.appendTo(out, defs)
	}
	if len(types) == 1 {
		out["type"] = types[0]
	} else {
		out["type"] = types
	}
	return out
}

func (n *numberShape) appendTo(out map[string]any) string {
	for key, bound := range map[string]*int{"minimum": n.min, "maximum": n.max, "exclusiveMinimum": n.above, "const": n.constant} {
		if bound != nil {
			out[key] = *bound
		}
	}
	if n.integer {
		return "integer"
	}
	return "number"
}

// appendTo: an enum binds strings only, so beside other types it stands under a condition.
func (t *textShape) appendTo(out map[string]any, beside bool) {
	switch {
	case t.enum != nil && beside:
		out["if"] = map[string]any{"type": "string"}
		out["then"] = map[string]any{"enum": t.enum}
	case t.enum != nil:
		out["enum"] = t.enum
	}
	if t.pattern != "" {
		out["pattern"] = t.pattern
	}
	if t.min > 0 {
		out["minLength"] = t.min
	}
	if t.max > 0 {
		out["maxLength"] = t.max
	}
	if t.suggest != nil {
		out["examples"] = t.suggest
	}
}

func (l *listShape) appendTo(out, defs map[string]any) {
	out["items"] = jsonSchemaOf(l.items, defs, false)
	if l.min > 0 {
		out["minItems"] = l.min
	}
	if l.unique {
		out["uniqueItems"] = true
	}
}

func (o *objectShape) appendTo(out, defs map[string]any) {
	out["additionalProperties"] = false
	patterns := map[string]any{"^x-": true}
	out["patternProperties"] = patterns
	if o.values != nil {
		patterns[o.names.pattern] = jsonSchemaOf(o.values, defs, false)
		if o.min > 0 {
			out["minProperties"] = o.min
		}
		return
	}
	properties := map[string]any{}
	var required []string
	for _, p := range o.props {
		member := jsonSchemaOf(p.shape, defs, false)
		member["description"] = p.doc
		properties[p.key] = member
		if p.required {
			required = append(required, p.key)
		}
	}
	out["properties"] = properties
	if required != nil {
		out["required"] = required
	}
}

package schema

// metaSchema is the dialect of every exported schema.
const metaSchema = "https://json-schema.org/draft/2020-12/schema"

// EventSchema is the JSON Schema of the body that stores an event: its type, the
// entity's key, its fields and the envelope. It is a whole document; shared types stand under
// "$defs". Patterns are RE2, as everywhere in the language; a "$comment" stands beside
// those that readers of ECMA-262 patterns do not take.
//
// It accepts what a generated decoder accepts, with one exception: how many
// digits a decimal may have is not said, since no keyword can.
func (s *Service) EventSchema(e *Event) []byte {
	o := &jsonObject{}
	o.str("$schema", metaSchema)
	o.str("title", e.Name)
	describe(o, e.Description, e.Deprecated)
	x := exporter{defs: "#/$defs/"}
	s.eventObject(o, e, &x)
	if defs := x.definitions(); len(defs.members) > 0 {
		o.object("$defs", defs)
	}
	return o.document()
}

// TypeSchema is the JSON Schema of a shared type, a whole document.
func (s *Service) TypeSchema(t *NamedType) []byte {
	o := &jsonObject{}
	o.str("$schema", metaSchema)
	o.str("title", t.Name)
	describe(o, t.Description, t.Deprecated)
	x := exporter{defs: "#/$defs/"}
	x.body(o, t.Type, false)
	examples(o, t.Examples)
	if defs := x.definitions(); len(defs.members) > 0 {
		o.object("$defs", defs)
	}
	return o.document()
}

// eventObject writes the keywords of an event's body.
func (s *Service) eventObject(o *jsonObject, e *Event, x *exporter) {
	props := &jsonObject{}
	kind := &jsonObject{}
	kind.str("const", e.Name)
	props.object("type", kind)
	props.object(s.Entity.Key, s.keySchema())
	required := []string{"type", s.Entity.Key}
	for _, f := range e.Fields {
		props.object(f.Name, x.field(f))
		if f.required() {
			required = append(required, f.Name)
		}
	}
	addEnvelope(props)
	o.str("type", "object")
	o.object("properties", props)
	o.strings("required", required)
	o.raw("additionalProperties", "false")
}

// keySchema is the schema of the entity's key.
func (s *Service) keySchema() *jsonObject {
	o := &jsonObject{}
	o.str("type", "string")
	minLength, maxLength := s.Entity.MinLength, s.Entity.MaxLength
	o.count("minLength", &minLength)
	o.count("maxLength", &maxLength)
	pattern(o, s.Entity.Pattern)
	return o
}

// addEnvelope adds the members that every body may have. A null stands for an
// absent one, as with any optional field.
func addEnvelope(props *jsonObject) {
	id := &jsonObject{}
	id.strings("type", []string{"string", "null"})
	id.str("description", "Makes a retry safe: the same id again stores nothing.")
	id.str("pattern", `^[!-~]{1,128}$`)
	props.object("eventId", id)

	version := &jsonObject{}
	version.strings("type", []string{"integer", "null"})
	version.str("description", "The entity's version before this event; 0 for a new entity.")
	version.raw("minimum", "0")
	version.raw("maximum", maxInt64)
	props.object("expectedVersion", version)

	members := &jsonObject{}
	for _, name := range []string{"correlationId", "causationId"} {
		m := &jsonObject{}
		m.strings("type", []string{"string", "null"})
		m.raw("minLength", "1")
		m.raw("maxLength", "256")
		m.str("pattern", `^[^\x00-\x1f\x7f-\x9f]*$`)
		members.object(name, m)
	}
	meta := &jsonObject{}
	meta.strings("type", []string{"object", "null"})
	meta.object("properties", members)
	meta.raw("additionalProperties", "false")
	props.object("meta", meta)
}

// required reports whether a body without the field is refused.
func (f *Field) required() bool { return !f.Optional && f.Default == nil }

// exporter writes types and remembers which shared types they lead to.
type exporter struct {
	defs  string // where shared types stand, "#/$defs/"
	names []*NamedType
	seen  map[string]bool
}

// definitions returns the shared types that were referred to, with those that
// they refer to themselves, in the order of first use.
func (x *exporter) definitions() *jsonObject {
	o := &jsonObject{}
	for i := 0; i < len(x.names); i++ { // grows while it is walked
		t := x.names[i]
		def := &jsonObject{}
		describe(def, t.Description, t.Deprecated)
		x.body(def, t.Type, false)
		examples(def, t.Examples)
		o.object(t.Name, def)
	}
	return o
}

// ref returns the reference to a shared type.
func (x *exporter) ref(t *NamedType) string {
	if x.seen == nil {
		x.seen = map[string]bool{}
	}
	if !x.seen[t.Name] {
		x.seen[t.Name] = true
		x.names = append(x.names, t)
	}
	return x.defs + t.Name
}

// field is the schema of a member of an object.
func (x *exporter) field(f *Field) *jsonObject {
	o := &jsonObject{}
	describe(o, f.Description, f.Deprecated)
	x.use(o, f.Type, f.Optional)
	if f.Type.Kind == JSON && !f.Optional {
		o.strings("type", []string{"object", "array", "string", "number", "boolean"}) // a member's null is no value
	}
	if d := f.Default; d != nil {
		switch {
		case d.Now:
			o.str("x-default", "now")
		case d.New:
			o.str("x-default", "new")
		default:
			o.raw("default", d.Literal)
		}
	}
	texts := f.Examples
	if named := f.Type.Named; len(texts) == 0 && named != nil && f.Type.Kind != Object && f.Type.Kind != Enum {
		texts = named.Examples // written in place, so nothing else shows them
	}
	examples(o, texts)
	o.yes("x-sensitive", f.Sensitive)
	return o
}

// use writes a type where it is used: shared objects and enums by reference,
// all else in place.
func (x *exporter) use(o *jsonObject, t *Type, null bool) {
	if t.Named == nil || t.Kind != Object && t.Kind != Enum {
		x.body(o, t, null)
		return
	}
	if !null {
		o.str("$ref", x.ref(t.Named))
		return
	}
	// Not anyOf: a validator would then name the field for a mistake that lies inside it.
	absent, present := &jsonObject{}, &jsonObject{}
	absent.str("type", "null")
	present.str("$ref", x.ref(t.Named))
	o.object("if", absent)
	o.object("else", present)
}

// body writes a type's own keywords.
func (x *exporter) body(o *jsonObject, t *Type, null bool) {
	jsonType := jsonTypes[t.Kind]
	switch {
	case t.Kind == JSON:
		// anything, null included: where the field is optional a null means absent
	case null:
		o.strings("type", []string{jsonType, "null"})
	default:
		o.str("type", jsonType)
	}
	o.str("format", t.Format)
	narrow(o, t)
	x.enum(o, t, null)
	x.constraints(o, t)
	switch t.Kind {
	case Object:
		x.object(o, t)
	case List:
		items := &jsonObject{}
		x.use(items, t.Elem, false)
		o.object("items", items)
	case Map:
		values := &jsonObject{}
		x.use(values, t.Elem, false)
		o.object("additionalProperties", values)
	}
}

// object writes the members of an object.
func (x *exporter) object(o *jsonObject, t *Type) {
	props := &jsonObject{}
	var required []string
	for _, f := range t.Fields {
		props.object(f.Name, x.field(f))
		if f.required() {
			required = append(required, f.Name)
		}
	}
	o.object("properties", props)
	o.strings("required", required)
	o.raw("additionalProperties", "false")
}

// enum writes the values that are allowed.
func (x *exporter) enum(o *jsonObject, t *Type, null bool) {
	var texts []string
	for _, v := range t.Values {
		texts = append(texts, quoteJSON(v))
	}
	if t.Kind != Enum {
		texts = t.Enum
	}
	if len(texts) == 0 {
		return
	}
	if null {
		texts = append(texts[:len(texts):len(texts)], "null")
	}
	o.list("enum", texts)
}

// constraints writes the keywords that mean in JSON Schema what they mean here.
func (x *exporter) constraints(o *jsonObject, t *Type) {
	c := &t.Constraints
	minimum, maximum := c.Minimum, c.Maximum
	if t.Kind == Int {
		minimum, maximum = tighter(minimum, minInt64, +1), tighter(maximum, maxInt64, -1)
	}
	exclusiveMinimum, exclusiveMaximum := c.ExclusiveMinimum, c.ExclusiveMaximum
	if t.Kind == Float {
		exclusiveMinimum = tighter(exclusiveMinimum, "-"+beyondFloat64, +1)
		exclusiveMaximum = tighter(exclusiveMaximum, beyondFloat64, -1)
	}
	o.num("minimum", minimum)
	o.num("maximum", maximum)
	o.num("exclusiveMinimum", exclusiveMinimum)
	o.num("exclusiveMaximum", exclusiveMaximum)
	o.num("multipleOf", c.MultipleOf)
	if t.Kind == Bytes {
		byteLengths(o, c.MinLength, c.MaxLength)
	} else {
		o.count("minLength", c.MinLength)
		o.count("maxLength", c.MaxLength)
	}
	pattern(o, c.Pattern)
	o.count("minItems", c.MinItems)
	o.count("maxItems", c.MaxItems)
	o.yes("uniqueItems", c.UniqueItems)
	o.count("minProperties", c.MinProperties)
	o.count("maxProperties", c.MaxProperties)
}

// examples shows values, when there are any.
func examples(o *jsonObject, texts []string) {
	if len(texts) > 0 {
		o.list("examples", texts)
	}
}

// describe writes the annotations that everything may have.
func describe(o *jsonObject, description string, d Deprecation) {
	o.str("description", description)
	o.yes("deprecated", d.Set)
	o.str("x-deprecated-reason", d.Reason)
}

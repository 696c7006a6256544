package schema

// Reference returns the reference of the schema language as Markdown, made from
// the same source as EditorSchema.
func Reference() []byte { return nil }

package es

// Decoder reads one JSON text in a single pass, checks it while it reads, and
// notes every violation with its pointer. Generated Decode methods are written against it.
type Decoder struct{}

// Fields are the members of an older event while upcasts rewrite them: raw JSON by name.
type Fields map[string]string

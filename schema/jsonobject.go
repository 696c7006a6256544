package schema

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// jsonObject writes a JSON object whose members keep the order in which they
// were set, so that an exported schema reads as a person would write it and its bytes
// never change by chance.
type jsonObject struct {
	members []jsonMember
}

type jsonMember struct {
	name string
	text []byte // JSON
}

// raw sets a member to a JSON text.
func (o *jsonObject) raw(name, text string) {
	o.members = append(o.members, jsonMember{name, []byte(text)})
}

// str sets a member to a string, unless it is empty.
func (o *jsonObject) str(name, value string) {
	if value != "" {
		o.raw(name, quoteJSON(value))
	}
}

// num sets a member to a number given as text, unless it is empty.
func (o *jsonObject) num(name, text string) {
	if text != "" {
		o.raw(name, text)
	}
}

// count sets a member to a number, unless it is nil.
func (o *jsonObject) count(name string, n *int) {
	if n != nil {
		o.raw(name, strconv.Itoa(*n))
	}
}

// yes sets a member to true, if set.
func (o *jsonObject) yes(name string, set bool) {
	if set {
		o.raw(name, "true")
	}
}

// object sets a member to another object.
func (o *jsonObject) object(name string, value *jsonObject) { o.raw(name, value.String()) }

// strings sets a member to a list of strings, unless that is empty.
func (o *jsonObject) strings(name string, values []string) {
	if len(values) == 0 {
		return
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = quoteJSON(v)
	}
	o.list(name, texts)
}

// list sets a member to a list of JSON texts.
func (o *jsonObject) list(name string, texts []string) {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, t := range texts {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(t)
	}
	b.WriteByte(']')
	o.raw(name, b.String())
}

// String is the object as JSON, compact.
func (o *jsonObject) String() string {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o.members {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quoteJSON(m.name))
		b.WriteByte(':')
		b.Write(m.text)
	}
	b.WriteByte('}')
	return b.String()
}

// document is the object as an indented file.
func (o *jsonObject) document() []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(o.String()), "", "  "); err != nil {
		// The model holds a text that is no JSON, which Load does not let through;
		// give the compact form rather than nothing.
		return []byte(o.String())
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// quoteJSON is text as a JSON string, with <, > and & as they are.
func quoteJSON(text string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil { // a string always encodes
		return `""`
	}
	return string(bytes.TrimRight(b.Bytes(), "\n"))
}

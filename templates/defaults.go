package templates

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/esgen/esgen/schema"
)

// defaultValue is the Go expression for a field that was not sent. It stands in
// a Decode method, where d is the decoder. path leads to the field from the object
// that is decoded, so that new UUIDs within one default differ.
func defaultValue(g *gofile, s *schema.Service, f *schema.Field, path string) string {
	switch d := f.Default; {
	case d.Now && f.Type.Kind == schema.Date:
		return "d.Today()"
	case d.Now:
		return "d.Now()"
	case d.New:
		return fmt.Sprintf("d.NewUUID(%q)", path)
	default:
		v, err := decodeLiteral(d.Literal)
		if err != nil {
			return zeroValue(g, s, f.Type)
		}
		return literalAt(g, s, f.Type, v, path)
	}
}

// decodeLiteral reads a JSON text, with numbers as they are spelled.
func decodeLiteral(text string) (any, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	err := dec.Decode(&v)
	return v, err
}

// literal is a JSON value of a type as a Go expression that needs no decoder: what
// an object in it lacks and would get from the clock stays zero. The schema has been
// checked; for a value that does not fit its type after all it gives the zero value.
func literal(g *gofile, s *schema.Service, t *schema.Type, v any) string {
	return literalAt(g, s, t, v, "")
}

// literalAt is [literal] for the default of a field to which path leads.
func literalAt(g *gofile, s *schema.Service, t *schema.Type, v any, path string) string {
	text := ""
	switch v := v.(type) {
	case string:
		text = stringValue(g, s, t, v)
	case json.Number:
		text = numberValue(g, t, v.String())
	case bool:
		text = strconv.FormatBool(v)
	case []any:
		text = listValue(g, s, t, v, path)
	case map[string]any:
		text = objectValue(g, s, t, v, path)
	}
	if t.Kind == schema.JSON {
		g.use("encoding/json")
		text = "json.RawMessage(" + quoted(jsonText(v)) + ")"
	}
	if text == "" {
		return zeroValue(g, s, t)
	}
	return text
}

func jsonText(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "null"
	}
	return strings.TrimSpace(b.String())
}

func stringValue(g *gofile, s *schema.Service, t *schema.Type, v string) string {
	switch t.Kind {
	case schema.Timestamp:
		return timeValue(g, v)
	case schema.Date:
		g.useAs("es", runtimePath)
		return fmt.Sprintf("es.MustDate(%q)", v)
	case schema.UUID:
		g.useAs("es", runtimePath)
		return fmt.Sprintf("es.MustUUID(%q)", v)
	case schema.Bytes:
		raw, err := base64.StdEncoding.DecodeString(v)
		if err != nil {
			return ""
		}
		return fmt.Sprintf("[]byte(%q)", raw)
	case schema.Enum:
		if t.Named != nil {
			return sharedType(g, s, t.Named.Name) + schema.GoConst(v)
		}
	}
	return quoted(v)
}

// timeValue spells a timestamp out, offset included.
func timeValue(g *gofile, v string) string {
	t, err := time.Parse(time.RFC3339Nano, v)
	if err != nil {
		return ""
	}
	g.use("time")
	zone := "time.UTC"
	if _, offset := t.Zone(); offset != 0 {
		zone = fmt.Sprintf(`time.FixedZone("", %d)`, offset)
	}
	return fmt.Sprintf("time.Date(%d, time.%s, %d, %d, %d, %d, %d, %s)",
		t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone)
}

func numberValue(g *gofile, t *schema.Type, text string) string {
	switch t.Kind {
	case schema.Decimal:
		g.useAs("es", runtimePath)
		return fmt.Sprintf("es.MustDecimal(%q)", text)
	case schema.Int:
		n, ok := new(big.Rat).SetString(text) // 2.0 is an int; no Go constant of type int64 is written so
		if !ok || !n.IsInt() {
			return ""
		}
		return n.Num().String()
	}
	if f, err := strconv.ParseFloat(text, 64); err != nil || f == 0 {
		return "0"
	}
	return text
}

func listValue(g *gofile, s *schema.Service, t *schema.Type, list []any, path string) string {
	items := make([]string, len(list))
	for i, v := range list {
		items[i] = element(g, s, t.Elem, v, below(path, strconv.Itoa(i)))
	}
	return braced(goType(g, s, t), items)
}

// below is the path to a part of a value; "" stays "".
func below(path, name string) string {
	if path == "" {
		return ""
	}
	return path + "/" + name
}

// element is a literal within that of a list or a map, which names its type already.
func element(g *gofile, s *schema.Service, t *schema.Type, v any, path string) string {
	text := literalAt(g, s, t, v, path)
	switch t.Kind {
	case schema.Object, schema.List, schema.Map:
		return strings.TrimPrefix(text, goType(g, s, t))
	}
	return text
}

func objectValue(g *gofile, s *schema.Service, t *schema.Type, object map[string]any, path string) string {
	var items []string
	if t.Kind == schema.Map {
		for _, name := range slices.Sorted(maps.Keys(object)) {
			items = append(items, quoted(name)+": "+element(g, s, t.Elem, object[name], below(path, name)))
		}
		return braced(goType(g, s, t), items)
	}
	if t.Named == nil {
		return ""
	}
	names := typeFieldNames(t.Named)
	for _, f := range t.Named.Type.Fields {
		if item := memberValue(g, s, f, object, below(path, f.Name)); item != "" {
			items = append(items, names[f.Name]+": "+item)
		}
	}
	return braced(goType(g, s, t), items)
}

// memberValue is what a field of a default object holds: what the default says,
// or the field's own default; "" for the zero value.
func memberValue(g *gofile, s *schema.Service, f *schema.Field, object map[string]any, path string) string {
	v, said := object[f.Name]
	switch {
	case said && v != nil && f.Optional && !nilable(f.Type):
		return fmt.Sprintf("new(%s)", converted(g, s, f.Type, literalAt(g, s, f.Type, v, path)))
	case said && v != nil:
		return literalAt(g, s, f.Type, v, path)
	case !said && f.Default != nil && (path != "" || f.Default.Literal != ""):
		return defaultValue(g, s, f, path)
	}
	return ""
}

// converted gives an untyped constant the type that new would not find by itself.
func converted(g *gofile, s *schema.Service, t *schema.Type, expr string) string {
	switch t.Kind {
	case schema.Int, schema.Float:
		return goType(g, s, t) + "(" + expr + ")"
	}
	return expr
}

// braced is a composite literal, one item a line when it is long.
func braced(typeName string, items []string) string {
	width := len(typeName)
	for _, item := range items {
		width += len(item) + 2
	}
	if width > 90 {
		return typeName + "{\n" + strings.Join(items, ",\n") + ",\n}"
	}
	return typeName + "{" + strings.Join(items, ", ") + "}"
}

// zeroValue is the zero value of a type as an expression.
func zeroValue(g *gofile, s *schema.Service, t *schema.Type) string {
	switch t.Kind {
	case schema.String, schema.Enum:
		return `""`
	case schema.Int, schema.Float:
		return "0"
	case schema.Bool:
		return "false"
	case schema.List, schema.Map, schema.Bytes, schema.JSON:
		return "nil"
	}
	return goType(g, s, t) + "{}"
}

package templates

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dave/jennifer/jen"

	"github.com/esgen/esgen/schema"
)

// defaultValue is what a field holds that was not sent. It stands in
// a Decode method, where d is the decoder. path leads to the field from the object
// that is decoded, so that new UUIDs within one default differ.
func defaultValue(s *schema.Service, f *schema.Field, path string) jen.Code {
	switch byDefault := f.Default; {
	case byDefault.Now && f.Type.Kind == schema.Date:
		return d("Today")
	case byDefault.Now:
		return d("Now")
	case byDefault.New:
		return d("NewUUID", jen.Lit(path))
	default:
		v, err := decodeLiteral(byDefault.Literal)
		if err != nil {
			return zeroValue(s, f.Type)
		}
		return literalAt(s, f.Type, v, path)
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

// literal is a JSON value of a type in Go, which needs no decoder: what
// an object in it lacks and would get from the clock stays zero. The schema has been
// checked; for a value that does not fit its type after all it gives the zero value.
func literal(s *schema.Service, t *schema.Type, v any) jen.Code {
	return literalAt(s, t, v, "")
}

// literalAt is [literal] for the default of a field to which path leads.
func literalAt(s *schema.Service, t *schema.Type, v any, path string) jen.Code {
	if t.Kind == schema.JSON {
		return goType(s, t).Parens(quoted(jsonText(v)))
	}
	var code jen.Code
	switch v := v.(type) {
	case string:
		code = stringValue(s, t, v)
	case json.Number:
		code = numberValue(t, v.String())
	case bool:
		code = jen.Lit(v)
	case []any, map[string]any:
		if body := compositeBody(s, t, v, path); body != nil {
			code = goType(s, t).Add(body)
		}
	}
	if code == nil {
		return zeroValue(s, t)
	}
	return code
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

func stringValue(s *schema.Service, t *schema.Type, v string) jen.Code {
	switch t.Kind {
	case schema.Timestamp:
		return timeValue(v)
	case schema.Date:
		return es("MustDate").Call(jen.Lit(v))
	case schema.UUID:
		return es("MustUUID").Call(jen.Lit(v))
	case schema.Bytes:
		raw, err := base64.StdEncoding.DecodeString(v)
		if err != nil {
			return nil
		}
		return jen.Index().Byte().Parens(jen.Lit(string(raw)))
	case schema.Enum:
		if t.Named != nil {
			return enumConstant(s, t.Named, v)
		}
	}
	return quoted(v)
}

// timeValue spells a timestamp out, offset included.
func timeValue(v string) jen.Code {
	t, err := time.Parse(time.RFC3339Nano, v)
	if err != nil {
		return nil
	}
	zone := jen.Qual("time", "UTC")
	if _, offset := t.Zone(); offset != 0 {
		zone = jen.Qual("time", "FixedZone").Call(jen.Lit(""), jen.Lit(offset))
	}
	return jen.Qual("time", "Date").Call(jen.Lit(t.Year()), jen.Qual("time", t.Month().String()), jen.Lit(t.Day()),
		jen.Lit(t.Hour()), jen.Lit(t.Minute()), jen.Lit(t.Second()), jen.Lit(t.Nanosecond()), zone)
}

func numberValue(t *schema.Type, text string) jen.Code {
	switch t.Kind {
	case schema.Decimal:
		return es("MustDecimal").Call(jen.Lit(text))
	case schema.Int:
		n, ok := new(big.Rat).SetString(text) // 2.0 is an int; no Go constant of type int64 is written so
		if !ok || !n.IsInt() {
			return nil
		}
		return token(n.Num().String())
	}
	if f, err := strconv.ParseFloat(text, 64); err != nil || f == 0 {
		return jen.Lit(0)
	}
	return token(text)
}

// compositeBody is what stands in the braces of a list, a map or an object; nil if the value
// is none of the type. Elements do without their type: that of the whole names it.
func compositeBody(s *schema.Service, t *schema.Type, v any, path string) jen.Code {
	var items []jen.Code
	list, isList := v.([]any)
	object, _ := v.(map[string]any)
	switch {
	case isList != (t.Kind == schema.List):
		return nil
	case isList:
		for i, v := range list {
			items = append(items, element(s, t.Elem, v, below(path, strconv.Itoa(i))))
		}
	case t.Kind == schema.Map:
		for _, name := range slices.Sorted(maps.Keys(object)) {
			items = append(items, jen.Add(quoted(name)).Op(":").Add(element(s, t.Elem, object[name], below(path, name))))
		}
	case t.Kind == schema.Object:
		names := typeFieldNames(t.Named)
		for _, f := range t.Named.Type.Fields {
			if item := memberValue(s, f, object, below(path, f.Name)); item != nil {
				items = append(items, keyed(names[f.Name], item))
			}
		}
	default:
		return nil
	}
	return braced(long(items...), items...)
}

// below is the path to a part of a value; "" stays "".
func below(path, name string) string {
	if path == "" {
		return ""
	}
	return path + "/" + name
}

// element is a literal within that of a list or a map.
func element(s *schema.Service, t *schema.Type, v any, path string) jen.Code {
	switch t.Kind {
	case schema.Object, schema.List, schema.Map:
		if body := compositeBody(s, t, v, path); body != nil {
			return body
		}
	}
	return literalAt(s, t, v, path)
}

// memberValue is what a field of a default object holds: what the default says,
// or the field's own default; nil for the zero value.
func memberValue(s *schema.Service, f *schema.Field, object map[string]any, path string) jen.Code {
	v, said := object[f.Name]
	switch {
	case said && v != nil && f.Optional && !nilable(f.Type):
		return pointerTo(s, f.Type, literalAt(s, f.Type, v, path))
	case said && v != nil:
		return literalAt(s, f.Type, v, path)
	case !said && f.Default != nil && (path != "" || f.Default.Literal != ""):
		return defaultValue(s, f, path)
	}
	return nil
}

// pointerTo is a pointer to a value. An untyped constant gets the type that new would not
// find by itself.
func pointerTo(s *schema.Service, t *schema.Type, value jen.Code) jen.Code {
	if t.Kind == schema.Int || t.Kind == schema.Float {
		value = goType(s, t).Parens(value)
	}
	return jen.New(value)
}

// zeroValue is the zero value of a type.
func zeroValue(s *schema.Service, t *schema.Type) jen.Code {
	switch t.Kind {
	case schema.String, schema.Enum:
		return jen.Lit("")
	case schema.Int, schema.Float:
		return jen.Lit(0)
	case schema.Bool:
		return jen.False()
	case schema.List, schema.Map, schema.Bytes, schema.JSON:
		return jen.Nil()
	}
	return goType(s, t).Values()
}

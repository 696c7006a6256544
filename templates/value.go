package templates

import (
	"fmt"
	"slices"
	"strings"

	"github.com/esgen/esgen/schema"
)

// runtimePath is the package that generated services import as es.
const runtimePath = "github.com/esgen/esgen/runtime"

// fieldGoType is the Go type of a field: a pointer when it is optional, unless
// nil is absence already.
func fieldGoType(g *gofile, s *schema.Service, f *schema.Field) string {
	if f.Optional && !nilable(f.Type) {
		return "*" + goType(g, s, f.Type)
	}
	return goType(g, s, f.Type)
}

// goType is the Go type of a value; what it needs is imported into g.
func goType(g *gofile, s *schema.Service, t *schema.Type) string {
	switch t.Kind {
	case schema.Int:
		return "int64"
	case schema.Float:
		return "float64"
	case schema.Bool:
		return "bool"
	case schema.Timestamp:
		g.use("time")
		return "time.Time"
	case schema.Decimal:
		g.useAs("es", runtimePath)
		return "es.Decimal"
	case schema.Date:
		g.useAs("es", runtimePath)
		return "es.Date"
	case schema.UUID:
		g.useAs("es", runtimePath)
		return "es.UUID"
	case schema.Bytes:
		return "[]byte"
	case schema.JSON:
		g.use("encoding/json")
		return "json.RawMessage"
	case schema.List:
		return "[]" + goType(g, s, t.Elem)
	case schema.Map:
		return "map[string]" + goType(g, s, t.Elem)
	case schema.Object:
		return sharedType(g, s, t.Named.Name)
	case schema.Enum:
		if t.Named != nil {
			return sharedType(g, s, t.Named.Name)
		}
	}
	return "string"
}

// sharedType is the Go type for an entry of "types:".
func sharedType(g *gofile, s *schema.Service, name string) string {
	if g.pkg == "types" {
		return schema.GoName(name)
	}
	g.use(s.Module + "/types")
	return "types." + schema.GoName(name)
}

// valueMethods are the methods of es.Decoder and the functions of package es
// that read, append and order values of a scalar kind.
var valueMethods = map[schema.Kind]struct{ read, append, sort string }{
	schema.String:    {"String", "AppendString", "AppendSortString"},
	schema.Enum:      {"String", "AppendString", "AppendSortString"},
	schema.Int:       {"Int", "AppendInt", "AppendSortInt"},
	schema.Float:     {"Float", "AppendFloat", ""},
	schema.Decimal:   {"Decimal", "AppendDecimal", "AppendSortDecimal"},
	schema.Bool:      {"Bool", "AppendBool", "AppendSortBool"},
	schema.Timestamp: {"Time", "AppendTime", "AppendSortTime"},
	schema.Date:      {"Date", "AppendDate", "AppendSortDate"},
	schema.UUID:      {"UUID", "AppendUUID", "AppendSortUUID"},
	schema.Bytes:     {"Bytes", "AppendBytes", ""},
	schema.JSON:      {"JSON", "AppendRaw", ""},
}

// plainString converts a value of a named enum to a string.
func plainString(t *schema.Type, value string) string {
	if enumName(t) != "" {
		return "string(" + value + ")"
	}
	return value
}

// local names a variable of a loop by how deep the loop stands in others.
func local(name string, depth int) string {
	if depth == 0 {
		return name
	}
	return fmt.Sprintf("%s%d", name, depth+1)
}

// writeAppend writes statements that append a value to dst as JSON. given is the variable that
// says whether to leave out what nobody gave; "" for no.
func writeAppend(g *gofile, t *schema.Type, value string, depth int, given string) {
	switch t.Kind {
	case schema.Object:
		if given != "" && shortType(t, &visited{}) {
			g.printf("dst = %s.AppendFields(dst, %s)\n", value, given)
			return
		}
		g.printf("dst = %s.AppendJSON(dst)\n", value)
	case schema.List:
		i := local("i", depth)
		g.printf("dst = append(dst, '[')\nfor %s := range %s {\nif %s > 0 {\ndst = append(dst, ',')\n}\n", i, value, i)
		writeAppend(g, t.Elem, indexed(value, i), depth+1, given)
		g.printf("}\ndst = append(dst, ']')\n")
	case schema.Map:
		i, name := local("i", depth), local("name", depth)
		g.use("maps")
		g.use("slices")
		g.printf("dst = append(dst, '{')\nfor %s, %s := range slices.Sorted(maps.Keys(%s)) {\n", i, name, value)
		g.printf("if %s > 0 {\ndst = append(dst, ',')\n}\n", i)
		g.printf("dst = append(es.AppendString(dst, %s), ':')\n", name)
		writeAppend(g, t.Elem, indexed(value, name), depth+1, given)
		g.printf("}\ndst = append(dst, '}')\n")
	default:
		g.useAs("es", runtimePath)
		g.printf("dst = es.%s(dst, %s)\n", valueMethods[t.Kind].append, plainString(t, value))
	}
}

func indexed(value, index string) string {
	return parenthesized(value) + "[" + index + "]"
}

// checks writes what a decoder asks of the value that was read or closed last.
type checks func(t *schema.Type)

// writeDecode writes statements that read one value into target, an addressable
// expression. Without checks only the value's type counts, as in stored texts.
func writeDecode(g *gofile, s *schema.Service, t *schema.Type, target string, check checks, depth int) {
	if decodesItself(t, check) {
		g.printf("%s.Decode(d)\n", target)
		return
	}
	switch t.Kind {
	case schema.List:
		writeDecodeList(g, s, t, target, check, depth)
	case schema.Map:
		writeDecodeMap(g, s, t, target, check, depth)
	default:
		writeDecodeScalar(g, t, address(target), check)
	}
}

// decodesItself reports whether values of the type have a Decode method that asks
// all that is to be asked here. An enum's is called only to check.
func decodesItself(t *schema.Type, check checks) bool {
	switch t.Kind {
	case schema.Object:
		return true
	case schema.Enum:
		return check != nil && t.Named != nil && slices.Equal(t.Values, t.Named.Type.Values)
	}
	return false
}

// writeDecodeScalar reads into a pointer, and closes the condition around the
// checks when there are any.
func writeDecodeScalar(g *gofile, t *schema.Type, pointer string, check checks) {
	if enumName(t) != "" {
		pointer = "(*string)(" + pointer + ")"
	}
	call := fmt.Sprintf("d.%s(%s)", valueMethods[t.Kind].read, pointer)
	if check == nil {
		g.printf("%s\n", call)
		return
	}
	before := g.body.Len()
	g.printf("if %s {\n", call)
	inside := g.body.Len()
	check(t)
	if g.body.Len() == inside {
		g.body.Truncate(before)
		g.printf("%s\n", call)
		return
	}
	g.printf("}\n")
}

// writeDecodeElement reads an element of a list or map that is neither a struct
// nor a list or map itself. In free form it may be null: only a member's null
// stands for an absent value.
func writeDecodeElement(g *gofile, t *schema.Type, pointer string, check checks) {
	if t.Kind == schema.JSON {
		g.printf("d.JSONOrNull(%s)\n", pointer)
		return
	}
	writeDecodeScalar(g, t, pointer, check)
}

func writeDecodeList(g *gofile, s *schema.Service, t *schema.Type, target string, check checks, depth int) {
	g.useAs("es", runtimePath)
	g.printf("if d.List() {\n%s = es.NewList[%s](d)\nfor d.Element() {\n", target, goType(g, s, t.Elem))
	switch {
	case decodesItself(t.Elem, check):
		g.printf("es.Append(%s).Decode(d)\n", address(target))
	case t.Elem.Kind == schema.List, t.Elem.Kind == schema.Map:
		element := local("element", depth)
		g.printf("%s := es.Append(%s)\n", element, address(target))
		writeDecode(g, s, t.Elem, "*"+element, check, depth+1)
	default:
		writeDecodeElement(g, t.Elem, "es.Append("+address(target)+")", check)
	}
	g.printf("}\n")
	if check != nil {
		check(t)
	}
	g.printf("}\n")
}

func writeDecodeMap(g *gofile, s *schema.Service, t *schema.Type, target string, check checks, depth int) {
	name, value := local("name", depth), local("value", depth)
	elem := goType(g, s, t.Elem)
	g.printf("if d.Object() {\n%s = map[string]%s{}\nfor d.Member() {\n", target, elem)
	g.printf("%s := d.Name()\nvar %s %s\n", name, value, elem)
	if t.Elem.Kind == schema.JSON {
		writeDecodeElement(g, t.Elem, "&"+value, check)
	} else {
		writeDecode(g, s, t.Elem, value, check, depth+1)
	}
	g.printf("%s[%s] = %s\n}\n", parenthesized(target), name, value)
	if check != nil {
		check(t)
	}
	g.printf("}\n")
}

// address is the pointer to an addressable expression.
func address(target string) string {
	if pointer, ok := strings.CutPrefix(target, "*"); ok {
		return pointer
	}
	return "&" + target
}

func parenthesized(target string) string {
	if strings.HasPrefix(target, "*") {
		return "(" + target + ")"
	}
	return target
}

// enumName is the Go type of a named enum, "" for an enum in place and for
// anything else.
func enumName(t *schema.Type) string {
	if t.Kind == schema.Enum && t.Named != nil {
		return schema.GoName(t.Named.Name)
	}
	return ""
}

// nilable reports whether nil is how an absent value of the type looks in Go, so
// that an optional field of it is no pointer.
func nilable(t *schema.Type) bool {
	switch t.Kind {
	case schema.List, schema.Map, schema.Bytes, schema.JSON:
		return true
	}
	return false
}

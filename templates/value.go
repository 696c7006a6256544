package templates

import (
	"fmt"
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/esgen/esgen/schema"
)

// fieldGoType is the Go type of a field: a pointer when it is optional, unless
// nil is absence already.
func fieldGoType(s *schema.Service, f *schema.Field) jen.Code {
	if f.Optional && !nilable(f.Type) {
		return pointed(goType(s, f.Type))
	}
	return goType(s, f.Type)
}

// goType is the Go type of a value.
func goType(s *schema.Service, t *schema.Type) *jen.Statement {
	switch t.Kind {
	case schema.Int:
		return jen.Int64()
	case schema.Float:
		return jen.Float64()
	case schema.Bool:
		return jen.Bool()
	case schema.Timestamp:
		return jen.Qual("time", "Time")
	case schema.Decimal:
		return es("Decimal")
	case schema.Date:
		return es("Date")
	case schema.UUID:
		return es("UUID")
	case schema.Bytes:
		return jen.Index().Byte()
	case schema.JSON:
		return jen.Qual("encoding/json", "RawMessage")
	case schema.List:
		return jen.Index().Add(goType(s, t.Elem))
	case schema.Map:
		return jen.Map(jen.String()).Add(goType(s, t.Elem))
	case schema.Object:
		return sharedType(s, t.Named)
	case schema.Enum:
		if t.Named != nil {
			return sharedType(s, t.Named)
		}
	}
	return jen.String()
}

// sharedType is the Go type for an entry of "types:".
func sharedType(s *schema.Service, t *schema.NamedType) *jen.Statement {
	return jen.Qual(s.Module+"/types", schema.GoName(t.Name))
}

// goEvent is the Go type of an event.
func goEvent(s *schema.Service, e *schema.Event) *jen.Statement {
	return jen.Qual(s.Module+"/events", schema.GoName(e.Name))
}

// enumConstant is the constant for a value of a named enum.
func enumConstant(s *schema.Service, t *schema.NamedType, value string) *jen.Statement {
	return jen.Qual(s.Module+"/types", schema.GoEnumConst(t.Name, value))
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
func plainString(t *schema.Type, value jen.Code) jen.Code {
	if isNamedEnum(t) {
		return jen.String().Parens(value)
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

// appendTo appends to the variable dst what function makes of it and a value.
func appendTo(call *jen.Statement) jen.Code { return assign(dst, call) }

// appendText appends a text to dst.
func appendText(text string) jen.Code {
	return appendTo(jen.Append(dst, jen.Add(quoted(text)).Op("...")))
}

// appendRune appends a character to dst.
func appendRune(r rune) jen.Code { return appendTo(jen.Append(dst, jen.LitRune(r))) }

// appendValue appends a value to dst as JSON. given says that it stands where a variable of
// that name tells whether to leave out what nobody gave.
func appendValue(t *schema.Type, value place, depth int, given bool) jen.Code {
	switch t.Kind {
	case schema.Object:
		if given && shortType(t, &visited{}) {
			return appendTo(value.dot("AppendFields").Call(dst, jen.Id("given")))
		}
		return appendTo(value.dot("AppendJSON").Call(dst))
	case schema.List:
		i := local("i", depth)
		return lines(
			appendRune('['),
			forEach(jen.Id(i), value.value(), commaBehind(i), appendValue(t.Elem, value.at(i), depth+1, given)),
			appendRune(']'),
		)
	case schema.Map:
		i, name := local("i", depth), local("name", depth)
		names := jen.Qual("slices", "Sorted").Call(jen.Qual("maps", "Keys").Call(value.value()))
		return lines(
			appendRune('{'),
			forEach(jen.List(jen.Id(i), jen.Id(name)), names,
				commaBehind(i),
				appendTo(jen.Append(es("AppendString").Call(dst, jen.Id(name)), jen.LitRune(':'))),
				appendValue(t.Elem, value.at(name), depth+1, given)),
			appendRune('}'),
		)
	}
	return appendTo(es(valueMethods[t.Kind].append).Call(dst, plainString(t, value.value())))
}

// commaBehind separates an element from the one before it; i counts them.
func commaBehind(i string) jen.Code {
	return jen.If(jen.Id(i).Op(">").Lit(0)).Block(appendRune(','))
}

// checks are what a decoder asks of the value that was read or closed last; nil where only
// its type counts, as in stored texts.
type checks func(t *schema.Type) []jen.Code

func (c checks) of(t *schema.Type) []jen.Code {
	if c == nil {
		return nil
	}
	return c(t)
}

// decoder is the parameter of Decode methods.
func decoder() jen.Code { return param("d", pointed(es("Decoder"))) }

// d is a call of a method of the decoder.
func d(method string, args ...jen.Code) *jen.Statement {
	return jen.Id("d").Dot(method).Call(args...)
}

// decodeValue reads one value into target.
func decodeValue(s *schema.Service, t *schema.Type, target place, check checks, depth int) jen.Code {
	if decodesItself(t, check) {
		return target.dot("Decode").Call(jen.Id("d"))
	}
	switch t.Kind {
	case schema.List:
		return decodeList(s, t, target, check, depth)
	case schema.Map:
		return decodeMap(s, t, target, check, depth)
	}
	return decodeScalar(valueMethods[t.Kind].read, t, target, check)
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

// decodeScalar reads a value by a method of the decoder.
func decodeScalar(method string, t *schema.Type, target place, check checks) jen.Code {
	pointer := target.address()
	if isNamedEnum(t) {
		pointer = jen.Parens(jen.Op("*").String()).Parens(pointer)
	}
	if calls := check.of(t); len(calls) > 0 {
		return jen.If(d(method, pointer)).Block(calls...)
	}
	return d(method, pointer)
}

// decodeElement reads an element of a list or map. In free form it may be null: only a
// member's null stands for an absent value.
func decodeElement(s *schema.Service, t *schema.Type, target place, check checks, depth int) jen.Code {
	if t.Kind == schema.JSON {
		return decodeScalar("JSONOrNull", t, target, check)
	}
	return decodeValue(s, t, target, check, depth)
}

func decodeList(s *schema.Service, t *schema.Type, target place, check checks, depth int) jen.Code {
	var named jen.Code // the element, where it is mentioned more than once
	element := place{expression: es("Append").Call(target.address()), pointer: true}
	if t.Elem.Kind == schema.List || t.Elem.Kind == schema.Map {
		name := local("element", depth)
		named = define(name, element.expression)
		element.expression = jen.Id(name)
	}
	return jen.If(d("List")).Block(append([]jen.Code{
		assign(target.value(), es("NewList").Types(goType(s, t.Elem)).Call(jen.Id("d"))),
		jen.For(d("Element")).Block(named, decodeElement(s, t.Elem, element, check, depth+1)),
	}, check.of(t)...)...)
}

func decodeMap(s *schema.Service, t *schema.Type, target place, check checks, depth int) jen.Code {
	name, value := local("name", depth), local("value", depth)
	return jen.If(d("Object")).Block(append([]jen.Code{
		assign(target.value(), goType(s, t).Values()),
		jen.For(d("Member")).Block(
			define(name, d("Name")),
			jen.Var().Id(value).Add(goType(s, t.Elem)),
			decodeElement(s, t.Elem, place{expression: jen.Id(value)}, check, depth+1),
			assign(target.at(name).value(), jen.Id(value)),
		),
	}, check.of(t)...)...)
}

// enumName is the Go type of a named enum, "" for an enum in place and for
// anything else.
func enumName(t *schema.Type) string {
	if isNamedEnum(t) {
		return schema.GoName(t.Named.Name)
	}
	return ""
}

func isNamedEnum(t *schema.Type) bool { return t.Kind == schema.Enum && t.Named != nil }

// nilable reports whether nil is how an absent value of the type looks in Go, so
// that an optional field of it is no pointer.
func nilable(t *schema.Type) bool {
	switch t.Kind {
	case schema.List, schema.Map, schema.Bytes, schema.JSON:
		return true
	}
	return false
}

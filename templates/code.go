package templates

import (
	"slices"
	"strings"

	"github.com/dave/jennifer/jen"
)

// Code that occurs everywhere is made once. As jen.Code nothing can be appended to it.
var (
	dst       jen.Code = jen.Id("dst")
	becomes   jen.Code = jen.Op("=")
	defined   jen.Code = jen.Op(":=")
	colon     jen.Code = jen.Op(":")
	bang      jen.Code = jen.Op("!")
	star      jen.Code = jen.Op("*")
	ampersand jen.Code = jen.Op("&")
)

// es is what the runtime has by a name.
func es(name string) *jen.Statement { return jen.Qual(runtimePath, name) }

// lines makes one of several statements or declarations, each on its own line.
func lines(code ...jen.Code) jen.Code {
	code = slices.DeleteFunc(code, func(c jen.Code) bool { return c == nil })
	return jen.Custom(jen.Options{Separator: "\n"}, code...)
}

// when is a body on a condition, nil for always.
func when(condition jen.Code, body ...jen.Code) jen.Code {
	if condition == nil {
		return lines(body...)
	}
	return jen.If(condition).Block(body...)
}

// allOf is the condition that every one of several holds; nil when there are none.
func allOf(conditions ...jen.Code) jen.Code {
	var s *jen.Statement
	for _, c := range conditions {
		switch {
		case c == nil:
		case s == nil:
			s = jen.Add(c)
		default:
			s.Op("&&").Add(c)
		}
	}
	if s == nil {
		return nil
	}
	return s
}

// not is the negation of an operand.
func not(operand jen.Code) jen.Code { return jen.Add(bang, operand) }

// pointed is what a pointer points to, or the type of a pointer to a type.
func pointed(code jen.Code) *jen.Statement { return jen.Add(star, code) }

// addressOf is a pointer to an operand.
func addressOf(operand jen.Code) *jen.Statement { return jen.Add(ampersand, operand) }

// assign is the assignment of a value.
func assign(to, value jen.Code) jen.Code { return jen.Add(to, becomes, value) }

// define is the declaration of a local variable by its value.
func define(name string, value jen.Code) jen.Code { return jen.Add(jen.Id(name), defined, value) }

// forEach is a loop over a value.
func forEach(variables, value jen.Code, body ...jen.Code) jen.Code {
	return jen.For(jen.Add(variables, defined, jen.Range(), value)).Block(body...)
}

// method begins the method of a type.
func method(receiver string, typ jen.Code, name string) *jen.Statement {
	return jen.Func().Params(param(receiver, typ)).Id(name)
}

// param is a parameter or a field of a struct.
func param(name string, typ jen.Code) jen.Code { return jen.Add(jen.Id(name), typ) }

// inline is a block on one line.
func inline(statement jen.Code) jen.Code {
	return jen.Custom(jen.Options{Open: "{", Close: "}"}, statement)
}

// braced is what stands behind the type of a composite literal, one item a line if wide.
func braced(wide bool, items ...jen.Code) *jen.Statement {
	return jen.Custom(jen.Options{Open: "{", Close: "}", Separator: ",", Multi: wide}, items...)
}

// arguments are those of a call, one a line if wide.
func arguments(wide bool, args ...jen.Code) *jen.Statement {
	return jen.Custom(jen.Options{Open: "(", Close: ")", Separator: ",", Multi: wide}, args...)
}

// keyed is an item of a struct literal.
func keyed(name string, value jen.Code) jen.Code { return jen.Add(jen.Id(name), colon, value) }

// stringList is a list of strings; nil where there is none.
func stringList(values []string) jen.Code {
	if len(values) == 0 {
		return jen.Nil()
	}
	items := make([]jen.Code, len(values))
	for i, v := range values {
		items[i] = quoted(v)
	}
	return jen.Index().String().Add(braced(long(items...), items...))
}

// long reports whether items are too long for one line.
func long(items ...jen.Code) bool {
	var b strings.Builder
	err := jen.Id("T").Values(items...).Render(&b)
	return err != nil || b.Len() > 90
}

// quoted is a text as a Go string: raw where that is easier to read.
func quoted(text string) jen.Code {
	if strings.ContainsAny(text, `\"`) && !strings.ContainsFunc(text, unfitForRaw) {
		return token("`" + text + "`")
	}
	return jen.Lit(text)
}

func unfitForRaw(r rune) bool { return r == '`' || r < ' ' || r > '~' }

// token is a literal that jen.Lit does not spell so: a raw string, or a number as it was written.
func token(text string) jen.Code { return jen.Op(text) }

// place is a variable: an expression, or what it points to.
type place struct {
	expression jen.Code
	pointer    bool
}

// value is what the variable holds.
func (p place) value() *jen.Statement {
	if p.pointer {
		return pointed(p.expression)
	}
	return jen.Add(p.expression)
}

// address is a pointer to the variable.
func (p place) address() *jen.Statement {
	if p.pointer {
		return jen.Add(p.expression)
	}
	return addressOf(p.expression)
}

// dot is a field or method of what the variable holds.
func (p place) dot(name string) *jen.Statement { return jen.Add(p.expression).Dot(name) }

// at is an element of what the variable holds.
func (p place) at(index string) place {
	if p.pointer {
		return place{expression: jen.Parens(p.value()).Index(jen.Id(index))}
	}
	return place{expression: jen.Add(p.expression).Index(jen.Id(index))}
}

// fieldOf is a field of a local variable.
func fieldOf(variable, name string) place {
	return place{expression: jen.Id(variable).Dot(name)}
}

// notNil, notEmpty and notZero are conditions that a variable holds something.
func notNil(p place) jen.Code   { return jen.Add(p.expression).Op("!=").Nil() }
func notEmpty(p place) jen.Code { return p.value().Op("!=").Lit("") }
func notZero(p place) jen.Code  { return not(p.dot("IsZero").Call()) }

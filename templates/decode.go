package templates

import (
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/esgen/esgen/schema"
)

// bitsPerWord is how many members one word of "seen" keeps track of.
const bitsPerWord = 64

// declareDecode declares the method that reads the struct from JSON, then the patterns
// that it needs.
func (st *structure) declareDecode(g *gofile, s *schema.Service) {
	seen := st.seenBits()
	var cases []jen.Code
	for i := range st.members {
		m := &st.members[i]
		cases = append(cases, jen.Case(jen.Lit(m.Name)).Block(seen.note(m), st.decodeMember(s, m)))
	}
	body := []jen.Code{seen.declaration(), decodeMembers(cases)}
	for _, m := range st.members {
		body = append(body, st.fillIn(s, seen, &m))
	}
	g.declare(fmt.Sprintf("Decode reads %s and reports to d what is wrong.", st.decodes()),
		decodeMethod(st.receiver, st.name, body...))
	for _, p := range st.ownPatterns {
		p.declareIn(g)
	}
}

// decodeMethod is a Decode method for objects.
func decodeMethod(receiver, name string, body ...jen.Code) jen.Code {
	return method(receiver, pointed(jen.Id(name)), "Decode").Params(decoder()).Block(
		jen.If(not(d("Object"))).Block(jen.Return()), lines(body...))
}

// decodeMembers reads the members of an object, a case for each that is known.
func decodeMembers(cases []jen.Code) jen.Code {
	other := d("Unknown")
	if len(cases) > 0 {
		cases = append(cases, jen.Default().Block(other))
		other = jen.Switch(d("Name")).Block(cases...)
	}
	return jen.For(d("Member")).Block(other)
}

// decodes says what Decode reads.
func (st *structure) decodes() string {
	for _, m := range st.members {
		if m.Default != nil {
			return "the members, fills in defaults"
		}
	}
	return "the members"
}

// seenBits numbers the members that are required or have a default: of these
// Decode must know whether they came.
func (st *structure) seenBits() seenBits {
	bits := seenBits{}
	for _, m := range st.members {
		if !m.Optional {
			bits[m.Name] = len(bits)
		}
	}
	return bits
}

// seenBits number members whose coming the variable "seen" of a Decode method notes.
type seenBits map[string]int

// variable is the word that holds a bit.
func (bits seenBits) variable(bit int) *jen.Statement {
	if len(bits) <= bitsPerWord {
		return jen.Id("seen")
	}
	return jen.Id("seen").Index(jen.Lit(bit / bitsPerWord))
}

// declaration declares the variable; nil when no bit is needed.
func (bits seenBits) declaration() jen.Code {
	switch words := (len(bits) + bitsPerWord - 1) / bitsPerWord; words {
	case 0:
		return nil
	case 1:
		return jen.Var().Id("seen").Uint64()
	default:
		return jen.Var().Id("seen").Index(jen.Lit(words)).Uint64()
	}
}

// masks are the bits of a word, made once.
var masks = func() (all [bitsPerWord]jen.Code) {
	for i := range all {
		all[i] = jen.Lit(1).Op("<<").Lit(i)
	}
	return all
}()

// note sets the bit of a member; nil when it has none.
func (bits seenBits) note(m *member) jen.Code {
	bit, ok := bits[m.Name]
	if !ok {
		return nil
	}
	return bits.variable(bit).Op("|=").Add(masks[bit%bitsPerWord])
}

// unset is the condition that a bit is not set.
func (bits seenBits) unset(bit int) jen.Code {
	return bits.variable(bit).Op("&").Parens(masks[bit%bitsPerWord]).Op("==").Lit(0)
}

// decodeMember reads one member.
func (st *structure) decodeMember(s *schema.Service, m *member) jen.Code {
	check := func(t *schema.Type) []jen.Code { return st.checks(s, m, t) }
	return decodeField(s, m.Field, fieldOf(st.receiver, m.goName), check)
}

// decodeField reads a field, which null leaves alone if it is optional.
func decodeField(s *schema.Service, f *schema.Field, target place, check checks) jen.Code {
	if !f.Optional {
		return decodeValue(s, f.Type, target, check, 0)
	}
	var allocate jen.Code
	if !nilable(f.Type) {
		allocate = assign(target.value(), jen.New(goType(s, f.Type)))
		target.pointer = true
	}
	return jen.If(not(d("Null"))).Block(allocate, decodeValue(s, f.Type, target, check, 0))
}

// fillIn is what happens to a member that did not come; nil where nothing does.
func (st *structure) fillIn(s *schema.Service, seen seenBits, m *member) jen.Code {
	bit, ok := seen[m.Name]
	if !ok {
		return nil
	}
	if m.Default == nil {
		return when(seen.unset(bit), d("Missing", jen.Lit(m.Name)))
	}
	return when(seen.unset(bit), assign(fieldOf(st.receiver, m.goName).value(), defaultValue(s, m.Field, m.Name)))
}

package templates

import (
	"fmt"

	"github.com/esgen/esgen/schema"
)

// bitsPerWord is how many members one word of "seen" keeps track of.
const bitsPerWord = 64

// decode writes the method that reads the struct from JSON, then the patterns
// that it needs.
func (st *structure) decode(g *gofile, s *schema.Service) {
	g.useAs("es", runtimePath)
	var own []pattern
	seen := st.seenBits()
	g.printf("// Decode reads %s and reports to d what is wrong.\n", st.decodes())
	g.printf("func (%s *%s) Decode(d *es.Decoder) {\nif !d.Object() {\nreturn\n}\n", st.receiver, st.name)
	switch words := (len(seen) + bitsPerWord - 1) / bitsPerWord; {
	case words == 1:
		g.printf("var seen uint64\n")
	case words > 1:
		g.printf("var seen [%d]uint64\n", words)
	}
	g.printf("for d.Member() {\n")
	if len(st.members) > 0 {
		g.printf("switch d.Name() {\n")
	}
	for i := range st.members {
		m := &st.members[i]
		g.printf("case %q:\n", m.Name)
		if bit, ok := seen[m.Name]; ok {
			g.printf("%s |= 1 << %d\n", seenWord(seen, bit), bit%bitsPerWord)
		}
		st.decodeMember(g, s, m, &own)
	}
	if len(st.members) > 0 {
		g.printf("default:\nd.Unknown()\n}\n")
	} else {
		g.printf("d.Unknown()\n")
	}
	g.printf("}\n")
	st.fillIn(g, s, seen)
	g.printf("}\n\n")
	for _, p := range own {
		declarePattern(g, p)
	}
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
func (st *structure) seenBits() map[string]int {
	bits := map[string]int{}
	for _, m := range st.members {
		if !m.Optional {
			bits[m.Name] = len(bits)
		}
	}
	return bits
}

// seenWord is the variable that holds a bit.
func seenWord(bits map[string]int, bit int) string {
	if len(bits) <= bitsPerWord {
		return "seen"
	}
	return fmt.Sprintf("seen[%d]", bit/bitsPerWord)
}

// decodeMember writes the statements that read one member.
func (st *structure) decodeMember(g *gofile, s *schema.Service, m *member, own *[]pattern) {
	check := func(t *schema.Type) { st.writeChecks(g, s, m, t, own) }
	target := st.receiver + "." + m.goName
	if !m.Optional {
		writeDecode(g, s, m.Type, target, check, 0)
		return
	}
	g.printf("if !d.Null() {\n")
	if !nilable(m.Type) {
		g.printf("%s = new(%s)\n", target, goType(g, s, m.Type))
		if !decodesItself(m.Type, check) {
			target = "*" + target
		}
	}
	writeDecode(g, s, m.Type, target, check, 0)
	g.printf("}\n")
}

// fillIn writes what happens to members that did not come.
func (st *structure) fillIn(g *gofile, s *schema.Service, seen map[string]int) {
	for _, m := range st.members {
		bit, ok := seen[m.Name]
		if !ok {
			continue
		}
		g.printf("if %s&(1<<%d) == 0 {\n", seenWord(seen, bit), bit%bitsPerWord)
		if m.Default == nil {
			g.printf("d.Missing(%q)\n", m.Name)
		} else {
			g.printf("%s.%s = %s\n", st.receiver, m.goName, defaultValue(g, s, m.Field, m.Name))
		}
		g.printf("}\n")
	}
}

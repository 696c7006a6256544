package templates

import (
	"github.com/esgen/esgen/schema"
)

// encode writes the method that appends the struct as canonical JSON.
func (st *structure) encode(g *gofile, doc string) {
	g.printf("%s", comment(doc))
	g.printf("func (%s %s) AppendJSON(dst []byte) []byte {\n", st.receiver, st.name)
	defer g.printf("}\n\n")
	if len(st.members) == 0 {
		g.printf("return append(dst, \"{}\"...)\n")
		return
	}
	g.useAs("es", runtimePath)
	g.printf("start := len(dst)\n")
	for _, m := range st.members {
		value := st.receiver + "." + m.goName
		present := ""
		switch {
		case m.Optional:
			present = value + " != nil"
		case m.Type.Kind == schema.Date: // the zero Date is no day: in an older event, or not yet assigned in a view
			present = "!" + value + ".IsZero()"
		}
		if present != "" {
			g.printf("if %s {\n", present)
		}
		g.printf("dst = append(dst, `,%s:`...)\n", jsonText(m.Name))
		if m.Optional && !nilable(m.Type) && m.Type.Kind != schema.Object {
			value = "*" + value
		}
		writeAppend(g, m.Type, value, 0)
		if present != "" {
			g.printf("}\n")
		}
	}
	g.printf("return es.AppendObjectEnd(dst, start)\n")
}

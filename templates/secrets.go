package templates

import (
	"github.com/dave/jennifer/jen"
)

// declareRedaction declares the methods by which a struct keeps what is sensitive out of
// logs and formatted text. Nested structs have such methods of their own.
func (st *structure) declareRedaction(g *gofile, key string) {
	if !st.secret {
		return
	}
	var attrs []jen.Code
	switch {
	case st.secretKey:
		attrs = append(attrs, es("LogSensitive").Call(jen.Lit(key)))
	case key != "":
		attrs = append(attrs, slogAny(key, fieldOf(st.receiver, st.keyName)))
	}
	for _, m := range st.members {
		attrs = append(attrs, m.logAttr(fieldOf(st.receiver, m.goName)))
	}
	logValue := jen.Id(st.receiver).Dot("LogValue").Call()
	g.declare("LogValue leaves out what the schema calls sensitive.",
		st.method("LogValue").Params().Qual("log/slog", "Value").Block(
			jen.Return(jen.Qual("log/slog", "GroupValue").Add(arguments(true, attrs...)))))
	g.declare("MarshalJSON gives what LogValue gives, since handlers that write JSON ask the elements of lists "+
		"and maps for it. AppendJSON has everything.",
		st.method("MarshalJSON").Params().Params(jen.Index().Byte(), jen.Error()).Block(jen.Return(es("MarshalLog").Call(logValue))))
	g.declare("Format writes what LogValue gives, whatever the verb. Package fmt asks for it wherever it may call "+
		"methods: not in unexported fields of a struct of yours.",
		st.method("Format").Params(jen.Id("f").Qual("fmt", "State"), jen.Id("verb").Rune()).Block(
			jen.Qual("fmt", "Fprintf").Call(jen.Id("f"), jen.Lit(st.name+"%v"), logValue)))
}

// logAttr is the attribute of a field.
func (m *member) logAttr(value place) jen.Code {
	switch {
	case m.Sensitive:
		return es("LogSensitive").Call(jen.Lit(m.Name))
	case m.Optional && !nilable(m.Type):
		return es("LogOptional").Call(jen.Lit(m.Name), value.value())
	}
	return slogAny(m.Name, value)
}

func slogAny(name string, value place) jen.Code {
	return jen.Qual("log/slog", "Any").Call(jen.Lit(name), value.value())
}

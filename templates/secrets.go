package templates

import "fmt"

// redaction writes the methods by which a struct keeps what is sensitive out of
// logs and formatted text. Nested structs have such methods of their own.
func (st *structure) redaction(g *gofile, key string) {
	if !st.secret {
		return
	}
	g.use("fmt")
	g.use("log/slog")
	g.useAs("es", runtimePath)
	g.printf("// LogValue leaves out what the schema calls sensitive.\n")
	g.printf("func (%s %s) LogValue() slog.Value {\nreturn slog.GroupValue(\n", st.receiver, st.name)
	switch {
	case st.secretKey:
		g.printf("es.LogSensitive(%q),\n", key)
	case key != "":
		g.printf("slog.Any(%q, %s.%s),\n", key, st.receiver, st.keyName)
	}
	for _, m := range st.members {
		g.printf("%s,\n", m.logAttr(st.receiver))
	}
	g.printf(")\n}\n\n")
	g.printf("%s", comment("MarshalJSON gives what LogValue gives, since handlers that write JSON ask the elements of lists "+
		"and maps for it. AppendJSON has everything."))
	g.printf("func (%s %s) MarshalJSON() ([]byte, error) {\nreturn es.MarshalLog(%s.LogValue())\n}\n\n", st.receiver, st.name, st.receiver)
	g.printf("%s", comment("Format writes what LogValue gives, whatever the verb. Package fmt asks for it wherever it may call "+
		"methods: not in unexported fields of a struct of yours."))
	g.printf("func (%s %s) Format(f fmt.State, verb rune) {\nfmt.Fprintf(f, %q, %s.LogValue())\n}\n\n",
		st.receiver, st.name, st.name+"%v", st.receiver)
}

// logAttr is the attribute of a field.
func (m *member) logAttr(receiver string) string {
	value := receiver + "." + m.goName
	switch {
	case m.Sensitive:
		return fmt.Sprintf("es.LogSensitive(%q)", m.Name)
	case m.Optional && !nilable(m.Type):
		return fmt.Sprintf("es.LogOptional(%q, %s)", m.Name, value)
	}
	return fmt.Sprintf("slog.Any(%q, %s)", m.Name, value)
}

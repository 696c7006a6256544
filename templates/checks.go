package templates

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/esgen/esgen/schema"
)

// writeChecks writes the calls that ask of the value just read what the schema
// asks of it. The codes of violations, and their order, are the decoder's.
func (st *structure) writeChecks(g *gofile, s *schema.Service, m *member, t *schema.Type, own *[]pattern) {
	c := &t.Constraints
	call := func(method string, n *int) {
		if n != nil {
			g.printf("d.%s(%d)\n", method, *n)
		}
	}
	if t.Kind == schema.Bytes {
		call("MinBytes", c.MinLength)
		call("MaxBytes", c.MaxLength)
	} else {
		call("MinLength", c.MinLength)
		call("MaxLength", c.MaxLength)
	}
	if c.Pattern != "" {
		name, isOwn := st.patterns.of(st.name, m, t)
		if isOwn {
			*own = append(*own, pattern{name, c.Pattern})
		}
		g.printf("d.Pattern(%s())\n", name)
	}
	if c.Format != "" {
		g.printf("d.Format(%q)\n", c.Format)
	}
	writeNumberChecks(g, t)
	call("MinItems", c.MinItems)
	call("MaxItems", c.MaxItems)
	if c.UniqueItems {
		g.printf("d.UniqueItems()\n")
	}
	call("MinProperties", c.MinProperties)
	call("MaxProperties", c.MaxProperties)
	writeEnumCheck(g, s, t, st.name+m.goName)
}

func writeNumberChecks(g *gofile, t *schema.Type) {
	for _, bound := range []struct{ whole, exact, limit string }{
		{"MinInt", "Minimum", t.Minimum},
		{"MaxInt", "Maximum", t.Maximum},
		{"", "ExclusiveMinimum", t.ExclusiveMinimum},
		{"", "ExclusiveMaximum", t.ExclusiveMaximum},
		{"", "MultipleOf", t.MultipleOf},
	} {
		if bound.limit == "" {
			continue
		}
		n, err := strconv.ParseInt(bound.limit, 10, 64)
		if t.Kind == schema.Int && bound.whole != "" && err == nil {
			g.printf("d.%s(%d)\n", bound.whole, n)
			continue
		}
		g.printf("d.%s(%q)\n", bound.exact, bound.limit)
	}
}

// writeEnumCheck compares with the values that are allowed. Those of an enum
// have constants; in place, their names begin with prefix.
func writeEnumCheck(g *gofile, s *schema.Service, t *schema.Type, prefix string) {
	switch {
	case t.Kind == schema.Enum && t.Named != nil:
		prefix = sharedType(g, s, t.Named.Name)
		writeCall(g, "d.EnumStrings", t.Values, func(v string) string { return "string(" + prefix + schema.GoConst(v) + ")" })
	case t.Kind == schema.Enum:
		writeCall(g, "d.EnumStrings", t.Values, func(v string) string { return prefix + schema.GoConst(v) })
	case len(t.Enum) == 0:
	case t.Kind == schema.Bool:
		if len(t.Enum) == 1 {
			g.printf("d.EnumBool(%s)\n", t.Enum[0])
		}
	case t.Kind == schema.Int, t.Kind == schema.Float, t.Kind == schema.Decimal:
		writeCall(g, "d.EnumNumbers", t.Enum, strconv.Quote)
	default:
		writeCall(g, "d.EnumStrings", t.Enum, stringLiteral)
	}
}

// writeCall writes a call with one argument per value, one a line when they are many.
func writeCall(g *gofile, function string, values []string, argument func(string) string) {
	args := make([]string, len(values))
	width := 0
	for i, v := range values {
		args[i] = argument(v)
		width += len(args[i]) + 2
	}
	if width > 90 {
		g.printf("%s(\n%s,\n)\n", function, strings.Join(args, ",\n"))
		return
	}
	g.printf("%s(%s)\n", function, strings.Join(args, ", "))
}

// stringLiteral is a JSON string as a Go string.
func stringLiteral(text string) string {
	v, err := decodeLiteral(text)
	s, ok := v.(string)
	if err != nil || !ok {
		return fmt.Sprintf("%q", text)
	}
	return quoted(s)
}

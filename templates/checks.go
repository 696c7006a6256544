package templates

import (
	"strconv"

	"github.com/dave/jennifer/jen"

	"github.com/esgen/esgen/schema"
)

// checks are the calls that ask of the value just read what the schema
// asks of it. The codes of violations, and their order, are the decoder's.
func (st *structure) checks(s *schema.Service, m *member, t *schema.Type) (calls []jen.Code) {
	c := &t.Constraints
	limit := func(method string, n *int) {
		if n != nil {
			calls = append(calls, d(method, jen.Lit(*n)))
		}
	}
	if t.Kind == schema.Bytes {
		limit("MinBytes", c.MinLength)
		limit("MaxBytes", c.MaxLength)
	} else {
		limit("MinLength", c.MinLength)
		limit("MaxLength", c.MaxLength)
	}
	if c.Pattern != "" {
		calls = append(calls, d("Pattern", jen.Id(st.pattern(m, t)).Call()))
	}
	if c.Format != "" {
		calls = append(calls, d("Format", jen.Lit(c.Format)))
	}
	calls = append(calls, numberChecks(t)...)
	limit("MinItems", c.MinItems)
	limit("MaxItems", c.MaxItems)
	if c.UniqueItems {
		calls = append(calls, d("UniqueItems"))
	}
	limit("MinProperties", c.MinProperties)
	limit("MaxProperties", c.MaxProperties)
	if check := enumCheck(s, t, st.name+m.goName); check != nil {
		calls = append(calls, check)
	}
	return calls
}

// pattern is the variable for the pattern of a type that a field holds. If it is the
// field's own, the file of the struct declares it.
func (st *structure) pattern(m *member, t *schema.Type) string {
	name, own := st.patterns.of(st.name, m, t)
	if own {
		st.ownPatterns = append(st.ownPatterns, pattern{name, t.Pattern})
	}
	return name
}

func numberChecks(t *schema.Type) (calls []jen.Code) {
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
			calls = append(calls, d(bound.whole, jen.Lit(int(n))))
			continue
		}
		calls = append(calls, d(bound.exact, jen.Lit(bound.limit)))
	}
	return calls
}

// enumCheck compares with the values that are allowed; nil where all are. Those of an
// enum have constants; in place, their names begin with prefix.
func enumCheck(s *schema.Service, t *schema.Type, prefix string) jen.Code {
	switch {
	case t.Kind == schema.Enum && t.Named != nil:
		return checkAmong("EnumStrings", t.Values, func(v string) jen.Code {
			return jen.String().Parens(enumConstant(s, t.Named, v))
		})
	case t.Kind == schema.Enum:
		return checkAmong("EnumStrings", t.Values, func(v string) jen.Code { return jen.Id(prefix + schema.GoConst(v)) })
	case len(t.Enum) == 0:
		return nil
	case t.Kind == schema.Bool:
		if len(t.Enum) != 1 {
			return nil
		}
		return d("EnumBool", jen.Lit(t.Enum[0] == "true"))
	case t.Kind == schema.Int, t.Kind == schema.Float, t.Kind == schema.Decimal:
		return checkAmong("EnumNumbers", t.Enum, func(v string) jen.Code { return jen.Lit(v) })
	default:
		return checkAmong("EnumStrings", t.Enum, stringLiteral)
	}
}

// checkAmong is a call with one argument per value.
func checkAmong(method string, values []string, argument func(string) jen.Code) jen.Code {
	args := make([]jen.Code, len(values))
	for i, v := range values {
		args[i] = argument(v)
	}
	return jen.Id("d").Dot(method).Add(arguments(len(args) > 2 && long(args...), args...))
}

// stringLiteral is a JSON string as a Go string.
func stringLiteral(text string) jen.Code {
	v, err := decodeLiteral(text)
	s, ok := v.(string)
	if err != nil || !ok {
		return jen.Lit(text)
	}
	return quoted(s)
}

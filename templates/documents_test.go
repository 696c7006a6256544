package templates_test

import (
	"encoding/base64"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/esgen/esgen/schema"
	"pgregory.net/rapid"
)

// documents makes random bodies for the events of a service: valid ones, ones
// with a value at or just beyond a bound, and ones with a few members mutated.
type documents struct {
	*rand.Rand
	service  *schema.Service
	matching map[string][]string // examples of patterns
	depth    int
}

func newDocuments(s *schema.Service, seed uint64) *documents {
	return &documents{Rand: rand.New(rand.NewPCG(seed, 1)), service: s, matching: map[string][]string{}}
}

// object is a JSON object in the order of its members; raw is a JSON text.
type object []pair
type pair struct {
	name  string
	value any
}
type raw string

func (g *documents) one(n int) bool { return g.IntN(n) == 0 }

func pick[T any](g *documents, of ...T) T { return of[g.IntN(len(of))] }

// body is a body for an event, in some spelling.
func (g *documents) body(e *schema.Event) string {
	o := object{{"type", e.Name}, {g.service.Entity.Key, g.key()}}
	o = append(o, g.fields(e.Fields)...)
	o = append(o, g.envelope()...)
	for range pick(g, 0, 1, 1, 1, 2, 5) {
		o = g.mutateObject(o, e.Name)
	}
	if !g.one(3) {
		g.Shuffle(len(o), func(i, j int) { o[i], o[j] = o[j], o[i] })
	}
	var b strings.Builder
	g.write(&b, o)
	return b.String()
}

func (g *documents) key() any {
	e := g.service.Entity
	text := g.text(&schema.Type{Kind: schema.String, Constraints: schema.Constraints{
		Pattern: e.Pattern, MinLength: &e.MinLength, MaxLength: &e.MaxLength}})
	if g.one(40) {
		return pick[any](g, "", strings.Repeat("k", 256), strings.Repeat("k", 257), strings.Repeat("é", 256), nil, 1, true)
	}
	return text
}

func (g *documents) envelope() (o object) {
	if g.one(6) {
		o = append(o, pair{"eventId", pick[any](g, "e1", "~!", nil, "", "a b", strings.Repeat("x", 128), strings.Repeat("x", 129), 5, "é", "a\n", "\x7f")})
	}
	if g.one(6) {
		o = append(o, pair{"expectedVersion", pick[any](g, 0, 1, raw("1.0"), raw("-0"), -1, nil, "1", raw("1.5"), raw("9223372036854775807"), raw("9223372036854775808"), raw("1e2"))})
	}
	if g.one(6) {
		o = append(o, pair{"meta", pick[any](g, nil, object{}, object{{"correlationId", "c"}}, object{{"causationId", nil}},
			object{{"correlationId", 1}}, object{{"other", "c"}}, "meta", []any{})})
	}
	return o
}

func (g *documents) fields(fields []*schema.Field) (o object) {
	for _, f := range fields {
		if (f.Optional || f.Default != nil) && g.one(3) {
			continue
		}
		if f.Optional && g.one(4) {
			o = append(o, pair{f.Name, nil})
			continue
		}
		o = append(o, pair{f.Name, g.value(f.Type)})
	}
	return o
}

// value is a value of a type: mostly valid, sometimes around its bounds.
func (g *documents) value(t *schema.Type) any {
	if len(t.Enum) > 0 && !g.one(8) {
		return raw(pick(g, t.Enum...))
	}
	switch t.Kind {
	case schema.String:
		return g.text(t)
	case schema.Enum:
		if g.one(10) {
			return pick(g, "no such value", "", "EUR ", "1ST")
		}
		return pick(g, t.Values...)
	case schema.Int, schema.Float, schema.Decimal:
		return raw(g.number(t))
	case schema.Bool:
		return g.one(2)
	case schema.Timestamp:
		return pick(g, timestamps...)
	case schema.Date:
		return pick(g, dates...)
	case schema.UUID:
		return pick(g, uuids...)
	case schema.Bytes:
		return g.bytes(t)
	case schema.JSON:
		return g.free(2)
	}
	return g.compound(t)
}

var timestamps = []string{"2024-02-29T12:00:00Z", "2023-12-31T23:59:59.999999999+05:30", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59",
	"2024-01-01T00:00:00.5-00:00", "2023-02-29T12:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:00:60Z", "2016-12-31T23:59:60Z",
	"2024-01-01t00:00:00Z", "2024-01-01T00:00:00z", "2024-01-01T00:00:00.1234567891Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00.Z",
	"2024-01-01T00:00:00+24:00", "2024-01-01T00:00:00+05", "2024-1-01T00:00:00Z", "2024-01-01 00:00:00Z", "2024-13-01T00:00:00Z", "",
	"2024-01-01T00:00:00+00:60", "2024-01-01T00:00:00,5Z", "2024-01-01T00:00:+1Z", "+024-01-01T00:00:00Z", "2024-04-31T00:00:00Z"}

var dates = []string{"2024-02-29", "0000-01-01", "9999-12-31", "2023-02-29", "2024-2-09", "2024-02-30", "2024-00-01", "", "2024-02-29T00:00:00Z", "24-02-29", " 2024-02-29"}

var uuids = []string{"0190163d-8694-739b-aea5-966c26f8ad91", "0190163D-8694-739B-AEA5-966C26F8AD91", "00000000-0000-0000-0000-000000000000",
	"0190163d8694739baea5966c26f8ad91", "{0190163d-8694-739b-aea5-966c26f8ad91}", "0190163d-8694-739b-aea5-966c26f8ad9", "0190163g-8694-739b-aea5-966c26f8ad91", "urn:uuid:0190163d-8694-739b-aea5-966c26f8ad91", ""}

func (g *documents) compound(t *schema.Type) any {
	g.depth++
	defer func() { g.depth-- }()
	if t.Kind == schema.Object {
		if g.depth > 6 { // a type that leads back to itself
			return object{}
		}
		return g.fields(t.Fields)
	}
	least, most := t.MinItems, t.MaxItems
	if t.Kind == schema.Map {
		least, most = t.MinProperties, t.MaxProperties
	}
	n := g.length(least, most, 3)
	if g.depth > 4 {
		n = min(n, 1)
	}
	if t.Kind == schema.List {
		list := make([]any, n)
		for i := range list {
			if list[i] = g.value(t.Elem); i > 0 && g.one(5) {
				list[i] = list[i-1]
			}
		}
		return list
	}
	m := object{}
	for i := range n {
		m = append(m, pair{pick(g, "", "a", "b/c", "d~e", "é", "type", "long name") + strconv.Itoa(i), g.value(t.Elem)})
	}
	return m
}

// length is a number between two bounds, at them, or one beyond.
func (g *documents) length(least, most *int, usual int) int {
	lo, hi := 0, usual
	if least != nil {
		lo = *least
		hi = max(hi, lo)
	}
	if most != nil {
		hi = min(hi, *most)
		if g.one(4) {
			hi = min(*most, 300)
		}
	}
	switch {
	case g.one(12) && lo > 0:
		return lo - 1
	case g.one(12) && most != nil && *most < 300:
		return *most + 1
	}
	return lo + g.IntN(max(hi-lo, 0)+1)
}

func (g *documents) text(t *schema.Type) any {
	if t.Format != "" {
		return pick(g, formats[t.Format]...)
	}
	if t.Pattern != "" && !g.one(6) {
		return pick(g, g.examples(t.Pattern)...)
	}
	n := g.length(t.MinLength, t.MaxLength, 8)
	var b strings.Builder
	for range n {
		b.WriteRune(pick(g, 'a', 'b', 'Z', '0', '-', ' ', 'é', '日', '😀', '"', '\\', '/', '\n', 0, 0x7f, 0x2028, 0xFFFD))
	}
	return b.String()
}

var formats = map[string][]string{
	"email": {"a@b.example", "a.b+c@d-e.example", "\"a b\"@c.d", "a@[127.0.0.1]", "a@[IPv6:::1]", "a", "@b", "a@", "a@b@c", "a@-b.c", "A <a@b.c>",
		strings.Repeat("a", 65) + "@b.c", strings.Repeat("a", 64) + "@b.c", "a@b..c", "a@b.c.", "", "é@b.c", "a b@c.d", "a@" + strings.Repeat("b.", 130) + "c"},
	"uri": {"https://a.b/c?d#e", "urn:x:y", "mailto:a@b", "http://[::1]:80/", "http://::1/", "a", "/a/b", "//a/b", "http://a b/", "http://a/%zz", "", ":x", "1:a",
		"http://[fe80::1%25en0]/", "x:\n", "http://é/", "HTTP://A", "http://a:port/"},
	"hostname": {"a", "a.b", "A-1.b2", "a.", ".", "", "-a", "a-", "a..b", "a_b", strings.Repeat("a", 63), strings.Repeat("a", 64), "é", "a.-b", strings.Repeat("a.", 126) + "a", strings.Repeat("a.", 127) + "a", "1.2.3.4"},
	"ipv4":     {"1.2.3.4", "255.255.255.255", "256.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.+4", "1.2.3.-0", "", "0.0.0.0", "00.0.0.0", "1.2.3.4 ", "a.b.c.d", "1..2.3"},
	"ipv6":     {"::1", "::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "::ffff:1.2.3.4", "fe80::1%en0", "1.2.3.4", "g::1", ":::", "", "1::2::3", "12345::", "::1 "},
}

// examples are texts that match a pattern, and a few that may not.
func (g *documents) examples(pattern string) []string {
	if g.matching[pattern] == nil {
		gen := rapid.StringMatching(pattern)
		for seed := range 12 {
			g.matching[pattern] = append(g.matching[pattern], gen.Example(seed))
		}
	}
	return g.matching[pattern]
}

func (g *documents) bytes(t *schema.Type) string {
	if g.one(6) {
		return pick(g, "", "=", "A===", "AA==", "AB==", "AAA=", "AAB=", "AAAA", "AAA", "AA", "A-_A", "AA==AA==", "AAAA\n", " AAAA", "AAAA=", "é===")
	}
	return base64.StdEncoding.EncodeToString(make([]byte, g.length(t.MinLength, t.MaxLength, 7)))
}

// number is a number as JSON text: near a bound of the type, or one that is
// hard for a parser.
func (g *documents) number(t *schema.Type) string {
	bounds := []string{}
	for _, b := range []string{t.Minimum, t.Maximum, t.ExclusiveMinimum, t.ExclusiveMaximum, t.MultipleOf} {
		if b != "" {
			bounds = append(bounds, b)
		}
	}
	if t.Kind == schema.Int && g.one(5) {
		bounds = append(bounds, "9223372036854775807", "-9223372036854775808", "9007199254740993")
	}
	var n string
	switch {
	case g.one(12):
		return pick(g, hardNumbers...)
	case len(bounds) > 0 && !g.one(4):
		n = g.near(pick(g, bounds...), t)
	case t.MultipleOf != "" && !g.one(4):
		n = product(t.MultipleOf, int64(g.IntN(9)-2))
	case t.Kind == schema.Int:
		n = strconv.Itoa(g.IntN(200) - 20)
	default:
		n = strconv.FormatFloat(float64(g.IntN(4000)-500)/float64(pick(g, 1, 10, 100, 8)), 'f', -1, 64)
	}
	if g.one(6) {
		return g.respelled(n)
	}
	return n
}

var hardNumbers = []string{"0", "-0", "-0.0", "0e400", "1e400", "-1e400", "1e-400", "1e308", "1.7976931348623157e308", "1.7976931348623159e308",
	"179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845811711531764475730270069855571366959622842914719860834936475292719074168444365510704342711559699508093042880177904174497791",
	"179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845811711531764475730270069855571366959622842914719860834936475292719074168444365510704342711559699508093042880177904174497792",
	"9223372036854775807.0", "9223372036854775808", "-9223372036854775809", "1e18", "1e19", "92233720368547758070e-1", "5e-324", "2e-324", "0.1", "0.30000000000000004",
	"12345678901234567890123456789012345678", "123456789012345678901234567890123456789", "0.12345678901234567890123456789012345678", "1.10", "100e-2", "1E+2", "0.000000000000000000000000000000000000001"}

// near is a bound, or a number just beside it.
func (g *documents) near(bound string, t *schema.Type) string {
	x, _ := new(big.Rat).SetString(bound)
	step := big.NewRat(1, 1)
	if t.Kind != schema.Int {
		step = pick(g, big.NewRat(1, 100), big.NewRat(1, 4), big.NewRat(1, 1000000))
	}
	switch g.IntN(3) {
	case 0:
		x.Add(x, step)
	case 1:
		x.Sub(x, step)
	}
	return decimalText(x)
}

func product(step string, n int64) string {
	x, _ := new(big.Rat).SetString(step)
	return decimalText(x.Mul(x, big.NewRat(n, 1)))
}

func decimalText(x *big.Rat) string {
	digits, _ := x.FloatPrec()
	return x.FloatString(digits)
}

// respelled is the same number written differently.
func (g *documents) respelled(n string) string {
	switch {
	case strings.ContainsAny(n, "eE"):
		return n
	case strings.Contains(n, "."):
		return pick(g, n+"0", n+"e0", n+"E+00")
	case strings.TrimPrefix(n, "-") == "0":
		return pick(g, n+".0", n+"e0", n+"e5")
	}
	return pick(g, n+".0", n+"e0", n+"0e-1", n+".000E+0")
}

// free is any JSON value.
func (g *documents) free(depth int) any {
	switch n := g.IntN(8); {
	case n == 0 && depth > 0:
		return []any{g.free(depth - 1), g.free(depth - 1)}
	case n == 1 && depth > 0:
		return object{{"a", g.free(depth - 1)}, {"é/~", g.free(depth - 1)}}
	}
	return pick[any](g, nil, true, false, "", "x", raw("1"), raw("1.0"), raw("1e2"), []any{}, object{}, raw("-0.5e-3"))
}

// mutateObject changes one thing somewhere in an object. The event's type stays.
func (g *documents) mutateObject(o object, eventName string) object {
	if len(o) == 0 || g.one(8) {
		return append(o, pair{pick(g, "extra", "", "a/b", "a~b", "_x", "Type", "version", "time"), g.free(1)})
	}
	o = slices.Clone(o)
	i := g.IntN(len(o))
	if o[i].name == "type" && o[i].value == eventName {
		return o
	}
	if g.one(6) {
		return slices.Delete(o, i, i+1)
	}
	o[i].value = g.mutated(o[i].value)
	return o
}

func (g *documents) mutated(v any) any {
	if g.one(3) {
		return pick[any](g, nil, true, "x", "", raw("0"), raw("1.5"), raw("-1e2"), []any{}, []any{nil}, object{}, object{{"x", nil}})
	}
	switch v := v.(type) {
	case object:
		return g.mutateObject(v, "")
	case []any:
		if len(v) == 0 {
			return []any{g.free(0)}
		}
		v = slices.Clone(v)
		i := g.IntN(len(v))
		if g.one(4) {
			return append(v, v[i])
		}
		v[i] = g.mutated(v[i])
		return v
	case string:
		return pick(g, v+"x", v+v, strings.ToUpper(v), " "+v, strings.TrimRight(v, "="))
	case raw:
		if v[0] == '-' || v[0] >= '0' && v[0] <= '9' {
			return pick[any](g, string(v), raw(g.respelled(string(v))), "-"+raw(strings.TrimPrefix(string(v), "-")))
		}
	}
	return pick[any](g, v, "true", nil)
}

// write spells a value, sometimes with white space and escapes.
func (g *documents) write(b *strings.Builder, v any) {
	if g.one(15) {
		b.WriteString(pick(g, " ", "\n", "\t", "\r\n"))
	}
	switch v := v.(type) {
	case object:
		b.WriteByte('{')
		for i, p := range distinct(v) {
			if i > 0 {
				b.WriteByte(',')
			}
			g.quote(b, p.name)
			b.WriteByte(':')
			g.write(b, p.value)
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			g.write(b, e)
		}
		b.WriteByte(']')
	case string:
		g.quote(b, v)
	case nil:
		b.WriteString("null")
	default: // raw, bool, int
		fmt.Fprint(b, v)
	}
}

// distinct drops repeated members: about those the validator has no say.
func distinct(o object) object {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(o), func(p pair) bool {
		was := seen[p.name]
		seen[p.name] = true
		return was
	})
}

func (g *documents) quote(b *strings.Builder, s string) {
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r < ' ' || r < 0x10000 && g.one(25):
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}

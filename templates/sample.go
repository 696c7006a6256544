package templates

import (
	"encoding/json"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/esgen/esgen/schema"
)

// sampleEvent makes up the required fields of an event, as decoded JSON by name.
// Values are plausible and mostly valid; patterns may be too hard.
func sampleEvent(e *schema.Event) map[string]any { return sampleObject(e.Fields, 0) }

func sampleObject(fields []*schema.Field, depth int) map[string]any {
	object := map[string]any{}
	for _, f := range fields {
		if !f.Optional {
			object[f.Name] = sampleField(f, depth)
		}
	}
	return object
}

// sampleDepth is how deep lists are filled: their elements may hold such lists again.
const sampleDepth = 3

func sampleField(f *schema.Field, depth int) any {
	texts := f.Examples
	if f.Default != nil && f.Default.Literal != "" {
		texts = append([]string{f.Default.Literal}, texts...)
	}
	for _, text := range texts {
		if value, err := decodeLiteral(text); err == nil {
			return value
		}
	}
	return sampleValue(f.Name, f.Type, depth)
}

// sampleValue makes up a value; name is what it is called.
func sampleValue(name string, t *schema.Type, depth int) any {
	if len(t.Enum) > 0 {
		if value, err := decodeLiteral(t.Enum[0]); err == nil {
			return value
		}
	}
	switch t.Kind {
	case schema.Enum:
		return t.Values[0]
	case schema.Int, schema.Float, schema.Decimal:
		return sampleNumber(t)
	case schema.Bool:
		return true
	case schema.Timestamp:
		return "2026-01-02T09:00:00Z"
	case schema.Date:
		return "2026-01-02"
	case schema.UUID:
		return "01890a5d-ac96-774b-bcce-b302099a8057"
	case schema.Bytes:
		return "ZXNnZW4="
	case schema.JSON:
		return map[string]any{"example": json.Number("1")}
	case schema.Object:
		return sampleObject(t.Named.Type.Fields, depth+1)
	case schema.List:
		if depth >= sampleDepth {
			return []any{}
		}
		return []any{sampleValue(strings.TrimSuffix(name, "s"), t.Elem, depth+1)}
	case schema.Map:
		if depth >= sampleDepth {
			return map[string]any{}
		}
		return map[string]any{"a": sampleValue(name, t.Elem, depth+1)}
	}
	return sampleText(name, t)
}

// sampleNumber is 1, or what the bounds make of it.
func sampleNumber(t *schema.Type) json.Number {
	one := big.NewRat(1, 1)
	for _, text := range []string{t.MultipleOf, t.Minimum} {
		if n, ok := new(big.Rat).SetString(text); ok && n.Cmp(one) > 0 {
			return json.Number(text)
		}
	}
	if n, ok := new(big.Rat).SetString(t.ExclusiveMinimum); ok && n.Cmp(one) >= 0 && n.IsInt() {
		return json.Number(new(big.Int).Add(n.Num(), big.NewInt(1)).String())
	}
	if n, ok := new(big.Rat).SetString(t.Maximum); ok && n.Cmp(one) < 0 {
		return json.Number(t.Maximum)
	}
	return "1"
}

var sampleFormats = map[string]string{
	"email": "ann@example.com", "uri": "https://example.com/", "hostname": "www.example.com",
	"ipv4": "192.0.2.1", "ipv6": "2001:db8::1",
}

// sampleText says what the field is called: "customer-1" for "customerId".
func sampleText(name string, t *schema.Type) string {
	if text := sampleFormats[t.Format]; text != "" {
		return text
	}
	text := strings.ReplaceAll(schema.GoFile(name), "_", " ")
	if id, ok := strings.CutSuffix(text, " id"); ok {
		text = strings.ReplaceAll(id, " ", "-") + "-1"
	}
	lowest, highest := 0, 1<<20
	if t.MinLength != nil {
		lowest = *t.MinLength
	}
	if t.MaxLength != nil {
		highest = *t.MaxLength
	}
	return fitting(text, t.Pattern, lowest, highest)
}

// fitting is the text itself if it has the length and matches the pattern, else
// one of a few others that do, else the text cut or filled to the length.
func fitting(text, pattern string, lowest, highest int) string {
	re, err := regexp.Compile(pattern)
	candidates := []string{text, strings.ToUpper(text), "A-1", "abc", "ABC", "ABC-123", "a1", "A1", "1", "12", "123", "1234",
		"12345", "123456", "2026", "+15550100", "#336699", "01890a5d-ac96-774b-bcce-b302099a8057"}
	for _, c := range candidates {
		if n := utf8.RuneCountInString(c); err == nil && n >= lowest && n <= highest && re.MatchString(c) {
			return c
		}
	}
	if n := len(text); n < lowest && lowest <= 1000 {
		return text + strings.Repeat("x", lowest-n)
	}
	return text[:min(len(text), highest)]
}

// sampleID makes up the id of an entity.
func sampleID(s *schema.Service) string {
	return fitting(s.Entity.Name+"-1", s.Entity.Pattern, s.Entity.MinLength, s.Entity.MaxLength)
}

// sampleBody is an event as it is posted.
func sampleBody(s *schema.Service, e *schema.Event) string {
	parts := []string{`"type":` + strconv.Quote(e.Name), strconv.Quote(s.Entity.Key) + ":" + jsonText(sampleID(s))}
	for _, f := range e.Fields {
		if !f.Optional && f.Default == nil {
			parts = append(parts, strconv.Quote(f.Name)+":"+jsonText(sampleField(f, 0)))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

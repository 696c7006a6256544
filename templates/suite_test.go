package templates_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/esgen/esgen/schema"
)

// suiteCase is a group of the public JSON Schema Test Suite: a schema, and
// documents that are valid by it or not.
type suiteCase struct {
	Description string
	Schema      json.RawMessage
	Tests       []struct {
		Description string
		Data        json.RawMessage
		Valid       bool
	}
}

// suiteKeywords are what a schema of the suite is read into. A schema with any
// other keyword has no counterpart in the language.
type suiteKeywords struct {
	Dialect              string `json:"$schema"`
	Type                 string
	Minimum, Maximum     json.Number
	ExclusiveMinimum     json.Number
	ExclusiveMaximum     json.Number
	MultipleOf           json.Number
	MinLength, MaxLength json.Number
	Pattern, Format      string
	MinItems, MaxItems   json.Number
	UniqueItems          bool
	MinProperties        json.Number
	MaxProperties        json.Number
	Enum                 []json.RawMessage
	Items                *suiteKeywords
	Properties           map[string]*suiteKeywords
	Required             []string
	AdditionalProperties *bool
}

// differences are cases, by the beginning of their names, that we answer otherwise.
var differences = map[string]string{
	"format-date-time/validation of date-time strings/a valid date-time with a leap second": "seconds end at 59",
	"format-date-time/validation of date-time strings/case-insensitive T and Z":             "timestamps are upper case",
	"format-date-time/validation of date-time strings/a second fraction of fifteen nines":   "at most nine digits of a second",
	"format-hostname/validation of host names/trailing dot":                                 followed,
	"format-hostname/validation of A-label (punycode) host names/":                          followed,
	"format-ipv4/validation of IP addresses/plus sign is invalid":                           followed,
	"format-uri/validation of URIs/":                                                        followed,
}

// followed is why formats differ: generated decoders agree with the validator that
// the differential test names, which is older than the suite.
const followed = "the validator that we follow says so"

// difference finds the entry of differences for a case, "" when there is none.
func difference(name string) string {
	for prefix := range differences {
		if strings.HasPrefix(name, prefix) {
			return prefix
		}
	}
	return ""
}

// TestSuite runs the cases of the public JSON Schema Test Suite for the language's
// keywords through generated decoders: each schema that the language can say becomes a
// field of an event, once per type that fits; documents of other types do not apply.
func TestSuite(t *testing.T) {
	service, documents, want := readSuite(t)
	met := map[string]bool{}
	for i, got := range judged(t, documents) {
		valid := len(got.Violations) == 0
		known := difference(want[i].name)
		switch {
		case got.Trouble != "" && want[i].kind != schema.Float: // a float is stored rounded
			t.Errorf("%s: %s", want[i].name, got.Trouble)
		case valid == want[i].valid, narrower(got):
		case known != "":
			met[known] = true
		default:
			t.Errorf("%s: valid is %v, want %v: %s %v", want[i].name, valid, want[i].valid, documents[i].Body, got.Violations)
		}
	}
	for name := range differences {
		if !met[name] {
			t.Errorf("%s no longer differs: take it out of the list", name)
		}
	}
	t.Logf("%d cases on %d fields, %d known differences", len(documents), len(service.Events), len(differences))
	if len(documents) < 400 {
		t.Errorf("only %d cases apply: the reading of the suite is broken", len(documents))
	}
}

type suiteWant struct {
	name  string
	kind  schema.Kind
	valid bool
}

// narrower reports whether a document is refused only because our numbers end somewhere.
func narrower(v verdict) bool {
	return len(v.Violations) == 1 && v.Violations[0].Code == "range"
}

// readSuite makes one event of each schema of the suite that the language can
// say, and a body of each document that applies.
func readSuite(t testing.TB) (*schema.Service, []document, []suiteWant) {
	t.Helper()
	service := &schema.Service{Name: "suite", Module: "example.com/cases/suite",
		Entity: schema.Entity{Name: "thing", Key: "thingId", MinLength: 1, MaxLength: 256}}
	var documents []document
	var want []suiteWant
	files, err := filepath.Glob("testdata/json-schema-test-suite/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no suite", err)
	}
	for _, file := range files {
		for _, group := range readGroups(t, file) {
			for _, typ := range suiteTypes(service, group.Schema) {
				name := fmt.Sprintf("Case%d", len(service.Events))
				field := &schema.Field{Name: "value", Type: typ}
				service.Events = append(service.Events, &schema.Event{Name: name, Revision: 1, Fields: []*schema.Field{field}})
				for _, test := range group.Tests {
					if !applies(typ, test.Data) || fractional(group, typ, test.Data) {
						continue
					}
					body := fmt.Sprintf(`{"type":%q,"thingId":"t","value":%s}`, name, test.Data)
					documents = append(documents, document{Case: "suite", Type: name, Body: body})
					base := strings.TrimSuffix(filepath.Base(file), ".json")
					want = append(want, suiteWant{base + "/" + group.Description + "/" + test.Description, typ.Kind, test.Valid})
				}
			}
		}
	}
	return service, documents, want
}

// fractional reports whether a number is no document for an int that stands in
// for a schema of numbers.
func fractional(group suiteCase, t *schema.Type, data json.RawMessage) bool {
	if t.Kind != schema.Int || bytes.Contains(group.Schema, []byte(`"integer"`)) {
		return false
	}
	n, ok := new(big.Rat).SetString(string(data))
	return ok && !n.IsInt()
}

func readGroups(t testing.TB, file string) []suiteCase {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var groups []suiteCase
	if err := json.Unmarshal(text, &groups); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return groups
}

// suiteTypes lists the types of the language that say what a schema says.
func suiteTypes(s *schema.Service, text json.RawMessage) []*schema.Type {
	var k suiteKeywords
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if dec.Decode(&k) != nil || k.Enum != nil && len(k.Enum) == 0 {
		return nil
	}
	var types []*schema.Type
	for _, kind := range k.kinds() {
		if typ := k.typeOf(s, kind); typ != nil {
			types = append(types, typ)
		}
	}
	return types
}

// kinds lists the kinds that the keywords constrain.
func (k *suiteKeywords) kinds() []schema.Kind {
	switch {
	case k.Type == "integer":
		return []schema.Kind{schema.Int}
	case k.Type == "number", k.Minimum+k.Maximum+k.ExclusiveMinimum+k.ExclusiveMaximum+k.MultipleOf != "":
		return []schema.Kind{schema.Float, schema.Decimal, schema.Int}
	case k.Type == "boolean":
		return []schema.Kind{schema.Bool}
	case k.Format == "date":
		return []schema.Kind{schema.Date}
	case k.Format == "date-time":
		return []schema.Kind{schema.Timestamp}
	case k.Format == "uuid":
		return []schema.Kind{schema.UUID}
	case k.Type == "string", k.MinLength+k.MaxLength != "", k.Pattern+k.Format != "":
		return []schema.Kind{schema.String}
	case k.Properties != nil && k.AdditionalProperties != nil && !*k.AdditionalProperties:
		return []schema.Kind{schema.Object}
	case k.Properties != nil || k.Required != nil || k.AdditionalProperties != nil:
		return nil // open objects
	case k.Type == "array", k.MinItems+k.MaxItems != "", k.UniqueItems, k.Items != nil:
		return []schema.Kind{schema.List}
	case k.Type == "object", k.MinProperties+k.MaxProperties != "":
		return []schema.Kind{schema.Map}
	case k.Enum != nil:
		return []schema.Kind{schema.Enum, schema.Decimal, schema.Bool}
	}
	return nil
}

// typeOf is the type of one kind, nil when the language has none like it.
func (k *suiteKeywords) typeOf(s *schema.Service, kind schema.Kind) *schema.Type {
	t := &schema.Type{Kind: kind}
	c := &t.Constraints
	c.Minimum, c.Maximum = string(k.Minimum), string(k.Maximum)
	c.ExclusiveMinimum, c.ExclusiveMaximum = string(k.ExclusiveMinimum), string(k.ExclusiveMaximum)
	c.MultipleOf, c.Pattern = string(k.MultipleOf), k.Pattern
	c.MinLength, c.MaxLength = whole(k.MinLength), whole(k.MaxLength)
	c.MinItems, c.MaxItems, c.UniqueItems = whole(k.MinItems), whole(k.MaxItems), k.UniqueItems
	c.MinProperties, c.MaxProperties = whole(k.MinProperties), whole(k.MaxProperties)
	if kind == schema.String {
		c.Format = k.Format
	}
	if _, err := regexp.Compile(k.Pattern); err != nil {
		return nil
	}
	if !k.enumInto(t) {
		return nil
	}
	switch kind {
	case schema.List, schema.Map:
		t.Elem = &schema.Type{Kind: schema.JSON}
		if k.Items != nil {
			kinds := k.Items.kinds()
			if len(kinds) == 0 {
				return nil
			}
			t.Elem = k.Items.typeOf(s, kinds[0])
			if t.Elem == nil {
				return nil
			}
		}
	case schema.Object:
		return k.objectType(s)
	}
	return t
}

// enumInto takes over the values, and reports whether all are of the type's kind.
func (k *suiteKeywords) enumInto(t *schema.Type) bool {
	if t.Kind == schema.Enum && len(k.Enum) == 0 {
		return false
	}
	for _, v := range k.Enum {
		if !applies(t, v) {
			return false
		}
		if t.Kind != schema.Enum {
			t.Enum = append(t.Enum, string(v))
			continue
		}
		var text string
		if json.Unmarshal(v, &text) != nil {
			return false
		}
		t.Values = append(t.Values, text)
	}
	consts := map[string]bool{}
	for _, v := range t.Values {
		consts[schema.GoConst(v)] = true
	}
	return len(consts) == len(t.Values) // else the language refuses it
}

// objectType is a shared type with the properties that are named.
func (k *suiteKeywords) objectType(s *schema.Service) *schema.Type {
	t := &schema.Type{Kind: schema.Object}
	var names []string
	for name := range k.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		typ := &schema.Type{Kind: schema.JSON}
		if kinds := k.Properties[name].kinds(); len(kinds) > 0 {
			typ = k.Properties[name].typeOf(s, kinds[0])
		}
		if typ == nil || !regexp.MustCompile(`^[a-z][A-Za-z0-9]*$`).MatchString(name) {
			return nil
		}
		t.Fields = append(t.Fields, &schema.Field{Name: name, Type: typ, Optional: !slices.Contains(k.Required, name)})
	}
	t.Named = &schema.NamedType{Name: fmt.Sprintf("Object%d", len(s.Types)), Type: t}
	s.Types = append(s.Types, t.Named)
	use := *t
	return &use
}

func whole(n json.Number) *int {
	if n == "" {
		return nil
	}
	f, err := n.Float64()
	if err != nil || f != float64(int(f)) {
		return nil
	}
	i := int(f)
	return &i
}

// applies reports whether a document is of the JSON type of a type: keywords say
// nothing of others, and our types refuse them.
func applies(t *schema.Type, data json.RawMessage) bool {
	switch c := bytes.TrimSpace(data)[0]; t.Kind {
	case schema.Int, schema.Float, schema.Decimal:
		return c == '-' || c >= '0' && c <= '9'
	case schema.Bool:
		return c == 't' || c == 'f'
	case schema.List:
		return c == '['
	case schema.Map:
		return c == '{'
	case schema.Object:
		return c == '{' && !bytes.Contains(data, []byte("null"))
	default:
		return c == '"'
	}
}

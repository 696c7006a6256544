package schema_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/esgen/esgen/schema"
)

// exported reads the schema that a field is exported as.
func exported(t *testing.T, f *schema.Field) map[string]any {
	t.Helper()
	s := &schema.Service{Entity: schema.Entity{Key: "id", MinLength: 1, MaxLength: 256}}
	var doc struct {
		Properties map[string]map[string]any
		Required   []string
	}
	dec := json.NewDecoder(strings.NewReader(string(s.EventSchema(&schema.Event{Name: "E", Fields: []*schema.Field{f}}))))
	dec.UseNumber()
	if err := dec.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	return doc.Properties[f.Name]
}

// TestNarrowTypesSaySo checks that the exported schema says where a type of ours
// takes less than its JSON type does.
func TestNarrowTypesSaySo(t *testing.T) {
	two := 2
	for name, c := range map[string]struct {
		typ     schema.Type
		keyword string
		want    string // "" for absent
	}{
		"int has a least value":       {schema.Type{Kind: schema.Int}, "minimum", "-9223372036854775808"},
		"int has a greatest value":    {schema.Type{Kind: schema.Int}, "maximum", "9223372036854775807"},
		"a tighter bound stays":       {schema.Type{Kind: schema.Int, Constraints: schema.Constraints{Minimum: "5"}}, "minimum", "5"},
		"a looser bound does not":     {schema.Type{Kind: schema.Int, Constraints: schema.Constraints{Maximum: "1e30"}}, "maximum", "9223372036854775807"},
		"decimal has no bound":        {schema.Type{Kind: schema.Decimal}, "maximum", ""},
		"bytes count in base64":       {schema.Type{Kind: schema.Bytes, Constraints: schema.Constraints{MaxLength: &two}}, "maxLength", "4"},
		"RE2 only is said":            {schema.Type{Kind: schema.String, Constraints: schema.Constraints{Pattern: "(?i)a"}}, "$comment", "The pattern is RE2 and uses what ECMA-262 regular expressions do not have."},
		"common patterns need no say": {schema.Type{Kind: schema.String, Constraints: schema.Constraints{Pattern: "^(?:a|b)$"}}, "$comment", ""},
		"json is anything":            {schema.Type{Kind: schema.JSON}, "type", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			switch v := exported(t, &schema.Field{Name: "f", Type: &c.typ})[c.keyword].(type) {
			case string:
				got = v
			case json.Number:
				got = v.String()
			}
			if got != c.want {
				t.Errorf("%s is %q, want %q", c.keyword, got, c.want)
			}
		})
	}
}

// TestExamplesAreExported: those of a shared type stand where the type does.
func TestExamplesAreExported(t *testing.T) {
	service, found := schema.Load("esgen.yaml", []byte(with(
		"types:\n  Sku: {type: string, examples: [A-1]}\n  Mood: {enum: [glad, sad], examples: [glad]}\n  Item: {fields: {sku: Sku}, examples: [{sku: B-2}]}",
		events("a: Sku", "b: Mood", "c: Item", "d: {type: Sku, examples: [C-3]}"))))
	if service == nil {
		t.Fatal(found)
	}
	var doc struct {
		Properties map[string]struct{ Examples []any }
		Defs       map[string]struct{ Examples []any } `json:"$defs"`
	}
	if err := json.Unmarshal(service.EventSchema(service.Events[0]), &doc); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(doc.Properties["a"].Examples, doc.Properties["d"].Examples, doc.Defs["Mood"].Examples, doc.Defs["Item"].Examples)
	if want := "[A-1] [C-3] [glad] [map[sku:B-2]]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var item struct{ Examples []any }
	if err := json.Unmarshal(service.TypeSchema(service.Types[2]), &item); err != nil || fmt.Sprint(item.Examples) != "[map[sku:B-2]]" {
		t.Errorf("the type's own schema has %v (%v)", item.Examples, err)
	}
}

package templates_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/esgen/esgen/schema"
	"github.com/santhosh-tekuri/jsonschema/v5"
)

var (
	seed    = flag.Uint64("differential.seed", 1, "first seed of the random documents")
	perType = flag.Int("differential.documents", 1200, "random documents for each event")
)

// TestDifferential feeds random documents for every event of every good schema
// to the generated decoders and to a JSON Schema validator that knows only the
// exported schema. Both must accept the same and blame the same members.
//
// Two differences are meant: the digits of a decimal (code "range") are ours
// alone, and "required" and "unknown-field" point at the member where the
// validator names its parent.
func TestDifferential(t *testing.T) {
	services := loadCases(t)
	var documents []document
	validators := map[string]*jsonschema.Schema{}
	types := map[string]*schema.Event{}
	for i, s := range services {
		g := newDocuments(s, *seed+uint64(i))
		for _, e := range s.Events {
			name := folder(s) + "." + e.Name
			validators[name], types[name] = compileSchema(t, s.EventSchema(e)), e
			for range *perType {
				documents = append(documents, document{Case: folder(s), Type: e.Name, Body: g.body(e)})
			}
		}
	}
	tally := map[bool]int{}
	disagreements := 0
	for i, got := range judged(t, documents) {
		d := documents[i]
		want := failures(t, validators[d.Case+"."+d.Type], d.Body)
		tally[len(want) == 0]++
		if complaint := disagreement(types[d.Case+"."+d.Type], got, want); complaint != "" {
			t.Errorf("%s.%s: %s\n\tbody: %s", d.Case, d.Type, complaint, d.Body)
			if disagreements++; disagreements == 20 {
				t.Fatal("and perhaps more")
			}
		}
	}
	t.Logf("%d documents: %d valid, %d invalid", len(documents), tally[true], tally[false])
	if tally[true] < len(documents)/20 || tally[false] < len(documents)/20 {
		t.Error("the documents are too one-sided to say much")
	}
}

// disagreement compares the pointers that failed, "" when they are the same.
func disagreement(e *schema.Event, got verdict, want []string) string {
	if got.Trouble != "" {
		return got.Trouble
	}
	ours := map[string]bool{}
	digits := map[string]bool{} // decimals that only we refuse, whatever else is wrong with them
	for _, v := range got.Violations {
		pointer := v.Pointer
		if v.Code == "required" || v.Code == "unknown-field" {
			pointer = pointer[:strings.LastIndexByte(pointer, '/')]
		}
		for strings.Contains(pointer, "//") { // the validator skips members without a name
			pointer = strings.ReplaceAll(pointer, "//", "/")
		}
		pointer = strings.TrimSuffix(pointer, "/")
		ours[pointer] = true
		digits[pointer] = digits[pointer] || v.Code == "range" && isDecimal(e, v.Pointer)
	}
	for _, pointer := range want {
		if !ours[pointer] {
			return fmt.Sprintf("the validator also refuses %q; ours: %v", pointer, got.Violations)
		}
		delete(ours, pointer)
	}
	for pointer := range ours {
		if !digits[pointer] {
			return fmt.Sprintf("the validator does not refuse %q, only %q; ours: %v", pointer, want, got.Violations)
		}
	}
	return ""
}

// isDecimal reports whether a pointer leads to a decimal of the event.
func isDecimal(e *schema.Event, pointer string) bool {
	t := &schema.Type{Kind: schema.Object, Fields: e.Fields}
	for _, name := range strings.Split(pointer, "/")[1:] {
		if t.Elem != nil {
			t = t.Elem
			continue
		}
		i := slices.IndexFunc(t.Fields, func(f *schema.Field) bool { return f.Name == name })
		if i < 0 {
			return false
		}
		t = t.Fields[i].Type
	}
	return t.Kind == schema.Decimal
}

func compileSchema(t testing.TB, text []byte) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat = true
	if err := c.AddResource("event.json", bytes.NewReader(text)); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	compiled, err := c.Compile("event.json") // also against the dialect's own schema
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return compiled
}

// failures lists the pointers that a validator refuses, sorted, each once.
func failures(t testing.TB, s *jsonschema.Schema, body string) []string {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("the test made what is no JSON: %v\n%s", err, body)
	}
	err := s.Validate(v)
	if err == nil {
		return nil
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		t.Fatal(err)
	}
	pointers := leaves(invalid, nil)
	slices.Sort(pointers)
	return slices.Compact(pointers)
}

func leaves(e *jsonschema.ValidationError, pointers []string) []string {
	if len(e.Causes) == 0 {
		pointer, err := url.PathUnescape(e.InstanceLocation)
		if err != nil {
			pointer = e.InstanceLocation
		}
		return append(pointers, pointer)
	}
	for _, cause := range e.Causes {
		pointers = leaves(cause, pointers)
	}
	return pointers
}

// TestExportedSchemasAreValid checks the schemas of events and types against
// the dialect they are written in.
func TestExportedSchemasAreValid(t *testing.T) {
	for _, s := range loadCases(t) {
		for _, e := range s.Events {
			compileSchema(t, s.EventSchema(e))
		}
		for _, named := range s.Types {
			compileSchema(t, s.TypeSchema(named))
		}
	}
}

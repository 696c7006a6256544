package schema_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/esgen/esgen/schema"
)

var update = flag.Bool("update", false, "write the .txt files of testdata/schemas/bad and REFERENCE.md anew")

// generated are rules whose file would be too long to read; TestTooMany has theirs.
var generated = []string{"too-many"}

// Each rule has a file that breaks it, and beside it all that is said of that file.
func TestEveryRuleHasAFile(t *testing.T) {
	for _, rule := range schema.Rules() {
		if slices.Contains(generated, rule.Code) {
			continue
		}
		t.Run(rule.Code, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(schemas, "bad", rule.Code+".yaml"))
			if err != nil {
				t.Fatalf("the rule has no file that breaks it: %v", err)
			}
			service, found := schema.Load("esgen.yaml", text)
			if (service == nil) != found.HasErrors() {
				t.Errorf("service given: %t, errors found: %t", service != nil, found.HasErrors())
			}
			if !slices.ContainsFunc(found, func(d schema.Diagnostic) bool { return d.Code == rule.Code && d.Severity == rule.Severity }) {
				t.Errorf("the file does not break the rule:\n%s", found)
			}
			golden := filepath.Join(schemas, "bad", rule.Code+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(found.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if found.String() != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s\n(go test ./schema -run TestEveryRuleHasAFile -update writes what is said now)", found, want)
			}
		})
	}
}

func TestEveryBadFileIsOfARule(t *testing.T) {
	files, _ := filepath.Glob(schemas + "/bad/*")
	for _, file := range files {
		code := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		if _, ok := schema.Explain(code); !ok {
			t.Errorf("%s belongs to no rule", file)
		}
	}
}

func TestTooMany(t *testing.T) {
	var b strings.Builder
	b.WriteString("esgen: 1\nservice: notes\n")
	for i := range 3000 {
		fmt.Fprintf(&b, "wrong%d: 1\n", i)
	}
	_, found := schema.Load("esgen.yaml", []byte(b.String()))
	if len(found) > 1001 || !slices.ContainsFunc(found, func(d schema.Diagnostic) bool { return d.Code == "too-many" }) {
		t.Errorf("%d findings, the last %v", len(found), found[len(found)-1])
	}
}

func TestRulesAreWhole(t *testing.T) {
	rules := schema.Rules()
	for i, r := range rules {
		if i > 0 && rules[i-1].Code >= r.Code {
			t.Errorf("%s stands after %s: the table is sorted", r.Code, rules[i-1].Code)
		}
		if r.Title == "" || r.Explanation == "" || r.Severity == "" {
			t.Errorf("%s lacks a title, an explanation or a severity", r.Code)
		}
		if (r.Bad == "") != (r.Good == "") {
			t.Errorf("%s has one example of two", r.Code)
		}
	}
}

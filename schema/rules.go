package schema

import (
	"slices"
	"strings"
)

// Rule is one thing that a schema is checked for.
type Rule struct {
	Code        string
	Severity    Severity
	Title       string // one line, lower case
	Explanation string // a paragraph: what is asked and why
	Bad, Good   string // YAML that breaks the rule, and the same put right
}

// Rules lists every rule, sorted by code.
func Rules() []Rule { return append([]Rule(nil), rules...) }

// Explain returns the rule with that code.
func Explain(code string) (Rule, bool) {
	i, found := slices.BinarySearchFunc(rules, code, func(r Rule, code string) int { return strings.Compare(r.Code, code) })
	if !found {
		return Rule{}, false
	}
	return rules[i], true
}

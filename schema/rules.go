package schema

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
	for _, r := range rules {
		if r.Code == code {
			return r, true
		}
	}
	return Rule{}, false
}

var rules []Rule

package schema

import (
	"cmp"
	"slices"
)

// Severity says whether a finding stops generation.
type Severity string

// Errors stop generation; warnings name what is legal and probably wrong.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Diagnostic is one finding in a schema file. Lines and columns count from 1,
// columns in code points; the end is the place after the last character.
type Diagnostic struct {
	Code      string    `json:"code"` // stable name of the rule, see [Explain]
	Severity  Severity  `json:"severity"`
	File      string    `json:"file"`
	Line      int       `json:"line"`
	Column    int       `json:"column"`
	EndLine   int       `json:"endLine"`
	EndColumn int       `json:"endColumn"`
	Message   string    `json:"message"`
	Hint      string    `json:"hint"` // what to do, "" when nothing better is known
	Related   []Related `json:"related"`

	// Source is the text of line Line, for the excerpt; "" leaves the excerpt out.
	Source string `json:"-"`
}

// Related is another place that has to do with a finding, such as the first of
// two definitions.
type Related struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

// Diagnostics are the findings of one file, sorted by place.
type Diagnostics []Diagnostic

// HasErrors reports whether a finding stops generation.
func (ds Diagnostics) HasErrors() bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Severity == SeverityError })
}

// Strict returns the findings with every warning raised to an error.
func (ds Diagnostics) Strict() Diagnostics {
	strict := slices.Clone(ds)
	for i := range strict {
		strict[i].Severity = SeverityError
	}
	return strict
}

// sorted orders by place and drops what an alias made appear twice.
func (ds Diagnostics) sorted() Diagnostics {
	slices.SortStableFunc(ds, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.CompactFunc(ds, func(a, b Diagnostic) bool {
		return a.Line == b.Line && a.Column == b.Column && a.Code == b.Code && a.Message == b.Message
	})
}

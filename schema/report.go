package schema

import "fmt"

// maxFindings bounds what a hostile file can make us say.
const maxFindings = 1000

// report collects the findings of one file.
type report struct {
	*source
	found Diagnostics
}

// maxSuggested bounds the findings for which a name is looked for that was meant.
const maxSuggested = 100

func (r *report) didYouMean(name string, names func() []string) string {
	if len(r.found) > maxSuggested {
		return ""
	}
	if near := nearest(name, names()); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}

// finding lets the caller add related places.
type finding struct{ d *Diagnostic }

func (f finding) relate(s *source, n *node, message string) {
	if f.d != nil {
		f.d.Related = append(f.d.Related, Related{File: s.file, Line: n.span.line, Column: n.span.col, Message: message})
	}
}

// add notes a finding at a node. The rule's table says how severe it is.
func (r *report) add(code string, n *node, message, hint string) finding {
	return r.addAt(code, n.span, message, hint)
}

func (r *report) addAt(code string, at span, message, hint string) finding {
	if len(r.found) == maxFindings {
		r.found = append(r.found, r.diagnostic("too-many", at, fmt.Sprintf("there are more than %d problems; the rest is not shown", maxFindings), ""))
	}
	if len(r.found) > maxFindings {
		return finding{}
	}
	r.found = append(r.found, r.diagnostic(code, at, message, hint))
	return finding{&r.found[len(r.found)-1]}
}

// full reports whether nothing more will be shown, so that no words need to be found.
func (r *report) full() bool { return len(r.found) > maxFindings }

// maxSource is the longest line of which an excerpt is shown, in bytes.
const maxSource = 64 << 10

func (r *report) diagnostic(code string, at span, message, hint string) Diagnostic {
	severity := SeverityError
	if rule, ok := Explain(code); ok {
		severity = rule.Severity
	}
	source := r.line(at.line)
	if len(source) > maxSource {
		source = ""
	}
	return Diagnostic{
		Code: code, Severity: severity, File: r.file, Source: source,
		Line: at.line, Column: at.col, EndLine: at.endLine, EndColumn: at.endCol,
		Message: message, Hint: hint,
	}
}

package schema

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

// warnKey says when a view's key can have a value that names no record.
func (b *builder) warnKey(view string, e *Event, p *Path, t *Type, at *node) {
	var may, mend, bounds []string
	for _, s := range p.Steps {
		if s.Field.Optional && !s.Each {
			may, mend = append(may, "absent"), append(mend, "make it required")
			break
		}
	}
	switch {
	case t.Kind == String && mayBeEmpty(t):
		may, bounds = append(may, "empty"), append(bounds, "minLength: 1")
	case t.Kind == Enum && slices.Contains(t.Values, ""):
		may, mend = append(may, "empty"), append(mend, `take "" out of the enum`)
	}
	if t.Kind == String && mayBeLong(t) {
		may, bounds = append(may, fmt.Sprintf("longer than %d characters", maxKeyLength)), append(bounds, fmt.Sprintf("maxLength: %d", maxKeyLength))
	}
	if len(may) == 0 {
		return
	}
	if len(bounds) > 0 {
		give := "give it "
		if p.Steps[len(p.Steps)-1].Each { // constraints are those of the list
			give = "give its elements a shared type with "
		}
		mend = append(mend, give+strings.Join(bounds, " and "))
	}
	b.add("key-value", at, fmt.Sprintf("in the event %q, %q may be %s; such an event does not touch the view %q", e.Name, p.Text, orList(may), view),
		strings.Join(mend, "; "))
}

func mayBeEmpty(t *Type) bool {
	switch {
	case t.MinLength != nil && *t.MinLength > 0, t.Format != "":
		return false
	case t.Pattern == "":
		return true
	}
	re, err := regexp.Compile(t.Pattern)
	return err != nil || re.MatchString("")
}

func mayBeLong(t *Type) bool {
	switch {
	case t.MaxLength != nil && *t.MaxLength <= maxKeyLength:
		return false
	case t.Format == "hostname", t.Format == "ipv4", t.Format == "ipv6":
		return false // at most 253 characters
	case t.Pattern == "":
		return true
	}
	re, err := syntax.Parse(t.Pattern, syntax.Perl)
	if err != nil {
		return true
	}
	// An unanchored pattern says nothing of what stands round a match.
	parts := re.Sub
	if re.Op != syntax.OpConcat || len(parts) < 2 || parts[0].Op != syntax.OpBeginText || parts[len(parts)-1].Op != syntax.OpEndText {
		return true
	}
	return longest(re) > maxKeyLength
}

// unbounded stands for any length; lengths are cut there, so that they can be multiplied.
const unbounded = 1 << 20

// longest is the greatest number of code points that an expression matches.
func longest(re *syntax.Regexp) int {
	n := 0
	switch re.Op {
	case syntax.OpLiteral:
		return utf8.RuneCountInString(string(re.Rune))
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpCapture, syntax.OpQuest:
		return longest(re.Sub[0])
	case syntax.OpStar, syntax.OpPlus:
		return unbounded
	case syntax.OpRepeat:
		if re.Max < 0 {
			return unbounded
		}
		return min(re.Max*longest(re.Sub[0]), unbounded)
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			n = max(n, longest(sub))
		}
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			n = min(n+longest(sub), unbounded)
		}
	}
	return n
}

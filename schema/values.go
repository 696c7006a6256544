package schema

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// A value of the file (a default, an example, a value of an enum) is checked by
// the rules of its type, and written as canonical JSON.

// valueProblem is one way in which a value breaks its type. The message follows
// the name of the value.
type valueProblem struct {
	at            *node
	pointer       string
	message, hint string
	unquoted      bool // a bare number or boolean where a string is wanted
}

func (p valueProblem) code(of string) string {
	if p.unquoted {
		return "quote-string"
	}
	return of
}

// pendingValues wait until all types are complete.
type pendingValues struct {
	t     *Type
	items []*node
	code  string
	done  func(texts []string)
}

func (b *builder) valuesLater(t *Type, items []*node, code string, done func([]string)) {
	if len(items) > 0 {
		b.pending = append(b.pending, pendingValues{t, items, code, done})
	}
}

func (b *builder) checkValues() {
	for _, p := range b.pending {
		what := "the default"
		if p.code == "example-value" {
			what = "the example"
		}
		texts := make([]string, len(p.items))
		for i, item := range p.items {
			text, problems := b.checked(p.t, item)
			texts[i] = text
			for _, problem := range problems {
				subject := what
				if problem.pointer != "" {
					subject = fmt.Sprintf("%s at %s", what, problem.pointer)
				}
				b.add(problem.code(p.code), problem.at, subject+" "+problem.message, problem.hint)
			}
		}
		if p.done != nil {
			p.done(texts)
		}
	}
}

func (b *builder) checked(t *Type, n *node) (string, []valueProblem) {
	c := valueChecker{source: b.source}
	var out strings.Builder
	c.value(&out, t, n, "")
	return out.String(), c.problems
}

type valueChecker struct {
	*source
	problems []valueProblem
	patterns map[string]*regexp.Regexp
}

func (c *valueChecker) fail(n *node, pointer, format string, args ...any) {
	c.problems = append(c.problems, valueProblem{at: n, pointer: pointer, message: fmt.Sprintf(format, args...)})
}

func (c *valueChecker) value(out *strings.Builder, t *Type, n *node, pointer string) {
	if len(c.problems) > maxFindings {
		return
	}
	switch t.Kind {
	case Int, Float, Decimal:
		c.number(out, t, n, pointer)
	case Bool:
		if c.kind(n, pointer, boolNode, "true or false") {
			out.WriteString(n.text)
		}
	case JSON:
		if n.kind == nullNode {
			c.fail(n, pointer, "is null, which stands for an absent field")
			return
		}
		out.WriteString(canonicalOf(n))
	case Object:
		c.object(out, t, n, pointer)
	case List:
		c.list(out, t, n, pointer)
	case Map:
		c.mapValue(out, t, n, pointer)
	default:
		c.text(out, t, n, pointer)
	}
}

func (c *valueChecker) kind(n *node, pointer string, want nodeKind, words string) bool {
	if n.kind == want {
		return true
	}
	p := valueProblem{at: n, pointer: pointer, message: fmt.Sprintf("must be %s, not %s", words, n.describe())}
	if n.kind == nullNode {
		p.message = fmt.Sprintf("must be %s, not null", words)
	}
	if want == boolNode && n.kind == stringNode {
		p.hint = boolHint(n.text)
	}
	if want == stringNode && (n.kind == numberNode || n.kind == boolNode) {
		p.unquoted = true
		p.message = fmt.Sprintf("is a string, and YAML reads this as %s", n.describe())
		p.hint = fmt.Sprintf("write %q in quotes", c.written(n))
	}
	c.problems = append(c.problems, p)
	return false
}

func (c *valueChecker) number(out *strings.Builder, t *Type, n *node, pointer string) {
	if !c.kind(n, pointer, numberNode, "a number") {
		return
	}
	var text string
	var ok bool
	switch t.Kind {
	case Int:
		if text, ok = intText(n.text); !ok {
			c.fail(n, pointer, "must be a whole number of 64 bits")
		}
	case Float:
		if text, ok = floatText(n.text); !ok {
			c.fail(n, pointer, "must be within a 64-bit float")
		}
	default:
		if text, ok = decimalText(n.text); !ok {
			c.fail(n, pointer, "must have at most 38 digits, and at most 38 of them after the point")
		}
	}
	if !ok {
		return
	}
	out.WriteString(text)
	v := exact(text)
	switch k := t.Constraints; {
	case k.Minimum != "" && v.Cmp(exact(k.Minimum)) < 0:
		c.fail(n, pointer, "must be at least %s", k.Minimum)
	case k.Maximum != "" && v.Cmp(exact(k.Maximum)) > 0:
		c.fail(n, pointer, "must be at most %s", k.Maximum)
	case k.ExclusiveMinimum != "" && v.Cmp(exact(k.ExclusiveMinimum)) <= 0:
		c.fail(n, pointer, "must be greater than %s", k.ExclusiveMinimum)
	case k.ExclusiveMaximum != "" && v.Cmp(exact(k.ExclusiveMaximum)) >= 0:
		c.fail(n, pointer, "must be less than %s", k.ExclusiveMaximum)
	case k.MultipleOf != "" && !v.Quo(v, exact(k.MultipleOf)).IsInt():
		c.fail(n, pointer, "must be a multiple of %s", k.MultipleOf)
	case len(k.Enum) > 0 && !slices.ContainsFunc(k.Enum, func(e string) bool { return exact(e).Cmp(exact(text)) == 0 }):
		c.fail(n, pointer, "must be one of %s", list(k.Enum))
	}
}

func (c *valueChecker) text(out *strings.Builder, t *Type, n *node, pointer string) {
	if !c.kind(n, pointer, stringNode, "a string") {
		return
	}
	text, length := n.text, utf8.RuneCountInString(n.text)
	switch t.Kind {
	case Enum:
		if !slices.Contains(t.Values, text) {
			c.fail(n, pointer, "must be one of %s", list(t.Values))
			if near := nearest(text, t.Values); near != "" && len(c.problems) < maxSuggested {
				c.problems[len(c.problems)-1].hint = fmt.Sprintf("did you mean %q?", near)
			}
		}
	case Timestamp:
		if !isTimestamp(text) {
			c.fail(n, pointer, "must be a timestamp such as 2025-01-31T09:30:00Z")
			c.meant(text == "new", "write now for the time of the request")
		}
	case Date:
		if !isDate(text) {
			c.fail(n, pointer, "must be a date such as 2025-01-31")
			c.meant(text == "new", "write now for the day of the request")
		}
	case UUID:
		if !matches(uuidPattern, text) {
			c.fail(n, pointer, "must be a UUID such as 0190a1b2-3c4d-7e5f-8a6b-7c8d9e0f1a2b")
			c.meant(text == "now", "write new for a new UUID")
		}
		text = strings.ToLower(text)
	case Bytes:
		data, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil || strings.ContainsAny(text, "\r\n") {
			c.fail(n, pointer, "must be base64 with padding")
			return
		}
		length = len(data)
	}
	out.WriteString(quoteJSON(text))
	c.length(n, pointer, length, t.MinLength, t.MaxLength, "characters")
	if t.Pattern != "" && !c.pattern(t.Pattern).MatchString(text) {
		c.fail(n, pointer, "must match the pattern %s", t.Pattern)
	}
	if check := jsonschema.Formats[t.Format]; t.Format != "" && check != nil && !check(text) {
		c.fail(n, pointer, "must have the format %s", t.Format)
	}
}

// meant gives the last problem a hint, if that is what was meant by the value as a whole.
func (c *valueChecker) meant(this bool, hint string) {
	if last := len(c.problems) - 1; this && last >= 0 && c.problems[last].pointer == "" {
		c.problems[last].hint = hint
	}
}

func (c *valueChecker) pattern(text string) *regexp.Regexp {
	if c.patterns == nil {
		c.patterns = map[string]*regexp.Regexp{}
	}
	re := c.patterns[text]
	if re == nil {
		re = regexp.MustCompile(text) // patterns that do not compile never get into a type
		c.patterns[text] = re
	}
	return re
}

func (c *valueChecker) length(n *node, pointer string, length int, low, high *int, of string) {
	if low != nil && length < *low {
		c.fail(n, pointer, "must have at least %d %s", *low, of)
	}
	if high != nil && length > *high {
		c.fail(n, pointer, "must have at most %d %s", *high, of)
	}
}

func (c *valueChecker) list(out *strings.Builder, t *Type, n *node, pointer string) {
	if !c.kind(n, pointer, sequenceNode, "a list") {
		return
	}
	c.length(n, pointer, len(n.items), t.MinItems, t.MaxItems, "items")
	out.WriteByte('[')
	seen := map[string]bool{}
	for i, item := range n.items {
		if i > 0 {
			out.WriteByte(',')
		}
		c.element(out, t.Elem, item, fmt.Sprintf("%s/%d", pointer, i))
		if text := identity(item); t.UniqueItems && seen[text] {
			c.fail(item, fmt.Sprintf("%s/%d", pointer, i), "stands twice in a list of unique items")
		} else {
			seen[text] = true
		}
	}
	out.WriteByte(']')
}

func (c *valueChecker) mapValue(out *strings.Builder, t *Type, n *node, pointer string) {
	if !c.kind(n, pointer, mappingNode, "a mapping") {
		return
	}
	c.length(n, pointer, len(n.entries), t.MinProperties, t.MaxProperties, "members")
	entries := slices.Clone(n.entries)
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key.text, b.key.text) })
	out.WriteByte('{')
	for i, e := range entries {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(quoteJSON(e.key.text) + ":")
		c.element(out, t.Elem, e.value, pointer+"/"+escapePointer(e.key.text))
	}
	out.WriteByte('}')
}

// element of a list or map: in free form it may be null, which stands for an
// absent value only of a field.
func (c *valueChecker) element(out *strings.Builder, t *Type, n *node, pointer string) {
	if t.Kind == JSON && n.kind == nullNode {
		out.WriteString("null")
		return
	}
	c.value(out, t, n, pointer)
}

func (c *valueChecker) object(out *strings.Builder, t *Type, n *node, pointer string) {
	if !c.kind(n, pointer, mappingNode, "a mapping") {
		return
	}
	for _, e := range n.entries {
		if !slices.ContainsFunc(t.Fields, func(f *Field) bool { return f.Name == e.key.text }) {
			c.fail(e.key, pointer+"/"+escapePointer(e.key.text), "is no field of %s", t.Named.Name)
		}
	}
	out.WriteByte('{')
	first := true
	for _, f := range t.Fields {
		value := n.get(f.Name)
		at := pointer + "/" + f.Name
		switch {
		case value == nil && !f.Optional && f.Default == nil:
			c.fail(n, at, "is required")
			continue
		case value == nil, value.kind == nullNode && f.Optional:
			continue
		}
		if !first {
			out.WriteByte(',')
		}
		first = false
		out.WriteString(quoteJSON(f.Name) + ":")
		c.value(out, f.Type, value, at)
	}
	out.WriteByte('}')
}

func escapePointer(s string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(s)
}

// canonicalOf writes a node as JSON: members sorted, numbers as written.
func canonicalOf(n *node) string {
	text, err := json.Marshal(n.value())
	if err != nil {
		return "null" // numbers have been checked; nothing else can fail
	}
	return string(text)
}

// identity is the same text for nodes that are the same JSON value: 1 is 1.0.
func identity(n *node) string {
	var b strings.Builder
	switch n.kind {
	case numberNode:
		return exact(n.text).RatString()
	case sequenceNode:
		for _, item := range n.items {
			b.WriteString(identity(item) + ",")
		}
		return "[" + b.String() + "]"
	case mappingNode:
		entries := slices.Clone(n.entries)
		slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key.text, b.key.text) })
		for _, e := range entries {
			b.WriteString(quoteJSON(e.key.text) + ":" + identity(e.value) + ",")
		}
		return "{" + b.String() + "}"
	}
	return canonicalOf(n)
}

func isTimestamp(text string) bool {
	if !matches(timestampPattern, text) {
		return false
	}
	_, err := time.Parse(time.RFC3339Nano, text)
	return err == nil
}

func isDate(text string) bool {
	_, err := time.Parse(time.DateOnly, text)
	return err == nil && len(text) == len(time.DateOnly)
}

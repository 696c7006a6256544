package schema

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

var compiledSchema = sync.OnceValue(func() *jsonschema.Schema {
	c := jsonschema.NewCompiler()
	if err := c.AddResource(editorSchemaID, bytes.NewReader(editorSchema())); err != nil {
		panic(err) // our own constant
	}
	return c.MustCompile(editorSchemaID)
})

// checkStructure validates the file against the editor schema and says in our
// own words what does not fit.
func checkStructure(r *report, root *node) {
	err := compiledSchema().Validate(root.value())
	if err == nil {
		return
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		r.add("bad-value", root, "the file cannot be checked", "")
		return
	}
	before := len(r.found)
	breaches := breachesOf(root, invalid, nil)
	// The validator goes through maps; which findings are shown must not depend on that.
	slices.SortStableFunc(breaches, func(a, b breach) int {
		return cmp.Or(cmp.Compare(a.place.node.span.line, b.place.node.span.line), cmp.Compare(a.place.node.span.col, b.place.node.span.col),
			strings.Compare(a.keyword, b.keyword))
	})
	for _, b := range breaches {
		if r.full() {
			return
		}
		b.place.explain(r, b.keyword)
	}
	if len(r.found) == before {
		r.add("bad-value", root, "the file does not have the form of a schema", "")
	}
}

// breach is a keyword of the editor schema that a place of the file breaks.
type breach struct {
	place   place
	keyword string
}

func breachesOf(root *node, e *jsonschema.ValidationError, breaches []breach) []breach {
	for _, cause := range e.Causes {
		breaches = breachesOf(root, cause, breaches)
	}
	if len(e.Causes) > 0 {
		return breaches
	}
	keyword := e.KeywordLocation[strings.LastIndexByte(e.KeywordLocation, '/')+1:]
	return append(breaches, breach{locate(root, e.InstanceLocation), keyword})
}

// explain says in our own words which keyword the place breaks.
func (p place) explain(r *report, keyword string) {
	switch keyword {
	case "type":
		p.wrongType(r)
	case "additionalProperties":
		p.unknownKeys(r)
	case "required":
		p.missingKeys(r)
	case "enum", "const":
		p.wrongChoice(r)
	case "pattern", "minLength", "maxLength":
		p.wrongText(r)
	case "minimum", "maximum", "exclusiveMinimum":
		p.outOfRange(r)
	case "minItems", "minProperties":
		r.add("empty", p.node, p.what()+" needs at least one entry", "")
	case "uniqueItems":
		p.duplicateItems(r)
	default:
		r.add("bad-value", p.node, p.what()+" does not have the form that is wanted here", "")
	}
}

// place is a value of the file with the shape that it should have.
type place struct {
	node  *node
	shape *shape
	key   *node  // of the entry that the value is in, nil in a list or at the top
	owner *shape // of the mapping that the entry is in
	name  string // the nearest key
}

// locate follows a JSON pointer through file and shapes at once: no shape is a
// choice between two mappings, so there is one way.
func locate(root *node, pointer string) place {
	p := place{node: root, shape: rootShape}
	if pointer == "" {
		return p
	}
	for _, step := range strings.Split(pointer[1:], "/") {
		if decoded, err := url.PathUnescape(step); err == nil {
			step = decoded
		}
		step = pointerUnescape.Replace(step)
		switch p.node.kind {
		case mappingNode:
			e := p.node.entry(step)
			if e == nil {
				return p
			}
			p = place{e.value, p.shape.child(step), e.key, p.shape, step}
		case sequenceNode:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(p.node.items) {
				return p
			}
			next := place{node: p.node.items[i], name: p.name}
			if p.shape != nil && p.shape.list != nil {
				next.shape = p.shape.list.items
			}
			p = next
		}
	}
	return p
}

// The validator also percent-encodes the steps of a pointer.
var pointerUnescape = strings.NewReplacer("~1", "/", "~0", "~")

// what names the value in a message.
func (p place) what() string {
	switch {
	case p.name == "":
		return "the file"
	case p.key == nil:
		return fmt.Sprintf("an item of %q", p.name)
	}
	return fmt.Sprintf("%q", p.name)
}

// at is the value, or its key when there is no value to point at.
func (p place) at() *node {
	if p.node.kind == nullNode && p.key != nil {
		return p.key
	}
	return p.node
}

func (p place) wrongType(r *report) {
	if p.shape == nil {
		return
	}
	if n := p.node; p.shape.text != nil && (n.kind == boolNode || n.kind == numberNode) {
		r.add("quote-string", n, fmt.Sprintf("%s is a string, and YAML reads this as %s", p.what(), n.describe()),
			fmt.Sprintf("write %q in quotes", r.written(n)))
		return
	}
	message := fmt.Sprintf("%s must be %s, not %s", p.what(), p.shape.wanted(), p.node.describe())
	if p.node.kind == nullNode {
		message = fmt.Sprintf("%s has no value; it must be %s", p.what(), p.shape.wanted())
	}
	if p.shape == fieldShape || p.shape == viewFieldShape {
		message = strings.Replace(message, "must be a string or a mapping", "must be a type or a mapping with one", 1)
	}
	r.add("wrong-type", p.at(), message, p.shape.instead(p.node))
}

// instead offers what a text that stands in the place of something else was meant for.
func (s *shape) instead(n *node) string {
	if n.kind != stringNode {
		return ""
	}
	switch {
	case s.boolean:
		return boolHint(n.text)
	case s.number != nil:
		if kind, number, bad := resolvePlain(strings.ReplaceAll(n.text, "_", "")); kind == numberNode && !bad {
			return "write " + number + ", as a plain number"
		}
	case s.list != nil && n.text != "":
		return fmt.Sprintf("write [%s]", n.text)
	case s.object != nil && s.object.values == nil && s.object.prop("key") != nil:
		return fmt.Sprintf("write {key: %s}", n.text)
	}
	return ""
}

// boolHint is for the words that were booleans in YAML 1.1.
func boolHint(text string) string {
	switch strings.ToLower(text) {
	case "yes", "on", "y", "true":
		return "write true, without quotes: every other word is a string"
	case "no", "off", "n", "false":
		return "write false, without quotes: every other word is a string"
	}
	return ""
}

// written is a scalar as the file has it.
func (s *source) written(n *node) string {
	text := []rune(s.line(n.span.line))
	from, to := n.span.col-1, n.span.endCol-1
	if n.span.line != n.span.endLine || from < 0 || to > len(text) || from >= to {
		return n.text
	}
	return string(text[from:to])
}

// wanted says what a shape may hold.
func (s *shape) wanted() string {
	var kinds []string
	if s.text != nil {
		kinds = append(kinds, "a string")
	}
	if s.number != nil && s.number.integer {
		kinds = append(kinds, "a whole number")
	} else if s.number != nil {
		kinds = append(kinds, "a number")
	}
	if s.boolean {
		kinds = append(kinds, "true or false")
	}
	if s.list != nil {
		kinds = append(kinds, "a list")
	}
	if s.object != nil {
		kinds = append(kinds, "a mapping")
	}
	return orList(kinds)
}

// orList joins words: "a", "a or b", "a, b or c".
func orList(words []string) string {
	switch len(words) {
	case 0:
		return "nothing"
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func (p place) unknownKeys(r *report) {
	if p.shape == nil || p.shape.object == nil {
		return
	}
	o := p.shape.object
	for _, e := range p.node.entries {
		key := e.key.text
		switch {
		case isExtension(key):
		case o.values != nil:
			switch {
			case matches(o.names.pattern, key):
			case o.values.object != nil && o.values.object.prop(key) != nil && o.names == pascalCase && e.value.kind != stringNode:
				r.add("bad-name", e.key, fmt.Sprintf("%q stands where the name of %s is wanted", key, article(o.what)), fmt.Sprintf("indent it, so that it is part of the %s above", o.what))
			default:
				reportName(r, e.key, o.what, o.names)
			}
		case o.prop(key) == nil:
			r.add("unknown-key", e.key, fmt.Sprintf("the key %q means nothing %s", key, p.inside()), p.keyHint(key))
		}
	}
}

func (p place) inside() string {
	if p.name == "" {
		return "at the top of the file"
	}
	return "in " + p.what()
}

func (p place) keyHint(key string) string {
	o := p.shape.object
	if near := nearest(key, o.keys()); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if p.shape == viewFieldShape && fieldShape.object.prop(key) != nil {
		return "constraints guard events; a view's field takes type, optional, enum, default and annotations"
	}
	if p.shape == namedTypeShape && fieldShape.object.prop(key) != nil {
		return fmt.Sprintf("%q belongs to the fields that use the type", key)
	}
	return "possible keys: " + strings.Join(o.keys(), ", ")
}

func (p place) missingKeys(r *report) {
	if p.shape == nil || p.shape.object == nil {
		return
	}
	for _, want := range p.shape.object.props {
		if want.required && p.node.get(want.key) == nil {
			at := p.node
			if p.key != nil {
				at = p.key
			}
			r.add("missing-key", at, fmt.Sprintf("%s lacks %q", p.what(), want.key), "")
		}
	}
}

func (p place) wrongChoice(r *report) {
	switch {
	case p.shape == nil:
	case p.shape.number != nil && p.shape.number.constant != nil:
		r.add("language-version", p.node, fmt.Sprintf("this esgen reads version %d of the schema language, not %s", *p.shape.number.constant, r.written(p.node)),
			fmt.Sprintf("write esgen: %d", *p.shape.number.constant))
	case p.shape.text != nil:
		values := p.shape.text.enum
		hint := "possible: " + strings.Join(values, ", ")
		if near := nearest(p.node.text, values); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		} else if p.shape.list != nil {
			hint = fmt.Sprintf("write [%s], or %s", p.node.text, orList(values))
		}
		r.add("bad-value", p.node, fmt.Sprintf("%s cannot be %q", p.what(), p.node.text), hint)
	}
}

func (p place) wrongText(r *report) {
	if p.shape == nil || p.shape.text == nil {
		return
	}
	t := p.shape.text
	switch {
	case p.node.text == "":
		r.add("empty", p.node, p.what()+" is an empty string", "")
	case t.code == "bad-name":
		reportName(r, p.node, "", styleOf(t.pattern))
	default:
		r.add("bad-value", p.node, fmt.Sprintf("%s must be %s", p.what(), t.wants), "")
	}
}

func (p place) outOfRange(r *report) {
	if p.shape == nil || p.shape.number == nil {
		return
	}
	n := p.shape.number
	var bounds string
	switch {
	case n.above != nil:
		bounds = fmt.Sprintf("greater than %d", *n.above)
	case n.min != nil && n.max != nil:
		bounds = fmt.Sprintf("from %d to %d", *n.min, *n.max)
	}
	r.add("bad-value", p.node, fmt.Sprintf("%s must be %s", p.what(), bounds), "")
}

func (p place) duplicateItems(r *report) {
	first := map[string]*node{}
	for _, item := range p.node.items {
		text := identity(item)
		if earlier := first[text]; earlier != nil {
			r.add("duplicate-item", item, fmt.Sprintf("%q lists %s twice", p.name, canonicalOf(item)), "keep one of them").relate(r.source, earlier, "first here")
			continue
		}
		first[text] = item
	}
}

var patterns sync.Map // of the shapes: pattern to *regexp.Regexp

func matches(pattern, text string) bool {
	re, ok := patterns.Load(pattern)
	if !ok {
		re, _ = patterns.LoadOrStore(pattern, regexp.MustCompile(pattern))
	}
	return re.(*regexp.Regexp).MatchString(text)
}

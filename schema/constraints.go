package schema

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
)

// constraintFits lists the kinds of value that each keyword constrains.
var constraintFits = map[string][]Kind{
	"minimum": {Int, Float, Decimal}, "maximum": {Int, Float, Decimal},
	"exclusiveMinimum": {Int, Float, Decimal}, "exclusiveMaximum": {Int, Float, Decimal},
	"multipleOf": {Int, Float, Decimal},
	"minLength":  {String, Bytes}, "maxLength": {String, Bytes},
	"pattern": {String}, "format": {String},
	"minItems": {List}, "maxItems": {List}, "uniqueItems": {List},
	"minProperties": {Map}, "maxProperties": {Map},
	"enum": {String, Int, Float, Decimal},
}

var kindNames = map[Kind]string{Enum: "enum", Object: "object", List: "list", Map: "map"}

func init() {
	for _, s := range scalarKinds {
		kindNames[s.kind] = s.name
	}
}

// String is the name of the kind in the schema language.
func (k Kind) String() string { return kindNames[k] }

// constrain adds the constraints in a mapping to a type, which may have some of
// its own already; false after a report that leaves nothing to go on with.
func (b *builder) constrain(t *Type, n *node) bool {
	ok := true
	for _, e := range n.entries {
		kinds := constraintFits[e.key.text]
		if kinds == nil {
			continue
		}
		if e.key.text == "enum" && t.Kind == Enum {
			b.add("constraint-twice", e.key, fmt.Sprintf("the type %q lists its values already", t.Named.Name), "give the smaller enum a type of its own")
			ok = false
			continue
		}
		if slices.Contains(kinds, t.Kind) {
			continue
		}
		var fits []string
		for _, k := range kinds {
			fits = append(fits, k.String())
		}
		b.add("constraint-type", e.key, fmt.Sprintf("%q does not fit the type %s", e.key.text, t.Kind), fmt.Sprintf("%q fits %s", e.key.text, orList(fits)))
		ok = false
	}
	if !ok {
		return false
	}
	c := constrainer{b, t, n, true}
	c.numbers()
	c.counts()
	c.text()
	c.enum()
	return c.ok
}

type constrainer struct {
	*builder
	t  *Type
	n  *node
	ok bool
}

func (c *constrainer) fail(code string, at *node, message, hint string) {
	c.add(code, at, message, hint)
	c.ok = false
}

func (c *constrainer) numbers() {
	c.bound("minimum", &c.t.Minimum, 1)
	c.bound("exclusiveMinimum", &c.t.ExclusiveMinimum, 1)
	c.bound("maximum", &c.t.Maximum, -1)
	c.bound("exclusiveMaximum", &c.t.ExclusiveMaximum, -1)
	if at := c.n.get("multipleOf"); at != nil {
		if c.t.MultipleOf != "" {
			c.twice("multipleOf")
		} else if text, ok := c.number(at); ok {
			c.t.MultipleOf = text
		}
	}
	low, lowOut := tightest(c.t.Minimum, c.t.ExclusiveMinimum, 1)
	high, highOut := tightest(c.t.Maximum, c.t.ExclusiveMaximum, -1)
	if low == nil || high == nil {
		return
	}
	if d := low.Cmp(high); d > 0 || d == 0 && (lowOut || highOut) {
		c.empty("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
	}
}

// tightest is the bound that counts of an inclusive and an exclusive one.
func tightest(inclusive, exclusive string, sign int) (bound *big.Rat, out bool) {
	if inclusive != "" {
		bound = exact(inclusive)
	}
	if exclusive != "" {
		if e := exact(exclusive); bound == nil || e.Cmp(bound)*sign >= 0 {
			return e, true
		}
	}
	return bound, false
}

// bound takes the tighter one of the type's bound and the use's; sign is 1 for lower bounds.
func (c *constrainer) bound(key string, have *string, sign int) {
	at := c.n.get(key)
	if at == nil {
		return
	}
	text, ok := c.number(at)
	if ok && (*have == "" || exact(text).Cmp(exact(*have))*sign > 0) {
		*have = text
	}
}

// number reads the value of a numeric constraint in the form of its type.
func (c *constrainer) number(at *node) (string, bool) {
	var text, wants string
	var ok bool
	switch c.t.Kind {
	case Int:
		text, ok = intText(at.text)
		wants = "a whole number of 64 bits"
	case Decimal:
		text, ok = decimalText(at.text)
		wants = "a decimal of at most 38 digits"
	default:
		text, ok = floatText(at.text)
		wants = "within a 64-bit float"
	}
	if !ok {
		c.fail("constraint-value", at, fmt.Sprintf("%s is no bound for the type %s: it must be %s", c.written(at), c.t.Kind, wants), "")
	}
	return text, ok
}

func (c *constrainer) counts() {
	c.pair("minLength", "maxLength", &c.t.MinLength, &c.t.MaxLength)
	c.pair("minItems", "maxItems", &c.t.MinItems, &c.t.MaxItems)
	c.pair("minProperties", "maxProperties", &c.t.MinProperties, &c.t.MaxProperties)
	c.t.UniqueItems = c.t.UniqueItems || c.n.get("uniqueItems").isTrue()
}

func (c *constrainer) pair(lowKey, highKey string, low, high **int) {
	if at := c.n.get(lowKey); at != nil {
		if v := count(at); *low == nil || v > **low {
			*low = &v
		}
	}
	if at := c.n.get(highKey); at != nil {
		if v := count(at); *high == nil || v < **high {
			*high = &v
		}
	}
	if *low != nil && *high != nil && **low > **high {
		c.empty(lowKey, highKey)
	}
}

// count is a whole number whose bounds the structure has checked; it may be
// written 2.0 or 1e2.
func count(n *node) int {
	text, _ := intText(n.text)
	v, _ := strconv.Atoi(text)
	return v
}

// empty reports bounds that nothing satisfies, at the last of them that is written here.
func (c *constrainer) empty(keys ...string) {
	for i := len(keys) - 1; i >= 0; i-- {
		if e := c.n.entry(keys[i]); e != nil {
			c.fail("constraint-range", e.value, "no value satisfies these bounds: the least allowed is above the greatest", "")
			return
		}
	}
}

// twice reports a keyword that type and use both have and that cannot be merged.
func (c *constrainer) twice(key string) {
	c.fail("constraint-twice", c.n.key(key), fmt.Sprintf("the type %q has a %q already; a second one cannot be added", c.t.Named.Name, key),
		"put both into the shared type, or write a type of its own")
}

func (c *constrainer) text() {
	if at := c.n.get("pattern"); at != nil {
		if c.t.Pattern != "" {
			c.twice("pattern")
		} else if c.pattern(at) {
			c.t.Pattern = at.text
		}
	}
	if at := c.n.get("format"); at != nil {
		if c.t.Format != "" && c.t.Format != at.text {
			c.twice("format")
		} else {
			c.t.Format = at.text
		}
	}
}

func (c *constrainer) pattern(at *node) bool {
	if problem, hint := patternProblem(at.text); problem != "" {
		c.fail("bad-pattern", at, "the pattern is not a regular expression of RE2: "+problem, hint)
		return false
	}
	return true
}

// patternProblem says what is wrong with a regular expression and, where RE2 is
// less than others, what it lacks; or "".
func patternProblem(pattern string) (problem, hint string) {
	if len(pattern) > 1000 {
		return "it is longer than 1000 characters", ""
	}
	_, err := regexp.Compile(pattern)
	if err == nil {
		return "", ""
	}
	var bad *syntax.Error
	if !errors.As(err, &bad) {
		return "it cannot be compiled", ""
	}
	switch bad.Code {
	case syntax.ErrInvalidPerlOp, syntax.ErrInvalidEscape:
		hint = "RE2 has no look-around and no back-references"
	case syntax.ErrInvalidRepeatSize, syntax.ErrLarge:
		hint = "repetitions go up to 1000, nested ones multiplied"
	}
	if bad.Expr == "" || bad.Expr == pattern {
		return bad.Code.String(), hint
	}
	return fmt.Sprintf("%s: %s", bad.Code, bad.Expr), hint
}

// enum: of a string it makes an enum in place, of a number it lists what is allowed.
func (c *constrainer) enum() {
	at := c.n.get("enum")
	if at == nil {
		return
	}
	values := make([]string, 0, len(at.items))
	seen := map[string]bool{}
	base := *c.t // what each value has to satisfy
	for _, item := range at.items {
		text, problems := c.checked(&base, item)
		for _, p := range problems {
			c.fail(p.code("enum-value"), p.at, "this value of the enum "+p.message, p.hint)
		}
		if len(problems) == 0 && seen[text] {
			c.fail("duplicate-item", item, fmt.Sprintf("%q lists %s twice", "enum", text), "keep one of them")
		}
		seen[text] = true
		values = append(values, text)
	}
	switch {
	case !c.ok:
	case c.t.Kind == String:
		*c.t = Type{Kind: Enum}
		for _, item := range at.items {
			c.t.Values = append(c.t.Values, item.text)
		}
	default:
		c.t.Enum = values
	}
}

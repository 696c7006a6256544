package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
)

// Limits of Lambda for filters.
const (
	maxFilters      = 5
	maxPattern      = 4096 // characters
	maxPatternDepth = 32   // ours
)

// pattern is a parsed filter: an object of the event has to have all of this.
type pattern struct {
	fields map[string]field
	or     []pattern // if there are any, one of them too
}

// field is what a member has to be: an object like this, or a value that one of the tests takes.
type field struct {
	object *pattern
	tests  []test
}

// test looks at one value, which is no object and no list; found is false if there is none.
type test struct {
	operator string // "" of an exact value
	takes    func(value any, found bool) bool
}

// parsePattern reads a filter in Lambda's syntax. It refuses operators that Lambda does not document.
func parsePattern(text string) (pattern, error) {
	if len([]rune(text)) > maxPattern {
		return pattern{}, fmt.Errorf("it has more than %d characters", maxPattern)
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return pattern{}, errors.New("it is no JSON")
	}
	if _, err := d.Token(); err != io.EOF {
		return pattern{}, errors.New("something follows the JSON object")
	}
	object, ok := v.(map[string]any)
	if !ok {
		return pattern{}, errors.New("it is no JSON object")
	}
	return objectPattern(object, "", 0)
}

func objectPattern(object map[string]any, path string, depth int) (pattern, error) {
	if len(object) == 0 {
		return pattern{}, fmt.Errorf("%s: an empty object matches nothing", place(path))
	}
	if depth > maxPatternDepth {
		return pattern{}, fmt.Errorf("%s: more than %d levels", place(path), maxPatternDepth)
	}
	p := pattern{fields: map[string]field{}}
	for name, v := range object {
		at := path + "." + name
		var err error
		switch v := v.(type) {
		case map[string]any:
			if name == "$or" {
				return pattern{}, fmt.Errorf("%s: $or is a list of objects", place(path))
			}
			var inner pattern
			inner, err = objectPattern(v, at, depth+1)
			p.fields[name] = field{object: &inner}
		case []any:
			if name == "$or" {
				p.or, err = alternatives(v, path, depth)
				break
			}
			var tests []test
			tests, err = listTests(v, at)
			p.fields[name] = field{tests: tests}
		default:
			err = fmt.Errorf("%s: a value of a filter is a list, also if there is one", place(at))
		}
		if err != nil {
			return pattern{}, err
		}
	}
	return p, nil
}

func place(path string) string {
	if path == "" {
		return "at the top"
	}
	return path[1:]
}

func alternatives(list []any, path string, depth int) ([]pattern, error) {
	if len(list) < 2 {
		return nil, fmt.Errorf("%s: $or is a list of two or more objects", place(path))
	}
	var or []pattern
	for _, v := range list {
		object, ok := v.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s: $or is a list of objects", place(path))
		}
		p, err := objectPattern(object, path, depth+1)
		if err != nil {
			return nil, err
		}
		or = append(or, p)
	}
	return or, nil
}

func listTests(list []any, path string) ([]test, error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: an empty list matches nothing", place(path))
	}
	var tests []test
	for _, v := range list {
		t, err := oneTest(v)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", place(path), err)
		}
		tests = append(tests, t)
	}
	return tests, nil
}

func oneTest(v any) (test, error) {
	switch v := v.(type) {
	case []any:
		return test{}, errors.New("a list in a list")
	case map[string]any:
		if len(v) != 1 {
			return test{}, errors.New("an operator is an object with one member")
		}
		for operator, argument := range v {
			make, ok := operators[operator]
			if !ok {
				return test{}, fmt.Errorf("operator %.40q: Lambda's are anything-but, equals-ignore-case, exists, numeric, prefix, suffix and $or", operator)
			}
			takes, err := make(argument)
			if err != nil {
				return test{}, fmt.Errorf("operator %s: %w", operator, err)
			}
			return test{operator: operator, takes: takes}, nil
		}
	}
	return test{takes: func(value any, found bool) bool { return found && value == v }}, nil
}

type takes = func(value any, found bool) bool

// operators make tests of their arguments.
var operators = map[string]func(argument any) (takes, error){
	"prefix":             ofText(strings.HasPrefix),
	"suffix":             ofText(strings.HasSuffix),
	"equals-ignore-case": ofText(strings.EqualFold),
	"exists":             exists,
	"anything-but":       anythingBut,
	"numeric":            numeric,
}

func ofText(compare func(value, argument string) bool) func(any) (takes, error) {
	return func(argument any) (takes, error) {
		text, ok := argument.(string)
		if !ok {
			return nil, errors.New("it takes a string")
		}
		return func(value any, _ bool) bool {
			s, ok := value.(string)
			return ok && compare(s, text)
		}, nil
	}
}

func exists(argument any) (takes, error) {
	want, ok := argument.(bool)
	if !ok {
		return nil, errors.New("it takes true or false")
	}
	return func(_ any, found bool) bool { return found == want }, nil
}

func anythingBut(argument any) (takes, error) {
	list, ok := argument.([]any)
	if !ok {
		list = []any{argument}
	}
	if len(list) == 0 {
		return nil, errors.New("an empty list")
	}
	for _, v := range list {
		switch v.(type) {
		case string, json.Number:
		default:
			return nil, errors.New("it takes strings and numbers")
		}
	}
	return func(value any, found bool) bool {
		for _, v := range list {
			if value == v {
				return false
			}
		}
		return found
	}, nil
}

// numeric takes one comparison or two: [">", 0, "<=", 5].
func numeric(argument any) (takes, error) {
	list, ok := argument.([]any)
	if !ok || len(list) != 2 && len(list) != 4 {
		return nil, errors.New("it takes one or two comparisons, each a sign and a number")
	}
	var all []func(*big.Rat) bool
	for ; len(list) > 0; list = list[2:] {
		sign, _ := list[0].(string)
		number, ok := list[1].(json.Number)
		limit, in := rational(number)
		if !ok || !in {
			return nil, errors.New("it compares with numbers from -5e9 to 5e9")
		}
		compare := map[string]func(c int) bool{
			"=": func(c int) bool { return c == 0 }, "<": func(c int) bool { return c < 0 }, "<=": func(c int) bool { return c <= 0 },
			">": func(c int) bool { return c > 0 }, ">=": func(c int) bool { return c >= 0 },
		}[sign]
		if compare == nil {
			return nil, errors.New("the signs are = < <= > >=")
		}
		all = append(all, func(x *big.Rat) bool { return compare(x.Cmp(limit)) })
	}
	return func(value any, _ bool) bool {
		number, ok := value.(json.Number)
		if !ok {
			return false
		}
		x, in := rational(number)
		for _, within := range all {
			if !in || !within(x) {
				return false
			}
		}
		return true
	}, nil
}

// rational is the number's exact value, if it is within what Lambda compares. Long ones are looked
// at as floats first: the exact value of 1e999999 has a million digits.
func rational(number json.Number) (*big.Rat, bool) {
	f, err := number.Float64()
	if err != nil || f < -5e9 || f > 5e9 || len(number) > 64 || f != 0 && f < 1e-100 && f > -1e-100 {
		return nil, false
	}
	if f == 0 {
		return new(big.Rat), true
	}
	return new(big.Rat).SetString(string(number))
}

// matches reports whether an event, decoded with numbers as text, has all of the pattern.
func (p pattern) matches(event any) bool {
	object, _ := event.(map[string]any)
	for name, f := range p.fields {
		value, found := object[name]
		if !f.matches(value, found) {
			return false
		}
	}
	if len(p.or) == 0 {
		return true
	}
	for _, alternative := range p.or {
		if alternative.matches(event) {
			return true
		}
	}
	return false
}

// matches takes a list if it takes one of its elements. Tests see leaves only: an object is none.
func (f field) matches(value any, found bool) bool {
	if list, ok := value.([]any); ok && found {
		if len(list) == 0 {
			return f.matches(nil, false)
		}
		for _, v := range list {
			if f.matches(v, true) {
				return true
			}
		}
		return false
	}
	if f.object != nil {
		return f.object.matches(value)
	}
	if _, ok := value.(map[string]any); ok {
		found, value = false, nil
	}
	for _, t := range f.tests {
		if t.takes(value, found) {
			return true
		}
	}
	return false
}

// matchesText is matches of an event that is JSON.
func matchesText(patterns []pattern, event []byte) bool {
	d := json.NewDecoder(bytes.NewReader(event))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return false
	}
	for _, p := range patterns {
		if p.matches(v) {
			return true
		}
	}
	return false
}

package gateway

import (
	"cmp"
	"fmt"
	"strings"
)

// pattern is a route's method and path. Segments are literal, {name}, or at the end {name+},
// which takes all that follow, one at least.
type pattern struct {
	method   string // "ANY" is every
	path     string
	segments []string
}

// anyMethod is a route's for all methods.
const anyMethod = "ANY"

func parsePattern(method, path string) (pattern, error) {
	p := pattern{method, path, segmentsOf(path)}
	if !strings.HasPrefix(path, "/") || method == "" {
		return p, fmt.Errorf("%q is no route", method+" "+path)
	}
	for i, s := range p.segments {
		if strings.HasSuffix(s, "+}") && i != len(p.segments)-1 {
			return p, fmt.Errorf("the route %s goes on after %s", path, s)
		}
	}
	return p, nil
}

// segmentsOf takes a path apart; "/" has none.
func segmentsOf(path string) []string {
	path = strings.TrimPrefix(path, "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

func isVariable(segment string) bool {
	return strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "}")
}

// match returns the path's parameters, and whether the path fits.
func (p pattern) match(segments []string) (map[string]string, bool) {
	var parameters map[string]string
	set := func(name, value string) {
		if parameters == nil {
			parameters = map[string]string{}
		}
		parameters[name] = value
	}
	for i, s := range p.segments {
		if i >= len(segments) {
			return nil, false
		}
		switch {
		case strings.HasSuffix(s, "+}") && isVariable(s):
			set(s[1:len(s)-2], strings.Join(segments[i:], "/"))
			return parameters, true
		case isVariable(s):
			set(s[1:len(s)-1], segments[i])
		case s != segments[i]:
			return nil, false
		}
	}
	return parameters, len(segments) == len(p.segments)
}

// before orders patterns by which is tried first: at the first difference a literal before a
// variable before one that takes all; then the one with a method of its own.
func (p pattern) before(q pattern) int {
	for i := range min(len(p.segments), len(q.segments)) {
		if c := cmp.Compare(rank(p.segments[i]), rank(q.segments[i])); c != 0 {
			return c
		}
	}
	if c := cmp.Compare(len(p.segments), len(q.segments)); c != 0 {
		return c
	}
	return cmp.Compare(b2i(p.method == anyMethod), b2i(q.method == anyMethod))
}

func rank(segment string) int {
	switch {
	case !isVariable(segment):
		return 0
	case strings.HasSuffix(segment, "+}"):
		return 2
	}
	return 1
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

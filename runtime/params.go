package es

import (
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// parameters are the decoded parameters of a query, each at most once.
type parameters map[string]string

// parseParameters reads a query. Parameters that known refuses, repeated ones and
// what is no UTF-8 are problems; a nil known refuses all.
func parseParameters(query string, known func(name string) bool) (parameters, *problem) {
	if query == "" {
		return nil, nil
	}
	ps := parameters{}
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		value, err2 := url.QueryUnescape(rawValue)
		if err != nil || err2 != nil || !utf8.ValidString(name) || !utf8.ValidString(value) {
			return nil, badParameter("the query is not percent-encoded UTF-8")
		}
		if known == nil || !known(name) {
			return nil, badParameter("the parameter " + quoted(name) + " is not known here")
		}
		if _, repeated := ps[name]; repeated {
			return nil, badParameter("the parameter " + quoted(name) + " is given twice")
		}
		ps[name] = value
	}
	return ps, nil
}

// quoted shows what a client sent, cut so that an answer stays small.
func quoted(text string) string {
	if len(text) > 64 {
		text = strings.ToValidUTF8(text[:64], "") + "…"
	}
	return strconv.Quote(text)
}

// limit is the number of items that a page may have.
func (ps parameters) limit(pageSize int) (int, *problem) {
	text, given := ps["limit"]
	if !given {
		return pageSize, nil
	}
	n, ok := parseVersion(text)
	if !ok || n < 1 || n > 100 {
		return 0, badParameter("limit must be 1 to 100")
	}
	return int(n), nil
}

// version reads a parameter that is a version.
func (ps parameters) version(name string) (n int64, given bool, p *problem) {
	text, given := ps[name]
	if !given {
		return 0, false, nil
	}
	n, ok := parseVersion(text)
	if !ok {
		return 0, true, badParameter(name + " must be a version, a number from 0")
	}
	return n, true, nil
}

// refuse names a parameter among those given that has no meaning here.
func (ps parameters) refuse(why string, names ...string) *problem {
	for _, name := range names {
		if _, given := ps[name]; given {
			return badParameter("the parameter " + quoted(name) + " " + why)
		}
	}
	return nil
}

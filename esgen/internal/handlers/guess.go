package handlers

import (
	"bytes"
	"regexp"
	"strings"
)

var (
	funcLine = regexp.MustCompile(`(?m)^[ \t]*func[ \t]*(?:\([ \t]*(?:\w+[ \t]+)?\*?[ \t]*(\w+)(?:\[[^\]]*\])?[ \t]*\)[ \t]*)?(\w+)[ \t]*[\[(]([^\n]*)`)
	typeWord = regexp.MustCompile(`\b(?:events\.)?[A-Z]\w*`)
)

// guess finds what look like functions in a file that does not parse. It also
// takes those in comments: a stub too few is mended by the next run, when the
// file parses; a stub too many would be a second function of that name.
func guess(name string, text []byte) []Func {
	var funcs []Func
	for _, at := range funcLine.FindAllSubmatchIndex(text, -1) {
		f := Func{Name: string(text[at[4]:at[5]]), File: name, Guessed: true}
		if at[2] >= 0 {
			f.Name = string(text[at[2]:at[3]]) + "." + f.Name
		}
		f.Line = 1 + bytes.Count(text[:at[4]], []byte("\n"))
		params, _, _ := strings.Cut(string(text[at[6]:at[7]]), ")")
		f.Takes = typeWord.FindAllString(params, -1)
		funcs = append(funcs, f)
	}
	return funcs
}

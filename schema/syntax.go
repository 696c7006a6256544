package schema

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// reportSyntax says in our own words why the library could not read the text.
// Types that lack quotes are found first; what is wrong beside them is looked
// for in the text with those quotes.
func reportSyntax(r *report, text []byte, err error) {
	if errors.Is(err, errSecondDocument) {
		reportSecondDocument(r)
		return
	}
	unquoted := unquotedTypes(string(text))
	if len(unquoted) == 0 {
		reportMalformed(r, text, err)
		return
	}
	// Are they the reason? A reading with the quotes must get further.
	mended := quoteTypes(string(text), unquoted)
	_, rest := parseYAML([]byte(mended))
	if rest != nil && errorLine(rest) <= errorLine(err) && errorOffset([]byte(mended), rest) < unquoted[0].end {
		reportMalformed(r, text, err)
		return
	}
	for _, u := range unquoted {
		at := offsetSpan(text, u.start)
		at.endCol = at.col + utf8.RuneCount(text[u.start:u.end])
		what := "the type"
		if strings.Contains(u.text, "].") {
			what = "the path"
		}
		r.addAt("quote-type", at, fmt.Sprintf("%s %q needs quotes here: inside { } and [ ], YAML gives ? and [] a meaning of its own", what, u.text), fmt.Sprintf("write %q", u.text))
	}
	switch {
	case rest == nil:
	case errors.Is(rest, errSecondDocument):
		reportSecondDocument(r)
	default:
		mendedSource := &report{source: newSource(r.file, []byte(mended))}
		reportMalformed(mendedSource, []byte(mended), rest)
		for _, d := range mendedSource.found {
			shift := 0 // by the quotes that were put before it on its line
			for _, u := range unquoted {
				at := offsetSpan(text, u.start)
				if at.line == d.Line && at.col+shift < d.Column {
					shift += 2
				}
			}
			r.addAt(d.Code, span{d.Line, d.Column - shift, d.EndLine, d.EndColumn - shift}, d.Message, d.Hint)
		}
	}
}

func reportSecondDocument(r *report) {
	started := false
	for i, text := range r.lines {
		if marker := text == "---" || strings.HasPrefix(text, "--- ") || text == "..."; marker && started {
			r.addAt("several-documents", r.wholeLine(i+1), "the file holds a second YAML document", "one file describes one service")
			return
		}
		if trimmed := strings.TrimSpace(text); trimmed != "" && trimmed[0] != '#' && trimmed[0] != '%' && text != "---" {
			started = true
		}
	}
	r.addAt("several-documents", r.wholeLine(1), "the file holds a second YAML document", "one file describes one service")
}

func reportMalformed(r *report, text []byte, err error) {
	message := yamlPrefix.ReplaceAllString(err.Error(), "")
	if name, ok := strings.CutPrefix(message, "unknown anchor '"); ok {
		name = strings.TrimSuffix(name, "' referenced")
		r.addAt("alias", r.find("*"+name), fmt.Sprintf("the alias *%s has no anchor &%s before it", name, name), "write the value out; text that begins with * needs quotes")
		return
	}
	offset := min(errorOffset(text, err), len(text))
	at := offsetSpan(text, offset)
	if offset == len(text) { // reading stopped at the end: show the last line that says something
		last := len(r.lines)
		for last > 1 && strings.TrimSpace(r.lines[last-1]) == "" {
			last--
		}
		at = r.wholeLine(last)
		at.col = max(at.endCol-1, 1)
	}
	if opened := openQuote(string(text)); opened >= 0 && strings.Contains(message, "unexpected end of stream") {
		at = offsetSpan(text, opened)
	}
	words, hint := syntaxWords(message, r.at(at.line, at.col))
	r.addAt("yaml", at, words, hint)
}

// openQuote is where the quote stands that is still open at the end of a text; -1 without one.
func openQuote(text string) int {
	f := newFlowScanner(text)
	for f.next() {
	}
	if f.quote == 0 {
		return -1
	}
	return f.quoted
}

// find is the first place of a text that is not part of a longer name.
func (s *source) find(text string) span {
	for i, line := range s.lines {
		for from := 0; ; {
			j := strings.Index(line[from:], text)
			if j < 0 {
				break
			}
			end := from + j + len(text)
			if end == len(line) || strings.ContainsRune(" \t,]}:", rune(line[end])) {
				col := utf8.RuneCountInString(line[:from+j]) + 1
				return span{i + 1, col, i + 1, col + utf8.RuneCountInString(text)}
			}
			from = end
		}
	}
	return span{1, 1, 1, 2}
}

var (
	yamlPrefix = regexp.MustCompile(`^yaml: (line [0-9]+: )?`)
	yamlLine   = regexp.MustCompile(`^yaml: line ([0-9]+): `)
)

func errorLine(err error) int {
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	return 1
}

// errorOffset finds where the library stopped, which it does not say: the length
// of the shortest beginning of the text that fails in the same way whatever
// follows. An unclosed bracket also fails in its own way at the end of a beginning, so
// each is tried with its brackets closed.
func errorOffset(text []byte, err error) int {
	want := yamlPrefix.ReplaceAllString(err.Error(), "")
	if len(text) > maxSearched {
		return lineOffset(text, errorLine(err))
	}
	fails := func(n int) bool {
		for n < len(text) && !utf8.RuneStart(text[n]) {
			n++
		}
		begin := string(text[:n])
		_, err := parseYAML([]byte(begin + closing(begin)))
		return err != nil && yamlPrefix.ReplaceAllString(err.Error(), "") == want
	}
	low, high := 0, len(text) // the answer is in (low, high]
	if !fails(high) {
		return high // only what is missing at the end is wrong
	}
	for high-low > 1 {
		middle := low + (high-low)/2
		if fails(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	offset := high - 1
	for offset > 0 && !utf8.RuneStart(text[offset]) {
		offset--
	}
	return offset
}

// maxSearched bounds the text that is read again and again to find a place.
const maxSearched = 128 << 10

// lineOffset is where a line begins.
func lineOffset(text []byte, line int) int {
	offset := 0
	for ; line > 1; line-- {
		i := bytes.IndexByte(text[offset:], '\n')
		if i < 0 {
			break
		}
		offset += i + 1
	}
	return offset
}

// closing is what closes the quote and the brackets open at the end of the text.
func closing(text string) string {
	f := newFlowScanner(text)
	for f.next() {
	}
	var b strings.Builder
	switch {
	case f.quote != 0:
		b.WriteByte(f.quote)
	case f.colon && len(f.open) > 0:
		b.WriteString(" x")
	}
	for i := len(f.open) - 1; i >= 0; i-- {
		if f.open[i] == '{' {
			b.WriteByte('}')
		} else {
			b.WriteByte(']')
		}
	}
	return b.String()
}

// syntaxWords says what a message of the library means to whoever wrote the file.
func syntaxWords(message, rest string) (words, hint string) {
	for _, known := range syntaxMessages {
		if strings.Contains(message, known.part) {
			words, hint = known.words, known.hint
			break
		}
	}
	if words == "" {
		words = "this is not well-formed YAML"
	}
	switch {
	case strings.HasPrefix(rest, "\t"):
		return "a tab cannot indent YAML", "indent with blanks"
	case strings.HasPrefix(rest, "@"), strings.HasPrefix(rest, "`"):
		return fmt.Sprintf("a value cannot begin with %s", rest[:1]), "put it in quotes"
	}
	return words, hint
}

var syntaxMessages = []struct{ part, words, hint string }{
	{"did not find expected ',' or '}'", "a comma or the closing } is missing before this", "text with special characters needs quotes inside { }"},
	{"did not find expected ',' or ']'", "a comma or the closing ] is missing before this", "text with special characters needs quotes inside [ ]"},
	{"mapping values are not allowed", "a colon cannot stand here", "begin a new line, or put text with a colon in quotes"},
	{"could not find expected ':'", "a key without a colon behind it", "write key: value"},
	{"did not find expected key", "this does not fit the lines above: a key is expected, at their indentation", "keys of one mapping begin in one column"},
	{"did not find expected '-' indicator", "this does not fit the list above: a line with - is expected", "items of one list begin in one column"},
	{"block sequence entries are not allowed", "a list cannot begin here", "begin it on a line of its own"},
	{"block mapping", "a mapping cannot begin here", "begin it on a line of its own"},
	{"unexpected end of stream", "a quote is opened and not closed", "close it, or double a ' inside '...'"},
	{"unexpected document indicator", "a quote is opened and not closed", "close it"},
	{"unknown escape character", `an escape that YAML does not know stands in the double quotes`, `write \\ for a backslash, or use single quotes`},
	{"escape", "an escape in the double quotes is not complete", `write \\ for a backslash, or use single quotes`},
	{"did not find expected hexdecimal number", "an escape in the double quotes is not complete", `write \\ for a backslash, or use single quotes`},
	{"did not find expected node content", "a value is missing here", ""},
	{"cannot start any token", "a value cannot begin with this character", "put it in quotes"},
	{"tab", "a tab cannot indent YAML", "indent with blanks"},
	{"undefined tag handle", "tags are not part of the schema language", "remove the tag; put a string in quotes"},
	{"incompatible YAML document", "directives (lines that begin with %) are not part of the schema language", "remove the line"},
	{"directive", "directives (lines that begin with %) are not part of the schema language", "remove the line"},
	{"exceeded max depth", "values are nested too deep", ""},
	{"alphabetic or numeric", "the name of an anchor or alias is missing", "put text that begins with & or * in quotes"},
	{"did not find expected <document start>", "text stands after the end of the document", "one file describes one service"},
}

package schema

import (
	"regexp"
	"strings"
)

// flowScanner walks through YAML as far as needed to know what is inside { } and
// [ ], and outside quotes, comments and block scalars. It is used on text that
// the parser refused, so it takes everything.
type flowScanner struct {
	text   string
	at     int    // of the byte that next has come to
	pos    int    // of the byte after it
	open   []byte // brackets
	quote  byte   // 0 outside quotes
	quoted int    // where the last quote was opened
	colon  bool   // the last that was read is a colon that wants a value

	lineIndent int // of the line that is being read
	block      int // the indentation of a key with a block scalar, -1 without one
	starts     bool
}

func newFlowScanner(text string) *flowScanner {
	return &flowScanner{text: text, block: -1, starts: true}
}

// next goes to the next byte that is neither in quotes nor in a comment nor in a
// block scalar; false at the end.
func (f *flowScanner) next() bool {
	for f.pos < len(f.text) {
		if f.starts && f.quote == 0 {
			f.starts = false
			if f.beginLine() {
				continue
			}
			if f.pos >= len(f.text) {
				return false
			}
		}
		c := f.text[f.pos]
		f.at = f.pos
		f.pos++
		if c == '\n' {
			f.starts = true
		}
		if f.quote != 0 {
			f.inQuote(c)
			continue
		}
		switch {
		case (c == '"' || c == '\'') && f.beginsValue():
			f.quote, f.quoted, f.colon = c, f.at, false
			continue
		case c == '#' && (f.at == 0 || strings.IndexByte(" \t\n", f.text[f.at-1]) >= 0):
			f.toLineEnd()
			continue
		case c == '{', c == '[' && (len(f.open) == 0 || f.beginsValue()):
			if len(f.open) > 0 || f.beginsValue() {
				f.open = append(f.open, c)
			}
		case (c == '}' || c == ']') && len(f.open) > 0 && f.open[len(f.open)-1] == c-2:
			f.open = f.open[:len(f.open)-1]
		case (c == '|' || c == '>') && len(f.open) == 0 && f.beginsValue():
			f.block = f.lineIndent
		}
		if strings.IndexByte(" \t\r\n", c) < 0 {
			f.colon = c == ':'
		}
		return true
	}
	return false
}

// beginLine measures the indentation; true if the line belongs to a block scalar and was skipped.
func (f *flowScanner) beginLine() bool {
	end := f.pos
	for end < len(f.text) && f.text[end] == ' ' {
		end++
	}
	indent := end - f.pos
	blank := end == len(f.text) || f.text[end] == '\n' || f.text[end] == '\r'
	if f.block >= 0 && (blank || indent > f.block) {
		f.toLineEnd()
		if f.pos < len(f.text) {
			f.pos++ // the line's end
			f.starts = true
		}
		return true
	}
	if !blank {
		f.block = -1
		f.lineIndent = indent
	}
	return false
}

func (f *flowScanner) toLineEnd() {
	for f.pos < len(f.text) && f.text[f.pos] != '\n' {
		f.pos++
	}
}

func (f *flowScanner) inQuote(c byte) {
	switch {
	case c == '\\' && f.quote == '"' && f.pos < len(f.text):
		f.pos++
	case c == '\'' && f.quote == '\'' && f.pos < len(f.text) && f.text[f.pos] == '\'':
		f.pos++
	case c == f.quote:
		f.quote = 0
	}
}

// beginsValue reports whether a value can begin at the byte that next has come to.
func (f *flowScanner) beginsValue() bool {
	before := strings.TrimRight(f.text[:f.at], " \t")
	if before == "" {
		return true
	}
	switch c := before[len(before)-1]; c {
	case '{', '[', ',', '\n', '\r':
		return true
	case ':', '-', '?':
		return len(before) < f.at || len(f.open) > 0
	}
	return false
}

// unquoted is a type or path inside brackets that YAML does not read as one.
type unquoted struct {
	start, end int
	text       string
}

// A type or path with ? or [] in it, as it can stand at the beginning of a value.
var typeInFlow = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*(<[A-Za-z0-9<>\[\]?]*>)?(\[\])*(\.[A-Za-z][A-Za-z0-9]*(\[\])*)*\??`)

func unquotedTypes(text string) []unquoted {
	var found []unquoted
	f := newFlowScanner(text)
	for f.next() {
		c := text[f.at]
		if len(f.open) == 0 || c < 'A' || c > 'Z' && c < 'a' || c > 'z' || !f.beginsValue() {
			continue
		}
		word := typeInFlow.FindString(text[f.at:min(f.at+512, len(text))])
		if !strings.Contains(word, "?") && !strings.Contains(word, "[]") {
			continue
		}
		rest := strings.TrimLeft(text[f.at+len(word):], " \t")
		if rest != "" && strings.IndexByte(",]}\r\n#", rest[0]) < 0 {
			continue
		}
		found = append(found, unquoted{f.at, f.at + len(word), word})
		f.pos = f.at + len(word)
		if len(found) == maxFindings {
			break
		}
	}
	return found
}

func quoteTypes(text string, found []unquoted) string {
	var b strings.Builder
	from := 0
	for _, u := range found {
		b.WriteString(text[from:u.start] + `"` + u.text + `"`)
		from = u.end
	}
	return b.String() + text[from:]
}

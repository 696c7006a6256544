package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// WriteText writes the findings for people: the place and the message, the line
// with a caret, a hint where there is one.
func (ds Diagnostics) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, d := range ds {
		d.appendText(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// String is what WriteText writes.
func (ds Diagnostics) String() string {
	var b strings.Builder
	_ = ds.WriteText(&b) // a Builder returns no error
	return b.String()
}

func (d Diagnostic) appendText(b *strings.Builder) {
	fmt.Fprintf(b, "%s:%d:%d: %s: %s [%s]\n", d.File, d.Line, d.Column, d.Severity, printable(d.Message), d.Code)
	if d.Source != "" {
		line, before, width := d.excerpt()
		fmt.Fprintf(b, "%5d | %s\n", d.Line, line)
		fmt.Fprintf(b, "      | %s%s\n", strings.Repeat(" ", before), strings.Repeat("^", width))
	}
	for _, r := range d.Related {
		fmt.Fprintf(b, "   note: %s:%d:%d: %s\n", r.File, r.Line, r.Column, printable(r.Message))
	}
	if d.Hint != "" {
		fmt.Fprintf(b, "   hint: %s\n", printable(d.Hint))
	}
}

// A line longer than maxExcerpt is shown from excerptLead characters before the caret on.
const (
	maxExcerpt  = 160
	excerptLead = 40
)

// excerpt returns the line as it can be shown, and in cells of a terminal how much
// stands before the caret and how many carets there are.
func (d Diagnostic) excerpt() (line string, before, width int) {
	text := []rune(d.Source)
	start := min(max(d.Column-1, 0), len(text))
	end := len(text)
	if d.EndLine == d.Line {
		end = min(max(d.EndColumn-1, start), len(text))
	}
	from, to := 0, len(text)
	if len(text) > maxExcerpt {
		from = max(start-excerptLead, 0)
		to = min(from+maxExcerpt, len(text))
	}
	line = printable(string(text[from:to]))
	before, width = cells(text[from:start]), max(cells(text[start:max(min(end, to), start)]), 1)
	if from > 0 {
		line, before = "…"+line, before+1
	}
	if to < len(text) {
		line += "…"
	}
	return strings.TrimRight(line, " "), before, width
}

// cells counts the columns that a terminal gives to a text: two to a wide
// character, none to one that combines with that before it.
func cells(text []rune) int {
	n := 0
	for _, r := range text {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) && !isControl(r):
		case isWide(r):
			n += 2
		default:
			n++
		}
	}
	return n
}

// isWide reports whether terminals show a character two columns wide: the blocks
// that Unicode's East Asian Width has as wide, and pictographs.
func isWide(r rune) bool {
	switch {
	case r < 0x1100:
		return false
	case r <= 0x115f, r >= 0x2e80 && r <= 0x303e, r >= 0x3041 && r <= 0xa4cf, r >= 0xa960 && r <= 0xa97c, r >= 0xac00 && r <= 0xd7a3,
		r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6,
		r >= 0x1f300 && r <= 0x1f64f, r >= 0x1f680 && r <= 0x1f6ff, r >= 0x1f900 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
		return true
	}
	return false
}

// isControl reports whether a character could steer a terminal.
func isControl(r rune) bool {
	return r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// printable keeps what a schema says from steering a terminal; the number of
// code points stays, so carets stay in place.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case isControl(r):
			return '\ufffd'
		}
		return r
	}, s)
}

// WriteJSON writes the findings as one JSON object: {"diagnostics": [...]}.
func (ds Diagnostics) WriteJSON(w io.Writer) error {
	list := make([]Diagnostic, len(ds))
	copy(list, ds)
	for i := range list {
		if list[i].Related == nil {
			list[i].Related = []Related{}
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(map[string]any{"diagnostics": list}); err != nil {
		return fmt.Errorf("write diagnostics: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// WriteGitHub writes the findings as workflow commands, which GitHub shows
// beside the lines of a pull request.
func (ds Diagnostics) WriteGitHub(w io.Writer) error {
	var b strings.Builder
	for _, d := range ds {
		message := d.Message
		for _, r := range d.Related {
			message += fmt.Sprintf("\n%s:%d:%d: %s", r.File, r.Line, r.Column, r.Message)
		}
		if d.Hint != "" {
			message += "\nhint: " + d.Hint
		}
		fmt.Fprintf(&b, "::%s file=%s,line=%d,endLine=%d,col=%d,endColumn=%d,title=%s::%s\n",
			d.Severity, githubProperty(d.File), d.Line, d.EndLine, d.Column, d.EndColumn, githubProperty(d.Code), githubMessage(message))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

var (
	githubMessages   = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperties = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func githubMessage(s string) string  { return githubMessages.Replace(s) }
func githubProperty(s string) string { return githubProperties.Replace(s) }

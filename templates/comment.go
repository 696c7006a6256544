package templates

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dave/jennifer/jen"

	"github.com/esgen/esgen/schema"
)

// commentWidth is where comments are wrapped, in characters of text.
const commentWidth = 78

// comment is text as a line comment; nil for empty text.
func comment(text string) jen.Code {
	if text = commentText(text); text != "" {
		return jen.Comment(text)
	}
	return nil
}

// commentText turns text into a line comment, wrapped; "" for empty text. Line
// breaks in the text are kept. Whatever the text is, the result is a comment and
// no instruction to the go command.
func commentText(text string) string {
	text = strings.TrimSpace(strings.Map(printable, text))
	if text == "" {
		return ""
	}
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		writeWrapped(&b, strings.Fields(line))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// writeWrapped writes the words of one line of text. Behind "// " nothing is a
// directive but the old "+build".
func writeWrapped(b *strings.Builder, words []string) {
	if len(words) == 0 {
		b.WriteString("//\n")
		return
	}
	b.WriteString("//")
	width := 0
	for i, word := range words {
		n := utf8.RuneCountInString(word)
		build := strings.HasPrefix(word, "+build")
		switch {
		case i == 0 && build:
			word = `\` + word
		case i > 0 && width+1+n > commentWidth && !build:
			b.WriteString("\n//")
			width = -1
		}
		b.WriteString(" " + word)
		width += 1 + n
	}
	b.WriteString("\n")
}

// printable drops what Go refuses in a source file or an editor would not show.
func printable(r rune) rune {
	if r == '\n' {
		return r
	}
	switch {
	case unicode.IsSpace(r):
		return ' '
	case r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Cf, r): // Cf: byte order mark, direction marks
		return -1
	}
	return r
}

// docText says of a declaration what it is, its description in the schema, and whether
// clients should no longer use it. It is not Go's own marker for
// that: what is stored goes on being folded, by code that linters would complain of.
func docText(what, description string, d schema.Deprecation) string {
	reason := ""
	if d.Set {
		reason = deprecated(d)
	}
	return paragraphs(what, description, reason)
}

// oneLine replaces line breaks by spaces.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func deprecated(d schema.Deprecation) string {
	if d.Reason == "" {
		return "Deprecated in the schema."
	}
	return "Deprecated in the schema: " + oneLine(d.Reason)
}

// paragraphs joins texts of which some may be empty.
func paragraphs(texts ...string) string {
	texts = slices.DeleteFunc(texts, func(text string) bool { return strings.TrimSpace(text) == "" })
	return strings.Join(texts, "\n\n")
}

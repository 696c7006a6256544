package schema

import (
	"bytes"
	"unicode/utf8"
)

// span is where something stands in the text: from 1, columns in code points,
// the end after the last character.
type span struct {
	line, col, endLine, endCol int
}

// source is a text cut into lines, without their ends.
type source struct {
	file  string
	lines []string
	// Where at was last asked: nodes come in the order of the text, and a line may
	// be as long as the file.
	last struct{ line, col, offset int }
}

func newSource(file string, text []byte) *source {
	s := &source{file: file}
	for {
		i := bytes.IndexAny(text, "\r\n")
		if i < 0 {
			s.lines = append(s.lines, string(text))
			return s
		}
		s.lines = append(s.lines, string(text[:i]))
		if text[i] == '\r' && i+1 < len(text) && text[i+1] == '\n' {
			i++
		}
		text = text[i+1:]
	}
}

func (s *source) line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	return s.lines[n-1]
}

// at is the text of a line from a column on.
func (s *source) at(line, col int) string {
	text := s.line(line)
	if s.last.line != line || s.last.col > col {
		s.last.line, s.last.col, s.last.offset = line, 1, 0
	}
	c := &s.last
	for ; c.col < col && c.offset < len(text); c.col++ {
		_, size := utf8.DecodeRuneInString(text[c.offset:])
		c.offset += size
	}
	return text[c.offset:]
}

// wholeLine is the span of what a line says, without the blanks around it.
func (s *source) wholeLine(n int) span {
	text := []rune(s.line(n))
	from, to := 0, len(text)
	for from < to && (text[from] == ' ' || text[from] == '\t') {
		from++
	}
	for to > from && (text[to-1] == ' ' || text[to-1] == '\t') {
		to--
	}
	return span{n, from + 1, n, max(to, from+1) + 1}
}

// offsetSpan is the place of a byte of the text, one character wide.
func offsetSpan(text []byte, offset int) span {
	line, start := 1, 0
	for i := 0; i < offset; i++ {
		if text[i] == '\n' || text[i] == '\r' && (i+1 >= len(text) || text[i+1] != '\n') {
			line, start = line+1, i+1
		}
	}
	col := utf8.RuneCount(text[start:offset]) + 1
	return span{line, col, line, col + 1}
}

package schema

import (
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// spanOf finds where a node begins and ends; the library knows only the beginning.
// A mapping or list in block style is as wide as its first character.
func (s *source) spanOf(y *yaml.Node) span {
	line, col := max(y.Line, 1), max(y.Column, 1)
	rest := s.at(line, col)
	for strings.HasPrefix(rest, "&") || strings.HasPrefix(rest, "!") { // an anchor or a tag before the value
		i := strings.IndexAny(rest, " \t")
		if i < 0 {
			break
		}
		trimmed := strings.TrimLeft(rest[i:], " \t")
		if trimmed == "" || trimmed[0] == '#' {
			break
		}
		col += utf8.RuneCountInString(rest[:len(rest)-len(trimmed)])
		rest = trimmed
	}
	switch {
	case y.Kind == yaml.AliasNode:
		return span{line, col, line, col + 1 + utf8.RuneCountInString(y.Value)}
	case y.Kind != yaml.ScalarNode:
		return span{line, col, line, col + 1}
	case y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		return s.quoted(line, col)
	case y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return span{line, col, line, col + 1}
	case strings.HasPrefix(rest, y.Value):
		return span{line, col, line, col + max(utf8.RuneCountInString(y.Value), 1)}
	}
	// A plain scalar over several lines: the rest of its first.
	return span{line, col, line, col + max(utf8.RuneCountInString(strings.TrimRight(rest, " \t")), 1)}
}

// quoted is the span of a quoted scalar that begins at line and column.
func (s *source) quoted(line, col int) span {
	rest := s.at(line, col)
	if rest == "" {
		return span{line, col, line, col + 1}
	}
	quote := rest[0]
	at, text := 1, rest[1:]
	column := col + 1
	for endLine := line; ; {
		for at = 0; at < len(text); {
			r, size := utf8.DecodeRuneInString(text[at:])
			at += size
			column++
			switch {
			case r == '\\' && quote == '"' && at < len(text):
				_, size := utf8.DecodeRuneInString(text[at:])
				at += size
				column++
			case byte(r) == quote && r < utf8.RuneSelf:
				if quote == '\'' && strings.HasPrefix(text[at:], "'") {
					at++
					column++
					continue
				}
				return span{line, col, endLine, column}
			}
		}
		endLine++
		if endLine > len(s.lines) {
			return span{line, col, line, col + 1}
		}
		text, column = s.lines[endLine-1], 1
	}
}

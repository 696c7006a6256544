// Package scan reads the tokens of a JSON text (RFC 8259) one after the other.
// It knows nothing of what they mean: the packages that read requests, stored texts and
// the envelopes around them are built on it.
//
// It asks for linear time and, but for strings with escapes, no memory. It does not check
// that the text is UTF-8; a caller who reads what strangers sent does that first.
package scan

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Scanner is a place in a text. Its methods expect a token at Pos, after white
// space that [Scanner.Space] skips; a method that reports false has left Pos where the
// text is wrong.
type Scanner struct {
	Text string
	Pos  int
}

// Space skips white space and returns the byte at Pos, 0 at the end of the text.
func (s *Scanner) Space() byte {
	for s.Pos < len(s.Text) {
		c := s.Text[s.Pos]
		if c > ' ' || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
		s.Pos++
	}
	return 0
}

// End skips white space and reports whether nothing follows.
func (s *Scanner) End() bool {
	s.Space()
	return s.Pos == len(s.Text)
}

// Word reads the literal true, false or null.
func (s *Scanner) Word(word string) bool {
	if len(s.Text)-s.Pos < len(word) || s.Text[s.Pos:s.Pos+len(word)] != word {
		return false
	}
	s.Pos += len(word)
	return true
}

// String reads a string and returns what it stands for: a piece of the text
// when it has no escapes. A lone surrogate becomes U+FFFD, as in encoding/json.
func (s *Scanner) String() (string, bool) {
	text := s.Text
	start := s.Pos + 1
	if s.Pos >= len(text) || text[s.Pos] != '"' {
		return "", false
	}
	i := Plain(text, start)
	s.Pos = i
	if i < len(text) {
		switch text[i] {
		case '"':
			s.Pos++
			return text[start:i], true
		case '\\':
			return s.unescape(start)
		}
	}
	return "", false // a control character, or the end
}

const (
	low   = 0x0101010101010101
	high  = 0x80 * low
	quote = '"' * low
	slash = '\\' * low
	space = ' ' * low
)

// PlainBytes returns how many of eight bytes, the first as the lowest, stand for themselves
// in a string before the first that does not: 8 if all do.
func PlainBytes(x uint64) int {
	q, b := x^quote, x^slash
	// The lowest bit that is set marks that byte; above it bits may be wrong.
	m := ((q-low)&^q | (b-low)&^b | (x-space)&^x) & high
	return bits.TrailingZeros64(m) >> 3
}

// Plain returns where the bytes from text[i] on end that stand for themselves in a
// string: at a quote, a backslash, a control character or the end of the text.
func Plain(text string, i int) int {
	for i+8 <= len(text) {
		run := PlainBytes(load(text[i : i+8]))
		if i += run; run < 8 {
			return i
		}
	}
	for i < len(text) && text[i] >= ' ' && text[i] != '"' && text[i] != '\\' {
		i++
	}
	return i
}

// load reads eight bytes, the first as the lowest.
func load(t string) uint64 {
	_ = t[7]
	return uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 |
		uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56
}

// simple are the escapes of one letter, and what they stand for.
var simple = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unescape reads on at the first escape of a string that began at start. Runs between
// escapes are short, so they are copied eight bytes at a time, into room that is
// written out where it gets short.
func (s *Scanner) unescape(start int) (string, bool) {
	var room [1024]byte
	const full = len(room) - 16
	var value strings.Builder // of what did not fit into room
	text, i, n := s.Text, s.Pos, 0
	if i-start < full {
		n = copy(room[:], text[start:i])
	} else {
		value.Grow(lengthBound(text, start))
		value.WriteString(text[start:i])
	}
	for i < len(text) {
		if n > full {
			if value.Len() == 0 {
				value.Grow(n + lengthBound(text, i))
			}
			value.Write(room[:n])
			n = 0
		}
		if i+8 <= len(text) {
			x := load(text[i : i+8])
			binary.LittleEndian.PutUint64(room[n:n+8], x)
			run := PlainBytes(x)
			n += run
			i += run
			if run == 8 {
				continue
			}
		}
		switch c := text[i]; {
		case c == '\\':
			if i+1 < len(text) && simple[text[i+1]] != 0 {
				room[n] = simple[text[i+1]]
				n++
				i += 2
				continue
			}
			s.Pos = i
			escaped, ok := s.unicode(room[:n])
			if !ok {
				return "", false
			}
			i, n = s.Pos, len(escaped)
		case c == '"':
			s.Pos = i + 1
			if value.Len() == 0 {
				return string(room[:n]), true
			}
			value.Write(room[:n])
			return value.String(), true
		case c < ' ':
			s.Pos = i
			return "", false
		default: // among the last bytes of the text
			room[n] = c
			n++
			i++
		}
	}
	s.Pos = i
	return "", false
}

// lengthBound is what the rest of a string, from text[i] on, takes at most: an escape is
// never shorter than what it stands for.
func lengthBound(text string, i int) int {
	s := Scanner{Text: text}
	s.skipString(i)
	return s.Pos - i
}

// unicode appends the code point of the \u escape at Pos, or of the pair of
// them that make one.
func (s *Scanner) unicode(dst []byte) ([]byte, bool) {
	r, ok := s.hex4(s.Pos)
	if !ok {
		return dst, false
	}
	s.Pos += 6
	if utf16.IsSurrogate(r) {
		low, ok := s.hex4(s.Pos)
		if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
			s.Pos += 6
			return utf8.AppendRune(dst, pair), true
		}
		r = utf8.RuneError
	}
	return utf8.AppendRune(dst, r), true
}

// hex4 returns the number in the escape \uXXXX at pos.
func (s *Scanner) hex4(pos int) (rune, bool) {
	if len(s.Text)-pos < 6 || s.Text[pos] != '\\' || s.Text[pos+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range []byte(s.Text[pos+2 : pos+6]) {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// Skip steps over one value. It sees where the value ends and not whether all of
// it is right: that is for a text known to be JSON, or one that is read again.
func (s *Scanner) Skip() bool {
	depth := 0
	for {
		switch c := s.Space(); c {
		case 0:
			return false
		case '"':
			if !s.skipString(s.Pos + 1) {
				return false
			}
		case '{', '[':
			depth++
			s.Pos++
		case '}', ']':
			depth--
			s.Pos++
		case ',', ':':
			if depth == 0 {
				return false
			}
			s.Pos++
			continue
		default:
			if !s.skipAtom() {
				return false
			}
		}
		if depth <= 0 {
			return depth == 0
		}
	}
}

// skipString steps over the rest of a string, read up to text[i].
func (s *Scanner) skipString(i int) bool {
	text := s.Text
	for i < len(text) {
		if i+8 <= len(text) {
			x := load(text[i : i+8])
			q, b := x^quote, x^slash
			run := bits.TrailingZeros64(((q-low)&^q|(b-low)&^b)&high) >> 3
			if i += run; run == 8 {
				continue
			}
		}
		switch text[i] {
		case '"':
			s.Pos = i + 1
			return true
		case '\\':
			i++
		}
		i++
	}
	s.Pos = len(text)
	return false
}

// skipAtom steps over a number or a literal.
func (s *Scanner) skipAtom() bool {
	start := s.Pos
	for s.Pos < len(s.Text) {
		c := s.Text[s.Pos]
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'E' {
			s.Pos++
			continue
		}
		break
	}
	return s.Pos > start
}

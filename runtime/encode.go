package es

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/esgen/esgen/runtime/scan"
)

// The functions Append… append values in canonical form: no white space, no more
// escapes than JSON asks for, one spelling per value. Generated AppendJSON methods
// are made of them:
//
//	func (e OrderPlaced) AppendJSON(dst []byte) []byte {
//		start := len(dst)
//		dst = append(dst, `,"customerId":`...)
//		dst = es.AppendString(dst, e.CustomerID)
//		if e.Note != nil {
//			dst = append(dst, `,"note":`...)
//			dst = es.AppendString(dst, *e.Note)
//		}
//		return es.AppendObjectEnd(dst, start)
//	}

// AppendObjectEnd closes an object whose members were appended from dst[start] on, each
// with a comma before it: the first comma becomes the brace.
func AppendObjectEnd(dst []byte, start int) []byte {
	if len(dst) == start {
		return append(dst, '{', '}')
	}
	dst[start] = '{'
	return append(dst, '}')
}

// AppendListEnd closes a list whose elements were appended from dst[start] on, each
// with a comma before it.
func AppendListEnd(dst []byte, start int) []byte {
	if len(dst) == start {
		return append(dst, '[', ']')
	}
	dst[start] = '['
	return append(dst, ']')
}

// verbatim reports whether a string is copied as it is: ASCII without quotes,
// backslashes and control characters. Most are. The last bytes are looked at
// twice rather than one by one.
func verbatim(s string) bool {
	const (
		low  = 0x0101010101010101
		high = 0x80 * low
	)
	odd := func(x uint64) uint64 {
		q, b := x^'"'*low, x^'\\'*low
		return (x | (q-low)&^q | (b-low)&^b | (x-' '*low)&^x) & high
	}
	n := len(s)
	switch {
	case n >= 8:
		m := odd(load64(s[n-8:]))
		for i := 0; i+8 < n; i += 8 {
			m |= odd(load64(s[i : i+8]))
		}
		return m == 0
	case n >= 4:
		return odd(load32(s)|load32(s[n-4:])<<32) == 0
	}
	for i := range n {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// AppendString appends a JSON string. Bytes that are not UTF-8 become U+FFFD.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	if verbatim(s) {
		dst = append(dst, s...)
	} else {
		dst = appendEscaped(dst, s)
	}
	return append(dst, '"')
}

// appendEscaped appends what stands between the quotes.
func appendEscaped(dst []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, s[start:i]...), "\ufffd"...)
				start = i + 1
			}
			i += size
		case c < ' ', c == '"', c == '\\':
			dst = appendEscape(append(dst, s[start:i]...), c)
			i++
			start = i
		default:
			i++
		}
	}
	return append(dst, s[start:]...)
}

// appendEscape appends the shortest escape of a byte that needs one.
func appendEscape(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// AppendInt appends a number.
func AppendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }

// AppendBool appends true or false.
func AppendBool(dst []byte, b bool) []byte { return strconv.AppendBool(dst, b) }

// AppendFloat appends the shortest number that reads back as f, spelled as
// encoding/json does; null for what checkFloat refuses.
func AppendFloat(dst []byte, f float64) []byte {
	if checkFloat(f) != nil {
		return append(dst, "null"...)
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	dst = strconv.AppendFloat(dst, f, format, -1, 64)
	if n := len(dst); format == 'e' && n >= 4 && dst[n-4] == 'e' && dst[n-3] == '-' && dst[n-2] == '0' {
		dst[n-2] = dst[n-1] // e-09 is e-9
		dst = dst[:n-1]
	}
	return dst
}

var errFloat = errors.New("a number must be finite")

// checkFloat says why AppendFloat cannot write f: it is infinite or not a number.
func checkFloat(f float64) error {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return errFloat
	}
	return nil
}

// AppendBytes appends padded base64.
func AppendBytes(dst []byte, b []byte) []byte {
	dst = base64.StdEncoding.AppendEncode(append(dst, '"'), b)
	return append(dst, '"')
}

// AppendRaw appends a JSON text compactly: no white space, strings in canonical
// form, members in their order, numbers as spelled. It appends null for nil and
// for what is no JSON.
func AppendRaw(dst []byte, raw json.RawMessage) []byte {
	start := len(dst)
	s := scan.Scanner{Text: string(raw)}
	dst, ok := appendCompact(dst, &s, 0)
	if !ok || !s.End() {
		return append(dst[:start], "null"...)
	}
	return dst
}

// maxRawDepth bounds the recursion over what a fold put into a json field; requests
// are bounded far below.
const maxRawDepth = 1000

// appendCompact reads a value and appends it.
func appendCompact(dst []byte, s *scan.Scanner, depth int) ([]byte, bool) {
	switch c := s.Space(); c {
	case '{', '[':
		if depth == maxRawDepth {
			return dst, false
		}
		return appendCompactAll(dst, s, c, depth)
	case '"':
		text, ok := s.String()
		return AppendString(dst, text), ok
	case 't':
		return append(dst, "true"...), s.Word("true")
	case 'f':
		return append(dst, "false"...), s.Word("false")
	case 'n':
		return append(dst, "null"...), s.Word("null")
	}
	var n scan.Number
	ok := s.Number(&n)
	return append(dst, n.Text...), ok
}

// appendCompactAll reads an object or a list, which starts at the scanner's position.
func appendCompactAll(dst []byte, s *scan.Scanner, bracket byte, depth int) ([]byte, bool) {
	end := bracket + 2 // of '[' and '{' alike
	dst = append(dst, bracket)
	s.Pos++
	if s.Space() == end {
		s.Pos++
		return append(dst, end), true
	}
	for ok := true; ; {
		if bracket == '{' {
			s.Space()
			var name string
			if name, ok = s.String(); !ok || s.Space() != ':' {
				return dst, false
			}
			s.Pos++
			dst = append(AppendString(dst, name), ':')
		}
		if dst, ok = appendCompact(dst, s, depth+1); !ok {
			return dst, false
		}
		c := s.Space()
		s.Pos++
		switch c {
		case end:
			return append(dst, end), true
		case ',':
			dst = append(dst, ',')
		default:
			return dst, false
		}
	}
}

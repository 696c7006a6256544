package scan

import "strings"

// Number is a JSON number, taken apart: ± Coef × 10^(Exp−Frac).
type Number struct {
	Text string // as spelled
	Neg  bool
	// Small says that all digits, leading zeros left out, are at most 19; Coef
	// is then their value. Otherwise they stand in Text only: see [Number.Digits].
	Small bool
	Coef  uint64
	Frac  int // digits after the point, as spelled
	Exp   int // the exponent as spelled; beyond ±MaxExp it is not exact
}

// MaxExp bounds the exponents that are kept exactly.
const MaxExp = 1 << 20

// Number reads a number.
func (s *Scanner) Number() (Number, bool) {
	text, start := s.Text, s.Pos
	i := start
	var n Number
	if i < len(text) && text[i] == '-' {
		n.Neg = true
		i++
	}
	first := i
	digits := 0 // without leading zeros
	for ; i < len(text) && text[i]-'0' <= 9; i++ {
		n.Coef = n.Coef*10 + uint64(text[i]-'0')
	}
	digits = i - first
	switch {
	case digits == 0:
		s.Pos = i
		return n, false
	case text[first] == '0':
		if digits > 1 {
			s.Pos = first + 1
			return n, false
		}
		digits = 0
	}
	if i < len(text) && text[i] == '.' {
		i++
		point := i
		for ; i < len(text) && text[i]-'0' <= 9; i++ {
			n.Coef = n.Coef*10 + uint64(text[i]-'0')
			if n.Coef != 0 || digits > 0 {
				digits++
			}
		}
		n.Frac = i - point
		if n.Frac == 0 {
			s.Pos = i
			return n, false
		}
	}
	n.Small = digits <= 19
	if i < len(text) && text[i]|0x20 == 'e' {
		var ok bool
		if n.Exp, i, ok = exponent(text, i+1); !ok {
			s.Pos = i
			return n, false
		}
	}
	n.Text = text[start:i]
	s.Pos = i
	return n, true
}

// exponent reads what follows the e at text[i:] and returns where it ends.
func exponent(text string, i int) (exp, end int, ok bool) {
	neg := false
	if i < len(text) && (text[i] == '+' || text[i] == '-') {
		neg = text[i] == '-'
		i++
	}
	first := i
	for ; i < len(text) && text[i]-'0' <= 9; i++ {
		if exp < MaxExp {
			exp = exp*10 + int(text[i]-'0')
		}
	}
	if neg {
		exp = -exp
	}
	return exp, i, i > first
}

// Digits returns the digits without zeros at either end, and the power of ten of
// the last: the number is ± digits × 10^exp. Of zero they are "" and 0.
func (n *Number) Digits() (digits string, exp int) {
	digits = strings.TrimPrefix(n.Text, "-")
	if e := strings.IndexAny(digits, "eE"); e >= 0 {
		digits = digits[:e]
	}
	if n.Frac > 0 {
		digits = strings.Replace(digits, ".", "", 1)
	}
	digits = strings.TrimLeft(digits, "0")
	all := len(digits)
	digits = strings.TrimRight(digits, "0")
	if digits == "" {
		return "", 0
	}
	return digits, n.Exp - n.Frac + all - len(digits)
}

// ParseNumber takes apart a text that is one number and nothing else.
func ParseNumber(text string) (Number, bool) {
	s := Scanner{Text: text}
	n, ok := s.Number()
	return n, ok && s.Pos == len(text)
}

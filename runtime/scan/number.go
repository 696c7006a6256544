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

// Number reads a number into n.
func (s *Scanner) Number(n *Number) bool {
	text, start := s.Text, s.Pos
	i := start
	neg := i < len(text) && text[i] == '-'
	if neg {
		i++
	}
	first := i
	var coef uint64
	for ; i < len(text) && text[i]-'0' <= 9; i++ {
		coef = coef*10 + uint64(text[i]-'0')
	}
	digits := i - first // from the first that is not zero
	if digits == 0 || digits > 1 && text[first] == '0' {
		s.Pos = min(i, first+1)
		return false
	}
	if text[first] == '0' {
		digits = 0
	}
	frac := 0
	if i < len(text) && text[i] == '.' {
		i++
		point := i
		for ; i < len(text) && text[i]-'0' <= 9; i++ {
			coef = coef*10 + uint64(text[i]-'0')
			if coef != 0 || digits > 0 {
				digits++
			}
		}
		if frac = i - point; frac == 0 {
			s.Pos = i
			return false
		}
	}
	exp := 0
	if i < len(text) && text[i]|0x20 == 'e' {
		var ok bool
		if exp, i, ok = exponent(text, i+1); !ok {
			s.Pos = i
			return false
		}
	}
	n.Text, n.Neg, n.Small = text[start:i], neg, digits <= 19
	n.Coef, n.Frac, n.Exp = coef, frac, exp
	s.Pos = i
	return true
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
func ParseNumber(text string) (n Number, ok bool) {
	s := Scanner{Text: text}
	ok = s.Number(&n)
	return n, ok && s.Pos == len(text)
}

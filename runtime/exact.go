package es

import (
	"math/big"
	"math/bits"
	"sort"
	"strings"

	"github.com/esgen/esgen/runtime/scan"
)

// Exact arithmetic on numbers as they are spelled, in time linear in their
// length: no number is ever written out to the length of its exponent.

// compareNumbers returns -1, 0 or 1 as a is below, equal to or above b.
func compareNumbers(a, b *scan.Number) int {
	if a.Small && b.Small {
		an, bn := a.Neg && a.Coef != 0, b.Neg && b.Coef != 0
		if an != bn {
			return sign(bn) - sign(an)
		}
		if c, ok := compareSmall(a, b); ok {
			if an {
				return -c
			}
			return c
		}
	}
	return compareDigits(a, b)
}

func sign(neg bool) int {
	if neg {
		return 1
	}
	return 0
}

// compareSmall compares magnitudes whose powers of ten are not far apart.
func compareSmall(a, b *scan.Number) (int, bool) {
	x, y := a.Coef, b.Coef
	if y == 0 {
		return order3(sign(x > 0), 0), true
	}
	apart := (a.Exp - a.Frac) - (b.Exp - b.Frac)
	var xhi, yhi uint64
	switch {
	case apart > 19 || apart < -19:
		return 0, false
	case apart > 0:
		xhi, x = bits.Mul64(x, pow10[apart])
	case apart < 0:
		yhi, y = bits.Mul64(y, pow10[-apart])
	}
	switch {
	case xhi != yhi:
		return order(xhi < yhi), true
	case x != y:
		return order(x < y), true
	}
	return 0, true
}

func order(less bool) int {
	if less {
		return -1
	}
	return 1
}

// compareDigits compares numbers of any length.
func compareDigits(a, b *scan.Number) int {
	x, xexp := a.Digits()
	y, yexp := b.Digits()
	xs, ys := signOf(x, a.Neg), signOf(y, b.Neg)
	if xs != ys || xs == 0 {
		return order3(xs, ys)
	}
	c := order3(len(x)+xexp, len(y)+yexp) // where the first digit stands
	if c == 0 {
		c = strings.Compare(x, y)
	}
	return c * xs
}

func signOf(digits string, neg bool) int {
	switch {
	case digits == "":
		return 0
	case neg:
		return -1
	}
	return 1
}

func order3(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// isMultiple reports whether n is a whole multiple of step, which is not 0.
func isMultiple(n, step *scan.Number) bool {
	digits, exp := n.Digits()
	if digits == "" {
		return true
	}
	divisor, stepExp := step.Digits()
	if divisor == "" {
		return false
	}
	// n/step = digits/divisor × 10^zeros. The digits end in no zero, so with
	// zeros below 0 the quotient can only be whole if no power of ten is missing.
	zeros := exp - stepExp
	if zeros < 0 {
		return false
	}
	if len(divisor) <= 18 {
		return remainder(digits, zeros, parseDigits(divisor)) == 0
	}
	return bigRemainder(digits, zeros, divisor)
}

// remainder returns digits × 10^zeros modulo m, which is below 10^18.
func remainder(digits string, zeros int, m uint64) uint64 {
	var r uint64
	for i := 0; i < len(digits); i++ {
		r = (r*10 + uint64(digits[i]-'0')) % m
	}
	for ; zeros > 0 && r != 0; zeros-- {
		r = r * 10 % m
	}
	return r
}

// bigRemainder reports whether divisor, of any length, divides digits × 10^zeros. It
// takes the digits in pieces as long as the divisor, so that it stays linear in them.
func bigRemainder(digits string, zeros int, divisor string) bool {
	m, _ := new(big.Int).SetString(divisor, 10)
	r, piece, shift := new(big.Int), new(big.Int), new(big.Int)
	ten := big.NewInt(10)
	for len(digits) > 0 {
		n := min(len(digits), len(divisor))
		piece.SetString(digits[:n], 10)
		shift.Exp(ten, big.NewInt(int64(n)), nil)
		r.Mod(r.Add(r.Mul(r, shift), piece), m)
		digits = digits[n:]
	}
	shift.Exp(ten, big.NewInt(int64(zeros)), m)
	return r.Mod(r.Mul(r, shift), m).Sign() == 0
}

func parseDigits(digits string) uint64 {
	var n uint64
	for i := 0; i < len(digits); i++ {
		n = n*10 + uint64(digits[i]-'0')
	}
	return n
}

// uniqueElements reports whether no two elements of a list, given as JSON text
// that was read before, are equal.
func uniqueElements(list string) bool {
	s := scan.Scanner{Text: list, Pos: 1}
	seen := map[string]struct{}{}
	for s.Space() != ']' {
		normal := string(appendNormal(nil, &s))
		if _, ok := seen[normal]; ok {
			return false
		}
		seen[normal] = struct{}{}
		if s.Space() == ',' {
			s.Pos++
		}
	}
	return true
}

// appendNormal appends a value in the one form that equal values share: members
// sorted, numbers without zeros at the ends, strings without needless escapes.
func appendNormal(dst []byte, s *scan.Scanner) []byte {
	switch c := s.Space(); c {
	case '{':
		return appendNormalObject(dst, s)
	case '[':
		s.Pos++
		dst = append(dst, '[')
		for s.Space() != ']' {
			dst = append(appendNormal(dst, s), ',')
			if s.Space() == ',' {
				s.Pos++
			}
		}
		s.Pos++
		return append(dst, ']')
	case '"':
		text, _ := s.String()
		return AppendString(dst, text)
	case 't', 'f', 'n':
		start := s.Pos
		s.Skip()
		return append(dst, s.Text[start:s.Pos]...)
	}
	var n scan.Number
	s.Number(&n)
	return appendNormalNumber(dst, &n)
}

func appendNormalNumber(dst []byte, n *scan.Number) []byte {
	digits, exp := n.Digits()
	if digits == "" {
		return append(dst, '0')
	}
	if n.Neg {
		dst = append(dst, '-')
	}
	dst = append(append(dst, digits...), 'e')
	return AppendInt(dst, int64(exp))
}

func appendNormalObject(dst []byte, s *scan.Scanner) []byte {
	s.Pos++
	var members []string
	for s.Space() != '}' {
		name, _ := s.String()
		s.Space()
		s.Pos++ // the colon
		member := append(AppendString(nil, name), ':')
		members = append(members, string(appendNormal(member, s)))
		if s.Space() == ',' {
			s.Pos++
		}
	}
	s.Pos++
	sort.Strings(members)
	dst = append(dst, '{')
	for _, m := range members {
		dst = append(append(dst, m...), ',')
	}
	return append(dst, '}')
}

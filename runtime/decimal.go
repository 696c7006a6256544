package es

import (
	"errors"
	"math/big"
	"math/bits"
	"strconv"

	"github.com/esgen/esgen/runtime/scan"
)

// Decimal is an exact decimal number of at most 38 digits, at most 38 of them
// after the point. The zero value is 0. Trailing zeros are kept: 1.50 is written as 1.50.
//
// A result that needs more digits is invalid, and so is every result that it goes
// into; see [Decimal.Err]. Nothing is ever rounded. Compare with [Decimal.Cmp]: with ==
// 1.5 and 1.50 differ.
type Decimal struct {
	hi, lo uint64 // the digits as an integer below 10^38
	scale  uint8  // digits after the point
	neg    bool   // never of zero
	bad    bool   // beyond 38 digits; all else is zero then
}

const (
	maxDigits = 38
	// 10^38, the first integer that a Decimal's digits cannot be.
	limitHi = 0x4b3b4ca85a86c47a
	limitLo = 0x098a224000000000
)

var (
	errDecimal       = errors.New("es: not a decimal: a number of at most 38 digits, at most 38 of them after the point")
	errDecimalBeyond = errors.New("es: the result of a calculation with decimals has more than 38 digits")

	bigTen   = big.NewInt(10)
	bigLimit = new(big.Int).Exp(bigTen, big.NewInt(maxDigits), nil)
)

// ParseDecimal reads a JSON number.
func ParseDecimal(text string) (Decimal, error) {
	n, ok := scan.ParseNumber(text)
	if !ok {
		return Decimal{}, errDecimal
	}
	x, ok := decimalOf(&n)
	if !ok {
		return Decimal{}, errDecimal
	}
	return x, nil
}

// decimalOf writes out the exponent of a number, or reports that it has too many digits.
func decimalOf(n *scan.Number) (Decimal, bool) {
	scale := n.Frac - n.Exp
	if n.Small && 0 <= scale && scale <= maxDigits {
		return Decimal{lo: n.Coef, scale: uint8(scale), neg: n.Neg && n.Coef != 0}, true
	}
	if scale > maxDigits {
		return Decimal{}, false
	}
	digits, exp := n.Digits()
	if digits == "" {
		return Decimal{scale: uint8(max(scale, 0))}, true
	}
	x := Decimal{scale: uint8(max(scale, 0)), neg: n.Neg}
	zeros := exp + int(x.scale) // to append to the digits
	if len(digits)+zeros > maxDigits {
		return Decimal{}, false
	}
	for i := 0; i < len(digits); i++ {
		x.shift(digits[i] - '0')
	}
	for ; zeros > 0; zeros-- {
		x.shift(0)
	}
	return x, true
}

// shift appends a digit.
func (x *Decimal) shift(digit byte) {
	hi, lo := bits.Mul64(x.lo, 10)
	var carry uint64
	x.lo, carry = bits.Add64(lo, uint64(digit), 0)
	x.hi = x.hi*10 + hi + carry
}

// MustDecimal is ParseDecimal for constants; it panics on text that is no decimal.
func MustDecimal(text string) Decimal {
	x, err := ParseDecimal(text)
	if err != nil {
		panic(err)
	}
	return x
}

// DecimalFromInt returns n as a Decimal.
func DecimalFromInt(n int64) Decimal {
	if n < 0 {
		return Decimal{lo: uint64(-n), neg: true} // right for the least int64 too
	}
	return Decimal{lo: uint64(n)}
}

// Add returns x + y, with as many digits after the point as the one that has more.
func (x Decimal) Add(y Decimal) Decimal {
	if x.bad || y.bad {
		return Decimal{bad: true}
	}
	scale := max(x.scale, y.scale)
	a, ok1 := x.scaled(scale)
	b, ok2 := y.scaled(scale)
	if !ok1 || !ok2 {
		return decimalFromBig(new(big.Int).Add(x.big(scale), y.big(scale)), int(scale))
	}
	if a.neg == b.neg {
		var carry uint64
		a.lo, carry = bits.Add64(a.lo, b.lo, 0)
		a.hi, _ = bits.Add64(a.hi, b.hi, carry) // two numbers below 2^127
		return a.fit()
	}
	if a.compareDigits(b) < 0 {
		a, b = b, a
	}
	var borrow uint64
	a.lo, borrow = bits.Sub64(a.lo, b.lo, 0)
	a.hi, _ = bits.Sub64(a.hi, b.hi, borrow)
	return a.fit()
}

// Sub returns x - y, with as many digits after the point as the one that has more.
func (x Decimal) Sub(y Decimal) Decimal { return x.Add(y.Neg()) }

// Mul returns x * y, with as many digits after the point as both have together;
// where these are too many, zeros at the end are dropped.
func (x Decimal) Mul(y Decimal) Decimal {
	if x.bad || y.bad {
		return Decimal{bad: true}
	}
	scale := int(x.scale) + int(y.scale)
	if x.hi|y.hi == 0 && scale <= maxDigits {
		hi, lo := bits.Mul64(x.lo, y.lo)
		z := Decimal{hi: hi, lo: lo, scale: uint8(scale), neg: x.neg != y.neg}
		if !z.over() {
			return z.fit()
		}
	}
	return decimalFromBig(new(big.Int).Mul(x.big(x.scale), y.big(y.scale)), scale)
}

// Neg returns -x.
func (x Decimal) Neg() Decimal {
	if x.hi|x.lo != 0 {
		x.neg = !x.neg
	}
	return x
}

// Cmp returns -1, 0 or 1 as x is below, equal to or above y. An invalid number is
// below every other and equal to an invalid one.
func (x Decimal) Cmp(y Decimal) int {
	if x.bad || y.bad {
		return order3(boolInt(y.bad), boolInt(x.bad))
	}
	if xs, ys := x.Sign(), y.Sign(); xs != ys || xs == 0 {
		return order3(xs, ys)
	}
	scale := max(x.scale, y.scale)
	a, ok1 := x.scaled(scale)
	b, ok2 := y.scaled(scale)
	if !ok1 || !ok2 {
		return x.big(scale).Cmp(y.big(scale))
	}
	if x.neg {
		return b.compareDigits(a)
	}
	return a.compareDigits(b)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Sign returns -1, 0 or 1; 0 for an invalid number.
func (x Decimal) Sign() int {
	switch {
	case x.neg:
		return -1
	case x.IsZero() || x.bad:
		return 0
	}
	return 1
}

// IsZero reports whether x is 0, however many zeros it has after the point.
func (x Decimal) IsZero() bool { return x.hi|x.lo == 0 && !x.bad }

// Err says whether x is the result of a calculation that went beyond 38 digits.
func (x Decimal) Err() error {
	if x.bad {
		return errDecimalBeyond
	}
	return nil
}

// scaled returns x with more digits after the point, unless the digits get too many.
func (x Decimal) scaled(scale uint8) (Decimal, bool) {
	for x.scale < scale {
		step := min(scale-x.scale, 19)
		hi, lo := bits.Mul64(x.lo, pow10[step])
		over, top := bits.Mul64(x.hi, pow10[step])
		var carry uint64
		x.lo = lo
		x.hi, carry = bits.Add64(top, hi, 0)
		x.scale += step
		if over|carry != 0 || x.over() {
			return x, false
		}
	}
	return x, true
}

// over reports whether the digits are more than 38.
func (x Decimal) over() bool { return x.hi > limitHi || x.hi == limitHi && x.lo >= limitLo }

func (x Decimal) compareDigits(y Decimal) int {
	switch {
	case x.hi != y.hi:
		return order(x.hi < y.hi)
	case x.lo != y.lo:
		return order(x.lo < y.lo)
	}
	return 0
}

// fit ends a calculation: what has too many digits is tried without zeros at the
// end, and zero has no sign.
func (x Decimal) fit() Decimal {
	if x.over() {
		return decimalFromBig(x.big(x.scale), int(x.scale))
	}
	if x.hi|x.lo == 0 {
		x.neg = false
	}
	return x
}

// big returns x times 10^scale; scale is at least x's.
func (x Decimal) big(scale uint8) *big.Int {
	n := new(big.Int).SetUint64(x.hi)
	n.Or(n.Lsh(n, 64), new(big.Int).SetUint64(x.lo))
	if up := scale - x.scale; up > 0 {
		n.Mul(n, new(big.Int).Exp(bigTen, big.NewInt(int64(up)), nil))
	}
	if x.neg {
		n.Neg(n)
	}
	return n
}

// decimalFromBig returns n / 10^scale, invalid if it has too many digits even
// without zeros at the end.
func decimalFromBig(n *big.Int, scale int) Decimal {
	x := Decimal{neg: n.Sign() < 0}
	n.Abs(n)
	quotient, digit := new(big.Int), new(big.Int)
	for (scale > maxDigits || n.Cmp(bigLimit) >= 0) && scale > 0 {
		if quotient.QuoRem(n, bigTen, digit); digit.Sign() != 0 {
			return Decimal{bad: true}
		}
		n, quotient = quotient, n
		scale--
	}
	if n.Cmp(bigLimit) >= 0 {
		return Decimal{bad: true}
	}
	x.scale = uint8(scale)
	x.lo = new(big.Int).And(n, new(big.Int).SetUint64(1<<64-1)).Uint64()
	x.hi = new(big.Int).Rsh(n, 64).Uint64()
	if x.hi|x.lo == 0 {
		x.neg = false
	}
	return x
}

// String writes x without an exponent; an invalid number as "invalid".
func (x Decimal) String() string {
	if x.bad {
		return "invalid"
	}
	return string(x.append(make([]byte, 0, 48)))
}

// append appends the digits of a valid x with sign and point.
func (x Decimal) append(dst []byte) []byte {
	if x.neg {
		dst = append(dst, '-')
	}
	if x.hi == 0 && int(x.scale) < len(pow10) {
		if x.scale == 0 {
			return strconv.AppendUint(dst, x.lo, 10)
		}
		unit := pow10[x.scale]
		dst = append(strconv.AppendUint(dst, x.lo/unit, 10), '.')
		for rest := x.lo % unit; unit > 1; {
			unit /= 10
			dst = append(dst, '0'+byte(rest/unit))
			rest %= unit
		}
		return dst
	}
	var room [maxDigits + 1]byte
	at := len(room)
	for left := int(x.scale) + 1; left > 0 || x.hi|x.lo != 0; left-- {
		at--
		room[at] = '0' + x.cutDigit()
	}
	point := len(room) - int(x.scale)
	dst = append(dst, room[at:point]...)
	if x.scale > 0 {
		dst = append(append(dst, '.'), room[point:]...)
	}
	return dst
}

// cutDigit takes the last digit off.
func (x *Decimal) cutDigit() byte {
	if x.hi == 0 {
		digit := byte(x.lo % 10)
		x.lo /= 10
		return digit
	}
	var rest uint64
	x.hi, rest = x.hi/10, x.hi%10
	x.lo, rest = bits.Div64(rest, x.lo, 10)
	return byte(rest)
}

// MarshalJSON writes x as a JSON number, or fails with [Decimal.Err].
func (x Decimal) MarshalJSON() ([]byte, error) {
	if x.bad {
		return nil, errDecimalBeyond
	}
	return x.append(nil), nil
}

// UnmarshalJSON reads a JSON number; null leaves x as it is.
func (x *Decimal) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	parsed, err := ParseDecimal(string(text))
	if err == nil {
		*x = parsed
	}
	return err
}

// AppendDecimal appends a number; null for an invalid one (see [Decimal.Err]).
func AppendDecimal(dst []byte, x Decimal) []byte {
	if x.bad {
		return append(dst, "null"...)
	}
	return x.append(dst)
}

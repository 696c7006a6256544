package schema

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// exact is a number of the file, whose digits and exponent are bounded.
func exact(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return new(big.Rat)
	}
	return r
}

// intText writes a number as a 64-bit integer, or reports false.
func intText(text string) (string, bool) {
	r := exact(text)
	if !r.IsInt() || !r.Num().IsInt64() {
		return "", false
	}
	return r.Num().String(), true
}

// floatText reports whether a number is within a 64-bit float, and gives its text.
func floatText(text string) (string, bool) {
	f, err := strconv.ParseFloat(text, 64)
	return text, err == nil && !math.IsInf(f, 0)
}

// Bounds on a decimal, its exponent written out.
const (
	maxDecimalDigits   = 38
	maxDecimalFraction = 38
)

// decimalText writes a number without an exponent, trailing zeros kept; false
// for one with too many digits.
func decimalText(text string) (string, bool) {
	negative := strings.HasPrefix(text, "-")
	text = strings.TrimPrefix(text, "-")
	mantissa, exponent := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa = text[:i]
		exponent, _ = strconv.Atoi(text[i+1:]) // bounded when it was read
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits, point := whole+fraction, len(whole)+exponent
	if point > len(digits) {
		digits += strings.Repeat("0", point-len(digits))
	}
	if point < 0 {
		digits, point = strings.Repeat("0", -point)+digits, 0
	}
	whole, fraction = strings.TrimLeft(digits[:point], "0"), digits[point:]
	if significant := len(strings.TrimLeft(whole+fraction, "0")); significant > maxDecimalDigits || len(fraction) > maxDecimalFraction {
		return "", false
	}
	if whole == "" {
		whole = "0"
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if negative && strings.Trim(whole, "0.") != "" {
		whole = "-" + whole
	}
	return whole, true
}

package es

// Decimal is an exact decimal number of at most 38 digits, at most 38 of them
// after the point. The zero value is 0. Trailing zeros are kept: 1.50 is written as 1.50.
//
// A result that needs more digits is invalid, and so is every result that it goes
// into; see [Decimal.Err]. Nothing is ever rounded. Compare with [Decimal.Cmp]: with ==
// 1.5 and 1.50 differ.
type Decimal struct {
	hi, lo uint64 // the digits as an integer below 10^38
	scale  uint8  // digits after the point
	neg    bool
	bad    bool
}

// ParseDecimal reads a JSON number.
func ParseDecimal(text string) (Decimal, error) { return Decimal{}, nil }

// MustDecimal is ParseDecimal for constants; it panics on text that is no decimal.
func MustDecimal(text string) Decimal { return Decimal{} }

// DecimalFromInt returns n as a Decimal.
func DecimalFromInt(n int64) Decimal { return Decimal{} }

// Add returns x + y.
func (x Decimal) Add(y Decimal) Decimal { return Decimal{} }

// Sub returns x - y.
func (x Decimal) Sub(y Decimal) Decimal { return Decimal{} }

// Mul returns x * y.
func (x Decimal) Mul(y Decimal) Decimal { return Decimal{} }

// Neg returns -x.
func (x Decimal) Neg() Decimal { return Decimal{} }

// Cmp returns -1, 0 or 1 as x is below, equal to or above y. An invalid number is
// below every other and equal to an invalid one.
func (x Decimal) Cmp(y Decimal) int { return 0 }

// Sign returns -1, 0 or 1; 0 for an invalid number.
func (x Decimal) Sign() int { return 0 }

// IsZero reports whether x is 0, however many zeros it has after the point.
func (x Decimal) IsZero() bool { return false }

// Err says whether x is the result of a calculation that went beyond 38 digits.
func (x Decimal) Err() error { return nil }

// String writes x without an exponent; an invalid number as "invalid".
func (x Decimal) String() string { return "" }

// MarshalJSON writes x as a JSON number, or fails with [Decimal.Err].
func (x Decimal) MarshalJSON() ([]byte, error) { return nil, nil }

// UnmarshalJSON reads a JSON number; null leaves x as it is.
func (x *Decimal) UnmarshalJSON(text []byte) error { return nil }

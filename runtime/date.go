package es

import "time"

// Date is a day of the calendar, from year 0 to 9999, in no time zone. The zero
// value, 0000-00-00, is no day. Dates may be compared with == and are map keys.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf returns the day of t in t's location.
func DateOf(t time.Time) Date { return Date{} }

// ParseDate reads "2006-01-02".
func ParseDate(text string) (Date, error) { return Date{}, nil }

// MustDate is ParseDate for constants; it panics on text that is no date.
func MustDate(text string) Date { return Date{} }

// AddDays returns the day that many days later.
func (d Date) AddDays(days int) Date { return Date{} }

// Compare returns -1, 0 or 1 as d is before, equal to or after e.
func (d Date) Compare(e Date) int { return 0 }

// Before reports whether d is before e.
func (d Date) Before(e Date) bool { return false }

// After reports whether d is after e.
func (d Date) After(e Date) bool { return false }

// IsZero reports whether d is the zero value.
func (d Date) IsZero() bool { return d == Date{} }

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return 0 }

// Time returns the day's midnight in UTC.
func (d Date) Time() time.Time { return time.Time{} }

// String writes "2006-01-02".
func (d Date) String() string { return "" }

// MarshalText writes "2006-01-02".
func (d Date) MarshalText() ([]byte, error) { return nil, nil }

// UnmarshalText reads "2006-01-02".
func (d *Date) UnmarshalText(text []byte) error { return nil }

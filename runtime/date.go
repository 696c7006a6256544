package es

import (
	"errors"
	"time"
)

// Date is a day of the calendar, from year 0 to 9999, in no time zone. The zero
// value, 0000-00-00, is no day. Dates may be compared with == and are map keys.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf returns the day of t in t's location.
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{year, month, day}
}

var errDate = errors.New(`es: not a date such as "2006-01-02"`)

// ParseDate reads "2006-01-02".
func ParseDate(text string) (Date, error) {
	d, ok := parseDate(text)
	if !ok {
		return Date{}, errDate
	}
	return d, nil
}

func parseDate(s string) (Date, bool) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return Date{}, false
	}
	century, ok1 := twoDigits(s, 99)
	years, ok2 := twoDigits(s[2:], 99)
	month, ok3 := twoDigits(s[5:], 12)
	day, ok4 := twoDigits(s[8:], 31)
	d := Date{century*100 + years, time.Month(month), day}
	return d, ok1 && ok2 && ok3 && ok4 && d.exists()
}

// exists reports whether the calendar has the day.
func (d Date) exists() bool {
	if d.Year < 0 || d.Year > 9999 || d.Month < 1 || d.Month > 12 || d.Day < 1 {
		return false
	}
	switch d.Month {
	case time.April, time.June, time.September, time.November:
		return d.Day <= 30
	case time.February:
		leap := d.Year%4 == 0 && (d.Year%100 != 0 || d.Year%400 == 0)
		return d.Day <= 28 || leap && d.Day == 29
	}
	return d.Day <= 31
}

// MustDate is ParseDate for constants; it panics on text that is no date.
func MustDate(text string) Date {
	d, err := ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

// AddDays returns the day that many days later.
func (d Date) AddDays(days int) Date { return DateOf(d.Time().AddDate(0, 0, days)) }

// Compare returns -1, 0 or 1 as d is before, equal to or after e.
func (d Date) Compare(e Date) int {
	switch {
	case d.Year != e.Year:
		return order(d.Year < e.Year)
	case d.Month != e.Month:
		return order(d.Month < e.Month)
	case d.Day != e.Day:
		return order(d.Day < e.Day)
	}
	return 0
}

// Before reports whether d is before e.
func (d Date) Before(e Date) bool { return d.Compare(e) < 0 }

// After reports whether d is after e.
func (d Date) After(e Date) bool { return d.Compare(e) > 0 }

// IsZero reports whether d is the zero value.
func (d Date) IsZero() bool { return d == Date{} }

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return d.Time().Weekday() }

// Time returns the day's midnight in UTC.
func (d Date) Time() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// String writes "2006-01-02".
func (d Date) String() string { return string(d.append(make([]byte, 0, 10))) }

// append appends "2006-01-02". A day that is none is written digit by digit, as
// far as it fits.
func (d Date) append(dst []byte) []byte {
	year := uint(d.Year) % 10000
	dst = appendTwo(dst, year/100)
	dst = appendTwo(dst, year%100)
	dst = appendTwo(append(dst, '-'), uint(d.Month)%100)
	return appendTwo(append(dst, '-'), uint(d.Day)%100)
}

func appendTwo(dst []byte, n uint) []byte { return append(dst, '0'+byte(n/10), '0'+byte(n%10)) }

// MarshalText writes "2006-01-02".
func (d Date) MarshalText() ([]byte, error) {
	if err := checkDate(d); err != nil {
		return nil, err
	}
	return d.append(nil), nil
}

// UnmarshalText reads "2006-01-02".
func (d *Date) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDate(string(text))
	return err
}

// AppendDate appends a date; null for what checkDate refuses.
func AppendDate(dst []byte, d Date) []byte {
	if !d.exists() {
		return append(dst, "null"...)
	}
	dst = d.append(append(dst, '"'))
	return append(dst, '"')
}

// checkDate says why a date cannot be stored: the calendar does not have it.
func checkDate(d Date) error {
	if !d.exists() {
		return errors.New("a date must be a day of the calendar, from year 0 to 9999")
	}
	return nil
}

package es

import (
	"errors"
	"sync/atomic"
	"time"
)

// parseTime reads a timestamp as the schema language has it: RFC 3339, upper
// case, at most nine digits of fraction, seconds to 59, the offset below 24 hours.
func parseTime(s string) (time.Time, bool) {
	if len(s) < len("2006-01-02T15:04:05Z") || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return time.Time{}, false
	}
	date, ok := parseDate(s[:10])
	hour, ok1 := twoDigits(s[11:], 23)
	minute, ok2 := twoDigits(s[14:], 59)
	second, ok3 := twoDigits(s[17:], 59)
	if !ok || !ok1 || !ok2 || !ok3 {
		return time.Time{}, false
	}
	nanos, rest, ok := parseFraction(s[19:])
	if !ok {
		return time.Time{}, false
	}
	zone := time.UTC
	if rest != "Z" {
		if zone, ok = parseOffset(rest); !ok {
			return time.Time{}, false
		}
	}
	return time.Date(date.Year, date.Month, date.Day, hour, minute, second, nanos, zone), true
}

// twoDigits reads the two digits that s starts with.
func twoDigits(s string, most int) (int, bool) {
	a, b := s[0]-'0', s[1]-'0'
	n := int(a)*10 + int(b)
	return n, a <= 9 && b <= 9 && n <= most
}

// parseFraction reads the fraction of a second, if there is one.
func parseFraction(s string) (nanos int, rest string, ok bool) {
	if s[0] != '.' {
		return 0, s, true
	}
	i, unit := 1, 100_000_000
	for ; i < len(s) && s[i]-'0' <= 9; i++ {
		nanos += int(s[i]-'0') * unit
		unit /= 10
	}
	return nanos, s[i:], i > 1 && i <= 10
}

// zones are the locations of the offsets met so far, by minutes from -23:59 on: a
// location made anew for each timestamp costs more than reading it.
var zones [2*24*60 - 1]atomic.Pointer[time.Location]

// parseOffset reads ±hh:mm.
func parseOffset(s string) (*time.Location, bool) {
	if len(s) != 6 || s[3] != ':' || s[0] != '+' && s[0] != '-' {
		return nil, false
	}
	hour, ok1 := twoDigits(s[1:], 23)
	minute, ok2 := twoDigits(s[4:], 59)
	if !ok1 || !ok2 {
		return nil, false
	}
	minutes := hour*60 + minute
	if s[0] == '-' {
		minutes = -minutes
	}
	if minutes == 0 {
		return time.UTC, true
	}
	place := &zones[minutes+24*60-1]
	zone := place.Load()
	if zone == nil {
		zone = time.FixedZone("", minutes*60)
		place.Store(zone)
	}
	return zone, true
}

// AppendTime appends a timestamp: RFC 3339, with t's own offset, no trailing
// zeros in the fraction. For what checkTime refuses it appends null.
func AppendTime(dst []byte, t time.Time) []byte {
	if t.Location() != time.UTC {
		if checkTime(t) != nil {
			return append(dst, "null"...)
		}
		dst = t.AppendFormat(append(dst, '"'), time.RFC3339Nano)
		return append(dst, '"')
	}
	day := DateOf(t)
	if day.Year < 0 || day.Year > 9999 {
		return append(dst, "null"...)
	}
	dst = day.append(append(dst, '"'))
	hour, minute, second := t.Clock()
	dst = appendTwo(append(dst, 'T'), uint(hour))
	dst = appendTwo(append(dst, ':'), uint(minute))
	dst = appendTwo(append(dst, ':'), uint(second))
	if nanos := t.Nanosecond(); nanos != 0 {
		dst = append(dst, '.')
		for unit := 100_000_000; nanos != 0; unit /= 10 {
			dst = append(dst, '0'+byte(nanos/unit))
			nanos %= unit
		}
	}
	return append(dst, 'Z', '"')
}

var (
	errYear   = errors.New("a timestamp's year must be from 0 to 9999")
	errOffset = errors.New("a timestamp's offset must be whole minutes, less than 24 hours")
)

// checkTime says why a timestamp cannot be stored: its year is not 0 to 9999, or
// its offset is not of whole minutes within a day.
func checkTime(t time.Time) error {
	if y := t.Year(); y < 0 || y > 9999 {
		return errYear
	}
	if t.Location() == time.UTC {
		return nil
	}
	if _, offset := t.Zone(); offset%60 != 0 || offset <= -24*3600 || offset >= 24*3600 {
		return errOffset
	}
	return nil
}

package es

import (
	"encoding/binary"
	"time"
)

// The functions AppendSort… append an encoding whose bytes order as the values
// do. But for strings no encoding is the beginning of another, so that something else may be
// appended to tell equal values apart.

// AppendSortString orders by bytes, which is the order of code points.
func AppendSortString(dst []byte, s string) []byte { return append(dst, s...) }

// AppendSortInt orders by value: eight bytes.
func AppendSortInt(dst []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(n)^1<<63)
}

// AppendSortBool orders false before true: one byte.
func AppendSortBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// AppendSortUUID orders by bytes, as the texts do.
func AppendSortUUID(dst []byte, u UUID) []byte { return append(dst, u[:]...) }

// AppendSortDate orders by day: four bytes.
func AppendSortDate(dst []byte, d Date) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(d.Year))
	return append(dst, byte(d.Month), byte(d.Day))
}

// AppendSortTime orders by instant, whatever the offset: twelve bytes.
func AppendSortTime(dst []byte, t time.Time) []byte {
	dst = AppendSortInt(dst, t.Unix())
	return binary.BigEndian.AppendUint32(dst, uint32(t.Nanosecond()))
}

// AppendSortDecimal orders by value: 1.5 and 1.50 are equal. It is a byte for the
// sign, one for the place of the first digit, the digits without zeros at the end, and an end
// mark; all but the first byte inverted below zero. An invalid number comes first.
func AppendSortDecimal(dst []byte, x Decimal) []byte {
	switch {
	case x.bad:
		return append(dst, 0)
	case x.IsZero():
		return append(dst, 2)
	}
	var room [maxDigits]byte
	at, digits := len(room), x
	for digits.hi|digits.lo != 0 {
		at--
		room[at] = digits.cutDigit() + 1
	}
	end := len(room)
	for room[end-1] == 1 {
		end--
	}
	if x.neg {
		dst = append(dst, 1)
	} else {
		dst = append(dst, 3)
	}
	start := len(dst)
	dst = append(dst, byte(64+len(room)-at-int(x.scale)))
	dst = append(append(dst, room[at:end]...), 0)
	if x.neg {
		for i := start; i < len(dst); i++ {
			dst[i] = ^dst[i]
		}
	}
	return dst
}

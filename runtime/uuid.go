package es

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"
)

// UUID is a universally unique identifier. It may be compared with == and is a map key.
type UUID [16]byte

// NewUUID returns a new UUID of version 7: ordered by time to the millisecond, else random.
func NewUUID(now time.Time) UUID {
	var u UUID
	rand.Read(u[6:]) // never fails
	milli := uint64(now.UnixMilli())
	binary.BigEndian.PutUint16(u[0:], uint16(milli>>32))
	binary.BigEndian.PutUint32(u[2:], uint32(milli))
	u.mark(7)
	return u
}

// DeriveUUID returns the UUID, version 8, that belongs to the parts: the same
// parts give the same UUID, and where one ends and the next begins makes a difference.
// It is frozen: what was derived once is derived again.
func DeriveUUID(parts ...string) UUID {
	h := sha256.New()
	var length [8]byte
	for _, part := range parts {
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write([]byte(part))
	}
	var u UUID
	copy(u[:], h.Sum(nil))
	u.mark(8)
	return u
}

// mark sets the version and the variant of RFC 9562.
func (u *UUID) mark(version byte) {
	u[6] = u[6]&0x0f | version<<4
	u[8] = u[8]&0x3f | 0x80
}

var errUUID = errors.New("es: not a UUID: 32 hexadecimal digits in groups of 8-4-4-4-12")

// ParseUUID reads the form with hyphens, in either case.
func ParseUUID(text string) (UUID, error) {
	u, ok := parseUUID(text)
	if !ok {
		return UUID{}, errUUID
	}
	return u, nil
}

// unhex is the value of a hexadecimal digit, 0xff of any other byte.
var unhex = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i := byte(0); i < 16; i++ {
		t["0123456789abcdef"[i]] = i
		t["0123456789ABCDEF"[i]] = i
	}
	return t
}()

// hexAt are the places of a UUID's bytes in its text.
var hexAt = [16]int{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34}

func parseUUID(s string) (u UUID, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return u, false
	}
	var bad byte
	for i, at := range hexAt {
		high, low := unhex[s[at]], unhex[s[at+1]]
		bad |= high | low
		u[i] = high<<4 | low&15
	}
	return u, bad < 16
}

// MustUUID is ParseUUID for constants; it panics on text that is no UUID.
func MustUUID(text string) UUID {
	u, err := ParseUUID(text)
	if err != nil {
		panic(err)
	}
	return u
}

// IsZero reports whether u is the zero value.
func (u UUID) IsZero() bool { return u == UUID{} }

// String writes the form with hyphens, lower case.
func (u UUID) String() string { return string(u.append(make([]byte, 0, 36))) }

func (u UUID) append(dst []byte) []byte {
	const digits = "0123456789abcdef"
	text := [36]byte{8: '-', 13: '-', 18: '-', 23: '-'}
	for i, at := range hexAt {
		text[at], text[at+1] = digits[u[i]>>4], digits[u[i]&15]
	}
	return append(dst, text[:]...)
}

// MarshalText writes the form with hyphens.
func (u UUID) MarshalText() ([]byte, error) { return u.append(nil), nil }

// UnmarshalText reads the form with hyphens.
func (u *UUID) UnmarshalText(text []byte) (err error) {
	*u, err = ParseUUID(string(text))
	return err
}

// AppendUUID appends a UUID.
func AppendUUID(dst []byte, u UUID) []byte {
	dst = u.append(append(dst, '"'))
	return append(dst, '"')
}

package es

import "time"

// UUID is a universally unique identifier. It may be compared with == and is a map key.
type UUID [16]byte

// NewUUID returns a new UUID of version 7: ordered by time, else random.
func NewUUID(now time.Time) UUID { return UUID{} }

// ParseUUID reads the form with hyphens, in either case.
func ParseUUID(text string) (UUID, error) { return UUID{}, nil }

// MustUUID is ParseUUID for constants; it panics on text that is no UUID.
func MustUUID(text string) UUID { return UUID{} }

// DeriveUUID returns the UUID, version 8, that belongs to the parts: the same
// parts give the same UUID, whatever separators they contain.
func DeriveUUID(parts ...string) UUID { return UUID{} }

// IsZero reports whether u is the zero value.
func (u UUID) IsZero() bool { return u == UUID{} }

// String writes the form with hyphens, lower case.
func (u UUID) String() string { return "" }

// MarshalText writes the form with hyphens.
func (u UUID) MarshalText() ([]byte, error) { return nil, nil }

// UnmarshalText reads the form with hyphens.
func (u *UUID) UnmarshalText(text []byte) error { return nil }

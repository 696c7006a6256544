package es

import (
	"math/bits"
	"strconv"

	"github.com/esgen/esgen/runtime/scan"
)

// The digest of what was sent lets a retry be told from another event with the
// same id. It is computed while the body is read: equal for equal JSON values, whatever
// the order of members, the white space, the escapes and the spelling of numbers. It is
// stored with each event, so what it is may never change: a test freezes it.
//
// A value's digest mixes its kind with its content; an object's is the sum over its
// members, so that their order does not matter.
const (
	digestNull   = 0x2d358dccaa6c78a5
	digestTrue   = 0x8bb84b93962eacc9
	digestFalse  = 0x4b33a62ed433d4a3
	digestString = 0x4d5a2da51de1aa47
	digestNumber = 0xa0761d6478bd642f
	digestObject = 0xe7037ed1a0b428db
	digestList   = 0x589965cc75374cc3
)

// mix multiplies to 128 bits and folds them: order matters, and every bit. The constants
// are no digest of any value: one factor would be 0, and the other forgotten.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0x1d8e4e27c47d124f, b^0x9e3779b97f4a7c15)
	return hi ^ lo
}

// hashText hashes a string, 16 bytes at a time; the last 16 may overlap.
func hashText(s string) uint64 {
	n := len(s)
	switch {
	case n > 16:
		h := uint64(n)
		for rest := s; len(rest) > 16; rest = rest[16:] {
			h = mix(load64(rest)^h, load64(rest[8:]))
		}
		return mix(load64(s[n-16:])^h, load64(s[n-8:]))
	case n >= 8:
		return mix(load64(s)^uint64(n), load64(s[n-8:]))
	case n >= 4:
		return mix(load32(s)^uint64(n)<<32, load32(s[n-4:]))
	case n > 0:
		return mix(uint64(s[0])<<16|uint64(s[n>>1])<<8|uint64(s[n-1]), uint64(n))
	}
	return digestString
}

func load64(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func load32(s string) uint64 {
	_ = s[3]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
}

// hashString is the digest of a string as a value.
func hashString(s string) uint64 { return hashText(s) ^ digestString }

// hashNumber is the digest of a number: 1, 1.0 and 1e0 have the same.
func hashNumber(n *scan.Number) uint64 {
	if !n.Small {
		if digits, exp := n.Digits(); len(digits) > 19 {
			return mixNumber(hashText(digits), exp, n.Neg)
		} else {
			coef, _ := strconv.ParseUint(digits, 10, 64)
			return mixNumber(coef, exp, n.Neg)
		}
	}
	coef, exp := n.Coef, n.Exp-n.Frac
	if coef == 0 {
		return mixNumber(0, 0, false)
	}
	for coef%10 == 0 {
		coef /= 10
		exp++
	}
	return mixNumber(coef, exp, n.Neg)
}

func mixNumber(coef uint64, exp int, neg bool) uint64 {
	tag := uint64(int64(exp)) << 1
	if neg {
		tag |= 1
	}
	return mix(coef, tag^digestNumber)
}

// appendDigest writes the digest of an event of a type with these members.
func appendDigest(dst []byte, eventType string, members uint64) []byte {
	const hex = "0123456789abcdef"
	sum := mix(hashText(eventType), members)
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, hex[sum>>shift&15])
	}
	return dst
}

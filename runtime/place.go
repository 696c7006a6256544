package es

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// MaxPlace is how many bytes the key and the sort value of an [IndexEntry] have at most
// when they reach a store: what a store would refuse never gets into a write.
const MaxPlace = 512

// hashedKey begins an index key that is a hash. A key that begins so by itself is
// hashed too, so that no text a record may hold is ever taken for the hash of another.
const hashedKey = "sha256:"

// boundKey is an index key as stores get it, when written and when asked for.
func boundKey(key string) string {
	if len(key) <= MaxPlace && !strings.HasPrefix(key, hashedKey) {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return hashedKey + hex.EncodeToString(sum[:])
}

// bound brings a place into the form that stores get. Records whose sort values agree up to
// the cut are in the order of equal ones.
func (e *IndexEntry) bound() {
	e.Key = boundKey(e.Key)
	if len(e.Sort) > MaxPlace {
		e.Sort = append([]byte(nil), e.Sort[:MaxPlace]...) // without a hold on the long one
	}
}

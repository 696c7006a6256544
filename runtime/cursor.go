package es

import (
	"encoding/base64"
	"encoding/binary"
	"strconv"

	"github.com/cespare/xxhash/v2"
)

// cursorFormat is the first byte of every cursor: another format is malformed.
const cursorFormat = 1

// maxCursor bounds what is decoded; a position holds a few keys at most.
const maxCursor = 8 << 10

// listing is what identifies a list: a cursor of one is none of another.
type listing struct {
	kind     string // "view", "index", "events"
	view     string
	revision int
	index    string
	key      string // of the index; the entity's id in a history
	desc     bool
}

// sum ties a position to its list. It guards against mistakes, not against
// forgery: a position tells nothing that the list does not, and the stores check it.
func (l listing) sum(position []byte) uint64 {
	var h xxhash.Digest
	h.Reset()
	for _, part := range []string{l.kind, l.view, strconv.Itoa(l.revision), l.index, l.key, strconv.FormatBool(l.desc), string(position)} {
		var size [8]byte
		binary.LittleEndian.PutUint64(size[:], uint64(len(part)))
		_, _ = h.Write(size[:])
		_, _ = h.WriteString(part)
	}
	return h.Sum64()
}

// cursor makes the text that a client goes on with after a position.
func (l listing) cursor(position string) string {
	b := make([]byte, 0, 9+len(position))
	b = append(b, cursorFormat)
	b = binary.BigEndian.AppendUint64(b, l.sum([]byte(position)))
	return base64.RawURLEncoding.EncodeToString(append(b, position...))
}

// open returns the position of a cursor, or false for one that is malformed or of
// another list.
func (l listing) open(cursor string) (string, bool) {
	if len(cursor) > maxCursor {
		return "", false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || base64.RawURLEncoding.EncodedLen(len(b)) != len(cursor) { // the decoder skips line breaks
		return "", false
	}
	if len(b) <= 9 || b[0] != cursorFormat {
		return "", false
	}
	position := b[9:]
	if binary.BigEndian.Uint64(b[1:9]) != l.sum(position) {
		return "", false
	}
	return string(position), true
}

// Package position makes the texts that stores hand out as positions in a list.
package position

import (
	"encoding/base64"
	"encoding/binary"
	"errors"

	"github.com/cespare/xxhash/v2"

	es "github.com/esgen/esgen/runtime"
)

// Seal makes the text of a position in a list. It carries a checksum over list
// and position: a text that was not made for that list is refused. That guards
// against mistakes; a forged one only names another place to go on from.
func Seal(list, position []byte) string {
	b := binary.BigEndian.AppendUint64(nil, sum(list, position))
	return base64.RawURLEncoding.EncodeToString(append(b, position...))
}

// Open returns the position of a text that Seal made for the list, or es.ErrCursor.
func Open(list []byte, text string) ([]byte, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < 8 || base64.RawURLEncoding.EncodedLen(len(b)) != len(text) { // the decoder skips line breaks
		return nil, errors.Join(es.ErrCursor, err)
	}
	if position := b[8:]; binary.BigEndian.Uint64(b) == sum(list, position) {
		return position, nil
	}
	return nil, es.ErrCursor
}

func sum(list, position []byte) uint64 {
	d := xxhash.New()
	_, _ = d.Write(binary.BigEndian.AppendUint32(nil, uint32(len(list))))
	_, _ = d.Write(list)
	_, _ = d.Write(position)
	return d.Sum64()
}

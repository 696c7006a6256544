package bolt

import (
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"

	es "github.com/esgen/esgen/runtime"
)

// maxID bounds an entity id, a record key, an event id in bytes: 256 characters of UTF-8.
const maxID = 1024

// maxPart bounds a part of the progress.
const maxPart = es.MaxEntryID / 2

// prefixed appends an id with its length in front.
func prefixed(dst []byte, id string) []byte {
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(id))), id...)
}

// cutPrefixed takes apart what prefixed and something after it made.
func cutPrefixed(key []byte) (id string, rest []byte, ok bool) {
	if len(key) < 2 {
		return "", nil, false
	}
	n := int(binary.BigEndian.Uint16(key))
	if len(key) < 2+n {
		return "", nil, false
	}
	return string(key[2 : 2+n]), key[2+n:], true
}

func eventKey(id string, version int64) []byte {
	return binary.BigEndian.AppendUint64(prefixed(make([]byte, 0, len(id)+10), id), uint64(version))
}

// afterEntity is a key above all events of an entity and below those of every other.
func afterEntity(id string) []byte {
	return binary.BigEndian.AppendUint64(prefixed(make([]byte, 0, len(id)+10), id), 1<<64-1)
}

func cutEventKey(key []byte) (id string, version int64, ok bool) {
	id, rest, ok := cutPrefixed(key)
	if !ok || len(rest) != 8 {
		return "", 0, false
	}
	return id, int64(binary.BigEndian.Uint64(rest)), true
}

func pairKey(first, second string) []byte {
	return append(prefixed(make([]byte, 0, len(first)+len(second)+2), first), second...)
}

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

func tableName(t es.Table) []byte {
	return binary.BigEndian.AppendUint32(prefixed(nil, t.View), uint32(t.Revision))
}

// indexPrefix is what all places of one index and one key begin with.
func indexPrefix(index, key string) []byte {
	return prefixed(prefixed(make([]byte, 0, 64), index), key)
}

// indexKey is the place of a record in an index. The sort value is escaped (0 as 0 255)
// and ended (0 1), so that a value sorts before those that it is the beginning of.
func indexKey(e es.IndexEntry, record string) []byte {
	dst := indexPrefix(e.Index, e.Key)
	for _, c := range e.Sort {
		if dst = append(dst, c); c == 0 {
			dst = append(dst, 255)
		}
	}
	dst = append(dst, 0, 1)
	dst = binary.BigEndian.AppendUint64(dst, xxhash.Sum64String(record))
	return append(dst, record...)
}

// recordOfIndexKey is the record's key at the end of a place, whose beginning is prefix.
func recordOfIndexKey(place []byte, prefix int) (string, bool) {
	for i := prefix; i+1 < len(place); i++ {
		if place[i] != 0 {
			continue
		}
		if place[i+1] == 1 {
			if len(place) < i+2+8 {
				return "", false
			}
			return string(place[i+2+8:]), true
		}
		i++ // an escaped zero
	}
	return "", false
}

func checkID(what, id string) error {
	if id == "" || len(id) > maxID {
		return fmt.Errorf("bolt: %s of %d bytes: it has 1 to %d", what, len(id), maxID)
	}
	return nil
}

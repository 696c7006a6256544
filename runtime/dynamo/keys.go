package dynamo

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"

	es "github.com/esgen/esgen/runtime"
)

// shardOf is the shard of a record or a marker.
func shardOf(key string, shards int) int { return int(xxhash.Sum64String(key) % uint64(shards)) }

// indexKey is the partition key of the records of one value of an index in one shard. A value
// that is not UTF-8 stands as its hash: as text it could be taken for another.
func indexKey(shard int, value string) string {
	prefix := strconv.Itoa(shard)
	if utf8.ValidString(value) {
		return prefix + "=" + value
	}
	sum := sha256.Sum256([]byte(value))
	return prefix + "#" + hex.EncodeToString(sum[:])
}

// indexSort is the sort key of a record in an index: its sort value in an encoding that orders as
// the bytes do and is never the beginning of another, then a hash of the record's key that
// tells equal ones apart, so that a place alone says where a page goes on. At most 592 bytes.
func indexSort(sort []byte, key string) []byte {
	const group = 8
	dst := make([]byte, 0, len(sort)/group*(group+1)+2*group+1+16)
	// Groups of eight bytes, each with the number of those that count behind it: a value that
	// ends here is less than one that goes on.
	for {
		n := min(len(sort), group)
		dst = append(dst, sort[:n]...)
		for range group - n {
			dst = append(dst, 0)
		}
		sort = sort[n:]
		if len(sort) > 0 {
			dst = append(dst, group+1)
			continue
		}
		dst = append(dst, byte(n))
		break
	}
	sum := sha256.Sum256([]byte(key))
	return append(dst, sum[:16]...)
}

// markerShards is over how many partition keys the markers of one table spread. It is in tables:
// frozen.
const markerShards = 16

// Entries and markers share the progress table; what begins their partition keys keeps them apart.
func entryPart(part string) string { return "entry/" + part }

func markerPart(t es.Table, shard int) string {
	return "marker/" + t.View + "/" + strconv.Itoa(t.Revision) + "/" + strconv.Itoa(shard)
}

func (s *Store) markerAddress(t es.Table, entityID string) address {
	return address{table: s.tables.Progress, part: markerPart(t, shardOf(entityID, markerShards)), id: entityID}
}

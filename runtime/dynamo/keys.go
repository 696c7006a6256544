package dynamo

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"

	es "github.com/esgen/esgen/runtime"
)

// shardOf is the shard of a record or a marker.
func shardOf(key string, shards int) int { return int(xxhash.Sum64String(key) % uint64(shards)) }

// indexKey is the partition key of the records of one value of an index in one shard. A value
// that is not UTF-8 stands as its hash: as text it could be taken for another. One that was
// read back as its hash (see indexedValue) stands as that.
func indexKey(shard int, value string) string {
	prefix := strconv.Itoa(shard)
	if utf8.ValidString(value) {
		return prefix + "=" + value
	}
	if hash, ok := strings.CutPrefix(value, hashedValue); ok && len(hash) == hex.EncodedLen(sha256.Size) {
		return prefix + "#" + hash
	}
	sum := sha256.Sum256([]byte(value))
	return prefix + "#" + hex.EncodeToString(sum[:])
}

// hashedValue begins a value of which only the hash is known. It is not UTF-8, so no text begins so.
const hashedValue = "\xff#"

// indexedValue is the value of an index that a partition key is of.
func indexedValue(key string) (value string, ok bool) {
	at := strings.IndexAny(key, "=#")
	if at < 1 {
		return "", false
	}
	if key[at] == '#' {
		return hashedValue + key[at+1:], true
	}
	return key[at+1:], true
}

// indexSort is the sort key of a record in an index: its sort value in an encoding that orders as
// the bytes do and is never the beginning of another, then a hash of the record's key that
// tells equal ones apart, so that a place alone says where a page goes on. At most 592 bytes.
func indexSort(sort []byte, key string) []byte {
	const group = sortGroup
	dst := make([]byte, 0, len(sort)/group*(group+1)+2*group+1+sortHash)
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
	return append(dst, sum[:sortHash]...)
}

const (
	sortGroup = 8  // bytes of a sort value, and behind them their number
	sortHash  = 16 // bytes of the hash of the record's key
)

// sortedValue is the sort value in a sort key. whole says that it is one of indexSort's.
func sortedValue(place []byte) (sort []byte, whole bool) {
	if len(place) < sortGroup+1+sortHash || (len(place)-sortHash)%(sortGroup+1) != 0 {
		return nil, false
	}
	for group := range slices.Chunk(place[:len(place)-sortHash], sortGroup+1) {
		whole = group[sortGroup] <= sortGroup
		sort = append(sort, group[:min(int(group[sortGroup]), sortGroup)]...)
	}
	return sort, whole
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

package dynamo

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	es "github.com/esgen/esgen/runtime"
)

// TestIndexSortOrders: the places of an index are in the order of the sort values, whatever
// the records' keys; equal sort values have different places; none is longer than DynamoDB takes.
func TestIndexSortOrders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		few := rapid.SampledFrom([]byte{0, 1, 7, 8, 9, 254, 255})
		value := rapid.OneOf(rapid.SliceOfN(few, 0, 26), rapid.SliceOfN(few, es.MaxPlace-3, es.MaxPlace))
		a, b := value.Draw(t, "a"), value.Draw(t, "b")
		if rapid.Bool().Draw(t, "begins alike") {
			b = append(bytes.Clone(a), b...)
			b = b[:min(len(b), es.MaxPlace)]
		}
		x, y := indexSort(a, rapid.String().Draw(t, "key")), indexSort(b, rapid.String().Draw(t, "other key"))
		if want := bytes.Compare(a, b); want != 0 && bytes.Compare(x, y) != want {
			t.Fatalf("%v and %v order as %d, their places do not", a, b, want)
		}
		if len(x) > maxKey {
			t.Fatalf("a place of %d bytes", len(x))
		}
		for _, value := range [][]byte{a, b} {
			if back, whole := sortedValue(indexSort(value, "k")); !whole || !bytes.Equal(back, value) {
				t.Fatalf("%v comes back as %v, %t", value, back, whole)
			}
		}
		if bytes.Equal(indexSort(a, "k"), indexSort(a, "l")) {
			t.Fatal("two records have one place")
		}
	})
}

// TestIndexKeysKeepApart: no value of an index is taken for another, UTF-8 or not.
func TestIndexKeysKeepApart(t *testing.T) {
	seen := map[string]string{}
	for _, value := range []string{"", "a", "=a", "#a", "\xff", "\uFFFD", "a\xff", indexKey(1, "\xff")[1:], "1=a", "\x00"} {
		for shard := range 12 {
			key := indexKey(shard, value)
			if other, taken := seen[key]; taken {
				t.Errorf("%q and %q are both %q", value, other, key)
			}
			seen[key] = value
			if back, ok := indexedValue(key); !ok || indexKey(shard, back) != key {
				t.Errorf("%q comes back as %q, of which the key is %q", key, back, indexKey(shard, back))
			}
		}
	}
}

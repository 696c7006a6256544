package es_test

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	es "github.com/esgen/esgen/runtime"
)

// Index keys of any length find their records, and none finds that of another, not
// even the text that a long key becomes in the store.
func TestIndexKeysOfAnyLength(t *testing.T) {
	s := newService(t, ordersModel())
	long := strings.Repeat("k", 300<<10)
	hash := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(long)))
	keys := []string{
		long, long[1:], long[:es.MaxPlace], long[:es.MaxPlace+1], long[:es.MaxPlace-1], hash,
		fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(hash))), "sha256:", "sha256", strings.Repeat("é", es.MaxPlace),
	}
	for i, key := range keys {
		s.mustPost(t, strings.Replace(placed(fmt.Sprint("o", i)), `"c1"`, quote(key), 1))
	}
	s.project(t)
	for i, key := range keys {
		a := s.get(t, "/?customer="+url.QueryEscape(key))
		if got := items(t, a, "orderId"); !slices.Equal(got, []string{fmt.Sprint("o", i)}) {
			t.Errorf("key %.80q of %d bytes: %v, want o%d", key, len(key), got, i)
		}
	}
}

func TestIntKey(t *testing.T) {
	for text, want := range map[string]string{
		"7": "7", "-7": "-7", "7.0": "7", "7e0": "7", "70e-1": "7", "0": "0", "-0": "0", "9223372036854775807": "9223372036854775807", "-9223372036854775808": "-9223372036854775808",
		"": "", " 7": "", "7 ": "", "+7": "", "07": "", "7.5": "", "7,": "", "7}": "", "0x7": "", "٧": "", "7e": "", "-": "", "9223372036854775808": "", "1e400": "", "1e99999999999999999999": "", "null": "", "\"7\"": "",
	} {
		got, ok := es.IntKey(text)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q, %v; want %q", text, got, ok, want)
		}
	}
}

package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	es "github.com/esgen/esgen/runtime"
)

var pageTests = []test{
	{"tombstones and shells are in no list and no index", hidden},
	{"lists of any length page without loss or duplicate", listLengths},
	{"lists stay whole under writes", listUnderWrites},
	{"large records make short pages", largePages},
	{"an index orders by sort bytes", indexOrder},
	{"equal sorts keep one order, both ways", equalSorts},
	{"index keys keep apart", hostileIndexKeys},
	{"long index keys and sorts are taken", longEntries},
	{"a record moves within and out of its indexes", moves},
	{"a record that is loaded and written again stays where it was", writtenAgain},
	{"an index stays whole under writes", queryUnderWrites},
	{"foreign positions are refused", foreignPositions},
}

func list(t *testing.T, s es.ViewStore, table es.Table, limit int, after string) (keys []string, next string) {
	t.Helper()
	page, err := s.List(t.Context(), table, es.PageRequest{Limit: limit, After: after})
	if err != nil {
		t.Fatalf("list %v after %q: %v", table, after, err)
	}
	return keysOf(t, page, limit), page.Next
}

func query(t *testing.T, s es.ViewStore, table es.Table, index, key string, desc bool, limit int, after string) (keys []string, next string) {
	t.Helper()
	page, err := s.Query(t.Context(), table, index, key, desc, es.PageRequest{Limit: limit, After: after})
	if err != nil {
		t.Fatalf("query %s=%q after %q: %v", index, key, after, err)
	}
	return keysOf(t, page, limit), page.Next
}

func keysOf(t *testing.T, page es.ItemPage, limit int) (keys []string) {
	t.Helper()
	if len(page.Items) > limit {
		t.Fatalf("a page of %d, limit %d", len(page.Items), limit)
	}
	if len(page.Items) == 0 && page.Next != "" {
		t.Fatal("an empty page has a next one")
	}
	for _, item := range page.Items {
		if item.Payload == "" {
			t.Errorf("a page shows %q, which has no payload", item.Key)
		}
		keys = append(keys, item.Key)
	}
	return keys
}

// maxPages ends the reading of a list that goes round in circles.
const maxPages = 2000

func listAll(t *testing.T, s es.ViewStore, table es.Table, limit int) (all []string) {
	t.Helper()
	for after, pages := "", 0; ; pages++ {
		if pages == maxPages {
			t.Fatalf("list %v does not end", table)
		}
		keys, next := list(t, s, table, limit, after)
		all = append(all, keys...)
		if next == "" {
			slices.Sort(all)
			return all
		}
		after = next
	}
}

func queryAll(t *testing.T, s es.ViewStore, index, key string, desc bool, limit int) (all []string) {
	t.Helper()
	for after, pages := "", 0; ; pages++ {
		if pages == maxPages {
			t.Fatalf("query %s=%.20q does not end", index, key)
		}
		keys, next := query(t, s, orders, index, key, desc, limit, after)
		all = append(all, keys...)
		if next == "" {
			return all
		}
		after = next
	}
}

// checkKeys compares two sets of keys; a key that was got twice is an error.
func checkKeys(t *testing.T, got, want []string) {
	t.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Errorf("keys %.200q\nwant %.200q", got, want)
	}
}

func indexed(key string, guard int64, indexKey string, sort []byte) es.Item {
	item := row(key, guard)
	item.Entries = []es.IndexEntry{{Index: "status", Key: indexKey, Sort: sort}}
	return item
}

func hidden(t *testing.T, s es.Stores) {
	entries := []es.IndexEntry{{Index: "status", Key: "open", Sort: []byte("s")}}
	for i := range 30 {
		item := es.Item{Key: fmt.Sprintf("k%02d", i), Guard: 1, Entries: entries}
		if i%10 == 5 {
			item.Payload = "{}"
		}
		write(t, s.Views, orders, 0, item)
	}
	want := []string{"k05", "k15", "k25"}
	for _, limit := range []int{1, 2, 3, 100} {
		checkKeys(t, listAll(t, s.Views, orders, limit), want)
		checkKeys(t, queryAll(t, s.Views, "status", "open", false, limit), want)
	}
	// Only tombstones behind the last record of a page: there is no next one.
	if keys, next := list(t, s.Views, orders, 3, ""); len(keys) != 3 || next != "" {
		t.Errorf("a page with all three records: %q, next %q", keys, next)
	}
	// To a tombstone and back.
	write(t, s.Views, orders, 1, es.Item{Key: "k15", Guard: 2})
	checkKeys(t, listAll(t, s.Views, orders, 2), []string{"k05", "k25"})
	checkKeys(t, queryAll(t, s.Views, "status", "open", true, 2), []string{"k05", "k25"})
	write(t, s.Views, orders, 2, es.Item{Key: "k15", Guard: 3, Payload: "{}", Entries: entries})
	checkKeys(t, listAll(t, s.Views, orders, 2), want)
	checkKeys(t, queryAll(t, s.Views, "status", "open", true, 2), want)
}

func listLengths(t *testing.T, s es.Stores) {
	var all []string
	for i := range 21 {
		for _, limit := range []int{1, 5, 10, 20, 100} {
			checkKeys(t, listAll(t, s.Views, orders, limit), all)
			checkKeys(t, queryAll(t, s.Views, "status", "open", i%2 == 0, limit), all)
		}
		key := fmt.Sprintf("k%d", i)
		all = append(all, key)
		write(t, s.Views, orders, 0, indexed(key, 1, "open", []byte{byte(i % 4)}))
	}
}

func listUnderWrites(t *testing.T, s es.Stores) {
	stays := map[string]int{}
	for i := range 60 {
		key := fmt.Sprintf("stay-%02d", i)
		stays[key] = 0
		write(t, s.Views, orders, 0, row(key, 1))
		write(t, s.Views, orders, 0, row(fmt.Sprintf("%02d-goes", i), 1))
	}
	for after, page := "", 0; page < maxPages; page++ {
		keys, next := list(t, s.Views, orders, 7, after)
		for _, key := range keys {
			if _, ok := stays[key]; ok {
				stays[key]++
			}
		}
		if next == "" {
			break
		}
		after = next
		last := keys[len(keys)-1]
		switch item := get(t, s.Views, orders, last); {
		case strings.HasSuffix(last, "goes"): // the record at the position itself goes
			write(t, s.Views, orders, item.Guard, es.Item{Key: last, Guard: item.Guard + 1})
		default:
			write(t, s.Views, orders, item.Guard, row(last, item.Guard+1))
		}
		for _, key := range []string{"new-%02d", "%02d-new", "stay-new-%02d"} {
			write(t, s.Views, orders, 0, row(fmt.Sprintf(key, page), 1))
		}
	}
	for key, n := range stays {
		if n != 1 {
			t.Errorf("%q was listed %d times", key, n)
		}
	}
}

func largePages(t *testing.T, s es.Stores) {
	var all []string
	for i := range 10 {
		item := indexed(fmt.Sprintf("k%d", i), 1, "open", nil)
		item.Payload = payload(300 << 10)
		all = append(all, item.Key)
		write(t, s.Views, orders, 0, item)
	}
	checkKeys(t, listAll(t, s.Views, orders, 100), all)
	checkKeys(t, queryAll(t, s.Views, "status", "open", false, 100), all)
	checkKeys(t, queryAll(t, s.Views, "status", "open", true, 100), all)
	if keys, next := list(t, s.Views, orders, 100, ""); len(keys) > 5 || next == "" {
		t.Errorf("a page of %d records of 300 KiB, next %q: want about 1 MB", len(keys), next)
	}
	if keys, next := query(t, s.Views, orders, "status", "open", false, 100, ""); len(keys) > 5 || next == "" {
		t.Errorf("a page of an index of %d records of 300 KiB, next %q: want about 1 MB", len(keys), next)
	}
}

func indexOrder(t *testing.T, s es.Stores) {
	sorts := [][]byte{nil, {0}, {0, 0}, {0, 0, 1}, {0, 1}, {0, 1, 0}, {0, 2}, {0, 254}, {0, 255}, {0, 255, 0}, {0, 255, 255}, {1}, {1, 0}, {1, 1}, {1, 255}, {2},
		[]byte("a"), []byte("a\x00"), []byte("a\x00\x00"), []byte("a\x00b"), []byte("a\x01"), []byte("ab"), []byte("abcdefg"), []byte("abcdefg\x00"), []byte("abcdefgh"), []byte("abcdefgh\x00"), []byte("abcdefgh\x00\x00"), []byte("abcdefghi"),
		[]byte("abcdefghijklmnop"), []byte("abcdefghijklmnop\x00"), []byte("abcdefgi"), []byte("b"), {127}, {128}, {254, 255}, {255}, {255, 0}, {255, 254}, {255, 255}, {255, 255, 255}}
	var want []string
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(len(sorts)) {
		write(t, s.Views, orders, 0, indexed(fmt.Sprintf("%02d", i), 1, "open", sorts[i]))
	}
	for i := range sorts {
		want = append(want, fmt.Sprintf("%02d", i))
	}
	for _, limit := range []int{1, 4, 100} {
		if got := queryAll(t, s.Views, "status", "open", false, limit); !slices.Equal(got, want) {
			t.Errorf("ascending by %d:\n got %v\nwant %v", limit, got, want)
		}
		got := queryAll(t, s.Views, "status", "open", true, limit)
		slices.Reverse(got)
		if !slices.Equal(got, want) {
			t.Errorf("descending by %d, reversed:\n got %v\nwant %v", limit, got, want)
		}
	}
}

func equalSorts(t *testing.T, s es.Stores) {
	for _, key := range hostile {
		write(t, s.Views, orders, 0, indexed(key, 1, "open", []byte("same")))
	}
	up, down := queryAll(t, s.Views, "status", "open", false, 3), queryAll(t, s.Views, "status", "open", true, 4)
	checkKeys(t, up, hostile)
	slices.Reverse(down)
	if !slices.Equal(up, down) {
		t.Errorf("ascending %.100q\nis not the reverse of descending %.100q", up, down)
	}
	if again := queryAll(t, s.Views, "status", "open", false, 100); !slices.Equal(up, again) {
		t.Error("the order changes from query to query")
	}
}

func hostileIndexKeys(t *testing.T, s es.Stores) {
	indexes := []string{"status", "statu", "status-2"}
	keys := slices.DeleteFunc(slices.Clone(hostile), func(key string) bool { return len(key) > es.MaxPlace })
	for i, key := range keys {
		item := row(key, 1)
		for _, index := range indexes {
			item.Entries = append(item.Entries, es.IndexEntry{Index: index, Key: key, Sort: []byte(keys[len(keys)-1-i])})
		}
		write(t, s.Views, orders, 0, item)
	}
	for _, key := range keys {
		for _, index := range indexes {
			for _, desc := range []bool{false, true} {
				if got := queryAll(t, s.Views, index, key, desc, 2); len(got) != 1 || got[0] != key {
					t.Errorf("%s=%.20q, descending %v: %.100q", index, key, desc, got)
				}
			}
		}
	}
	for _, c := range [][2]string{{"status", "none"}, {"status", ""}, {"stat", "a"}, {"", "a"}} {
		for _, desc := range []bool{false, true} {
			if got := queryAll(t, s.Views, c[0], c[1], desc, 2); len(got) != 0 {
				t.Errorf("%s=%q: %q, want none", c[0], c[1], got)
			}
		}
	}
}

// writtenAgain does what holding and freeing an entity does to a record that no fold changes.
func writtenAgain(t *testing.T, s es.Stores) {
	long := strings.Repeat("é", es.MaxPlace/2)
	var want []string
	for i, sort := range []string{"", "a", "a\x00", "eight by", "eight byt", "sixteen bytes, 16", long} {
		item := indexed(fmt.Sprintf("r%d", i), 1, "3=a#é", []byte(sort))
		if i%2 == 0 {
			item.Entries = append(item.Entries, es.IndexEntry{Index: "other", Key: long, Sort: []byte{byte(i)}})
		}
		write(t, s.Views, orders, 0, item)
		want = append(want, item.Key)
	}
	rows, err := s.Views.Load(t.Context(), []es.ViewRead{{Table: orders, Keys: want}})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range want {
		again := *rows[0].Items[key]
		again.Held = "deployment"
		write(t, s.Views, orders, 1, again)
	}
	checkKeys(t, queryAll(t, s.Views, "status", "3=a#é", false, 3), want)
	for i, key := range queryAll(t, s.Views, "status", "3=a#é", false, 3) {
		if key != want[i] {
			t.Errorf("place %d has %q, want %q", i, key, want[i])
		}
	}
	checkKeys(t, queryAll(t, s.Views, "other", long, false, 2), []string{"r0", "r2", "r4", "r6"})
}

func longEntries(t *testing.T, s es.Stores) {
	long := strings.Repeat("k", es.MaxPlace)
	keys := map[string]string{"a": long, "b": long[1:], "c": long[2:] + "\x00", "d": long[1:] + "l"}
	for record, key := range keys {
		write(t, s.Views, orders, 0, indexed(record, 1, key, []byte(key)))
	}
	for record, key := range keys {
		for _, desc := range []bool{false, true} {
			if got := queryAll(t, s.Views, "status", key, desc, 10); fmt.Sprint(got) != "["+record+"]" {
				t.Errorf("key of %d bytes: %q, want %q", len(key), got, record)
			}
		}
	}
	var all []string
	for i := range 12 {
		key := fmt.Sprintf("r%02d", i)
		all = append(all, key)
		sort := strings.Repeat("\x00s", es.MaxPlace/2)
		write(t, s.Views, orders, 0, indexed(key, 1, "same", append([]byte(sort[:es.MaxPlace-1]), byte(i*20))))
	}
	if got := queryAll(t, s.Views, "status", "same", false, 5); fmt.Sprint(got) != fmt.Sprint(all) {
		t.Errorf("sort values that differ in their last byte only: %q, want %q", got, all)
	}
	for _, e := range []es.IndexEntry{{Index: "status", Key: long + "k"}, {Index: "status", Key: "k", Sort: []byte(long + "k")}} {
		item := row("too-long", 1)
		item.Entries = []es.IndexEntry{e}
		err := s.Views.Write(t.Context(), es.Step{Table: orders, Records: []es.ItemWrite{{Item: item}}})
		if !errors.Is(err, es.ErrTooLarge) {
			t.Errorf("a place of %d and %d bytes: %v, want ErrTooLarge", len(e.Key), len(e.Sort), err)
		}
	}
}

func moves(t *testing.T, s es.Stores) {
	steps := []struct {
		entries []es.IndexEntry
		open    bool
		closed  bool
		other   bool
	}{
		{[]es.IndexEntry{{Index: "status", Key: "open", Sort: []byte("1")}}, true, false, false},
		{[]es.IndexEntry{{Index: "status", Key: "open", Sort: []byte("2")}}, true, false, false},
		{[]es.IndexEntry{{Index: "status", Key: "open", Sort: []byte("2")}}, true, false, false},
		{[]es.IndexEntry{{Index: "status", Key: "closed", Sort: []byte("2")}, {Index: "other", Key: "open"}}, false, true, true},
		{[]es.IndexEntry{{Index: "other", Key: "open", Sort: []byte("2")}}, false, false, true},
		{nil, false, false, false},
		{[]es.IndexEntry{{Index: "status", Key: "open"}}, true, false, false},
	}
	write(t, s.Views, orders, 0, indexed("b", 1, "open", []byte("15")))
	for i, step := range steps {
		item := row("a", int64(i+1))
		item.Entries = step.entries
		write(t, s.Views, orders, int64(i), item)
		for _, q := range []struct {
			index, key string
			in, b      bool
		}{{"status", "open", step.open, true}, {"status", "closed", step.closed, false}, {"other", "open", step.other, false}} {
			var want []string
			if q.in {
				want = append(want, "a")
			}
			if q.b {
				want = append(want, "b")
			}
			got := queryAll(t, s.Views, q.index, q.key, false, 1)
			checkKeys(t, got, want)
		}
	}
	page, err := s.Views.Query(t.Context(), orders, "status", "open", false, es.PageRequest{Limit: 10})
	if err != nil || len(page.Items) != 2 || page.Items[0].Payload != `{"guard":7}` {
		t.Errorf("an index shows an older record: %+v, %v", page.Items, err)
	}
}

func queryUnderWrites(t *testing.T, s es.Stores) {
	for _, desc := range []bool{false, true} {
		index := fmt.Sprintf("status-%v", desc)
		place := func(key string, guard int64, sort int) es.Item {
			item := row(key, guard)
			item.Entries = []es.IndexEntry{{Index: index, Key: "open", Sort: []byte{byte(sort)}}}
			return item
		}
		stays := map[string]int{}
		for i := range 60 {
			key := fmt.Sprintf("%v-%d", desc, i)
			stays[key] = 0
			write(t, s.Views, orders, 0, place(key, 1, i/3))
		}
		n := 0
		for after, pages := "", 0; pages < maxPages; pages++ {
			keys, next := query(t, s.Views, orders, index, "open", desc, 7, after)
			for _, key := range keys {
				if _, ok := stays[key]; ok {
					stays[key]++
				}
			}
			if next == "" {
				break
			}
			after = next
			for range 3 { // behind, ahead, and beside the position
				n++
				write(t, s.Views, orders, 0, place(fmt.Sprintf("%v-new-%d", desc, n), 1, n*7%20))
			}
			// The last record of the page leaves the index; its position stays good.
			last := keys[len(keys)-1]
			item := get(t, s.Views, orders, last)
			write(t, s.Views, orders, item.Guard, row(last, item.Guard+1))
		}
		for key, n := range stays {
			if n != 1 {
				t.Errorf("descending %v: %q was listed %d times", desc, key, n)
			}
		}
	}
}

func foreignPositions(t *testing.T, s es.Stores) {
	tables := []es.Table{orders, {View: "orders", Revision: 2}}
	for _, table := range tables {
		for i := range 4 {
			item := indexed(fmt.Sprintf("k%d", i), 1, "open", []byte{byte(i)})
			item.Entries = append(item.Entries, es.IndexEntry{Index: "other", Key: "open"})
			write(t, s.Views, table, 0, item)
		}
	}
	type lister struct {
		name string
		page func(after string) (es.ItemPage, error)
	}
	var listers []lister
	for _, table := range tables {
		listers = append(listers, lister{fmt.Sprint("list ", table), func(after string) (es.ItemPage, error) {
			return s.Views.List(t.Context(), table, es.PageRequest{Limit: 2, After: after})
		}})
		for _, q := range []struct {
			index, key string
			desc       bool
		}{{"status", "open", false}, {"status", "open", true}, {"status", "closed", false}, {"other", "open", false}} {
			listers = append(listers, lister{fmt.Sprint("query ", table, q), func(after string) (es.ItemPage, error) {
				return s.Views.Query(t.Context(), table, q.index, q.key, q.desc, es.PageRequest{Limit: 2, After: after})
			}})
		}
	}
	bad := []string{"x", "?", "AAAA", strings.Repeat("A", 5000), "\x00\xff", "é", "k1", "2"}
	for i, from := range listers {
		page, err := from.page("")
		if err != nil {
			t.Fatal(err)
		}
		if page.Next == "" {
			continue
		}
		for j, to := range listers {
			if _, err := to.page(page.Next); i == j && err != nil || i != j && !errors.Is(err, es.ErrCursor) {
				t.Errorf("a position of %s in %s: %v", from.name, to.name, err)
			}
		}
		bad = append(bad, page.Next+"A", "A"+page.Next, page.Next[1:], page.Next[:len(page.Next)-1], strings.ToUpper(page.Next))
	}
	for _, after := range bad {
		for _, l := range listers {
			if _, err := l.page(after); !errors.Is(err, es.ErrCursor) {
				t.Errorf("%s after %.40q: %v, want ErrCursor", l.name, after, err)
			}
		}
	}
}

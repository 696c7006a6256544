package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
)

var viewTests = []test{
	{"an unknown table has nothing", func(t *testing.T, s es.Stores) {
		if item := get(t, s.Views, orders, "a"); item != nil {
			t.Errorf("get: %+v", item)
		}
		if keys, next := list(t, s.Views, orders, 10, ""); len(keys) != 0 || next != "" {
			t.Errorf("list: %q, %q", keys, next)
		}
		rows, err := s.Views.Load(t.Context(), []es.ViewRead{{Table: orders, Keys: []string{"a"}, Markers: []string{"a"}}})
		if err != nil || len(rows) != 1 || len(rows[0].Items) != 0 || len(rows[0].Markers) != 0 {
			t.Errorf("load: %+v, %v", rows, err)
		}
		if rows, err := s.Views.Load(t.Context(), nil); err != nil || len(rows) != 0 {
			t.Errorf("load of nothing: %+v, %v", rows, err)
		}
		if err := s.Views.Drop(t.Context(), orders); err != nil {
			t.Errorf("drop: %v", err)
		}
	}},
	{"all fields come back", itemRoundTrip},
	{"conditions", itemConditions},
	{"markers", markers},
	{"a step is all or nothing", atomicSteps},
	{"a step has bounds", stepBounds},
	{"keys keep apart", hostileKeys},
	{"load answers each read in its place", loadPlaces},
	{"sixteen writers, one guard each time", oneGuard},
	{"tables keep apart and are dropped alone", drops},
}

func itemRoundTrip(t *testing.T, s es.Stores) {
	items := []es.Item{
		{Key: "full", Guard: 7, Version: 5, State: "open é", Payload: `{"key":"full","s":"<\u00e9>"}`, Held: "deployment-1",
			Entries: []es.IndexEntry{{Index: "status", Key: "open", Sort: []byte{0, 255, 1}}, {Index: "other", Key: "é"}},
			Latest:  es.Moment{Time: moment, EntityID: "entity", Version: 3}},
		{Key: "bare", Guard: 1, Payload: "{}"},
		{Key: "tombstone", Guard: 3, Version: 2, State: "gone"},
		{Key: "tombstone elsewhere", Guard: 2, Latest: es.Moment{Time: moment, EntityID: "e", Version: 1}},
		{Key: "shell", Guard: 0, Held: "d"},
	}
	for _, item := range items {
		write(t, s.Views, orders, 0, item)
		sameItem(t, get(t, s.Views, orders, item.Key), &item)
		weak, err := s.Views.Get(t.Context(), orders, item.Key, false)
		if err != nil {
			t.Fatal(err)
		}
		if weak != nil {
			sameItem(t, weak, &item)
		}
	}
	// A record shrinks as it grew: nothing of it stays.
	items[0] = es.Item{Key: "full", Guard: 8, Payload: "{}"}
	write(t, s.Views, orders, 7, items[0])
	sameItem(t, get(t, s.Views, orders, "full"), &items[0])
}

func sameItem(t *testing.T, got, want *es.Item) {
	t.Helper()
	if got == nil {
		t.Fatalf("no record %q", want.Key)
	}
	g, w := *got, *want
	if !g.Latest.Time.Equal(w.Latest.Time) {
		t.Errorf("%q: latest %v, want %v", w.Key, g.Latest.Time, w.Latest.Time)
	}
	g.Latest.Time, w.Latest.Time = time.Time{}, time.Time{}
	g.Entries, w.Entries = nil, nil
	if !reflect.DeepEqual(g, w) {
		t.Errorf("record\n got %+v\nwant %+v", g, w)
	}
}

func itemConditions(t *testing.T, s es.Stores) {
	held := func(guard int64) es.Item { i := row("a", guard); i.Held = "d"; return i }
	for _, c := range []struct {
		name string
		was  int64
		item es.Item
		ok   bool
	}{
		{"move what does not exist", 1, row("a", 2), false},
		{"create a shell", 0, es.Item{Key: "a", Held: "d"}, true},
		{"a shell counts as 0", 0, row("a", 2), true},
		{"create what exists", 0, row("a", 1), false},
		{"from an older guard", 1, row("a", 3), false},
		{"from a later guard", 3, row("a", 4), false},
		{"move by more than one", 2, row("a", 9), true},
		{"hold where it stands", 9, held(9), true},
		{"hold elsewhere", 8, held(8), false},
		{"lift", 9, row("a", 9), true},
		{"to a tombstone", 9, es.Item{Key: "a", Guard: 10}, true},
		{"a tombstone keeps its guard", 0, row("a", 1), false},
		{"from a tombstone", 10, row("a", 11), true},
	} {
		before := get(t, s.Views, orders, "a")
		err := s.Views.Write(t.Context(), es.Step{Table: orders, Records: []es.ItemWrite{{Was: c.was, Item: c.item}}})
		after := get(t, s.Views, orders, "a")
		if c.ok {
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			sameItem(t, after, &c.item)
			continue
		}
		if !errors.Is(err, es.ErrConflict) {
			t.Errorf("%s: %v, want ErrConflict", c.name, err)
		}
		if !reflect.DeepEqual(before, after) {
			t.Errorf("%s: the record changed from %+v to %+v", c.name, before, after)
		}
	}
}

func moveMarker(t *testing.T, s es.ViewStore, was int64, m es.Marker) error {
	t.Helper()
	return s.Write(t.Context(), es.Step{Table: orders, Markers: []es.MarkerWrite{{Was: was, Marker: m}}})
}

func loadMarker(t *testing.T, s es.ViewStore, id string) *es.Marker {
	t.Helper()
	rows, err := s.Load(t.Context(), []es.ViewRead{{Table: orders, Markers: []string{id}}})
	if err != nil || len(rows) != 1 {
		t.Fatalf("load: %d rows, %v", len(rows), err)
	}
	return rows[0].Markers[id]
}

func markers(t *testing.T, s es.Stores) {
	for _, c := range []struct {
		name string
		was  int64
		to   es.Marker
		ok   bool
		want es.Marker
	}{
		{"move what does not exist", 1, es.Marker{EntityID: "e", Position: 2}, false, es.Marker{}},
		{"hold before the first fold", 0, es.Marker{EntityID: "e", Held: "d"}, true, es.Marker{EntityID: "e", Held: "d"}},
		{"position 0 counts as none", 0, es.Marker{EntityID: "e", Position: 2, State: "open"}, true, es.Marker{EntityID: "e", Position: 2, State: "open"}},
		{"from elsewhere", 1, es.Marker{EntityID: "e", Position: 3}, false, es.Marker{EntityID: "e", Position: 2, State: "open"}},
		{"create what exists", 0, es.Marker{EntityID: "e", Position: 1}, false, es.Marker{EntityID: "e", Position: 2, State: "open"}},
		{"hold", 2, es.Marker{EntityID: "e", Position: 2, State: "open", Held: "d"}, true, es.Marker{EntityID: "e", Position: 2, State: "open", Held: "d"}},
		{"hold changes nothing else", 2, es.Marker{EntityID: "e", Position: 2, State: "other", Held: "d2"}, true, es.Marker{EntityID: "e", Position: 2, State: "open", Held: "d2"}},
		{"move and lift", 2, es.Marker{EntityID: "e", Position: 5, State: "é"}, true, es.Marker{EntityID: "e", Position: 5, State: "é"}},
	} {
		err := moveMarker(t, s.Views, c.was, c.to)
		if c.ok && err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if !c.ok && !errors.Is(err, es.ErrConflict) {
			t.Errorf("%s: %v, want ErrConflict", c.name, err)
		}
		got := loadMarker(t, s.Views, "e")
		if c.want == (es.Marker{}) {
			if got != nil {
				t.Errorf("%s: %+v, want none", c.name, got)
			}
		} else if got == nil || *got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	// Markers are no records.
	if keys, _ := list(t, s.Views, orders, 10, ""); len(keys) != 0 {
		t.Errorf("markers are listed: %q", keys)
	}
	if item := get(t, s.Views, orders, "e"); item != nil {
		t.Errorf("a marker is a record: %+v", item)
	}
}

func atomicSteps(t *testing.T, s es.Stores) {
	write(t, s.Views, orders, 0, row("b", 1))
	step := es.Step{
		Table:   orders,
		Records: []es.ItemWrite{{Item: row("a", 1)}, {Was: 1, Item: row("b", 2)}, {Item: row("c", 1)}},
		Markers: []es.MarkerWrite{{Marker: es.Marker{EntityID: "e", Position: 4}}},
	}
	for i, breakIt := range []func(*es.Step){
		func(s *es.Step) { s.Records[0].Was, s.Records[0].Item.Guard = 1, 2 },
		func(s *es.Step) { s.Records[2].Was, s.Records[2].Item.Guard = 1, 2 },
		func(s *es.Step) { s.Records[1].Was = 0 },
		func(s *es.Step) { s.Markers[0].Was = 3 },
	} {
		broken := step
		broken.Records = append([]es.ItemWrite(nil), step.Records...)
		broken.Markers = append([]es.MarkerWrite(nil), step.Markers...)
		breakIt(&broken)
		if err := s.Views.Write(t.Context(), broken); !errors.Is(err, es.ErrConflict) {
			t.Errorf("broken step %d: %v, want ErrConflict", i, err)
		}
		if keys, _ := list(t, s.Views, orders, 10, ""); fmt.Sprint(keys) != "[b]" {
			t.Errorf("broken step %d left %q", i, keys)
		}
		if b, m := get(t, s.Views, orders, "b"), loadMarker(t, s.Views, "e"); b.Guard != 1 || m != nil {
			t.Errorf("broken step %d left %+v, %+v", i, b, m)
		}
	}
	if err := s.Views.Write(t.Context(), step); err != nil {
		t.Fatal(err)
	}
	if keys := listAll(t, s.Views, orders, 2); fmt.Sprint(keys) != "[a b c]" {
		t.Errorf("after the step: %q", keys)
	}
	if m := loadMarker(t, s.Views, "e"); m == nil || m.Position != 4 {
		t.Errorf("after the step: %+v", m)
	}
	if err := s.Views.Write(t.Context(), step); !errors.Is(err, es.ErrConflict) {
		t.Errorf("the same step again: %v, want ErrConflict", err)
	}
}

func stepBounds(t *testing.T, s es.Stores) {
	full := es.Step{Table: orders}
	for i := range 60 {
		full.Records = append(full.Records, es.ItemWrite{Item: row(fmt.Sprintf("r%d", i), 1)})
	}
	for i := range 40 {
		full.Markers = append(full.Markers, es.MarkerWrite{Marker: es.Marker{EntityID: fmt.Sprintf("m%d", i), Position: 1}})
	}
	if err := s.Views.Write(t.Context(), full); err != nil {
		t.Errorf("a step of 100 items: %v", err)
	}
	if got := len(listAll(t, s.Views, orders, 100)); got != 60 {
		t.Errorf("a step of 60 records left %d", got)
	}
	large := row("large", 1)
	large.Payload = payload(512 << 10)
	if err := s.Views.Write(t.Context(), es.Step{Table: orders, Records: []es.ItemWrite{{Item: row("small", 1)}, {Item: large}}}); !errors.Is(err, es.ErrTooLarge) {
		t.Errorf("a record of 512 KiB: %v, want ErrTooLarge", err)
	}
	if get(t, s.Views, orders, "small") != nil || get(t, s.Views, orders, "large") != nil {
		t.Error("a step with a record that is too large left something")
	}
	large.Payload = payload(390 << 10)
	write(t, s.Views, orders, 0, large)
	if got := get(t, s.Views, orders, "large"); got == nil || got.Payload != large.Payload {
		t.Error("a record of 390 KiB did not come back")
	}
}

func hostileKeys(t *testing.T, s es.Stores) {
	for i, key := range hostile {
		step := es.Step{
			Table:   orders,
			Records: []es.ItemWrite{{Item: row(key, int64(i+1))}},
			Markers: []es.MarkerWrite{{Marker: es.Marker{EntityID: key, Position: int64(i + 1)}}},
		}
		if err := s.Views.Write(t.Context(), step); err != nil {
			t.Fatalf("write %q: %v", key, err)
		}
	}
	rows, err := s.Views.Load(t.Context(), []es.ViewRead{{Table: orders, Keys: hostile, Markers: hostile}})
	if err != nil || len(rows) != 1 || len(rows[0].Items) != len(hostile) || len(rows[0].Markers) != len(hostile) {
		t.Fatalf("load: %d rows, %v", len(rows), err)
	}
	for i, key := range hostile {
		want := row(key, int64(i+1))
		sameItem(t, rows[0].Items[key], &want)
		if m := rows[0].Markers[key]; m == nil || m.EntityID != key || m.Position != int64(i+1) {
			t.Errorf("marker %q: %+v", key, m)
		}
	}
	for _, limit := range []int{1, 7, 100} {
		checkKeys(t, listAll(t, s.Views, orders, limit), hostile)
	}
	for _, key := range []string{strings.Repeat("a", 254), "\x02", strings.Repeat("k", 5000)} {
		if item := get(t, s.Views, orders, key); item != nil {
			t.Errorf("get of the unknown key %.20q: %+v", key, item)
		}
	}
}

func loadPlaces(t *testing.T, s es.Stores) {
	other := es.Table{View: "orders", Revision: 2}
	for i := range 150 {
		write(t, s.Views, orders, 0, row(fmt.Sprintf("k%d", i), int64(i+1)))
	}
	write(t, s.Views, other, 0, row("k1", 77))
	reads := []es.ViewRead{{Table: orders}, {Table: other}, {Table: orders, Keys: []string{"k1", "none", "k1"}}, {Table: es.Table{View: "none", Revision: 1}, Keys: []string{"k1"}}}
	for i := range 150 {
		reads[0].Keys = append(reads[0].Keys, fmt.Sprintf("k%d", i))
		reads[1].Keys = append(reads[1].Keys, fmt.Sprintf("k%d", i))
	}
	rows, err := s.Views.Load(t.Context(), reads)
	if err != nil || len(rows) != len(reads) {
		t.Fatalf("load: %d rows, %v", len(rows), err)
	}
	for i, want := range []int{150, 1, 1, 0} {
		if len(rows[i].Items) != want {
			t.Errorf("read %d: %d records, want %d", i, len(rows[i].Items), want)
		}
	}
	if got := rows[1].Items["k1"]; got == nil || got.Guard != 77 {
		t.Errorf("the record of another revision: %+v", got)
	}
}

func oneGuard(t *testing.T, s es.Stores) {
	for guard := range int64(6) {
		var wait sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for w := range 16 {
			wait.Go(func() {
				item := row("a", guard+1)
				item.State = fmt.Sprint(w)
				err := s.Views.Write(t.Context(), es.Step{
					Table:   orders,
					Records: []es.ItemWrite{{Was: guard, Item: item}},
					Markers: []es.MarkerWrite{{Was: guard, Marker: es.Marker{EntityID: "e", Position: guard + 1, State: item.State}}},
				})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
				} else if !errors.Is(err, es.ErrConflict) {
					t.Errorf("writer %d: %v", w, err)
				}
			})
		}
		wait.Wait()
		item, marker := get(t, s.Views, orders, "a"), loadMarker(t, s.Views, "e")
		if won != 1 || item == nil || marker == nil || item.State != marker.State {
			t.Fatalf("guard %d: %d writers won; %+v, %+v", guard, won, item, marker)
		}
	}
}

func drops(t *testing.T, s es.Stores) {
	tables := []es.Table{{View: "orders", Revision: 1}, {View: "orders", Revision: 11}, {View: "orders1", Revision: 1}, {View: "orders", Revision: 2}, {View: "order", Revision: 1}}
	for i, table := range tables {
		item := row("a", int64(i+1))
		item.Entries = []es.IndexEntry{{Index: "i", Key: "k"}}
		step := es.Step{Table: table, Records: []es.ItemWrite{{Item: item}}, Markers: []es.MarkerWrite{{Marker: es.Marker{EntityID: "e", Position: 1}}}}
		if err := s.Views.Write(t.Context(), step); err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{"quarantine", "behind", "rebuild"} {
			putEntry(t, s.Progress, 0, es.Entry{Part: fmt.Sprintf("%s/%s/%d", part, table.View, table.Revision), ID: "e", Guard: 1})
		}
	}
	if err := s.Views.Drop(t.Context(), tables[0]); err != nil {
		t.Fatal(err)
	}
	for i, table := range tables {
		want := 1
		if i == 0 {
			want = 0
		}
		rows, err := s.Views.Load(t.Context(), []es.ViewRead{{Table: table, Keys: []string{"a"}, Markers: []string{"e"}}})
		if err != nil || len(rows[0].Items) != want || len(rows[0].Markers) != want {
			t.Errorf("table %v: %+v, %v, want %d of each", table, rows, err, want)
		}
		if keys, _ := query(t, s.Views, table, "i", "k", false, 10, ""); len(keys) != want {
			t.Errorf("table %v: index has %q, want %d", table, keys, want)
		}
		for _, part := range []string{"quarantine", "behind", "rebuild"} {
			entries, err := s.Progress.ListProgress(t.Context(), fmt.Sprintf("%s/%s/%d", part, table.View, table.Revision), "", 10)
			if err != nil || len(entries) != want {
				t.Errorf("table %v: %s %v, %v, want %d", table, part, entries, err, want)
			}
		}
	}
	write(t, s.Views, tables[0], 0, row("a", 1))
}

package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
)

var progressTests = []test{
	{"an entry comes back until it is deleted", func(t *testing.T, s es.Stores) {
		checkEntry(t, s.Progress, "p", "a", nil)
		e := es.Entry{Part: "p", ID: "a", Guard: 1, Value: `{"é":"\u2028"}`, Expires: time.Now().Add(time.Hour).Truncate(time.Second).UTC()}
		putEntry(t, s.Progress, 0, e)
		checkEntry(t, s.Progress, "p", "a", &e)
		checkEntry(t, s.Progress, "p", "b", nil)
		checkEntry(t, s.Progress, "q", "a", nil)
		e = es.Entry{Part: "p", ID: "a", Guard: 2}
		putEntry(t, s.Progress, 1, e)
		checkEntry(t, s.Progress, "p", "a", &e)
		for range 2 {
			if err := s.Progress.DeleteProgress(t.Context(), "p", "a"); err != nil {
				t.Fatal(err)
			}
			checkEntry(t, s.Progress, "p", "a", nil)
		}
	}},
	{"conditions", func(t *testing.T, s es.Stores) {
		for _, c := range []struct {
			was, guard int64
			conflict   bool
		}{
			{1, 2, true}, {0, 1, false}, {0, 1, true}, {2, 3, true}, {1, 2, false}, {1, 2, true},
			{-1, 9, false}, {2, 10, true}, {9, 10, false}, {-1, 3, false}, {3, 4, false},
		} {
			before, err := s.Progress.Progress(t.Context(), "p", "a")
			if err != nil {
				t.Fatal(err)
			}
			e := es.Entry{Part: "p", ID: "a", Guard: c.guard, Value: fmt.Sprint(c)}
			err = s.Progress.PutProgress(t.Context(), c.was, e)
			if c.conflict {
				if !errors.Is(err, es.ErrConflict) {
					t.Errorf("from %d to %d: %v, want ErrConflict", c.was, c.guard, err)
				}
				checkEntry(t, s.Progress, "p", "a", before)
				continue
			}
			if err != nil {
				t.Errorf("from %d to %d: %v", c.was, c.guard, err)
			}
			checkEntry(t, s.Progress, "p", "a", &e)
		}
		putEntry(t, s.Progress, -1, es.Entry{Part: "p", ID: "fresh", Guard: 1})
	}},
	{"parts list by id, each for itself", listProgress},
	{"ids and parts have bounds", func(t *testing.T, s es.Stores) {
		long := es.Entry{Part: strings.Repeat("p", es.MaxEntryID/2), ID: strings.Repeat("i", es.MaxEntryID), Guard: 1}
		putEntry(t, s.Progress, 0, long)
		checkEntry(t, s.Progress, long.Part, long.ID, &long)
		for _, e := range []es.Entry{
			{Part: "p", ID: long.ID + "i", Guard: 1}, {Part: long.Part + "p", ID: "i", Guard: 1}, {Part: "p", Guard: 1}, {Part: "p", ID: "i"},
		} {
			if err := s.Progress.PutProgress(t.Context(), -1, e); err == nil || errors.Is(err, es.ErrConflict) {
				t.Errorf("an entry with a part of %d bytes, an id of %d, guard %d: %v, want an error", len(e.Part), len(e.ID), e.Guard, err)
			}
			checkEntry(t, s.Progress, e.Part, e.ID, nil)
			if err := s.Progress.DeleteProgress(t.Context(), e.Part, e.ID); err != nil {
				t.Errorf("delete: %v", err)
			}
		}
		if page, err := s.Progress.ListProgress(t.Context(), "p", strings.Repeat("i", 5000), 10); len(page) != 0 || err != nil {
			t.Errorf("entries after a long id: %v, %v", page, err)
		}
	}},
	{"an entry that has expired is absent", func(t *testing.T, s es.Stores) {
		past := es.Entry{Part: "p", ID: "a", Guard: 5, Expires: time.Now().Add(-time.Hour)}
		putEntry(t, s.Progress, 0, past)
		checkEntry(t, s.Progress, "p", "a", nil)
		putEntry(t, s.Progress, 0, es.Entry{Part: "p", ID: "b", Guard: 1})
		if page, err := s.Progress.ListProgress(t.Context(), "p", "", 1); err != nil || len(page) != 1 || page[0].ID != "b" {
			t.Errorf("a page of one entry behind one that has expired: %v, %v", page, err)
		}
		if err := s.Progress.PutProgress(t.Context(), 5, es.Entry{Part: "p", ID: "a", Guard: 6}); !errors.Is(err, es.ErrConflict) {
			t.Errorf("from the guard of an entry that has expired: %v, want ErrConflict", err)
		}
		again := es.Entry{Part: "p", ID: "a", Guard: 1, Value: "again"}
		putEntry(t, s.Progress, 0, again)
		checkEntry(t, s.Progress, "p", "a", &again)
	}},
	{"a page of large entries is whole", func(t *testing.T, s es.Stores) {
		for i := range 8 {
			putEntry(t, s.Progress, 0, es.Entry{Part: "p", ID: fmt.Sprint(i), Guard: 1, Value: payload(300 << 10)})
		}
		if page, err := s.Progress.ListProgress(t.Context(), "p", "", 8); err != nil || len(page) != 8 {
			t.Errorf("%d of 8 entries, %v", len(page), err)
		}
	}},
	{"one of sixteen wins", func(t *testing.T, s es.Stores) {
		for guard := range int64(5) {
			var wait sync.WaitGroup
			var mu sync.Mutex
			won := 0
			for w := range 16 {
				wait.Go(func() {
					err := s.Progress.PutProgress(t.Context(), guard, es.Entry{Part: "p", ID: "a", Guard: guard + 1, Value: fmt.Sprint(w)})
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
			if won != 1 {
				t.Fatalf("%d writers moved the entry from %d", won, guard)
			}
		}
	}},
}

func putEntry(t *testing.T, s es.ProgressStore, was int64, e es.Entry) {
	t.Helper()
	if err := s.PutProgress(t.Context(), was, e); err != nil {
		t.Fatalf("put %q %q: %v", e.Part, e.ID, err)
	}
}

func checkEntry(t *testing.T, s es.ProgressStore, part, id string, want *es.Entry) {
	t.Helper()
	got, err := s.Progress(t.Context(), part, id)
	switch {
	case err != nil:
		t.Fatalf("progress %q %q: %v", part, id, err)
	case got == nil || want == nil:
		if got != want {
			t.Errorf("progress %q %q: %+v, want %+v", part, id, got, want)
		}
	case !got.Expires.Equal(want.Expires) || got.Part != part || got.ID != id || got.Guard != want.Guard || got.Value != want.Value:
		t.Errorf("progress %q %q: %+v, want %+v", part, id, got, want)
	}
}

func listProgress(t *testing.T, s es.Stores) {
	parts := []string{"p", "p/", "p/1", "P", "quarantine/default/1", "quarantine/default/11", "quarantine/default-x/1"}
	for _, part := range parts {
		for _, id := range hostile {
			putEntry(t, s.Progress, 0, es.Entry{Part: part, ID: id, Guard: 1, Value: part + id})
		}
	}
	for _, part := range parts {
		for _, limit := range []int{1, 7, 1000} {
			seen, after := map[string]bool{}, ""
			for {
				page, err := s.Progress.ListProgress(t.Context(), part, after, limit)
				if err != nil {
					t.Fatal(err)
				}
				if len(page) > limit {
					t.Fatalf("a page of %d entries, limit %d", len(page), limit)
				}
				if len(page) == 0 {
					break
				}
				if len(page) < limit && len(seen)+len(page) != len(hostile) {
					t.Fatalf("a page of %d entries, limit %d, before the end", len(page), limit)
				}
				for _, e := range page {
					if e.Part != part || e.Value != part+e.ID || e.ID <= after || seen[e.ID] {
						t.Fatalf("part %q after %q: %+v", part, after, e)
					}
					seen[e.ID], after = true, e.ID
				}
			}
			if len(seen) != len(hostile) {
				t.Errorf("part %q by pages of %d: %d entries, want %d", part, limit, len(seen), len(hostile))
			}
		}
	}
	if page, err := s.Progress.ListProgress(t.Context(), "none", "", 10); len(page) != 0 || err != nil {
		t.Errorf("a part without entries: %v, %v", page, err)
	}
}

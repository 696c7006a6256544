package bolt_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/bolt"
)

func TestFeed(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "store.db"), bolt.Options{})
	var wait sync.WaitGroup
	for w := range 16 {
		wait.Go(func() {
			for v := range int64(20) {
				put(t, s, event(fmt.Sprintf("w%d", w), v+1))
			}
		})
	}
	wait.Wait()
	if occupant, err := s.Put(t.Context(), event("w0", 1)); occupant == nil || err != nil {
		t.Fatalf("put into a taken slot: %v, %v", occupant, err)
	}
	checkFeed(t, s)
	page, err := s.Feed(t.Context(), 310, 100)
	if err != nil || len(page) != 10 || page[0].Seq != 311 {
		t.Errorf("feed after 310: %d events, %v", len(page), err)
	}
}

func TestNews(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "store.db"), bolt.Options{})
	news := s.News()
	if err := s.PutProgress(t.Context(), 0, es.Entry{Part: "p", ID: "i", Guard: 1}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-news:
		t.Error("progress is news")
	default:
	}
	put(t, s, event("a", 1))
	select {
	case <-news:
	case <-time.After(10 * time.Second):
		t.Error("an event is no news")
	}
}

func TestPositions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	readers := []bolt.Reader{{Name: "first", FromStart: true}}
	s := open(t, path, bolt.Options{Readers: readers})
	for v := range int64(5) {
		put(t, s, event("a", v+1))
	}
	s.SetPosition("first", 3)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		readers []bolt.Reader
		want    map[string]uint64
	}{
		{append(readers, bolt.Reader{Name: "late"}, bolt.Reader{Name: "whole", FromStart: true}), map[string]uint64{"first": 3, "late": 5, "whole": 0}},
		{nil, map[string]uint64{"first": 3, "late": 5, "whole": 0}}, // as they were
		{[]bolt.Reader{{Name: "late"}}, map[string]uint64{"first": 0, "late": 5, "whole": 0}},
		{append(readers, bolt.Reader{Name: "late"}), map[string]uint64{"first": 0, "late": 5}},
	} {
		s := open(t, path, bolt.Options{Readers: c.readers})
		for name, want := range c.want {
			if got := s.Position(name); got != want {
				t.Errorf("readers %v: %q is at %d, want %d", c.readers, name, got, want)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// write moves a record of the table from one payload to another.
func write(t *testing.T, s *bolt.Store, key string, was int64, payload string, rebuild bool) {
	t.Helper()
	step := es.Step{Table: table, Rebuild: rebuild, Records: []es.ItemWrite{{Was: was, Item: es.Item{Key: key, Guard: was + 1, Payload: payload}}}}
	if err := s.Write(t.Context(), step); err != nil {
		t.Fatal(err)
	}
}

func TestChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path, bolt.Options{Readers: []bolt.Reader{}})
	write(t, s, "a", 0, "1", false)
	if page, err := s.Changes(t.Context(), "v", 0, 10); len(page) != 0 || err != nil {
		t.Errorf("changes of a view without readers: %v, %v", page, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	both := []bolt.Reader{{Name: "one", View: "v"}, {Name: "two", View: "v"}}
	now := time.Unix(1700000000, 5).UTC()
	s = open(t, path, bolt.Options{Readers: both, Clock: func() time.Time { return now }})
	write(t, s, "a", 1, "2", false)
	write(t, s, "a", 2, "2", false) // no change
	write(t, s, "b", 0, "", false)  // a shell: none
	write(t, s, "b", 1, "1", true)
	write(t, s, "a", 3, "", false)
	want := []es.RecordChange{
		{View: "v", Key: "a", Time: now, Guard: 2, Old: "1", New: "2"},
		{View: "v", Key: "b", Time: now, Guard: 2, New: "1", Rebuilding: true},
		{View: "v", Key: "a", Time: now, Guard: 4, Old: "2"},
	}
	page, err := s.Changes(t.Context(), "v", 0, 10)
	if err != nil || len(page) != len(want) {
		t.Fatalf("%d changes, %v: %+v", len(page), err, page)
	}
	for i, c := range page {
		if c.Seq != uint64(i+1) || c.Change != want[i] {
			t.Errorf("change %d: %+v, want %+v", i+1, c, want[i])
		}
	}
	// Only what both readers are past goes.
	s.SetPosition("one", 3)
	settle(t, s)
	if page, err := s.Changes(t.Context(), "v", 0, 10); err != nil || len(page) != 3 {
		t.Errorf("with one reader past all: %d changes, %v", len(page), err)
	}
	s.SetPosition("two", 2)
	settle(t, s)
	if page, err := s.Changes(t.Context(), "v", 0, 10); err != nil || len(page) != 1 || page[0].Seq != 3 {
		t.Errorf("with both readers past two: %+v, %v", page, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, bolt.Options{Readers: both[:1]})
	if got := s.Position("one"); got != 3 {
		t.Errorf("after opening again, reader one is at %d", got)
	}
	write(t, s, "c", 0, "1", false)
	if page, err := s.Changes(t.Context(), "v", 3, 10); err != nil || len(page) != 1 || page[0].Seq != 4 {
		t.Errorf("after opening again: %+v, %v", page, err)
	}
}

// settle makes a write that carries the waiting positions along.
func settle(t *testing.T, s *bolt.Store) {
	t.Helper()
	if err := s.PutProgress(t.Context(), -1, es.Entry{Part: "p", ID: "settle", Guard: 1}); err != nil {
		t.Fatal(err)
	}
}

func TestRefold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	readers := []bolt.Reader{{Name: "projector", FromStart: true}, {Name: "other", FromStart: true}}
	s := open(t, path, bolt.Options{Readers: readers})
	put(t, s, event("a", 1))
	write(t, s, "a", 0, "1", false)
	s.SetPosition("projector", 1)
	s.SetPosition("other", 1)
	settle(t, s)
	note := es.Entry{Part: "folded", ID: "v", Guard: 1, Value: "code"}
	if err := s.Refold(t.Context(), bolt.Refold{Tables: []es.Table{table, {View: "none", Revision: 1}}, Reader: "projector", Notes: []es.Entry{note}}); err != nil {
		t.Fatal(err)
	}
	check := func(s *bolt.Store) {
		t.Helper()
		item, err := s.Get(t.Context(), table, "a", true)
		if item != nil || err != nil {
			t.Errorf("after the refold: %+v, %v", item, err)
		}
		if p, o := s.Position("projector"), s.Position("other"); p != 0 || o != 1 {
			t.Errorf("after the refold: positions %d and %d, want 0 and 1", p, o)
		}
		if e, err := s.Progress(t.Context(), "folded", "v"); err != nil || e == nil || *e != note {
			t.Errorf("after the refold: note %+v, %v", e, err)
		}
	}
	check(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	check(open(t, path, bolt.Options{Readers: readers}))
}

// A place that has not been stored yet does not ride along over the refold's: after a crash the views
// would stay empty.
func TestARefoldIsNotUndoneByAPlaceThatWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	readers := []bolt.Reader{{Name: "projector", FromStart: true}}
	s := open(t, path, bolt.Options{Readers: readers})
	put(t, s, event("a", 1))
	s.SetPosition("projector", 1)
	if err := s.Refold(t.Context(), bolt.Refold{Tables: []es.Table{table}, Reader: "projector"}); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path) // as a crash leaves it
	if err != nil {
		t.Fatal(err)
	}
	crashed := filepath.Join(t.TempDir(), "store.db")
	if err := os.WriteFile(crashed, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if place := open(t, crashed, bolt.Options{Readers: readers}).Position("projector"); place != 0 {
		t.Errorf("the reader goes on after %d", place)
	}
}

// A position that rode along with a write that failed is stored with the next one.
func TestPositionsOutliveAFailedWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	readers := []bolt.Reader{{Name: "first", FromStart: true}, {Name: "second", FromStart: true}}
	var s *bolt.Store
	s = open(t, path, bolt.Options{Readers: readers, Clock: func() time.Time {
		s.SetPosition("second", 2)
		panic("no clock")
	}})
	put(t, s, event("a", 1))
	s.SetPosition("first", 1)
	if err := s.Write(t.Context(), es.Step{Table: table, Records: []es.ItemWrite{{Item: es.Item{Key: "a", Guard: 1, Payload: "{}"}}}}); err == nil {
		t.Fatal("the write did not fail")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, bolt.Options{})
	if first, second := s.Position("first"), s.Position("second"); first != 1 || second != 2 {
		t.Errorf("the readers are at %d and %d", first, second)
	}
}

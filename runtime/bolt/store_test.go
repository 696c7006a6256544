package bolt_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/bolt"
)

func event(id string, version int64) *es.Recorded {
	return &es.Recorded{EntityID: id, Version: version, EventID: fmt.Sprintf("e%d", version), Type: "T", Revision: 1,
		Time: time.Unix(1700000000, 1).UTC(), Payload: `{"x":1}`}
}

func put(t testing.TB, s *bolt.Store, e *es.Recorded) {
	t.Helper()
	if occupant, err := s.Put(t.Context(), e); occupant != nil || err != nil {
		t.Fatalf("put %q %d: %+v, %v", e.EntityID, e.Version, occupant, err)
	}
}

func TestOpenTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "store.db")
	open(t, path, bolt.Options{})
	_, err := bolt.Open(path, bolt.Options{Timeout: 50 * time.Millisecond})
	if !errors.Is(err, bolt.ErrInUse) || !strings.Contains(err.Error(), path) {
		t.Errorf("a second open: %v, want ErrInUse that names the file", err)
	}
}

func TestOpenOtherFiles(t *testing.T) {
	for name, content := range map[string][]byte{
		"text":  []byte("hello, I am no store"),
		"zeros": make([]byte, 1<<16),
		"noise": bytes.Repeat([]byte{0xed, 0xda, 0x0c, 0xed, 1, 2, 3}, 10_000),
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := bolt.Open(path, bolt.Options{}); err == nil {
			t.Errorf("%s: opened", name)
			_ = s.Close()
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, content) {
			t.Errorf("%s: the file was changed (%v)", name, err)
		}
	}
	path := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	put(t, open(t, path, bolt.Options{}), event("a", 1))
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := es.Item{Key: "k", Guard: 3, Version: 2, State: "s", Payload: "{}", Held: "h",
		Latest: es.Moment{Time: time.Unix(5, 6).UTC(), EntityID: "e", Version: 1}, Entries: []es.IndexEntry{{Index: "i", Key: "k", Sort: []byte{0, 1}}, {Index: "j"}}}
	put(t, s, event("a", 1))
	if err := s.Write(t.Context(), es.Step{Table: table, Records: []es.ItemWrite{{Item: want}}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Put(t.Context(), event("a", 2)); err == nil {
		t.Error("put into a closed store succeeded")
	}
	if _, err := s.Head(t.Context(), "a"); err == nil {
		t.Error("head of a closed store succeeded")
	}
	s = open(t, path, bolt.Options{})
	if head, err := s.Head(t.Context(), "a"); err != nil || head == nil || *head != *event("a", 1) {
		t.Errorf("head: %+v, %v", head, err)
	}
	got, err := s.Get(t.Context(), table, "k", true)
	if err != nil || fmt.Sprint(got) != fmt.Sprint(&want) {
		t.Errorf("record %+v, %v, want %+v", got, err, want)
	}
}

// A writer whose outcome is known comes back, also while the store closes.
func TestCloseUnderWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path, bolt.Options{})
	acknowledged := make([]int64, 8)
	var wait sync.WaitGroup
	for w := range acknowledged {
		wait.Go(func() {
			for v := int64(1); ; v++ {
				if _, err := s.Put(t.Context(), event(fmt.Sprint(w), v)); err != nil {
					return
				}
				acknowledged[w] = v
			}
		})
	}
	time.Sleep(20 * time.Millisecond)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wait.Wait()
	s = open(t, path, bolt.Options{})
	for w, version := range acknowledged {
		head, err := s.Head(t.Context(), fmt.Sprint(w))
		if err != nil || head == nil && version > 0 || head != nil && head.Version < version {
			t.Errorf("writer %d: head %+v, %v, version %d was acknowledged", w, head, err, version)
		}
	}
}

func TestExpiry(t *testing.T) {
	now := time.Unix(1700000000, 0)
	s := open(t, filepath.Join(t.TempDir(), "store.db"), bolt.Options{Clock: func() time.Time { return now }})
	entry := func(id string, life time.Duration) es.Entry {
		return es.Entry{Part: "p", ID: id, Guard: 1, Expires: now.Add(life)}
	}
	for i := range 20 {
		if err := s.PutProgress(t.Context(), 0, entry(fmt.Sprintf("short-%02d", i), time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.PutProgress(t.Context(), 0, entry("renewed", time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := s.PutProgress(t.Context(), 1, entry("renewed", time.Hour)); err != nil {
		t.Fatal(err)
	}
	now = now.Add(10 * time.Minute)
	for i := range 10 { // each sweeps some
		if err := s.PutProgress(t.Context(), 0, es.Entry{Part: "q", ID: fmt.Sprint(i), Guard: 1}); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(-10 * time.Minute) // whatever is still there shows itself
	entries, err := s.ListProgress(t.Context(), "p", "", 100)
	if err != nil || len(entries) != 1 || entries[0].ID != "renewed" {
		t.Errorf("after the sweep: %+v, %v", entries, err)
	}
	now = now.Add(2 * time.Hour)
	if e, err := s.Progress(t.Context(), "p", "renewed"); e != nil || err != nil {
		t.Errorf("an expired entry: %+v, %v", e, err)
	}
	if err := s.PutProgress(t.Context(), 0, entry("renewed", time.Hour)); err != nil {
		t.Errorf("put in place of an expired entry: %v", err)
	}
}

// FuzzCursor hands hostile positions to lists that are not empty.
func FuzzCursor(f *testing.F) {
	s := open(f, filepath.Join(f.TempDir(), "store.db"), bolt.Options{})
	for i := range 5 {
		item := es.Item{Key: fmt.Sprint(i), Guard: 1, Payload: "{}", Entries: []es.IndexEntry{{Index: "i", Key: "k"}}}
		if err := s.Write(f.Context(), es.Step{Table: table, Records: []es.ItemWrite{{Item: item}}}); err != nil {
			f.Fatal(err)
		}
		put(f, s, event(fmt.Sprint(i), 1))
	}
	list, err := s.List(f.Context(), table, es.PageRequest{Limit: 2})
	if err != nil {
		f.Fatal(err)
	}
	query, err := s.Query(f.Context(), table, "i", "k", true, es.PageRequest{Limit: 2})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{list.Next, query.Next, "", "A", "AAAAAAAAAAAA", "%", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		for _, err := range []error{
			second(s.List(t.Context(), table, es.PageRequest{Limit: 2, After: cursor})),
			second(s.Query(t.Context(), table, "i", "k", true, es.PageRequest{Limit: 2, After: cursor})),
			second(s.Query(t.Context(), table, "i", "k", false, es.PageRequest{Limit: 2, After: cursor})),
		} {
			if err != nil && !errors.Is(err, es.ErrCursor) {
				t.Errorf("cursor %q: %v", cursor, err)
			}
		}
		if _, _, err := s.Heads(t.Context(), 0, 1, cursor); err != nil && !errors.Is(err, es.ErrCursor) {
			t.Errorf("cursor %q: heads: %v", cursor, err)
		}
	})
}

func second(_ es.ItemPage, err error) error { return err }

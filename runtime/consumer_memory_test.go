package es_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/bolt"
)

// counting counts what reaches a handler, by key.
type counting map[string]int

func (c counting) HandleEvent(_ context.Context, _ es.Event, meta es.Meta) error {
	c[meta.EntityID]++
	return nil
}

func (c counting) HandleChange(_ context.Context, change es.RecordChange) error {
	c[change.Key]++
	return nil
}

// TestConsumersRememberLongKeys: version, view and key together are longer than an id that
// a store takes.
func TestConsumersRememberLongKeys(t *testing.T) {
	store, err := bolt.Open(filepath.Join(t.TempDir(), "store.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	seen := counting{}
	c := es.Consumer{Name: "mails", View: "default", Start: func(context.Context, *es.Appender) (es.Handler, error) { return seen, nil }}
	r, err := es.StartConsumer(t.Context(), ordersModel(), c, store.Stores(), es.ConsumerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("\U0001F600", 256)
	keys := []string{long, long[:len(long)-4] + "\U0001F601", "short"}
	made := time.Now().Add(time.Hour)
	for range 2 {
		for _, key := range keys {
			change := es.RecordChange{View: "default", Key: key, Guard: 1 << 62, Time: made, New: "{}"}
			if _, err := r.HandleChanges(t.Context(), []es.RecordChange{change}); err != nil {
				t.Fatalf("key of %d bytes: %v", len(key), err)
			}
		}
	}
	for _, key := range keys {
		if seen[key] != 1 {
			t.Errorf("a key of %d bytes was handled %d times, want once", len(key), seen[key])
		}
	}
}

// After a refold, and in a new revision, records count their changes from the start again: such a
// change is another one than that of the same number before.
func TestConsumersTellChangesOfTwoTablesApart(t *testing.T) {
	store, err := bolt.Open(filepath.Join(t.TempDir(), "store.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	seen := counting{}
	c := es.Consumer{Name: "mails", View: "default", Start: func(context.Context, *es.Appender) (es.Handler, error) { return seen, nil }}
	r, err := es.StartConsumer(t.Context(), ordersModel(), c, store.Stores(), es.ConsumerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	before := es.RecordChange{View: "default", Key: "o", Guard: 2, Time: time.Now().Add(time.Hour), New: "{}"}
	after := before
	after.Time = before.Time.Add(time.Millisecond)
	for i, change := range []es.RecordChange{before, before, after, before, after} {
		if _, err := r.HandleChanges(t.Context(), []es.RecordChange{change}); err != nil {
			t.Fatal(err)
		}
		if want := []int{1, 1, 2, 2, 2}[i]; seen["o"] != want {
			t.Fatalf("delivery %d: handled %d times, want %d", i, seen["o"], want)
		}
	}
}

package es_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	bbolt "go.etcd.io/bbolt"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/bolt"
)

// damagedHistory cannot read the events of one entity.
type damagedHistory struct {
	es.EventStore
	id string
}

func (d damagedHistory) Read(ctx context.Context, id string, after int64, limit int) ([]es.Recorded, bool, error) {
	if id == d.id {
		return nil, false, fmt.Errorf("%w: event 1", es.ErrDamaged)
	}
	return d.EventStore.Read(ctx, id, after, limit)
}

// A rebuild goes on past an entity whose history cannot be read; readers do not switch by themselves.
func TestARebuildGoesOnPastADamagedHistory(t *testing.T) {
	b := newBench(t, "diary")
	old := b.projector("1")
	b.project(old, b.happen("a", opened("ann"))...)
	b.project(old, b.happen("b", opened("bob"))...)
	b.nextRevision()
	stores := b.store.stores()
	stores.Events = damagedHistory{b.store, "a"}
	p := es.NewProjector(b.model, stores, es.ProjectorOptions{Deployment: "2", Logger: quiet()})
	done, err := p.Rebuild(t.Context(), "diary", es.RebuildOptions{})
	if err != nil || !done.Held() || done.Left != 1 || done.Folds != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	if s, err := p.Status(t.Context()); err != nil || s[0].Behind != 1 || s[0].Left != 1 {
		t.Errorf("status: %+v, %v", s, err)
	}
	done, err = b.projector("2").Rebuild(t.Context(), "diary", es.RebuildOptions{})
	if err != nil || done.Active != 2 {
		t.Errorf("mended: %+v, %v", done, err)
	}
	b.check(false)
}

// In the embedded store, too, a damaged value holds up its own entity alone.
func TestADamagedValueOfTheEmbeddedStoreHoldsUpNothingElse(t *testing.T) {
	for view, bucket := range map[string]string{"diary": "live", "boards": "markers"} {
		t.Run(view, func(t *testing.T) {
			b := newBench(t, view)
			path := filepath.Join(t.TempDir(), "store.db")
			store, err := bolt.Open(path, bolt.Options{})
			if err != nil {
				t.Fatal(err)
			}
			project := func(batch ...es.Recorded) es.Report {
				t.Helper()
				for i := range batch {
					if _, err := store.Put(t.Context(), &batch[i]); err != nil {
						t.Fatal(err)
					}
				}
				p := es.NewProjector(b.model, store.Stores(), es.ProjectorOptions{Deployment: "d", Logger: quiet()})
				report, retry, err := p.Project(t.Context(), batch)
				if err != nil || retry != len(batch) {
					t.Fatalf("the batch comes again from %d of %d on: %v", retry, len(batch), err)
				}
				return report
			}
			project(b.happen("a", opened("ann", "red"))...)
			if err := store.Close(); err != nil {
				t.Fatal(err)
			}
			scramble(t, path, bucket, "a")
			if store, err = bolt.Open(path, bolt.Options{}); err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			batch := append(b.happen("a", act{kind: "Added", Keys: []string{"red"}, N: 1}), b.happen("b", opened("bob", "blue"))...)
			if report := project(batch...); report.Quarantined != 1 || report.Folds != 1 {
				t.Errorf("%+v", report)
			}
		})
	}
}

// scramble damages the value of a key in the buckets of a name of all tables.
func scramble(t *testing.T, path, bucket, key string) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	err = db.Update(func(tx *bbolt.Tx) error {
		views := tx.Bucket([]byte("views"))
		return views.ForEachBucket(func(name []byte) error {
			b := views.Bucket(name).Bucket([]byte(bucket))
			if b.Get([]byte(key)) == nil {
				return nil
			}
			found = true
			return b.Put([]byte(key), []byte("?"))
		})
	})
	if err != nil || !found || db.Close() != nil {
		t.Fatalf("scrambled: %t, %v", found, err)
	}
}

// unreadable has items that somebody damaged wherever it looks.
type unreadable struct {
	es.EventStore
	heads, puts int
	head        error
}

func (u *unreadable) Head(ctx context.Context, id string) (*es.Recorded, error) {
	if u.heads++; u.head != nil {
		return nil, u.head
	}
	return u.EventStore.Head(ctx, id)
}

func (u *unreadable) Put(context.Context, *es.Recorded) (*es.Recorded, error) {
	u.puts++
	return nil, fmt.Errorf("%w: who is there", es.ErrDamaged)
}

// Who posts to an entity whose last event is damaged is not asked to try again, nor does the service itself.
func TestAnAppendToADamagedHistoryIsNotTriedAgain(t *testing.T) {
	m := ordersModel()
	for what, u := range map[string]*unreadable{"the head": {head: fmt.Errorf("%w: head", es.ErrDamaged)}, "who has the slot": {}} {
		u.EventStore = newMemoryStore()
		s := serviceOn(m, es.Stores{Events: u})
		id := wantProblem(t, s.post(t, placed("o")), 500, "internal")["eventId"]
		if id == nil || u.heads != 1 || u.puts > 1 {
			t.Errorf("%s: event id %v, looked %d times, put %d times", what, id, u.heads, u.puts)
		}
	}
}

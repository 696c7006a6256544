package es_test

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/bolt"
	"pgregory.net/rapid"
)

// TestParallelProjectorsOnTheEmbeddedStore runs projectors beside each other, and
// beside a reconcile, on a real store.
func TestParallelProjectorsOnTheEmbeddedStore(t *testing.T) {
	for seed := range uint64(3) {
		store, err := bolt.Open(filepath.Join(t.TempDir(), "store.db"), bolt.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		histories := rapid.Custom(drawHistories).Example(int(seed) + 40)
		var all []es.Recorded
		for _, h := range histories {
			for _, r := range h {
				if _, err := store.Put(t.Context(), &r); err != nil {
					t.Fatal(err)
				}
				all = append(all, r)
			}
		}
		m := ledgerModel(true)
		project := func(seed uint64) {
			p := es.NewProjector(m, store.Stores(), es.ProjectorOptions{Logger: quiet()})
			r := rand.New(rand.NewPCG(seed, 2))
			batch := slices.Clone(all)
			r.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
			for part := range slices.Chunk(batch, 7) {
				for len(part) > 0 { // conflicts may outlast one delivery
					_, retry, err := p.Project(t.Context(), part)
					if part = part[retry:]; err == nil {
						break
					}
				}
			}
		}
		var wait sync.WaitGroup
		for i := range uint64(3) {
			wait.Go(func() { project(seed*10 + i) })
		}
		wait.Go(func() {
			p := es.NewProjector(m, store.Stores(), es.ProjectorOptions{Logger: quiet()})
			if _, err := p.Reconcile(t.Context(), es.ReconcileOptions{Full: true}); err != nil {
				t.Log("reconcile beside projectors:", err) // conflicts, at most
			}
		})
		wait.Wait()
		got, err := contents(t.Context(), store, m)
		if err != nil {
			t.Fatal(err)
		}
		if d := differences(got, expectLedger(histories, true)); d != "" {
			t.Errorf("seed %d:\n%s", seed, d)
		}
	}
}

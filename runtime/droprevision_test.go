package es_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// Readers remember for a moment which revision they get: what they still read is not dropped.
func TestDropWaitsForReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := anOrderBefore(t)
		s.query = es.NewQuery(m, s.stores, es.QueryOptions{})
		p := es.NewProjector(m, s.stores, es.ProjectorOptions{Logger: quiet()})
		if got := s.get(t, "/o"); got.Status != 200 {
			t.Fatalf("before the rebuild: %d", got.Status)
		}
		if _, err := p.Rebuild(t.Context(), "default", es.RebuildOptions{}); err != nil {
			t.Fatal(err)
		}
		dropped := make(chan error)
		go func() { dropped <- p.DropRevision(t.Context(), es.Table{View: "default", Revision: 1}) }()
		for gone := false; !gone; {
			select {
			case err := <-dropped:
				if err != nil {
					t.Error(err)
				}
				gone = true
			case <-time.After(time.Second / 4):
			}
			if got := s.get(t, "/o"); got.Status != 200 {
				t.Fatalf("while the old revision goes: %d", got.Status)
			}
		}
	})
}

// A retired revision keeps how far it is folded: who goes back to it while it has its table folds on.
func TestWhoGoesBackToARetiredRevisionFoldsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // dropping waits for readers
		b := newBench(t)
		b.project(b.projector("1"), b.happen("a", opened("ann", "red"), added(1))...)
		b.nextRevision()
		p := b.projector("2")
		retired := func() (all []es.Table) {
			for i := range b.model.Views {
				tables, err := p.RetiredRevisions(t.Context(), b.model.Views[i].Name)
				if err != nil {
					t.Error(err)
				}
				all = append(all, tables...)
			}
			return all
		}
		for i := range b.model.Views {
			before := es.Table{View: b.model.Views[i].Name, Revision: 1}
			if err := p.RetireRevision(t.Context(), before); !errors.Is(err, es.ErrStillNeeded) {
				t.Errorf("retiring what readers get: %v", err)
			}
			b.rebuild(p, before.View, es.RebuildOptions{})
			if err := p.RetireRevision(t.Context(), before); err != nil {
				t.Error(err)
			}
		}
		if got := retired(); len(got) != len(b.model.Views) {
			t.Errorf("retired are %v", got)
		}
		for i := range b.model.Views {
			b.model.Views[i].Revision = 1
		}
		b.project(b.projector("1"), b.happen("a", added(2))...)
		b.check(false)

		b.nextRevision()
		for i := range b.model.Views {
			if err := p.DropRevision(t.Context(), es.Table{View: b.model.Views[i].Name, Revision: 1}); err != nil {
				t.Error(err)
			}
		}
		if got := retired(); len(got) != 0 {
			t.Errorf("after the drop, retired are %v", got)
		}
	})
}

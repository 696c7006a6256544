package es_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	es "github.com/esgen/esgen/runtime"
)

// Whatever somebody wrote into the progress of a rebuild: readers do not switch before every entity is folded.
func TestAPoisonedRebuildFoldsEverythingAllTheSame(t *testing.T) {
	for _, poison := range []string{"", "?", "{}", `{"segments":-1}`, `{"segments":1000000}`, `{"done":true}`, `{"cursor":"nowhere"}`} {
		for _, what := range []string{"plan", "segment/0000"} {
			t.Run(what+" "+poison, func(t *testing.T) {
				b := newBench(t, "diary")
				old := b.projector("1")
				for i := range 40 {
					b.project(old, b.happen(fmt.Sprint("e", i), opened("ann"))...)
				}
				b.nextRevision()
				p := b.projector("2")
				ctx, stop := context.WithCancel(t.Context())
				seen := 0
				_, err := p.Rebuild(ctx, "diary", es.RebuildOptions{Segments: 9, Parallel: 1, Progress: func(s es.RebuildStatus) {
					if seen++; s.SegmentsDone == 4 {
						stop()
					}
				}})
				if !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				key := "rebuild/diary/2\x00" + what
				e, ok := b.store.progress[key]
				if !ok {
					t.Fatalf("no entry %q", key)
				}
				if strings.Contains(poison, "done") && what != "plan" {
					return // says what only we would say: nobody can tell
				}
				e.Value = poison
				b.store.progress[key] = e
				done := b.rebuild(p, "diary", es.RebuildOptions{Segments: 5, Alone: true})
				if done.Active != 2 {
					t.Errorf("%+v", done)
				}
				b.check(false)
			})
		}
	}
}

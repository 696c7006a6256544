package bolt_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/bolt"
)

func BenchmarkPut(b *testing.B) {
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "store.db"), bolt.Options{})
			var next atomic.Int64
			var wait sync.WaitGroup
			b.ResetTimer()
			for range writers {
				wait.Go(func() {
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						if _, err := s.Put(b.Context(), event(fmt.Sprintf("entity-%d", i), 1)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wait.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
		})
	}
}

func BenchmarkPages(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "store.db"), bolt.Options{})
	const records = 10_000
	for i := 0; i < records; i += 100 {
		step := es.Step{Table: table}
		for j := range 100 {
			key := fmt.Sprintf("key-%05d", i+j)
			step.Records = append(step.Records, es.ItemWrite{Item: es.Item{Key: key, Guard: 1, Payload: `{"customerId":"c","status":"placed","total":12.50}`,
				Entries: []es.IndexEntry{{Index: "status", Key: "placed", Sort: []byte(key)}}}})
		}
		if err := s.Write(b.Context(), step); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("list", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.List(b.Context(), table, es.PageRequest{Limit: 100}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("query", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Query(b.Context(), table, "status", "placed", true, es.PageRequest{Limit: 100}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("head", func(b *testing.B) {
		put(b, s, event("somebody", 1))
		for b.Loop() {
			if _, err := s.Head(b.Context(), "somebody"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

package service_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/esgen/esgen/esgen/internal/disk"
	"github.com/esgen/esgen/esgen/internal/service"
)

// large writes a schema of that many events, and of views that each fold twenty.
func large(events, views int) []byte {
	var b strings.Builder
	b.WriteString("esgen: 1\nservice: large\nmodule: example.com/large\nentity: {name: thing, key: thingId}\ntypes:\n  Color: {enum: [red, green, blue]}\nevents:\n")
	for i := range events {
		fmt.Fprintf(&b, "  Thing%dHappened:\n    description: Something happened.\n    fields:\n", i)
		b.WriteString("      name: {type: string, minLength: 1, maxLength: 100}\n      amount: {type: decimal, minimum: 0}\n      count: {type: int, default: 1}\n      color: Color\n      at: {type: timestamp, default: now}\n      tags: {type: \"string[]\", maxItems: 10}\n      note: \"string?\"\n")
	}
	b.WriteString("views:\n")
	for v := range views {
		name := fmt.Sprintf("view-%d", v)
		if v == 0 {
			name = "default"
		}
		var list []string
		for k := range min(20, events) {
			list = append(list, fmt.Sprintf("Thing%dHappened", (v*20+k)%events))
		}
		fmt.Fprintf(&b, "  %s:\n    events: [%s]\n    fields: {name: string, amount: decimal, count: int, color: Color, at: timestamp}\n", name, strings.Join(list, ", "))
	}
	return []byte(b.String())
}

var sizes = []struct{ events, views int }{{10, 1}, {100, 5}, {1000, 50}}

func write(tb testing.TB, text []byte) string {
	dir := tb.TempDir()
	if err := os.WriteFile(filepath.Join(dir, service.SchemaFile), text, 0o644); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// regenerate is what the command does: load, generate, plan, apply.
func regenerate(tb testing.TB, dir string) (changes int) {
	s, err := service.Load(dir)
	if err != nil {
		tb.Fatal(err)
	}
	if s.Schema == nil {
		tb.Fatal(s.Findings)
	}
	folder, err := disk.Open(dir)
	if err != nil {
		tb.Fatal(err)
	}
	defer folder.Close()
	p, err := s.Plan(folder, false)
	if err != nil {
		tb.Fatal(err)
	}
	if p.Refused() {
		tb.Fatal(p.Findings)
	}
	if err := folder.Apply(p.Changes); err != nil {
		tb.Fatal(err)
	}
	if _, err := s.Todo(folder, p.Manifest); err != nil {
		tb.Fatal(err)
	}
	return len(p.Changes)
}

// A run into an empty folder: 1,000 events and 50 views are to take under a
// second, and the time is to grow with the events.
func BenchmarkRegenerateAll(b *testing.B) {
	for _, size := range sizes {
		text := large(size.events, size.views)
		b.Run(fmt.Sprintf("%d-events", size.events), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				b.Setenv("XDG_CACHE_HOME", b.TempDir()) // nothing is remembered
				dir := write(b, text)
				b.StartTimer()
				regenerate(b, dir)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*size.events), "µs/event")
		})
	}
}

// A run that finds nothing to do.
func BenchmarkRegenerateNothing(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprintf("%d-events", size.events), func(b *testing.B) {
			b.Setenv("XDG_CACHE_HOME", b.TempDir())
			dir := write(b, large(size.events, size.views))
			regenerate(b, dir)
			for b.Loop() {
				if n := regenerate(b, dir); n != 0 {
					b.Fatalf("%d changes", n)
				}
			}
		})
	}
}

// Only reading the schema and making the files in memory.
func BenchmarkGenerate(b *testing.B) {
	for _, size := range sizes {
		text := large(size.events, size.views)
		b.Run(fmt.Sprintf("%d-events", size.events), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				b.Setenv("XDG_CACHE_HOME", b.TempDir())
				b.StartTimer()
				if s, err := service.Parse(".", service.SchemaFile, text); err != nil || s.Schema == nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package templates_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/esgen/esgen/schema"
	"github.com/esgen/esgen/templates"
)

// TestBenchSample compares the services that the benchmarks measure with what is
// generated from their schemas now; with -update it writes that.
func TestBenchSample(t *testing.T) {
	for name, folders := range map[string][]string{
		"orders":   {"events/", "types/", "views/", "cmd/command/", "cmd/internal/service/"},
		"accounts": {"events/", "views/"},
	} {
		dir := filepath.Join("..", "bench", "sample", name)
		text, err := os.ReadFile(filepath.Join(dir, "esgen.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		s, found := schema.Load("esgen.yaml", text)
		if s == nil {
			t.Fatal(found)
		}
		files, err := templates.Files(s, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if f.Once || !slices.ContainsFunc(folders, func(folder string) bool { return strings.HasPrefix(f.Path, folder) }) {
				continue
			}
			file := filepath.Join(dir, filepath.FromSlash(f.Path))
			if *update {
				writeFile(t, file, f.Content)
				continue
			}
			if have, err := os.ReadFile(file); err != nil || !bytes.Equal(have, f.Content) {
				t.Errorf("%s is not what is generated now, %v (accept with -update)", file, err)
			}
		}
	}
}

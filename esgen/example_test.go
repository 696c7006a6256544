package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestExampleIsWhatInitMakes: the example is the contract's schema taken through
// init, its stubs filled in by hand. Regenerating it changes nothing, and its tests pass.
func TestExampleIsWhatInitMakes(t *testing.T) {
	dir := filepath.Join("..", "example-service")
	tool := buildTool(t)
	run(t, dir, tool, "regenerate", "--check")

	fresh := filepath.Join(t.TempDir(), "orders")
	run(t, ".", tool, "init", fresh, "--from", filepath.Join(dir, "esgen.yaml"))
	generated, err := filepath.Glob(filepath.Join(fresh, "*", "*_gen.go"))
	deeper, _ := filepath.Glob(filepath.Join(fresh, "*", "*", "*_gen.go"))
	if err != nil || len(generated)+len(deeper) < 10 {
		t.Fatalf("%d generated files found in a fresh service; there are more", len(generated)+len(deeper))
	}
	for _, path := range append(generated, deeper...) {
		name, _ := filepath.Rel(fresh, path)
		want, _ := os.ReadFile(path)
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(got) != string(want) {
			t.Errorf("example-service/%s is not what init makes (%v); run make regenerate", filepath.ToSlash(name), err)
		}
	}
	run(t, dir, "go", "test", "./...")
}

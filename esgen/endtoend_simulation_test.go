package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var (
	simulationSeeds = flag.Int("simulation.seeds", 0, "how many seeds to simulate each service with; 0: the usual ones")
	simulationSeed  = flag.Uint64("simulation.seed", 0, "the first seed; without -simulation.seeds the only one, and all that happens to it is shown with -v")
)

// simulate runs a service, as it was generated and filled in, in a simulated world. The program that does
// is made here of the service and of the domain's own files: what it posts, and the fold that it is
// judged by, are those of the tests beside this one. asked says that seeds were asked for, and so nothing else.
func simulate(t *testing.T, d domain, dir string) (asked bool) {
	t.Helper()
	program := filepath.Join(dir, "cmd", "simulate")
	if err := os.MkdirAll(program, 0o755); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("endtoend_*_test.go")
	for _, name := range append(files, "endtoend_test.go") {
		if name != "endtoend_simulation_test.go" {
			copyEdited(t, name, filepath.Join(program, name), strings.NewReplacer("\t\t\tif simulate(t, d, dir) {\n\t\t\t\treturn\n\t\t\t}\n", ""))
		}
	}
	copyEdited(t, filepath.Join("testdata", "simulate", "simulate_test.go.txt"), filepath.Join(program, "simulate_test.go"),
		strings.NewReplacer("MODULE", "example.com/"+d.name, "DOMAIN", d.name, "COMMAND", "go test ./esgen -run "+t.Name()))
	out := run(t, dir, "go", "test", "-v", "-count=1", "-timeout=0", "-run=^TestSimulated$", "./cmd/simulate",
		fmt.Sprint("-simulation.seeds=", *simulationSeeds), fmt.Sprint("-simulation.seed=", *simulationSeed))
	t.Log(withoutFrame(out))
	if err := os.RemoveAll(program); err != nil {
		t.Fatal(err)
	}
	return *simulationSeeds != 0 || *simulationSeed != 0
}

// withoutFrame is what a test says, without what go test says of the test.
func withoutFrame(out string) string {
	lines := slices.DeleteFunc(strings.Split(out, "\n"), func(line string) bool {
		first, _, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
		return slices.Contains([]string{"===", "---", "PASS", "ok"}, first)
	})
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// TestExampleServiceSimulated runs the checked-in service, its consumers included.
func TestExampleServiceSimulated(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a whole service")
	}
	dir := filepath.Join(t.TempDir(), "orders")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "example-service"))); err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	run(t, dir, "go", "mod", "edit", "-replace", "github.com/esgen/esgen="+root)
	t.Setenv("OUTBOX", t.TempDir())
	simulate(t, orders, dir)
}

func copyEdited(t *testing.T, from, to string, edit *strings.Replacer) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, []byte(edit.Replace(string(text))), 0o644); err != nil {
		t.Fatal(err)
	}
}

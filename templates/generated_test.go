package templates_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/esgen/esgen/schema"
	"github.com/esgen/esgen/templates"
)

var update = flag.Bool("update", false, "write what is generated to testdata instead of comparing")

// loadCase reads a schema of the repository's testdata. The module is renamed so
// that the code of all cases fits into one Go module.
func loadCase(t testing.TB, file string) *schema.Service {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, found := schema.Load(file, text)
	if s == nil {
		t.Fatalf("%s: %v", file, found)
	}
	s.Module = "example.com/cases/" + caseName(file)
	return s
}

// caseName is the name of a schema file, or of its folder when it is an esgen.yaml.
func caseName(file string) string {
	name := strings.TrimSuffix(filepath.Base(file), ".yaml")
	if name == "esgen" {
		name = filepath.Base(filepath.Dir(file))
	}
	return name
}

// loadCases loads every good schema of the repository.
func loadCases(t testing.TB) []*schema.Service {
	t.Helper()
	var services []*schema.Service
	for _, path := range casePaths(t) {
		services = append(services, loadCase(t, path))
	}
	return services
}

// folder is where the code of a service lies in the module of all cases.
func folder(s *schema.Service) string { return path.Base(s.Module) }

// casePaths lists every good schema of the repository.
func casePaths(t testing.TB) []string {
	t.Helper()
	var paths []string
	for _, pattern := range []string{"../testdata/schemas/good/*.yaml", "../testdata/services/*/esgen.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	if len(paths) < 4 {
		t.Fatalf("found only %q", paths)
	}
	return paths
}

// typedFiles generates the events and types of a service, and what they import.
func typedFiles(t testing.TB, s *schema.Service) []templates.File {
	t.Helper()
	files, err := templates.Files(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(files, func(f templates.File) bool {
		top, _, _ := strings.Cut(f.Path, "/")
		return !slices.Contains([]string{"events", "types", "upcasts"}, top)
	})
}

// writeModule writes the typed code of all cases as one Go module that uses
// this checkout of the toolkit.
func writeModule(t testing.TB, services []*schema.Service) (dir string) {
	t.Helper()
	dir = t.TempDir()
	writeModuleTo(t, dir, services)
	return dir
}

func writeModuleTo(t testing.TB, dir string, services []*schema.Service) {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile("../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(mod), "module github.com/esgen/esgen\n", "module example.com/cases\n", 1) +
		"\nrequire github.com/esgen/esgen v0.0.0\n\nreplace github.com/esgen/esgen => " + root + "\n"
	writeFile(t, filepath.Join(dir, "go.mod"), []byte(text))
	writeFile(t, filepath.Join(dir, "go.sum"), sum)
	for _, s := range services {
		for _, f := range typedFiles(t, s) {
			writeFile(t, filepath.Join(dir, folder(s), f.Path), f.Content)
		}
	}
}

func writeFile(t testing.TB, file string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// goCommand runs the go command in a module made by writeModule.
func goCommand(t testing.TB, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// TestGolden compares the generated events and types with testdata/<case>/.
// "go test ./templates -run Golden -update" accepts what is generated now.
func TestGolden(t *testing.T) {
	for _, name := range []string{"orders", "types", "names"} {
		t.Run(name, func(t *testing.T) {
			want := filepath.Join("testdata", name)
			s := loadCase(t, "../testdata/schemas/good/"+name+".yaml")
			files := slices.DeleteFunc(typedFiles(t, s), func(f templates.File) bool { return f.Once })
			if *update {
				if err := os.RemoveAll(want); err != nil {
					t.Fatal(err)
				}
				for _, f := range files {
					writeFile(t, filepath.Join(want, f.Path), f.Content)
				}
				return
			}
			compareTree(t, want, files)
		})
	}
}

// compareTree reports files that differ from a folder, are missing there, or
// should not be there.
func compareTree(t *testing.T, dir string, files []templates.File) {
	t.Helper()
	expected := map[string]bool{}
	for _, f := range files {
		file := filepath.Join(dir, filepath.FromSlash(f.Path))
		expected[file] = true
		want, err := os.ReadFile(file)
		if err != nil {
			t.Errorf("%v (accept with -update)", err)
			continue
		}
		if !bytes.Equal(want, f.Content) {
			t.Errorf("%s differs (accept with -update); generated:\n%s", file, f.Content)
		}
	}
	err := filepath.WalkDir(dir, func(file string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() && !expected[file] {
			t.Errorf("%s is no longer generated (accept with -update)", file)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestGeneratedCodeIsDeterministic generates again and again: the
// bytes must not depend on the order of any map.
func TestGeneratedCodeIsDeterministic(t *testing.T) {
	for _, s := range loadCases(t) {
		first := typedFiles(t, s)
		for range 3 {
			again := typedFiles(t, s)
			if !slices.EqualFunc(first, again, func(a, b templates.File) bool {
				return a.Path == b.Path && bytes.Equal(a.Content, b.Content)
			}) {
				t.Fatalf("%s: generated differently", s.Name)
			}
		}
	}
}

// TestGeneratedCodeCompiles builds and vets the events and types of every good
// schema, names from hell and hostile descriptions among them.
func TestGeneratedCodeCompiles(t *testing.T) {
	dir, _ := builtDriver(t)
	goCommand(t, dir, "vet", "./...")
}

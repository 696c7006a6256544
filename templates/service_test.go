package templates_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/esgen/esgen/schema"
	"github.com/esgen/esgen/templates"
)

// load reads a schema that has to be good.
func load(t *testing.T, name string, text []byte) *schema.Service {
	t.Helper()
	s, found := schema.Load(name, text)
	if found.HasErrors() {
		var b bytes.Buffer
		for _, d := range found {
			b.WriteString("\n" + d.Code + ": " + d.Message)
		}
		t.Fatalf("%s:%s", name, b.String())
	}
	return s
}

func loadFile(t *testing.T, name string) (*schema.Service, []byte) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return load(t, name, text), text
}

// toolkit is this checkout.
func toolkit(t *testing.T) templates.Toolkit {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	kit := templates.Toolkit{Version: "v0.1.0", Replace: root}
	if kit.GoMod, err = os.ReadFile("../go.mod"); err != nil {
		t.Fatal(err)
	}
	if kit.GoSum, err = os.ReadFile("../go.sum"); err != nil {
		t.Fatal(err)
	}
	return kit
}

// everything is what init gives.
func everything(t *testing.T, s *schema.Service, text []byte) []templates.File {
	t.Helper()
	files, err := templates.Files(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	scaffold, err := templates.Scaffold(s, text, toolkit(t))
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(files, scaffold)
}

// write lays files out below dir, as init does: a stub only where no other file of
// its folder declares the same.
func write(t *testing.T, dir string, files []templates.File) {
	t.Helper()
	for _, f := range files {
		if f.Declares != "" && declaredElsewhere(files, f) {
			continue
		}
		name := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func declaredElsewhere(files []templates.File, stub templates.File) bool {
	name := stub.Declares[strings.LastIndex(stub.Declares, ".")+1:]
	return slices.ContainsFunc(files, func(f templates.File) bool {
		return f.Path != stub.Path && f.Declares == "" && f.Once &&
			filepath.Dir(f.Path) == filepath.Dir(stub.Path) && bytes.Contains(f.Content, []byte(") "+name+"("))
	})
}

// run runs the go command, or another, below dir.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOPROXY=off", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// behaviour are tests of what generated views do, and where in the module of all
// services they belong.
var behaviour = map[string]string{
	"view.go.txt": "hell/views/defaultview/behaviour_test.go",
	"keys.go.txt": "hell/views/mainview/behaviour_test.go",
}

// TestServicesBuildAndPassTheirTests has Go judge what init gives for every good
// schema, names from hell among them: it passes vet, its own tests, and staticcheck
// where that is installed. All are one module, so that what they share is compiled once.
func TestServicesBuildAndPassTheirTests(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles services")
	}
	dir := writeModule(t, nil)
	for _, path := range casePaths(t) {
		files, err := templates.Files(loadCase(t, path), nil)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, caseName(path)), files)
	}
	for from, to := range behaviour {
		text, err := os.ReadFile(filepath.Join("testdata/behaviour", from))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, to), text)
	}
	goCommand(t, dir, "vet", "./...")
	goCommand(t, dir, "test", "./...")
	staticcheck, err := exec.LookPath("staticcheck")
	if err != nil {
		t.Skip("not run: staticcheck is not on PATH")
	}
	run(t, dir, staticcheck, "./...")
}

// TestInitGivesAService builds and tests new services as their users would: each
// with its own go.mod, which needs neither network nor "go mod tidy".
func TestInitGivesAService(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles services")
	}
	for _, name := range []string{"starting schema", "orders"} {
		t.Run(name, func(t *testing.T) {
			text := templates.StartingSchema("My Shop!", "")
			if name == "orders" {
				_, text = loadFile(t, "../testdata/schemas/good/orders.yaml")
			}
			dir := t.TempDir()
			write(t, dir, everything(t, load(t, name, text), text))
			run(t, dir, "go", "build", "./...")
			run(t, dir, "go", "test", "./...")
		})
	}
}

func TestStartingSchemaIsNamedAfterTheFolder(t *testing.T) {
	for folder, want := range map[string][2]string{
		"shop": {"shop", "example.com/shop"}, "My Shop!": {"my-shop", "example.com/my-shop"},
		"2nd_try": {"nd-try", "example.com/nd-try"}, "日本": {"tasks", "example.com/tasks"}, ".": {"tasks", "example.com/tasks"},
	} {
		s := load(t, folder, templates.StartingSchema(folder, ""))
		if s.Name != want[0] || s.Module != want[1] {
			t.Errorf("%q: service %q, module %q; want %q", folder, s.Name, s.Module, want)
		}
	}
	if s := load(t, "shop", templates.StartingSchema("shop", "example.org/a/shop")); s.Module != "example.org/a/shop" {
		t.Errorf("module %q", s.Module)
	}
}

// TestServiceGolden compares what is generated round the events and types of the
// orders with testdata/service. "go test ./templates -run Golden -update" accepts.
func TestServiceGolden(t *testing.T) {
	const want = "testdata/service"
	s, text := loadFile(t, "../testdata/schemas/good/orders.yaml")
	kit := templates.Toolkit{
		Version: "v1.2.3", Replace: "../esgen",
		GoMod: []byte("go 1.26\n\nrequire (\n\tgithub.com/aws/aws-lambda-go v1.0.1\n\tgithub.com/aws/aws-sdk-go-v2 v1.0.2\n" +
			"\tgithub.com/aws/aws-sdk-go-v2/internal/configsources v1.0.3 // indirect\n\tgithub.com/aws/aws-sdk-go-v2/internal/endpoints/v2 v2.0.4\n" +
			"\tgithub.com/aws/aws-sdk-go-v2/service/dynamodb v1.0.5\n\tgithub.com/aws/aws-sdk-go-v2/service/internal/accept-encoding v1.0.6\n" +
			"\tgithub.com/aws/aws-sdk-go-v2/service/internal/endpoint-discovery v1.0.7\n\tgithub.com/aws/aws-sdk-go-v2/service/sns v1.0.8\n" +
			"\tgithub.com/aws/smithy-go v1.0.9\n" +
			"\tgithub.com/cespare/xxhash/v2 v2.0.1\n\tgo.etcd.io/bbolt v1.0.1 // here\n)\nrequire golang.org/x/sys v0.0.1 // indirect\n"),
		GoSum: []byte("sum\n"),
	}
	files, err := templates.Files(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	scaffold, err := templates.Scaffold(s, text, kit)
	if err != nil {
		t.Fatal(err)
	}
	var golden []templates.File
	for _, f := range slices.Concat(files, scaffold) {
		folder, _, _ := strings.Cut(f.Path, "/")
		if folder == "events" || folder == "types" || folder == "esgen.yaml" {
			continue
		}
		f.Path = strings.TrimPrefix(f.Path, ".") // of .gitignore, which would be one here too
		f.Path = strings.Replace(f.Path, "go.", "go_", 1)
		golden = append(golden, f)
	}
	if *update {
		if err := os.RemoveAll(want); err != nil {
			t.Fatal(err)
		}
		for _, f := range golden {
			writeFile(t, filepath.Join(want, f.Path), f.Content)
		}
		return
	}
	compareTree(t, want, golden)
}

package templates_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/esgen/esgen/schema"
)

// document is one line to the driver, verdict one line from it.
type document struct {
	Case, Type, Body string
	Show             bool // also the payload, and how the event prints
}

type verdict struct {
	Violations []struct{ Pointer, Code, Message string }
	Trouble    string
	Payload    string
	Printed    []string
}

// driver is a program that holds the generated decoders of every case and of
// the public suite. It is built once for all tests, when the first asks for it.
var driver struct {
	once   sync.Once
	dir    string // of its module; "" when it could not be built
	binary string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if driver.dir != "" {
		_ = os.RemoveAll(driver.dir)
	}
	os.Exit(code)
}

// builtDriver returns the module of all cases and the program built from it.
func builtDriver(t testing.TB) (dir, binary string) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs a program")
	}
	driver.once.Do(func() {
		dir, err := os.MkdirTemp("", "esgen-driver-")
		if err != nil {
			t.Fatal(err)
		}
		driver.dir = dir
		suite, _, _ := readSuite(t)
		services := append(loadCases(t), suite)
		writeModuleTo(t, dir, services)
		writeDriver(t, filepath.Join(dir, "driver"), services)
		binary := filepath.Join(dir, "driver.exe")
		goCommand(t, dir, "build", "-o", binary, "./driver")
		driver.binary = binary
	})
	if driver.binary == "" {
		t.Fatal("the driver was not built")
	}
	return driver.dir, driver.binary
}

// writeDriver writes the program's source: a fixed part, and a table of all services.
func writeDriver(t testing.TB, dir string, services []*schema.Service) {
	t.Helper()
	text, err := os.ReadFile("testdata/differential/driver.go.txt")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "main.go"), text)
	var imports, models strings.Builder
	for i, s := range services {
		fmt.Fprintf(&imports, "events%d %q\n", i, s.Module+"/events")
		fmt.Fprintf(&models, "%q: {Key: events%d.Key(), States: events%d.States(), Events: events%d.Types()},\n", folder(s), i, i, i)
	}
	table := "package main\n\nimport (\nes \"github.com/esgen/esgen/runtime\"\n" + imports.String() +
		")\n\nvar models = map[string]*es.Model{\n" + models.String() + "}\n"
	writeFile(t, filepath.Join(dir, "models.go"), []byte(table))
}

// judged runs the driver over the documents.
func judged(t testing.TB, documents []document) []verdict {
	t.Helper()
	_, binary := builtDriver(t)
	var in bytes.Buffer
	enc := json.NewEncoder(&in)
	for _, d := range documents {
		if err := enc.Encode(d); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(binary)
	cmd.Stdin = &in
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	verdicts := make([]verdict, 0, len(documents))
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var v verdict
		if err := dec.Decode(&v); err != nil {
			t.Fatal(err)
		}
		verdicts = append(verdicts, v)
	}
	if len(verdicts) != len(documents) {
		t.Fatalf("%d verdicts on %d documents", len(verdicts), len(documents))
	}
	return verdicts
}

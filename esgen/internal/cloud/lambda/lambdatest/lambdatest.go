// Package lambdatest gives tests a function to run.
package lambdatest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// Architecture is Lambda's name for this machine's.
func Architecture() string {
	if runtime.GOARCH == "amd64" {
		return "x86_64"
	}
	return runtime.GOARCH
}

// Build returns a folder with the function of the folder bootstrap, as an asset has it.
func Build(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	BuildInto(t, dir)
	return dir
}

// BuildInto puts the function into a folder.
func BuildInto(t testing.TB, dir string) {
	t.Helper()
	program, err := program()
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "bootstrap"), program, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// program is compiled once for all tests of a package.
var program = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "esgen-function-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "bootstrap")
	out, err := exec.Command("go", "build", "-o", file, "github.com/esgen/esgen/esgen/internal/cloud/lambda/lambdatest/bootstrap").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("the test's function does not build: %w\n%s", err, out)
	}
	return os.ReadFile(file)
})

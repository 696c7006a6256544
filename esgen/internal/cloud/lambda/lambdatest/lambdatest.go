// Package lambdatest gives tests a function to run.
package lambdatest

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Architecture is Lambda's name for this machine's.
func Architecture() string {
	if runtime.GOARCH == "amd64" {
		return "x86_64"
	}
	return runtime.GOARCH
}

// Build compiles the function in the folder bootstrap and returns a folder with it, as an
// asset has it.
func Build(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	BuildInto(t, dir)
	return dir
}

// BuildInto compiles it into a folder.
func BuildInto(t testing.TB, dir string) {
	t.Helper()
	out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "bootstrap"), "github.com/esgen/esgen/esgen/internal/cloud/lambda/lambdatest/bootstrap").CombinedOutput()
	if err != nil {
		t.Fatalf("the test's function does not build: %v\n%s", err, out)
	}
}

package templates_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/esgen/esgen/templates"
)

// TestGeneratedService runs tests inside a generated service: events appended with fields left
// zero, as consumers do, and sensitive values in logs.
func TestGeneratedService(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a service")
	}
	dir := writeModule(t, nil)
	s, _ := loadFile(t, "testdata/append/esgen.yaml")
	files, err := templates.Files(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "append"), files)
	for _, name := range []string{"append_test.go", "secrets_test.go"} {
		test, err := os.ReadFile("testdata/append/" + name + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, "append/cmd/internal/service", name), test)
	}
	goCommand(t, dir, "vet", "./...")
	goCommand(t, dir, "test", "./...")
}

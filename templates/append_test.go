package templates_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/esgen/esgen/templates"
)

// TestAppendedEventsGetDefaults appends typed events that leave fields zero, as consumers do.
func TestAppendedEventsGetDefaults(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a service")
	}
	dir := writeModule(t, nil)
	s, _ := loadFile(t, "testdata/append/esgen.yaml")
	files, err := templates.Files(s)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "append"), files)
	test, err := os.ReadFile("testdata/append/append_test.go.txt")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "append/cmd/internal/service/append_test.go"), test)
	goCommand(t, dir, "vet", "./...")
	goCommand(t, dir, "test", "./...")
}

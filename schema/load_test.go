package schema_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/esgen/esgen/schema"
)

const schemas = "../testdata/schemas"

func TestGoodSchemasLoad(t *testing.T) {
	files, _ := filepath.Glob(schemas + "/good/*.yaml")
	if len(files) == 0 {
		t.Fatal("no schema in testdata/schemas/good")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		service, found := schema.Load(filepath.Base(file), text)
		if found.HasErrors() || service == nil {
			t.Errorf("%s does not load:\n%s", file, found)
		}
	}
}

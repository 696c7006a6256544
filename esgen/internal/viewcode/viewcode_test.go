package viewcode_test

import (
	"testing"

	"github.com/esgen/esgen/esgen/internal/viewcode"
)

const aggregators = `package orders

import "fmt"

// onPlaced folds.
func onPlaced(view *View, n int) error {
	view.Count += n
	return fmt.Errorf("x")
}

func onShipped(view *View) error { return nil }
`

func TestHash(t *testing.T) {
	is := viewcode.Hash(map[string][]byte{"placed.go": []byte(aggregators)})
	if is == "" {
		t.Fatal("no hash")
	}
	for name, c := range map[string]struct {
		files map[string]string
		same  bool
	}{
		"comments, layout, imports": {map[string]string{"placed.go": `package orders

import "errors"
import "fmt"
func onPlaced(view *View, n int) error {

	view.Count += n // so many
	/* and */ return fmt.Errorf("x") }
func onShipped(view *View) error {
	return nil
}`}, true},
		"moved about, with tests and generated files": {map[string]string{
			"a.go":           "package orders\nfunc onShipped(view *View) error { return nil }",
			"b.go":           "package orders\nfunc onPlaced(view *View, n int) error {\n\tview.Count += n\n\treturn fmt.Errorf(\"x\")\n}",
			"order_test.go":  "package orders\nfunc TestX() {}",
			"default_gen.go": "package orders\nfunc generated() {}",
			"notes.txt":      "x",
		}, true},
		"a number": {map[string]string{"placed.go": "package orders\nfunc onShipped(view *View) error { return nil }\nfunc onPlaced(view *View, n int) error {\nview.Count += n + 1\nreturn fmt.Errorf(\"x\")\n}"}, false},
		"a text":   {map[string]string{"placed.go": "package orders\nfunc onShipped(view *View) error { return nil }\nfunc onPlaced(view *View, n int) error {\nview.Count += n\nreturn fmt.Errorf(\"y\")\n}"}, false},
		"a helper": {map[string]string{"placed.go": aggregators, "helper.go": "package orders\nvar rate = 2"}, false},
		"nothing":  {nil, false},
	} {
		files := map[string][]byte{}
		for file, text := range c.files {
			files[file] = []byte(text)
		}
		if got := viewcode.Hash(files); (got == is) != c.same {
			t.Errorf("%s: the same is %v, want %v", name, got == is, c.same)
		}
	}
	if got := viewcode.Hash(map[string][]byte{"placed.go": []byte("package orders\nfunc {")}); got != "" {
		t.Errorf("what does not parse has the hash %q", got)
	}
}

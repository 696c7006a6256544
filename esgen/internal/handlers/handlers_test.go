package handlers_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/esgen/esgen/esgen/internal/handlers"
)

func one(text string) map[string][]byte { return map[string][]byte{"a.go": []byte(text)} }

func TestFindsFunctionsHoweverTheyAreWritten(t *testing.T) {
	for _, c := range []struct {
		name, text, find string
		want             bool
	}{
		{"plain", "package v\nfunc onA(view *View, event events.A, meta es.Meta) error { return nil }", "onA", true},
		{"another", "package v\nfunc onAB() {}", "onA", false},
		{"in a comment", "package v\n/*\nfunc onA() {}\n*/", "onA", false},
		{"in a string", "package v\nvar s = `\nfunc onA() {}\n`", "onA", false},
		{"a variable", "package v\nvar x, onA = 1, func() {}", "onA", true},
		{"inside a function", "package v\nfunc f() { onA := 1; _ = onA }", "onA", false},
		{"a method is no function", "package v\nfunc (h T) onA() {}", "onA", false},
		{"method by pointer", "package c\nfunc (h *Handler) OnA() {}", "Handler.OnA", true},
		{"method by value, no name", "package c\nfunc (Handler) OnA() {}", "Handler.OnA", true},
		{"method of another type", "package c\nfunc (h *Other) OnA() {}", "Handler.OnA", false},
		{"method of an embedded type", "package c\ntype Handler struct{ *mail }\ntype mail struct{ base }\ntype base struct{}\nfunc (base) OnA() {}", "Handler.OnA", true},
		{"types that embed each other", "package c\ntype Handler struct{ *Other }\ntype Other struct{ *Handler }", "Handler.OnA", false},
		{"method of what an alias stands for", "package c\ntype Handler = mail\ntype mail struct{}\nfunc (*mail) OnA() {}", "Handler.OnA", true},
		{"an alias of itself", "package c\ntype Handler = Handler", "Handler.OnA", false},
		{"ignored file", "//go:build ignore\n\npackage v\nfunc onA() {}", "onA", false},
		{"file of one system", "//go:build !linux\n\npackage v\nfunc onA() {}", "onA", true},
		{"broken file", "package v\nfunc f( {\nfunc onA(view *View, event events.A) error {\n", "onA", true},
		{"broken file, method", "package v\n}}\nfunc (h *Handler) OnA(ctx context.Context, event events.A", "Handler.OnA", true},
		{"broken file, generic receiver", "package v\n}}\nfunc (h Handler[T]) OnA(", "Handler.OnA", true},
		{"broken by an open comment", "package v\n/* oh\nfunc onA() {}\n", "onA", true},
		{"merge conflict", "package v\n<<<<<<< HEAD\nfunc onA() {}\n=======\nfunc onB() {}\n>>>>>>> x\n", "onB", true},
		{"not Go at all", "\x00\xff\xfe", "onA", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, got := handlers.Read(one(c.text)).Find(c.find); got != c.want {
				t.Errorf("Find(%q) is %v", c.find, got)
			}
		})
	}
}

func TestTestsDeclareNoHandlers(t *testing.T) {
	p := handlers.Read(map[string][]byte{"a_test.go": []byte("package v\nfunc onA() {}"), "notes.txt": []byte("func onA() {}")})
	if _, ok := p.Find("onA"); ok {
		t.Error("a test's function counts as a handler")
	}
}

func TestSaysWhereAndWhat(t *testing.T) {
	p := handlers.Read(map[string][]byte{
		"b.go": []byte("package v\n\n// onA folds.\nfunc onA(view *View, event *events.A, meta es.Meta) error {\n\t// nothing\n\treturn nil\n}\n"),
		"c.go": []byte("package v\nfunc onB(view *View, event events.B) error {\n"),
	})
	a, _ := p.Find("onA")
	if a.File != "b.go" || a.Line != 4 || !slices.Equal(a.Takes, []string{"View", "events.A", "es.Meta"}) || a.Body != "// nothing\n\treturn nil" || a.Guessed {
		t.Errorf("got %+v", a)
	}
	b, _ := p.Find("onB")
	if fmt.Sprintf("%s:%d %v", b.File, b.Line, b.Guessed) != "c.go:2 true" || !slices.Contains(b.Takes, "events.B") {
		t.Errorf("got %+v", b)
	}
	if !slices.Equal(p.Broken, []string{"c.go"}) {
		t.Errorf("broken: %v", p.Broken)
	}
}

func FuzzReadNeverFails(f *testing.F) {
	f.Add("package v\nfunc onA(", "onA")
	f.Add("func (h *Handler) OnA(a, b events.A) {", "Handler.OnA")
	f.Fuzz(func(t *testing.T, text, name string) {
		handlers.Read(one(text)).Find(name)
	})
}

func TestFilesThatNoBuildHasDeclareNothing(t *testing.T) {
	for name, want := range map[string]bool{"a.go": true, "a_windows.go": true, "_a.go": false, ".a.go": false, "a_test.go": false, "a.txt": false} {
		p := handlers.Read(map[string][]byte{name: []byte("package v\nfunc onA() {}")})
		if _, found := p.Find("onA"); found != want {
			t.Errorf("%s: found %v, want %v", name, found, want)
		}
	}
}

// Package toolkit finds the esgen that a new service is tied to: the checkout
// that this command was built from, or a released version.
package toolkit

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/esgen/esgen/esgen/internal/version"
	"github.com/esgen/esgen/templates"
)

// Module is the toolkit's module path.
const Module = "github.com/esgen/esgen"

// Env is the environment variable that names a checkout, as --toolkit does.
const Env = "ESGEN_TOOLKIT"

var moduleLine = regexp.MustCompile(`(?m)^module\s+"?` + regexp.QuoteMeta(Module) + `"?\s*$`)

// Find returns the toolkit for a service in dir. named is a checkout that the
// user named, "" for the one that this command knows.
func Find(dir, named string) (templates.Toolkit, error) {
	if named == "" {
		named = os.Getenv(Env)
	}
	if named != "" {
		t, err := read(named)
		if err != nil {
			return templates.Toolkit{}, fmt.Errorf("%s is no checkout of esgen: %w", named, err)
		}
		t.Replace, err = replacement(dir, named)
		return t, err
	}
	root := Checkout()
	if root == "" {
		return templates.Toolkit{}, fmt.Errorf("cannot find the sources of esgen that this command was built from: name a checkout with --toolkit DIR or %s", Env)
	}
	t, err := read(root)
	if err != nil {
		return templates.Toolkit{}, err
	}
	if b, ok := debug.ReadBuildInfo(); ok && released(root, b.Main.Version) {
		t.Version = b.Main.Version
		return t, nil
	}
	t.Replace, err = replacement(dir, root)
	return t, err
}

// Checkout returns the folder of the sources that this command was built from,
// "" when they are not on this machine, as after a build with -trimpath.
func Checkout() string {
	_, file, _, ok := runtime.Caller(0)
	if !ok || !filepath.IsAbs(file) {
		return ""
	}
	root := filepath.Dir(filepath.Dir(filepath.Dir(filepath.Dir(file))))
	if _, err := read(root); err != nil {
		return ""
	}
	return root
}

// released reports whether the sources lie in the module cache, from where the
// go command gets them for a service too.
func released(root, v string) bool {
	return v != "" && v != "(devel)" && strings.HasSuffix(filepath.ToSlash(root), "@"+v)
}

func read(root string) (templates.Toolkit, error) {
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return templates.Toolkit{}, err
	}
	if !moduleLine.Match(mod) {
		return templates.Toolkit{}, fmt.Errorf("its go.mod is not that of %s", Module)
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		return templates.Toolkit{}, err
	}
	return templates.Toolkit{Version: "v" + version.Number, GoMod: mod, GoSum: sum}, nil
}

// replacement is the path to write into the service's go.mod: relative for a
// service inside the checkout, so that both may move, else absolute.
func replacement(dir, root string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if root, err = filepath.Abs(root); err != nil {
		return "", err
	}
	if below, err := filepath.Rel(root, dir); err == nil && filepath.IsLocal(below) && below != "." {
		up, err := filepath.Rel(dir, root)
		if err == nil {
			return filepath.ToSlash(up), nil
		}
	}
	return filepath.ToSlash(root), nil
}

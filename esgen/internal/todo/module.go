package todo

import (
	"fmt"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"strconv"
	"strings"
)

var moduleLine = regexp.MustCompile(`(?m)^module[ \t]+"?([^\s"]+)"?`)

// moved reports what is still called by another module path than the schema's:
// go.mod, and the user's files that import packages of the service by it. A service
// without a go.mod of its own is part of a larger module.
func (r *reader) moved() error {
	text, exists, err := r.folder.Read("go.mod")
	if err != nil || !exists {
		return err
	}
	at := moduleLine.FindSubmatchIndex(text)
	if at == nil {
		return nil
	}
	old := string(text[at[2]:at[3]])
	if old == r.service.Module {
		return nil
	}
	line := 1 + strings.Count(string(text[:at[0]]), "\n")
	r.list.Moved = append(r.list.Moved, Item{"go.mod", line,
		fmt.Sprintf("the module is %s, in esgen.yaml it is %s: run go mod edit -module=%s", old, r.service.Module, r.service.Module)})
	for _, root := range []string{"views", "consumers", "upcasts"} {
		if err := r.importsOf(root, old); err != nil {
			return err
		}
	}
	return nil
}

// importsOf reports the user's imports of a module's packages, below a folder.
func (r *reader) importsOf(dir, module string) error {
	_, dirs, err := r.folder.List(dir)
	if err != nil {
		return err
	}
	source, err := r.read(dir)
	if err != nil {
		return err
	}
	for name, text := range source.files {
		fset := token.NewFileSet()
		file, _ := parser.ParseFile(fset, name, text, parser.ImportsOnly)
		if file == nil {
			continue
		}
		for _, imported := range file.Imports {
			if p, err := strconv.Unquote(imported.Path.Value); err == nil && strings.HasPrefix(p, module+"/") {
				r.list.Moved = append(r.list.Moved, Item{path.Join(dir, name), fset.Position(imported.Pos()).Line,
					fmt.Sprintf("imports %s: write %s", p, r.service.Module+strings.TrimPrefix(p, module))})
			}
		}
	}
	for _, sub := range dirs {
		if err := r.importsOf(path.Join(dir, sub), module); err != nil {
			return err
		}
	}
	return nil
}

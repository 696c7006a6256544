// Package todo says what is left for the user to do in a service's folder:
// stubs that nobody has filled in, and handlers that belong to nothing.
package todo

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/esgen/esgen/esgen/internal/disk"
	"github.com/esgen/esgen/esgen/internal/handlers"
	"github.com/esgen/esgen/esgen/internal/manifest"
	"github.com/esgen/esgen/schema"
	"github.com/esgen/esgen/templates"
)

// Item is one thing to do.
type Item struct {
	File string // relative to the service's folder
	Line int    // from 1
	Text string // what it is and what to do
}

// List is all that is left to do.
type List struct {
	Stubs   []Item // still as esgen wrote them, with something left to do
	Orphans []Item // handlers, and files, that belong to nothing
	Moved   []Item // what is still called by the module path that the schema had before
}

// Read looks through the folder as it is now.
func Read(folder *disk.Folder, s *schema.Service, want []templates.File, memory *manifest.Manifest) (List, error) {
	r := reader{folder: folder, service: s, memory: memory, wanted: map[string]bool{}, packages: map[string]*source{}}
	for _, f := range want {
		r.wanted[f.Path] = true
	}
	if err := r.stubs(want); err != nil {
		return List{}, err
	}
	for _, look := range []func() error{r.views, r.consumers, r.upcasts, r.moved} {
		if err := look(); err != nil {
			return List{}, err
		}
	}
	for _, items := range [][]Item{r.list.Stubs, r.list.Orphans, r.list.Moved} {
		slices.SortFunc(items, func(a, b Item) int {
			return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), strings.Compare(a.Text, b.Text))
		})
	}
	return r.list, nil
}

type reader struct {
	folder   *disk.Folder
	service  *schema.Service
	memory   *manifest.Manifest
	wanted   map[string]bool
	packages map[string]*source
	list     List
}

// source is the user's code in one folder.
type source struct {
	files map[string][]byte
	pkg   *handlers.Package
}

// read returns the user's Go files of a folder.
func (r *reader) read(dir string) (*source, error) {
	if s := r.packages[dir]; s != nil {
		return s, nil
	}
	names, _, err := r.folder.List(dir)
	if err != nil {
		return nil, err
	}
	s := &source{files: map[string][]byte{}}
	for _, name := range names {
		full := path.Join(dir, name)
		if !strings.HasSuffix(name, ".go") || r.memory.Generated[full] != nil {
			continue
		}
		if s.files[name], _, err = r.folder.Read(full); err != nil {
			return nil, err
		}
	}
	s.pkg = handlers.Read(s.files)
	r.packages[dir] = s
	return s, nil
}

func (r *reader) stubs(want []templates.File) error {
	for _, f := range want {
		if f.Declares == "" {
			continue
		}
		dir, base := path.Split(f.Path)
		dir = path.Clean(dir)
		source, err := r.read(dir)
		if err != nil {
			return err
		}
		fn, found := source.pkg.Find(f.Declares)
		if !found || fn.Guessed {
			continue
		}
		full := path.Join(dir, fn.File)
		untouched := r.memory.Untouched(full, source.files[fn.File])
		if !untouched { // it may have been moved as it was
			fresh, _ := handlers.Read(map[string][]byte{base: f.Content}).Find(f.Declares)
			untouched = fn.Body == fresh.Body
		}
		if left := undone(f, source); untouched && left != "" {
			r.list.Stubs = append(r.list.Stubs, Item{full, fn.Line, fmt.Sprintf("%s is as esgen wrote it and %s: fill it in", local(f.Declares), left)})
		}
	}
	return nil
}

// undone is what a stub that nobody has touched leaves to do, "" when it copies all
// that there is to copy and nothing else sets too little.
func undone(f templates.File, s *source) string {
	if f.Left != "" {
		return f.Left
	}
	var unset []string
	for _, name := range f.Unset {
		if !s.mentions(name) {
			unset = append(unset, name)
		}
	}
	if len(unset) == 0 {
		return ""
	}
	return "nothing sets " + strings.Join(unset, ", ")
}

// mentions reports whether a word stands in the user's code, tests apart.
func (s *source) mentions(word string) bool {
	whole := regexp.MustCompile(`\b` + regexp.QuoteMeta(word) + `\b`)
	for name, text := range s.files {
		if !strings.HasSuffix(name, "_test.go") && whole.Match(text) {
			return true
		}
	}
	return false
}

// local is the name of a function or method without its receiver.
func local(declares string) string { return declares[strings.LastIndex(declares, ".")+1:] }

var viewHandler = regexp.MustCompile(`^on([A-Z]\w*)$`)

func (r *reader) views() error {
	listed := map[string]map[string]bool{}
	names := map[string]string{}
	for _, v := range r.service.Views {
		pkg := schema.GoPackage(v.Name, "view")
		names[pkg] = v.Name
		listed[pkg] = map[string]bool{}
		for _, e := range v.Events {
			listed[pkg][schema.GoName(e.Event.Name)] = true
		}
	}
	return r.folders("views", "view", names, func(dir, pkg string, source *source) {
		for _, f := range source.pkg.Funcs {
			m := viewHandler.FindStringSubmatch(f.Name)
			if m == nil || listed[pkg][m[1]] || !slices.Contains(f.Takes, "events."+m[1]) {
				continue
			}
			r.orphan(dir, f, fmt.Sprintf("view %q does not list the event %q", names[pkg], m[1]))
		}
	})
}

func (r *reader) consumers() error {
	handled := map[string]map[string]bool{}
	names := map[string]string{}
	for _, c := range r.service.Consumers {
		pkg := schema.GoPackage(c.Name, "consumer")
		names[pkg] = c.Name
		handled[pkg] = map[string]bool{"Change": c.View != nil}
		for _, e := range c.Events {
			handled[pkg][schema.GoName(e.Name)] = true
		}
	}
	return r.folders("consumers", "consumer", names, func(dir, pkg string, source *source) {
		for _, f := range source.pkg.Funcs {
			name, ok := strings.CutPrefix(f.Name, "Handler.On")
			if !ok || name == "" || handled[pkg][name] {
				continue
			}
			switch {
			case slices.Contains(f.Takes, "events."+name):
				r.orphan(dir, f, fmt.Sprintf("consumer %q does not list the event %q", names[pkg], name))
			case name == "Change" && slices.Contains(f.Takes, "Change"):
				r.orphan(dir, f, fmt.Sprintf("consumer %q listens to no view", names[pkg]))
			}
		}
	})
}

// folders goes through the packages below root. Those of something that the
// schema no longer has are orphans as a whole.
func (r *reader) folders(root, kind string, names map[string]string, look func(dir, pkg string, source *source)) error {
	_, dirs, err := r.folder.List(root)
	if err != nil {
		return err
	}
	for _, pkg := range dirs {
		dir := path.Join(root, pkg)
		source, err := r.read(dir)
		if err != nil {
			return err
		}
		if names[pkg] != "" {
			look(dir, pkg, source)
			continue
		}
		r.abandoned(dir, kind, source)
	}
	return nil
}

// abandoned reports what is left of a removed view or consumer: its handlers,
// and its other files where they have none.
func (r *reader) abandoned(dir, kind string, source *source) {
	created := false
	for name := range source.files {
		created = created || r.memory.Created[path.Join(dir, name)] != nil
	}
	if !created {
		return // a package of the user's own, which never was a view's
	}
	why := fmt.Sprintf("the schema has no %s for this folder", kind)
	reported := map[string]bool{}
	for _, f := range source.pkg.Funcs {
		if viewHandler.MatchString(f.Name) || strings.HasPrefix(f.Name, "Handler.On") {
			r.orphan(dir, f, why)
			reported[f.File] = true
		}
	}
	for name := range source.files {
		if !reported[name] {
			r.list.Orphans = append(r.list.Orphans, Item{path.Join(dir, name), 1, why + ": move or delete the file"})
		}
	}
}

var upcast = regexp.MustCompile(`^(\w+)From(\d+)$`)

func (r *reader) upcasts() error {
	revisions := map[string]int{}
	for _, e := range r.service.Events {
		revisions[schema.GoName(e.Name)] = e.Revision
	}
	source, err := r.read("upcasts")
	if err != nil {
		return err
	}
	for _, f := range source.pkg.Funcs {
		m := upcast.FindStringSubmatch(f.Name)
		if m == nil || !slices.Contains(f.Takes, "es.Fields") {
			continue
		}
		from, err := strconv.Atoi(m[2])
		switch revision, known := revisions[m[1]]; {
		case !known:
			r.orphan("upcasts", f, fmt.Sprintf("the schema has no event %q", m[1]))
		case err != nil || from < 1 || from >= revision:
			r.orphan("upcasts", f, fmt.Sprintf("the event %q is at revision %d", m[1], revision))
		}
	}
	return nil
}

func (r *reader) orphan(dir string, f handlers.Func, why string) {
	r.list.Orphans = append(r.list.Orphans, Item{path.Join(dir, f.File), f.Line, fmt.Sprintf("%s belongs to nothing, %s: move or delete it", local(f.Name), why)})
}

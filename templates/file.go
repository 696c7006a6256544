// Package templates turns a checked schema into the files of a service, one
// generator per artifact. It works in memory: what is written to disk, and
// whether, is decided by who calls it. The same schema gives the same bytes.
//
// # How a generator is written
//
// It is a function in [generators] that makes a gofile per file, in the package of a folder,
// and declares in it what small functions compose with jennifer: each returns the jen.Code
// of one thing, a type, an expression or a statement (goType, literal, decodeValue).
// What is imported follows from jen.Qual; a package whose name is not the end of its path gets
// it from ImportName or ImportAlias. Nothing is written as text but comments and, in [token],
// literals that jen cannot spell. Appending to a statement changes it: what a
// function was given it passes on in jen.Add(x), and appends to that. A nil jen.Code is
// left out, and lines makes one of several; so a part that is missing needs no
// condition around it. code.go has what jennifer lacks. Show the result in testdata: "go test -update".
//
// The CDK app is the exception: most of it is fixed, so it is made of text templates that read as
// the code that they become (infra.go, infra/).
package templates

import (
	"fmt"
	"slices"
	"strings"

	"github.com/esgen/esgen/schema"
)

// File is one file of a service.
type File struct {
	Path    string // relative to the service's folder, with slashes
	Content []byte
	// Once marks a file of the user's: created if it was never created before,
	// never written again.
	Once bool
	// Declares is set in a stub: the function ("onOrderPlaced") or method
	// ("Handler.OnOrderShipped") that it declares. It is created only if no file of its
	// folder's package declares that, those created beside it included.
	Declares string
	// Left says what a stub as it is written leaves undone, as a clause behind the
	// function's name: "does nothing"; "" when it does all that there is to do.
	Left string
	// Unset are the Go names of the view's fields that no stub of the view sets: something
	// is left to do unless other code of the package mentions them.
	Unset []string

	text <-chan goText // of a Go file, until Content is set
}

// generator makes the files of one kind of artifact.
type generator func(*schema.Service) ([]File, error)

var generators = []generator{typeFiles, eventFiles, upcastFiles, viewFiles, consumerFiles, wiringFiles}

// tableGenerator makes the files of an artifact that depends on which tables there are.
type tableGenerator func(*schema.Service, []ViewTable) ([]File, error)

var tableGenerators = []tableGenerator{tableFiles, infraFiles}

// Files returns every file that regenerate owns (Once is false) or creates,
// sorted by path. revisions is the record that [Revisions] has brought up to date with the
// schema, nil for that of a new service. An error is a mistake of a generator, or says
// that the record cannot be read; it is never of the schema.
func Files(s *schema.Service, revisions []byte) ([]File, error) {
	tables, err := viewTables(s, revisions)
	if err != nil {
		return nil, err
	}
	var files []File
	for _, generate := range tableGenerators {
		some, err := generate(s, tables)
		if err != nil {
			return nil, err
		}
		files = append(files, some...)
	}
	for _, generate := range generators {
		some, err := generate(s)
		if err != nil {
			return nil, err
		}
		files = append(files, some...)
	}
	return finish(files)
}

// finish waits for the Go files, sorts all files and checks that each path
// stands for one file.
func finish(files []File) ([]File, error) {
	for i := range files {
		if err := files[i].await(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	for i := 1; i < len(files); i++ {
		if files[i].Path == files[i-1].Path {
			return nil, fmt.Errorf("generate: two artifacts for the path %s", files[i].Path)
		}
	}
	return files, nil
}

// await takes over the text of a Go file.
func (f *File) await() error {
	if f.text == nil {
		return nil
	}
	t := <-f.text
	f.text = nil
	if t.err != nil {
		return fmt.Errorf("generate %s: %w", f.Path, t.err)
	}
	f.Content = t.content
	return nil
}

// Package service opens a service's folder: the schema in it, the files that the
// schema asks for, and the plan that leads from what is there to those.
package service

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/esgen/esgen/esgen/internal/disk"
	"github.com/esgen/esgen/esgen/internal/manifest"
	"github.com/esgen/esgen/esgen/internal/memo"
	"github.com/esgen/esgen/esgen/internal/plan"
	"github.com/esgen/esgen/esgen/internal/todo"
	"github.com/esgen/esgen/esgen/internal/version"
	"github.com/esgen/esgen/schema"
	"github.com/esgen/esgen/templates"
)

// SchemaFile is the name of the schema in a service's folder.
const SchemaFile = "esgen.yaml"

// Service is a service's folder, as its schema wants it.
type Service struct {
	Dir      string
	Schema   *schema.Service // nil when a finding is an error
	Findings schema.Diagnostics
	Files    []templates.File
	// Warnings are about views whose revision does not go with what has become of them.
	Warnings  []string
	digest    string
	revisions []byte // the record of the views' revisions, up to date with the schema
}

// ErrNoSchema says that a folder has no schema.
var ErrNoSchema = errors.New("no " + SchemaFile)

// Find returns the folder to work in: dir, or for "" the current folder or the
// nearest one above it that has a schema.
func Find(dir string) (string, error) {
	if dir != "" {
		if _, err := os.Stat(filepath.Join(dir, SchemaFile)); errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("%s: %w here", dir, ErrNoSchema)
		}
		return dir, nil
	}
	at := "."
	for {
		if _, err := os.Stat(filepath.Join(at, SchemaFile)); err == nil {
			return at, nil
		}
		abs, err := filepath.Abs(at)
		if err != nil {
			return "", err
		}
		if filepath.Dir(abs) == abs {
			return "", fmt.Errorf("%w in this folder or any above it", ErrNoSchema)
		}
		at = filepath.Join(at, "..")
	}
}

// Load reads the schema of a folder and makes the files that it asks for, in
// memory. What is wrong with the schema is in the findings; the error is
// trouble, or a mistake of esgen's own.
func Load(dir string) (*Service, error) {
	name := filepath.Join(dir, SchemaFile)
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return Parse(dir, filepath.ToSlash(name), text)
}

// Parse is Load for a schema that is not, or not yet, in the folder. Name
// stands in the findings.
func Parse(dir, name string, text []byte) (*Service, error) {
	s := &Service{Dir: dir}
	s.Schema, s.Findings = schema.Load(name, text)
	if s.Schema == nil {
		if !s.Findings.HasErrors() {
			return nil, fmt.Errorf("%s was refused without a reason: this is a mistake of esgen's, please report it", name)
		}
		return s, nil
	}
	if err := s.readRevisions(); err != nil {
		return nil, err
	}
	key := memo.Key(text, s.revisions)
	if known, ok := memo.Load(key); ok {
		s.digest, s.Files = known.Digest, known.Files
		return s, nil
	}
	digest := make(chan string, 1)
	go func() { digest <- schemaDigest(text) }()
	var err error
	s.Files, err = templates.Files(s.Schema, s.revisions)
	s.digest = <-digest
	if err != nil {
		return nil, fmt.Errorf("this is a mistake of esgen's, please report it with your schema: %w", err)
	}
	s.Files = withEditorSchema(s.Files)
	memo.Store(key, memo.Entry{Digest: s.digest, Files: s.Files})
	return s, nil
}

// RevisionsError says that the record of the views' revisions cannot be read. It
// cannot be made again from anything else.
type RevisionsError struct{ error }

// Unwrap returns why.
func (e RevisionsError) Unwrap() error { return e.error }

// readRevisions brings the folder's record of the views' revisions up to date with the schema.
func (s *Service) readRevisions() error {
	before, err := readRecord(s.Dir)
	if err != nil {
		return err
	}
	text, found, err := templates.Revisions(before, s.Schema)
	if err != nil {
		return RevisionsError{err}
	}
	code, err := templates.CodeWarnings(text, s.Schema, func(folder string) string { return viewCode(s.Dir, folder) })
	if err != nil {
		return RevisionsError{err}
	}
	for _, w := range append(found, code...) {
		s.Warnings = append(s.Warnings, w.Message)
	}
	s.revisions = text
	return nil
}

// Plan compares the folder with what the schema asks for. The schema must have
// no errors.
func (s *Service) Plan(folder *disk.Folder, force bool) (*plan.Plan, error) {
	return plan.Make(plan.Input{
		Folder: folder, Want: s.Files, Records: []templates.File{{Path: templates.RevisionsPath, Content: s.revisions}},
		Tool: version.Number, Schema: s.digest, Force: force,
	})
}

// Todo lists what is left to the user in the folder as it is now.
func (s *Service) Todo(folder *disk.Folder, m *manifest.Manifest) (todo.List, error) {
	return todo.Read(folder, s.Schema, s.Files, m)
}

// schemaDigest is the same for schemas that say the same in the same order:
// comments, quotes and layout do not count.
func schemaDigest(text []byte) string {
	var doc yaml.Node
	if yaml.Unmarshal(text, &doc) != nil {
		return manifest.Digest(text)
	}
	var b bytes.Buffer
	writeNode(&b, &doc, 0)
	sum := sha256.Sum256(b.Bytes())
	return hex.EncodeToString(sum[:])
}

func writeNode(b *bytes.Buffer, n *yaml.Node, depth int) {
	fmt.Fprintf(b, "%d %s %q\n", depth, n.ShortTag(), n.Value)
	for _, c := range n.Content {
		writeNode(b, c, depth+1)
	}
}

// editorSchema is where editors find the JSON Schema of the schema language.
const editorSchema = ".esgen/schema.json"

// withEditorSchema adds what does not depend on the service.
func withEditorSchema(files []templates.File) []templates.File {
	i, found := slices.BinarySearchFunc(files, editorSchema, func(f templates.File, p string) int { return strings.Compare(f.Path, p) })
	if found {
		return files
	}
	return slices.Insert(files, i, templates.File{Path: editorSchema, Content: schema.EditorSchema()})
}

package service

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/esgen/esgen/esgen/internal/disk"
	"github.com/esgen/esgen/esgen/internal/viewcode"
	"github.com/esgen/esgen/templates"
)

// readRecord reads a folder's record of the views' revisions; nil when there is none.
func readRecord(dir string) (record []byte, err error) {
	folder, err := disk.Open(dir)
	if errors.Is(err, fs.ErrNotExist) { // init has yet to make it
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	record, _, err = folder.Read(templates.RevisionsPath)
	return record, err
}

// ErrNoRecord says that a folder has no record of the views' revisions.
var ErrNoRecord = errors.New("no " + templates.RevisionsPath + " yet: esgen regenerate makes it")

// EditRecord has the record of a folder's views changed by the user's own wish. An edit that changes
// nothing writes nothing.
func EditRecord(dir string, edit func(record []byte) ([]byte, error)) error {
	folder, err := disk.Open(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	record, exists, err := folder.Read(templates.RevisionsPath)
	if err != nil {
		return err
	}
	if !exists {
		return ErrNoRecord
	}
	text, err := edit(record)
	if err != nil || string(text) == string(record) {
		return err
	}
	return folder.Apply([]disk.Change{{Path: templates.RevisionsPath, Existed: true, Was: record, Content: text}})
}

// RemovedView reports whether the folder's record has a view that the schema no longer has.
func RemovedView(dir, view string) bool {
	record, err := readRecord(dir)
	return err == nil && templates.IsRemoved(record, view)
}

// AcceptCode notes the code of a view as it is now as that of its revision.
func AcceptCode(dir, view string) error {
	s, err := Load(dir)
	if err != nil {
		return err
	}
	if s.Schema != nil {
		for _, v := range s.Schema.Views {
			if v.Name != view {
				continue
			}
			code := viewCode(dir, templates.ViewFolder(v))
			if code == "" {
				return fmt.Errorf("the code of the view %q does not parse", view)
			}
			return EditRecord(dir, func(record []byte) ([]byte, error) { return templates.AcceptCode(record, view, code) })
		}
	}
	return fmt.Errorf("the schema has no view %q", view)
}

// NoteDeployed notes which code the revisions have that were seen deployed, by view. It returns
// the views of which that was not known before.
func NoteDeployed(dir string, revisions map[string]int) (changed []string, err error) {
	s, err := Load(dir)
	if err != nil || s.Schema == nil {
		return nil, err
	}
	seen := map[string]templates.SeenRevision{}
	for _, v := range s.Schema.Views {
		if revision := revisions[v.Name]; revision > 0 {
			seen[v.Name] = templates.SeenRevision{Revision: revision, Code: viewCode(dir, templates.ViewFolder(v))}
		}
	}
	err = EditRecord(dir, func(record []byte) (text []byte, err error) {
		text, changed, err = templates.Deployed(record, seen)
		return text, err
	})
	return changed, err
}

// viewCode hashes the user's code in a view's folder, "" if it cannot be read.
func viewCode(dir, folder string) string {
	d, err := disk.Open(dir)
	if err != nil {
		return ""
	}
	defer d.Close()
	names, _, err := d.List(folder)
	if err != nil {
		return ""
	}
	files := map[string][]byte{}
	for _, name := range names {
		if !strings.HasSuffix(name, ".go") {
			continue
		}
		text, _, err := d.Read(path.Join(folder, path.Base(name)))
		if err != nil {
			return ""
		}
		files[path.Base(name)] = text
	}
	return viewcode.Hash(files)
}

package disk

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Change is one file to create, replace or remove, on the condition that it
// still is what the plan was made for.
type Change struct {
	Path    string
	Existed bool   // the file is there
	Was     []byte // its content then
	Remove  bool
	Content []byte // unless Remove
}

// tempPrefix begins the names of files that exist only during Apply. The Go
// tool ignores names that begin with a dot.
const tempPrefix = ".esgen-tmp-"

// Apply makes all changes or none: everything is written beside its place first
// and renamed into it at the end, and a failure takes back what was renamed. Only a
// machine that stops in between can leave a part, which the next run mends. Files
// are not synced: what is lost with the power is generated again.
func (f *Folder) Apply(changes []Change) error {
	t := transaction{folder: f, id: strings.ToLower(rand.Text()[:8])}
	err := t.run(changes)
	if err != nil {
		return errors.Join(err, t.rollback())
	}
	t.finish()
	return nil
}

// transaction is one Apply under way, with what it needs to take itself back.
type transaction struct {
	folder  *Folder
	id      string
	serial  int
	undo    []func() error // newest last
	temps   []string       // staged files
	backups []string       // what was replaced or removed
	gone    []string       // folders that may have become empty
}

func (t *transaction) run(changes []Change) error {
	staged := make([]string, len(changes))
	for i, c := range changes {
		if err := t.check(c); err != nil {
			return err
		}
		if c.Remove {
			continue
		}
		temp, err := t.stage(c)
		if err != nil {
			return t.folder.explain(c.Path, err)
		}
		staged[i] = temp
	}
	for i, c := range changes {
		if err := t.commit(c, staged[i]); err != nil {
			return t.folder.explain(c.Path, err)
		}
	}
	return nil
}

// check refuses a file that changed since the plan was made.
func (t *transaction) check(c Change) error {
	now, exists, err := t.folder.Read(c.Path)
	if err != nil {
		return err
	}
	if exists != c.Existed || !bytes.Equal(now, c.Was) {
		return fmt.Errorf("%s changed while esgen was working; nothing was written: run the command again", c.Path)
	}
	return nil
}

// temp names a file of this transaction beside name.
func (t *transaction) temp(name string) string {
	t.serial++
	return path.Join(path.Dir(name), fmt.Sprintf("%s%s-%d", tempPrefix, t.id, t.serial))
}

func (t *transaction) stage(c Change) (string, error) {
	if err := t.mkdir(path.Dir(c.Path)); err != nil {
		return "", err
	}
	mode := fs.FileMode(0o644)
	if bytes.HasPrefix(c.Content, []byte("#!")) {
		mode = 0o755 // a script
	}
	if c.Existed {
		if info, err := t.folder.root.Lstat(filepath.FromSlash(c.Path)); err == nil {
			mode = info.Mode().Perm()
		}
	}
	temp := t.temp(c.Path)
	t.temps = append(t.temps, temp)
	return temp, t.folder.root.WriteFile(filepath.FromSlash(temp), c.Content, mode)
}

// mkdir makes a folder and those above it, and remembers which ones it made.
func (t *transaction) mkdir(dir string) error {
	if dir == "." {
		return nil
	}
	name := filepath.FromSlash(dir)
	info, err := t.folder.root.Stat(name)
	if err == nil {
		if !info.IsDir() {
			return fmt.Errorf("%s is a file where a folder is needed", dir)
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := t.mkdir(path.Dir(dir)); err != nil {
		return err
	}
	if err := t.folder.root.Mkdir(name, 0o755); err != nil {
		return err
	}
	t.undo = append(t.undo, func() error { return t.folder.root.Remove(name) })
	return nil
}

func (t *transaction) commit(c Change, staged string) error {
	root := t.folder.root
	name, temp := filepath.FromSlash(c.Path), filepath.FromSlash(staged)
	if !c.Existed {
		// A link, unlike a rename, never replaces a file that came in between.
		if err := root.Link(temp, name); err != nil {
			if _, e := root.Lstat(name); e == nil || !errors.Is(e, fs.ErrNotExist) {
				return err
			}
			if err := root.Rename(temp, name); err != nil {
				return err
			}
		}
		t.undo = append(t.undo, func() error { return root.Remove(name) })
		return nil
	}
	return t.replace(c, name, temp)
}

// replace puts the staged file, or nothing, in the place of one that exists.
func (t *transaction) replace(c Change, name, temp string) error {
	root := t.folder.root
	backup := filepath.FromSlash(t.temp(c.Path))
	if c.Remove {
		if err := root.Rename(name, backup); err != nil {
			return err
		}
		t.gone = append(t.gone, path.Dir(c.Path))
	} else if err := root.Link(name, backup); err != nil {
		// Without links the file is missing for a moment.
		if err := root.Rename(name, backup); err != nil {
			return err
		}
	}
	t.backups = append(t.backups, backup)
	t.undo = append(t.undo, func() error {
		if err := root.Rename(backup, name); err != nil {
			return fmt.Errorf("taking back the change of %s failed, its content is in %s: %w", c.Path, filepath.ToSlash(backup), err)
		}
		// Renaming one link of a file to another leaves both.
		_ = root.Remove(backup)
		return nil
	})
	if c.Remove {
		return nil
	}
	return root.Rename(temp, name)
}

// rollback takes back what was done, newest first. Folders that were made are
// empty only after the staged files have gone.
func (t *transaction) rollback() error {
	t.clear(t.temps)
	var errs []error
	for _, undo := range slices.Backward(t.undo) {
		if err := undo(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// finish removes what only the transaction needed and folders that are empty now.
func (t *transaction) finish() {
	t.clear(t.temps)
	t.clear(t.backups)
	for _, dir := range t.gone {
		for ; dir != "."; dir = path.Dir(dir) {
			if t.folder.root.Remove(filepath.FromSlash(dir)) != nil {
				break // not empty
			}
		}
	}
}

// clear removes files of which most are gone already, renamed into their place.
func (t *transaction) clear(names []string) {
	for _, name := range names {
		_ = t.folder.root.Remove(filepath.FromSlash(name))
	}
}

// Leftovers returns the temporary files that a killed run left in a folder.
func (f *Folder) Leftovers(dir string) []string {
	files, _, err := f.List(dir)
	if err != nil {
		return nil
	}
	var left []string
	for _, name := range files {
		if strings.HasPrefix(name, tempPrefix) {
			left = append(left, path.Join(dir, name))
		}
	}
	return left
}

// Sweep removes temporary files that a killed run left in the folders.
func (f *Folder) Sweep(dirs []string) {
	for _, dir := range dirs {
		for _, name := range f.Leftovers(dir) {
			_ = f.root.Remove(filepath.FromSlash(name))
		}
	}
}

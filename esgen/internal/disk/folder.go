// Package disk reads a service's folder and changes it all or nothing. It never
// follows a symbolic link out of the folder.
package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Folder is a service's folder. Paths are relative to it, with slashes.
type Folder struct {
	Dir  string // as the user named it
	root *os.Root
}

// Open opens an existing folder.
func Open(dir string) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Folder{Dir: dir, root: root}, nil
}

// Close releases the folder.
func (f *Folder) Close() error { return f.root.Close() }

// ErrNotRegular is returned for something that is neither absent nor a plain
// file: a folder, a symbolic link, a device.
var ErrNotRegular = errors.New("not a plain file")

// Read returns the content of a plain file, and whether it exists. A symbolic
// link is never read through at the path itself.
func (f *Folder) Read(name string) (content []byte, exists bool, err error) {
	info, err := f.root.Lstat(filepath.FromSlash(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, nil
	case err != nil:
		return nil, false, f.explain(name, err)
	case !info.Mode().IsRegular():
		return nil, true, fmt.Errorf("%s: %w", name, ErrNotRegular)
	}
	content, err = f.root.ReadFile(filepath.FromSlash(name))
	if err != nil {
		return nil, true, f.explain(name, err)
	}
	return content, true, nil
}

// List returns the names of the plain files directly in a folder, and of the
// folders in it, sorted. A folder that does not exist has none.
func (f *Folder) List(dir string) (files, dirs []string, err error) {
	entries, err := fs.ReadDir(f.root.FS(), path.Clean(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, f.explain(dir, err)
	}
	for _, e := range entries {
		switch {
		case e.IsDir():
			dirs = append(dirs, e.Name())
		case e.Type().IsRegular():
			files = append(files, e.Name())
		}
	}
	return files, dirs, nil
}

// explain says of an error what os.Root means by it.
func (f *Folder) explain(name string, err error) error {
	if strings.Contains(err.Error(), "escapes from parent") {
		return fmt.Errorf("%s leads out of %s through a symbolic link, and esgen neither reads nor writes there: replace the link by a folder", name, f.Dir)
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("%s: %w", path.Join(filepath.ToSlash(f.Dir), name), pe.Err)
	}
	var le *os.LinkError
	if errors.As(err, &le) {
		return fmt.Errorf("%s: %w", path.Join(filepath.ToSlash(f.Dir), name), le.Err)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// Package watch notices changes of the files of a service.
package watch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Times of a watcher. An editor's save is several changes; they end when nothing
// has happened for quiet. Where the system does not notify, files are looked at
// every poll, and otherwise every check, because notifications can get lost.
const (
	quiet = 100 * time.Millisecond
	most  = time.Second
	poll  = 500 * time.Millisecond
	check = 3 * time.Second
)

// Watcher watches the source files of one folder. It is used by one goroutine.
type Watcher struct {
	dir    string
	notify *fsnotify.Watcher // nil: polling only
	dirty  chan struct{}
	known  map[string]stamp
}

// stamp tells one state of a file from another.
type stamp struct {
	size int64
	time time.Time
}

// New starts to watch. What is on disk now counts as known.
func New(dir string) *Watcher {
	w := &Watcher{dir: dir, dirty: make(chan struct{}, 1)}
	// Without notifications, as on some network disks and beyond the system's limits, it polls.
	if n, err := fsnotify.NewWatcher(); err == nil {
		w.notify = n
		go w.drain(n)
	}
	w.Sync()
	return w
}

// Close stops watching.
func (w *Watcher) Close() {
	if w.notify != nil {
		_ = w.notify.Close()
	}
}

// Sync takes what is on disk now as known.
func (w *Watcher) Sync() { w.known = w.snapshot() }

// Wait blocks until source files have changed and are quiet, and returns their
// paths, sorted, relative to the folder. It returns nil when ctx ends.
func (w *Watcher) Wait(ctx context.Context) []string {
	for {
		every := check
		if w.notify == nil {
			every = poll
		}
		timer := time.NewTimer(every)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		case <-w.dirty:
			timer.Stop()
			w.settle(ctx)
		}
		now := w.snapshot()
		changed := difference(w.known, now)
		w.known = now
		if len(changed) > 0 {
			return changed
		}
	}
}

// settle waits until nothing has happened for a while.
func (w *Watcher) settle(ctx context.Context) {
	deadline := time.After(most)
	for {
		select {
		case <-w.dirty:
		case <-time.After(quiet):
			return
		case <-deadline:
			return
		case <-ctx.Done():
			return
		}
	}
}

// drain turns notifications into one flag: what happened is seen on the disk.
func (w *Watcher) drain(n *fsnotify.Watcher) {
	for {
		select {
		case e, ok := <-n.Events:
			if !ok {
				return
			}
			if e.Op == fsnotify.Chmod {
				continue
			}
		case _, ok := <-n.Errors:
			if !ok {
				return
			}
		}
		select {
		case w.dirty <- struct{}{}:
		default:
		}
	}
}

// snapshot walks the folder, and watches folders that are new.
func (w *Watcher) snapshot() map[string]stamp {
	files := map[string]stamp{}
	// What cannot be read is as good as absent; its return is a change.
	_ = filepath.WalkDir(w.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			if d != nil && d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			if p != w.dir && skipped(d.Name()) {
				return filepath.SkipDir
			}
			w.add(p)
			return nil
		}
		if !source(d.Name()) {
			return nil
		}
		if info, err := d.Info(); err == nil {
			rel, _ := filepath.Rel(w.dir, p)
			files[filepath.ToSlash(rel)] = stamp{info.Size(), info.ModTime()}
		}
		return nil
	})
	return files
}

// add watches one folder. A folder that was removed and made again needs it again,
// so adding is tried each time; the system knows what it watches already.
func (w *Watcher) add(dir string) {
	if w.notify == nil {
		return
	}
	if err := w.notify.Add(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		_ = w.notify.Close()
		w.notify = nil
	}
}

// skipped are folders in which no source of the service lies.
func skipped(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "node_modules" || name == "cdk.out" || name == "testdata"
}

// source reports whether a file can change what the service does.
func source(name string) bool {
	if strings.HasPrefix(name, ".") {
		return false
	}
	switch name {
	case "esgen.yaml", "go.mod", "go.sum", "go.work":
		return true
	}
	return strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go")
}

func difference(a, b map[string]stamp) []string {
	var changed []string
	for name, s := range b {
		if old, ok := a[name]; !ok || old.size != s.size || !old.time.Equal(s.time) {
			changed = append(changed, name)
		}
	}
	for name := range a {
		if _, ok := b[name]; !ok {
			changed = append(changed, name)
		}
	}
	slices.Sort(changed)
	return changed
}

// Digest is a hash of all source files below a folder: equal for equal sources.
func Digest(dir string) string {
	h := sha256.New()
	_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil // counts as absent
		case d.IsDir() && p != dir && skipped(d.Name()):
			return filepath.SkipDir
		case d.IsDir() || !source(d.Name()):
			return nil
		}
		text, err := os.ReadFile(p)
		if err == nil {
			fmt.Fprintf(h, "%s\x00%d\x00", p, len(text))
			h.Write(text)
		}
		return nil
	})
	return hex.EncodeToString(h.Sum(nil))
}

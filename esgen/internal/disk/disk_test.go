package disk_test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/esgen/esgen/esgen/internal/disk"
)

func open(t *testing.T, files map[string]string) *disk.Folder {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// tree returns everything below the folder, folders with an empty text.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		if d.IsDir() {
			got[filepath.ToSlash(rel)+"/"] = ""
			return nil
		}
		text, err := os.ReadFile(p)
		got[filepath.ToSlash(rel)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func create(name, text string) disk.Change { return disk.Change{Path: name, Content: []byte(text)} }

func replace(name, was, text string) disk.Change {
	return disk.Change{Path: name, Existed: true, Was: []byte(was), Content: []byte(text)}
}

func remove(name, was string) disk.Change {
	return disk.Change{Path: name, Existed: true, Was: []byte(was), Remove: true}
}

func TestApplyCreatesReplacesAndRemoves(t *testing.T) {
	f := open(t, map[string]string{"a/keep": "k", "a/old": "1", "b/c/stale": "s"})
	script := filepath.Join(f.Dir, "a/old")
	if err := os.Chmod(script, 0o755); err != nil {
		t.Fatal(err)
	}
	err := f.Apply([]disk.Change{create("n/e/w", "new"), replace("a/old", "1", "2"), remove("b/c/stale", "s")})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"a/": "", "a/keep": "k", "a/old": "2", "n/": "", "n/e/": "", "n/e/w": "new"}
	if got := tree(t, f.Dir); !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if info, _ := os.Stat(script); info.Mode().Perm() != 0o755 {
		t.Errorf("mode is now %v", info.Mode())
	}
}

// A script can be run at once: npx runs infra/cdk.js, and what npm makes executable by itself Git
// would show as changed.
func TestScriptsAreExecutable(t *testing.T) {
	f := open(t, nil)
	if err := f.Apply([]disk.Change{create("infra/cdk.js", "#!/usr/bin/env node\n"), create("infra/cdk.json", "{}\n")}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"infra/cdk.js": true, "infra/cdk.json": false} {
		info, err := os.Stat(filepath.Join(f.Dir, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		if executable := info.Mode()&0o100 != 0; executable != want {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
}

// Whatever fails, and however late, the folder is as it was, without a trace.
func TestFailedApplyChangesNothing(t *testing.T) {
	start := map[string]string{"a/one": "1", "a/two": "2", "d/in/side": "x", "file": "f"}
	for name, bad := range map[string]disk.Change{
		"a file where a folder is needed":    create("file/below", "x"),
		"a folder where a file is wanted":    create("d/in", "x"),
		"a file that came in between":        create("a/two", "x"),
		"a file that changed":                replace("a/two", "other", "x"),
		"a file that vanished":               replace("a/three", "3", "x"),
		"a removed file that changed":        remove("a/two", "other"),
		"a path out of the folder":           create("../out", "x"),
		"an absolute path out of the folder": create("/tmp/esgen-out", "x"),
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t, start)
			before := tree(t, f.Dir)
			info, _ := os.Stat(filepath.Join(f.Dir, "a/one"))
			err := f.Apply([]disk.Change{create("new/deep/er", "n"), replace("a/one", "1", "11"), remove("d/in/side", "x"), bad})
			if err == nil {
				t.Fatal("no error")
			}
			if got := tree(t, f.Dir); !maps.Equal(got, before) {
				t.Errorf("after %v\ngot  %v\nwant %v", err, got, before)
			}
			if now, _ := os.Stat(filepath.Join(f.Dir, "a/one")); !now.ModTime().Equal(info.ModTime()) {
				t.Error("a file was touched")
			}
		})
	}
}

// Two changes of one path pass every check and fail only while files are being renamed.
func TestFailureInTheMiddleOfRenamingIsTakenBack(t *testing.T) {
	f := open(t, map[string]string{"a/one": "1", "b/gone": "g"})
	before := tree(t, f.Dir)
	err := f.Apply([]disk.Change{create("x/y", "n"), replace("a/one", "1", "2"), remove("b/gone", "g"), create("x/y", "again")})
	if err == nil {
		t.Fatal("no error")
	}
	if got := tree(t, f.Dir); !maps.Equal(got, before) {
		t.Errorf("after %v\ngot  %v\nwant %v", err, got, before)
	}
}

func TestReadOnlyFolderIsSaidAndNothingChanges(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root writes everywhere")
	}
	f := open(t, map[string]string{"a/one": "1", "b/two": "2"})
	if err := os.Chmod(filepath.Join(f.Dir, "b"), 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(filepath.Join(f.Dir, "b"), 0o755) })
	before := tree(t, f.Dir)
	err := f.Apply([]disk.Change{replace("a/one", "1", "2"), replace("b/two", "2", "3")})
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "b/two") {
		t.Errorf("got %v", err)
	}
	if got := tree(t, f.Dir); !maps.Equal(got, before) {
		t.Errorf("got %v", got)
	}
}

func TestSymbolicLinksAreNotFollowed(t *testing.T) {
	outside := t.TempDir()
	victim := filepath.Join(outside, "victim")
	if err := os.WriteFile(victim, []byte("v"), 0o644); err != nil {
		t.Fatal(err)
	}
	f := open(t, map[string]string{"inside": "i"})
	for link, target := range map[string]string{"dir": outside, "file": victim, "self": "inside"} {
		if err := os.Symlink(target, filepath.Join(f.Dir, link)); err != nil {
			t.Skip(err)
		}
	}
	for _, c := range []disk.Change{create("dir/new", "x"), replace("dir/victim", "v", "x"), remove("dir/victim", "v"), replace("file", "v", "x"), create("file", "x"), replace("self", "i", "x")} {
		if err := f.Apply([]disk.Change{c}); err == nil {
			t.Errorf("%s was written", c.Path)
		}
	}
	if _, _, err := f.Read("dir/victim"); err == nil || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("reading through a link out of the folder: %v", err)
	}
	if _, _, err := f.Read("file"); !errors.Is(err, disk.ErrNotRegular) {
		t.Errorf("reading a link: %v", err)
	}
	if text, _ := os.ReadFile(victim); string(text) != "v" {
		t.Errorf("the file outside is now %q", text)
	}
	if names, _ := os.ReadDir(outside); len(names) != 1 {
		t.Errorf("the folder outside has %d files", len(names))
	}
}

func TestSweepRemovesWhatAKilledRunLeft(t *testing.T) {
	f := open(t, map[string]string{"a/.esgen-tmp-abc-1": "half", "a/mine": "m", "a/.hidden": "h"})
	f.Sweep([]string{"a", "absent"})
	want := map[string]string{"a/": "", "a/mine": "m", "a/.hidden": "h"}
	if got := tree(t, f.Dir); !maps.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestNothingToApplyTouchesNothing(t *testing.T) {
	f := open(t, map[string]string{"a": "1"})
	old := time.Now().Add(-time.Hour).Truncate(time.Second)
	if err := os.Chtimes(f.Dir, old, old); err != nil {
		t.Fatal(err)
	}
	if err := f.Apply(nil); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(f.Dir); !info.ModTime().Equal(old) {
		t.Error("the folder was touched")
	}
}

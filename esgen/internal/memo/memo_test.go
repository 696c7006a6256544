package memo_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/esgen/esgen/esgen/internal/memo"
	"github.com/esgen/esgen/templates"
)

func TestRemembersUntilDamaged(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	key := memo.Key([]byte("schema"))
	if _, ok := memo.Load(key); ok {
		t.Fatal("remembers what never was")
	}
	want := memo.Entry{Digest: "d", Files: []templates.File{{Path: "a", Content: []byte("x"), Once: true, Declares: "onA"}}}
	memo.Store(key, want)
	if got, ok := memo.Load(key); !ok || !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v", got)
	}
	if _, ok := memo.Load(memo.Key([]byte("another"))); ok {
		t.Error("another schema has the same key")
	}
	files, err := filepath.Glob(filepath.Join(cache, "*", "*", "*"))
	if more, _ := filepath.Glob(filepath.Join(cache, "*", "*", "*", "*")); len(files) == 0 {
		files = more
	}
	if err != nil || len(files) != 1 {
		t.Skip("the cache folder is elsewhere: ", files)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)-1] ^= 1
	if err := os.WriteFile(files[0], text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := memo.Load(key); ok {
		t.Error("a damaged entry is believed")
	}
	for i := range 40 {
		memo.Store(memo.Key(fmt.Append(nil, i)), want)
	}
	if files, _ = filepath.Glob(filepath.Join(filepath.Dir(files[0]), "*")); len(files) > 20 {
		t.Errorf("%d entries are kept", len(files))
	}
}

func TestWithoutACacheFolderNothingIsRemembered(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	key := memo.Key([]byte("schema"))
	memo.Store(key, memo.Entry{Digest: "d"})
	if _, ok := memo.Load(key); ok {
		t.Skip("this system has a cache folder without a home")
	}
}

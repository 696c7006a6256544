// Package memo remembers, in the user's cache folder, which files this very
// program made of a schema, so that running again with nothing changed does not
// make and format them again. Without a cache folder nothing is remembered and
// nothing else changes.
package memo

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/esgen/esgen/templates"
)

// most is how many schemas are remembered, the latest ones.
const most = 16

// Entry is what was made of a schema.
type Entry struct {
	Digest string // of the schema
	Files  []templates.File
}

// Key names the entry of the texts that files are made of; "" when nothing can be remembered. It
// changes with the program: another build may make other files.
func Key(texts ...[]byte) string {
	program, err := os.Executable()
	if err != nil {
		return ""
	}
	info, err := os.Stat(program)
	if err != nil {
		return ""
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%d\x00%d\x00", program, info.Size(), info.ModTime().UnixNano())
	for _, text := range texts {
		fmt.Fprintf(h, "%d\x00", len(text))
		h.Write(text)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Load returns the entry of a key. What cannot be read, or is not whole, is not remembered.
func Load(key string) (Entry, bool) {
	name, ok := place(key)
	if !ok {
		return Entry{}, false
	}
	text, err := os.ReadFile(name)
	if err != nil || len(text) < sha256.Size {
		return Entry{}, false
	}
	body := text[sha256.Size:]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], text[:sha256.Size]) {
		return Entry{}, false
	}
	var e Entry
	if gob.NewDecoder(bytes.NewReader(body)).Decode(&e) != nil {
		return Entry{}, false
	}
	return e, true
}

// Store remembers an entry, and forgets the oldest. It is no error when that does
// not work: the files are made again next time.
func Store(key string, e Entry) {
	name, ok := place(key)
	if !ok || os.MkdirAll(filepath.Dir(name), 0o700) != nil {
		return
	}
	var b bytes.Buffer
	if gob.NewEncoder(&b).Encode(e) != nil {
		return
	}
	f, err := os.CreateTemp(filepath.Dir(name), "new-*")
	if err != nil {
		return
	}
	sum := sha256.Sum256(b.Bytes())
	_, err = f.Write(append(sum[:], b.Bytes()...))
	if f.Close() != nil || err != nil || os.Rename(f.Name(), name) != nil {
		_ = os.Remove(f.Name())
		return
	}
	forget(filepath.Dir(name))
}

func place(key string) (string, bool) {
	dir, err := os.UserCacheDir()
	if err != nil || key == "" || !filepath.IsAbs(dir) {
		return "", false
	}
	return filepath.Join(dir, "esgen", "generated", key), true
}

// forget removes all but the latest entries.
func forget(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) <= most {
		return
	}
	age := map[string]int64{}
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			age[e.Name()] = info.ModTime().UnixNano()
		}
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return cmp.Compare(age[b.Name()], age[a.Name()]) })
	for _, e := range entries[most:] {
		_ = os.Remove(filepath.Join(dir, e.Name()))
	}
}

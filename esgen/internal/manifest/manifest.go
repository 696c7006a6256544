// Package manifest keeps the record of what esgen wrote into a service's
// folder. The record tells a stale file from a user's own, and a file that was
// edited by hand from one that only an older esgen wrote.
package manifest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
)

// Path is where the manifest lies in a service's folder.
const Path = ".esgen/manifest.json"

// Manifest is what esgen remembers of a service's folder. The zero value
// remembers nothing.
type Manifest struct {
	// Tool is the version of the esgen that changed the files last. It stands
	// nowhere else, and a change of it alone changes no file.
	Tool string
	// Schema is the digest of the schema that the files came from.
	Schema string
	// Generated has the digests of each generated file. There is one digest,
	// unless the manifest was read from both sides of a merge conflict.
	Generated map[string][]string
	// Created has the digest that each file of the user's had when it was created.
	Created map[string][]string
}

// Digest is the form in which the manifest keeps the content of a file. It is the same
// whether lines end in LF or CRLF: git on Windows checks out other ends than esgen wrote.
func Digest(content []byte) string {
	sum := sha256.Sum256(lineFeeds(content))
	return hex.EncodeToString(sum[:])
}

// Same reports whether two contents are equal, ends of lines apart.
func Same(a, b []byte) bool { return bytes.Equal(lineFeeds(a), lineFeeds(b)) }

func lineFeeds(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")) }

// Wrote reports whether esgen wrote this content to a generated file.
func (m *Manifest) Wrote(path string, content []byte) bool {
	return slices.Contains(m.Generated[path], Digest(content))
}

// Untouched reports whether a file of the user's still is as it was created.
func (m *Manifest) Untouched(path string, content []byte) bool {
	return slices.Contains(m.Created[path], Digest(content))
}

// SameFiles reports whether both manifests say the same of the same files and
// schema, the version of the tool apart.
func (m *Manifest) SameFiles(o *Manifest) bool {
	return m.Schema == o.Schema &&
		maps.EqualFunc(m.Generated, o.Generated, slices.Equal) &&
		maps.EqualFunc(m.Created, o.Created, slices.Equal)
}

// document is the manifest as JSON. Maps are written sorted, one line for each
// file, so that two branches rarely conflict and a conflict is easy to read.
type document struct {
	Comment   string            `json:"//"`
	Tool      string            `json:"esgen"`
	Schema    string            `json:"schema"`
	Generated map[string]string `json:"generated"`
	Created   map[string]string `json:"created"`
}

const comment = "Kept by esgen: the files it generated and those it created for you. In a merge conflict, run esgen regenerate."

// Encode returns the manifest as the text of its file.
func (m *Manifest) Encode() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	// Strings and maps of strings always encode.
	_ = e.Encode(document{comment, m.Tool, m.Schema, first(m.Generated), first(m.Created)})
	return b.Bytes()
}

func first(digests map[string][]string) map[string]string {
	out := make(map[string]string, len(digests))
	for path, d := range digests {
		if len(d) > 0 {
			out[path] = d[0]
		}
	}
	return out
}

// Decode reads the text of a manifest. Text that is no manifest, as a merge
// leaves it, is salvaged line by line: what either side remembers counts.
// salvaged then is true.
func Decode(text []byte) (m *Manifest, salvaged bool) {
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		return salvage(text), true
	}
	return &Manifest{Tool: d.Tool, Schema: d.Schema, Generated: many(d.Generated), Created: many(d.Created)}, false
}

func many(digests map[string]string) map[string][]string {
	out := make(map[string][]string, len(digests))
	for path, d := range digests {
		out[path] = []string{d}
	}
	return out
}

var (
	fileLine    = regexp.MustCompile(`^\s*("(?:[^"\\]|\\.)*")\s*:\s*"([0-9a-f]{64})"\s*,?\s*$`)
	sectionLine = regexp.MustCompile(`^\s*"(generated|created)"\s*:\s*\{`)
)

// salvage reads the lines that name a file and its digest. A file whose section
// is in doubt is a created one only if it says so after "created".
func salvage(text []byte) *Manifest {
	m := &Manifest{Generated: map[string][]string{}, Created: map[string][]string{}}
	section := m.Generated
	for line := range bytes.Lines(text) {
		if s := sectionLine.FindSubmatch(line); s != nil {
			section = m.Generated
			if string(s[1]) == "created" {
				section = m.Created
			}
			continue
		}
		f := fileLine.FindSubmatch(bytes.TrimRight(line, "\r\n"))
		if f == nil {
			continue
		}
		var path string
		if json.Unmarshal(f[1], &path) != nil {
			continue
		}
		if digest := string(f[2]); !slices.Contains(section[path], digest) {
			section[path] = append(section[path], digest)
		}
	}
	delete(m.Generated, "schema") // the schema's digest looks like a file's
	return m
}

package manifest_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/esgen/esgen/esgen/internal/manifest"
)

func sample() *manifest.Manifest {
	return &manifest.Manifest{
		Tool:      "0.1.0",
		Schema:    manifest.Digest([]byte("schema")),
		Generated: map[string][]string{"events/a_gen.go": {manifest.Digest([]byte("a"))}, "b <c>.go": {manifest.Digest([]byte("b"))}},
		Created:   map[string][]string{"go.mod": {manifest.Digest([]byte("module"))}},
	}
}

func TestEncodedManifestReadsBackTheSame(t *testing.T) {
	m := sample()
	back, salvaged := manifest.Decode(m.Encode())
	if salvaged || !reflect.DeepEqual(m, back) {
		t.Fatalf("salvaged %v\n got %+v\nwant %+v", salvaged, back, m)
	}
	if string(back.Encode()) != string(m.Encode()) {
		t.Fatal("encoding twice gives other bytes")
	}
}

func TestVersionOfToolAloneIsNoDifference(t *testing.T) {
	m, o := sample(), sample()
	o.Tool = "9.9.9"
	if !m.SameFiles(o) {
		t.Error("another version of the tool counts as a difference")
	}
	o.Created["new.go"] = []string{"x"}
	if m.SameFiles(o) {
		t.Error("another created file is no difference")
	}
}

// A merge of two branches that both added an event leaves conflict markers; both
// sides' files stay known.
func TestMergeConflictKeepsWhatBothSidesRemember(t *testing.T) {
	ours, theirs := manifest.Digest([]byte("ours")), manifest.Digest([]byte("theirs"))
	text := string(sample().Encode())
	a := `    "events/a_gen.go": "` + manifest.Digest([]byte("a")) + `",` + "\n"
	if !strings.Contains(text, "events/a_gen.go") {
		t.Fatal(text)
	}
	conflict := "<<<<<<< HEAD\n" + `    "events/a_gen.go": "` + ours + `",` + "\n=======\n" + `    "events/a_gen.go": "` + theirs + `",` + "\n>>>>>>> branch\n"
	text = strings.Replace(text, strings.TrimSuffix(a, ",\n"), strings.TrimSuffix(conflict, "\n"), 1)
	m, salvaged := manifest.Decode([]byte(text))
	if !salvaged {
		t.Fatalf("conflict markers were taken as JSON:\n%s", text)
	}
	if !m.Wrote("events/a_gen.go", []byte("ours")) || !m.Wrote("events/a_gen.go", []byte("theirs")) {
		t.Errorf("a side of the conflict is forgotten: %+v", m.Generated)
	}
	if !m.Wrote("b <c>.go", []byte("b")) || !m.Untouched("go.mod", []byte("module")) {
		t.Errorf("a line without conflict is forgotten: %+v", m)
	}
	if len(m.Generated) != 2 {
		t.Errorf("something that is no file counts as one: %+v", m.Generated)
	}
}

func TestAnyTextDecodes(t *testing.T) {
	for _, text := range []string{"", "null", "[]", "{", `{"generated": 3}`, "\x00\xff", strings.Repeat("{", 100000)} {
		if m, _ := manifest.Decode([]byte(text)); m == nil {
			t.Errorf("no manifest from %.20q", text)
		}
	}
}

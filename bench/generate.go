package main

import (
	"errors"
	"fmt"
	"go/format"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/esgen/esgen/schema"
	"github.com/esgen/esgen/templates"
)

const (
	rowFormat   = "format.Source of the generated text"
	rowGenerate = "esgen: schema to files in memory"
	rowFew      = "esgen: the same of 10 events"
	rowMany     = "esgen: the same of 1,000 events and 50 views"
	rowBuild    = "go build of the generated events"
)

// Events of the schemas; the time of generation is linear in them. Running the
// command again is measured where its start, some 30 ms, counts for little.
const (
	generateEvents = 100
	againEvents    = 1000
)

func generateSchema(events int) []byte {
	var b strings.Builder
	b.WriteString("esgen: 1\nservice: large\nmodule: example.com/large\nentity: {name: thing, key: thingId}\nevents:\n")
	for i := range events {
		fmt.Fprintf(&b, "  Thing%dHappened:\n    fields:\n      name: {type: string, minLength: 1, maxLength: 100}\n      amount: {type: decimal, minimum: 0}\n      count: {type: int, default: 1}\n      at: {type: timestamp, default: now}\n      tags: {type: \"string[]\", maxItems: 10}\n      note: \"string?\"\n", i)
	}
	b.WriteString("views:\n")
	for v := range max(1, events/20) {
		name := fmt.Sprintf("view-%d", v)
		fmt.Fprintf(&b, "  %s:\n    events: [%s]\n    fields: {name: string, amount: decimal, count: int}\n", name, fmt.Sprintf("Thing%dHappened, Thing%dHappened", v, (v+5)%events))
	}
	return []byte(b.String())
}

// generateSuite measures generation against what formatting and compiling its result take.
func generateSuite() (*suite, error) {
	text := generateSchema(generateEvents)
	files, err := generateFiles(text)
	if err != nil {
		return nil, err
	}
	tool, err := buildEsgen()
	if err != nil {
		return nil, err
	}
	built := filepath.Join(tool.dir, "built")
	if err := tool.init(built, text); err != nil {
		return nil, err
	}
	few, many := generateSchema(10), generateSchema(againEvents)
	turn := 0
	return &suite{
		title:  fmt.Sprintf("Generation: %d events", generateEvents),
		rounds: 7,
		rows: []row{
			{name: rowFormat, run: func() error {
				for _, f := range files {
					if strings.HasSuffix(f.Path, ".go") {
						if _, err := format.Source(f.Content); err != nil {
							return err
						}
					}
				}
				return nil
			}},
			{name: rowGenerate, run: func() error {
				_, err := generateFiles(text)
				return err
			}},
			{name: rowFew, run: func() error {
				_, err := generateFiles(few)
				return err
			}},
			{name: rowMany, run: func() error {
				_, err := generateFiles(many)
				return err
			}},
			{name: rowBuild, run: func() error {
				turn++ // the go command builds only what it has not seen
				note := fmt.Appendf(nil, "package events\n\nconst turn = \"%d-%d\"\n", os.Getpid(), turn)
				if err := os.WriteFile(filepath.Join(built, "events", "turn.go"), note, 0o644); err != nil {
					return err
				}
				return run(built, nil, "go", "build", "./events")
			}},
		},
		goals: []goal{
			{id: "G12", says: "of formatting the same text", row: rowGenerate, against: rowFormat, limit: 2.2},
			{id: "G12", says: "of compiling the same events", row: rowGenerate, against: rowBuild, limit: 0.20},
			{id: "line", says: "of 10 events, for 100 times as many", row: rowMany, against: rowFew, limit: 120},
			{id: "ms", says: "generating 1,000 events and 50 views", row: rowMany, within: time.Second},
		},
	}, nil
}

func generateFiles(text []byte) ([]templates.File, error) {
	s, found := schema.Load("esgen.yaml", text)
	if s == nil {
		return nil, errors.New(found.String())
	}
	return templates.Files(s, nil)
}

const (
	rowFirst   = "esgen regenerate, everything"
	rowAgain   = "esgen regenerate, nothing changed"
	rowExample = "esgen regenerate of example-service, nothing changed"
)

// againSuite measures the command when there is nothing to do.
func againSuite() (*suite, error) {
	tool, err := buildEsgen()
	if err != nil {
		return nil, err
	}
	text := generateSchema(againEvents)
	done := filepath.Join(tool.dir, "done")
	if err := tool.init(done, text); err != nil {
		return nil, err
	}
	again := func(dir string) error {
		return run(dir, []string{"XDG_CACHE_HOME=" + filepath.Join(tool.dir, "cache")}, tool.program, "regenerate")
	}
	if err := touchesNothing(done, again); err != nil {
		return nil, err
	}
	example := filepath.Join(tool.dir, "example")
	if err := os.CopyFS(example, os.DirFS("../example-service")); err != nil {
		return nil, err
	}
	if err := again(example); err != nil { // the copy is the first that this cache sees
		return nil, err
	}
	fresh := 0
	return &suite{
		title:  fmt.Sprintf("The command: %d events and %d views", againEvents, againEvents/20),
		rounds: 7,
		rows: []row{
			{name: rowFirst, run: func() error {
				fresh++
				dir := filepath.Join(tool.dir, fmt.Sprintf("fresh-%d", fresh))
				defer os.RemoveAll(dir)
				if err := os.MkdirAll(dir, 0o755); err != nil {
					return err
				}
				if err := os.WriteFile(filepath.Join(dir, "esgen.yaml"), text, 0o644); err != nil {
					return err
				}
				// Another cache folder, so that nothing is remembered.
				return run(dir, []string{"XDG_CACHE_HOME=" + filepath.Join(dir, "cache")}, tool.program, "regenerate")
			}},
			{name: rowAgain, run: func() error { return again(done) }},
			{name: rowExample, run: func() error { return again(example) }},
		},
		goals: []goal{
			{id: "G13", says: "of a full run", row: rowAgain, against: rowFirst, limit: 0.15},
			{id: "ms", says: "the command with these, files written", row: rowFirst, within: time.Second},
			{id: "ms", says: "regenerate of example-service with nothing to do", row: rowExample, within: 50 * time.Millisecond},
		},
	}, nil
}

// touchesNothing runs the command in a folder where there is nothing to do and looks
// whether any file was written.
func touchesNothing(dir string, again func(dir string) error) error {
	times := func() (map[string]time.Time, error) {
		seen := map[string]time.Time{}
		err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := e.Info()
			if err == nil {
				seen[path] = info.ModTime()
			}
			return err
		})
		return seen, err
	}
	if err := again(dir); err != nil { // what init left, regenerate may complete
		return err
	}
	before, err := times()
	if err != nil {
		return err
	}
	if err := again(dir); err != nil {
		return err
	}
	after, err := times()
	if err == nil && !maps.Equal(before, after) {
		err = errors.New("regenerate touched files though nothing had changed")
	}
	return err
}

// esgen is the command, built for measuring.
type esgen struct {
	dir     string // scratch
	program string
}

func buildEsgen() (*esgen, error) {
	dir, err := os.MkdirTemp("", "esgen-bench")
	if err != nil {
		return nil, err
	}
	cleanup = append(cleanup, func() { _ = os.RemoveAll(dir) })
	e := &esgen{dir: dir, program: filepath.Join(dir, "esgen.exe")}
	return e, run("..", nil, "go", "build", "-o", e.program, "./esgen")
}

func (e *esgen) init(dir string, text []byte) error {
	from := filepath.Join(e.dir, "from.yaml")
	if err := os.WriteFile(from, text, 0o644); err != nil {
		return err
	}
	return run(e.dir, []string{"XDG_CACHE_HOME=" + filepath.Join(e.dir, "cache")}, e.program, "init", dir, "--from", from)
}

// run runs a command; its processor time counts as ours once it has ended.
func run(dir string, env []string, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

package main

import (
	"errors"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/esgen/esgen/schema"
	"github.com/esgen/esgen/templates"
)

const (
	rowFormat   = "format.Source of the generated text"
	rowGenerate = "esgen: schema to files in memory"
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
	for v := range events / 20 {
		name := fmt.Sprintf("view-%d", v)
		fmt.Fprintf(&b, "  %s:\n    events: [%s]\n    fields: {name: string, amount: decimal, count: int}\n", name, fmt.Sprintf("Thing%dHappened, Thing%dHappened", v, v+20))
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
	turn := 0
	return &suite{
		title: fmt.Sprintf("Generation: %d events", generateEvents),
		rows: []row{
			{rowFormat, func() error {
				for _, f := range files {
					if strings.HasSuffix(f.Path, ".go") {
						if _, err := format.Source(f.Content); err != nil {
							return err
						}
					}
				}
				return nil
			}},
			{rowGenerate, func() error {
				_, err := generateFiles(text)
				return err
			}},
			{rowBuild, func() error {
				turn++ // the go command builds only what it has not seen
				note := fmt.Appendf(nil, "package events\n\nconst turn = \"%d-%d\"\n", os.Getpid(), turn)
				if err := os.WriteFile(filepath.Join(built, "events", "turn.go"), note, 0o644); err != nil {
					return err
				}
				return run(built, nil, "go", "build", "./events")
			}},
		},
		goals: []goal{
			{"G12", "of formatting the same text", rowGenerate, rowFormat, 2.2},
			{"G12", "of compiling the same events", rowGenerate, rowBuild, 0.20},
		},
	}, nil
}

func generateFiles(text []byte) ([]templates.File, error) {
	s, found := schema.Load("esgen.yaml", text)
	if s == nil {
		return nil, errors.New(found.String())
	}
	return templates.Files(s)
}

const (
	rowFirst = "esgen regenerate, everything"
	rowAgain = "esgen regenerate, nothing changed"
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
	fresh := 0
	return &suite{
		title: fmt.Sprintf("Running again: %d events", againEvents),
		rows: []row{
			{rowFirst, func() error {
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
			{rowAgain, func() error {
				return run(done, []string{"XDG_CACHE_HOME=" + filepath.Join(tool.dir, "cache")}, tool.program, "regenerate")
			}},
		},
		goals: []goal{{"G13", "of a full run", rowAgain, rowFirst, 0.15}},
	}, nil
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

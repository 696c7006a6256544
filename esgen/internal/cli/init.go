package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"

	"github.com/esgen/esgen/esgen/internal/disk"
	"github.com/esgen/esgen/esgen/internal/service"
	"github.com/esgen/esgen/esgen/internal/toolkit"
	"github.com/esgen/esgen/templates"
)

func newInit(t *terminal) *cobra.Command {
	i := initializer{terminal: t}
	c := &cobra.Command{
		Use:   "init DIR",
		Short: "make a new service that builds, passes its tests and runs at once",
		Long: "init makes a new service in a folder that does not exist or is empty (a .git in it is fine).\n\n" +
			"Without --from it starts from a small schema to be changed; with it, from a copy of a schema of yours.",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return hinted{errors.New("esgen init needs one folder for the new service"), "esgen init shop --module example.com/shop"}
			}
			return nil
		},
		ValidArgsFunction: folders,
		RunE:              func(c *cobra.Command, args []string) error { return i.run(args[0]) },
	}
	c.Flags().StringVar(&i.module, "module", "", "Go module `path` of the service; replaces that of the schema")
	c.Flags().StringVar(&i.from, "from", "", "schema `file` to start from")
	c.Flags().StringVar(&i.toolkit, "toolkit", "", "`folder` of a checkout of esgen to build against, also "+toolkit.Env)
	return c
}

type initializer struct {
	*terminal
	module, from, toolkit string
}

func (i *initializer) run(dir string) error {
	if err := vacant(dir); err != nil {
		return err
	}
	kit, err := toolkit.Find(dir, i.toolkit)
	if err != nil {
		return err
	}
	name, text, err := i.schema(dir)
	if err != nil {
		return err
	}
	s, err := service.Parse(dir, name, text)
	if err != nil {
		return err
	}
	if s.Schema == nil {
		if err := i.findings(s.Findings, i.writeText); err != nil {
			return err
		}
		i.say("nothing was created")
		return errFindings
	}
	scaffold, err := templates.Scaffold(s.Schema, text, kit)
	if err != nil {
		return err
	}
	s.Files = append(s.Files, scaffold...)
	if err := i.create(dir, s); err != nil {
		return err
	}
	i.next(dir, s)
	return nil
}

// vacant refuses a folder with something in it. A repository that was just made
// or cloned has only its .git.
func vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != ".git" {
			return hinted{fmt.Errorf("%s is not empty: it has %s", dir, e.Name()), "name a folder that does not exist yet; in a service that exists, esgen regenerate brings it up to date"}
		}
	}
	return nil
}

// schema returns the text to start from, and under which name to complain about it.
func (i *initializer) schema(dir string) (name string, text []byte, err error) {
	if i.from == "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return "", nil, err
		}
		return service.SchemaFile, templates.StartingSchema(filepath.Base(abs), i.module), nil
	}
	text, err = os.ReadFile(i.from)
	if err != nil {
		return "", nil, err
	}
	if i.module != "" {
		if text, err = withModule(text, i.module); err != nil {
			return "", nil, fmt.Errorf("%s: %w", i.from, err)
		}
	}
	return filepath.ToSlash(i.from), text, nil
}

// withModule replaces the value of "module:" and leaves every other byte. A
// schema without one, or with one that is no plain value, gets what its own check says.
func withModule(text []byte, module string) ([]byte, error) {
	var doc yaml.Node
	if yaml.Unmarshal(text, &doc) != nil || len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return text, nil
	}
	pairs := doc.Content[0].Content
	for k := 0; k+1 < len(pairs); k += 2 {
		key, value := pairs[k], pairs[k+1]
		if key.Value != "module" || value.Kind != yaml.ScalarNode {
			continue
		}
		lines := strings.SplitAfter(string(text), "\n")
		line := lines[value.Line-1]
		from := offset(line, value.Column-1)
		to := from + len(value.Value)
		if value.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
			to += 2
		}
		if to > len(line) || !strings.Contains(line[from:to], value.Value) {
			return nil, errors.New("cannot replace its module: write it on one line, without escapes")
		}
		lines[value.Line-1] = line[:from] + scalar(module) + line[to:]
		return []byte(strings.Join(lines, "")), nil
	}
	// At the end, where no other value can be torn apart.
	return append(append([]byte(strings.TrimRight(string(text), "\n")), '\n'), "module: "+scalar(module)+"\n"...), nil
}

// offset is the index of the byte at which a character of a line begins.
func offset(line string, characters int) int {
	for at := range line {
		if characters == 0 {
			return at
		}
		characters--
	}
	return len(line)
}

var plainScalar = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9./_~-]*$`)

// scalar writes text as YAML, quoted unless it is plain.
func scalar(text string) string {
	if plainScalar.MatchString(text) {
		return text
	}
	return fmt.Sprintf("%q", text)
}

// create writes the service, all or nothing; a folder that was made for it goes with it.
func (i *initializer) create(dir string, s *service.Service) (err error) {
	made := !exists(dir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	defer func() {
		if err != nil && made {
			_ = os.Remove(dir) // it is empty again
		}
	}()
	folder, err := disk.Open(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	p, err := s.Plan(folder, false)
	if err != nil {
		return err
	}
	return folder.Apply(p.Changes)
}

// next says how to go on.
func (i *initializer) next(dir string, s *service.Service) {
	if len(s.Findings) > 0 {
		i.say("%s", strings.TrimRight(s.Findings.String(), "\n"))
	}
	i.printf("made the service %s in %s\n\nnext:\n\n", s.Schema.Name, dir)
	if filepath.Clean(dir) != "." {
		i.printf("  cd %s\n", dir)
	}
	i.printf("  go test ./...\n  esgen dev\n\nthen change %s and the stubs, as README.md says\n", service.SchemaFile)
}

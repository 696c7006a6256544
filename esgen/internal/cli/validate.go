package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/esgen/esgen/esgen/internal/service"
	"github.com/esgen/esgen/schema"
)

func newValidate(t *terminal) *cobra.Command {
	var format string
	var strict bool
	c := &cobra.Command{
		Use:   "validate [DIR or FILE]",
		Short: "check a schema and say what is wrong with it",
		Long:  "validate checks the schema of a folder, or a schema file, and writes nothing.\n\n\"esgen validate explain CODE\" shows what a rule asks for and why.",
		Args:  atMostOne("folder or file"),
		RunE: func(c *cobra.Command, args []string) error {
			write, err := t.format(format)
			if err != nil {
				return err
			}
			name, text, err := readSchema(optional(args))
			if err != nil {
				return err
			}
			_, found := schema.Load(name, text)
			if strict {
				found = found.Strict()
			}
			if err := t.findings(found, write); err != nil {
				return err
			}
			if found.HasErrors() {
				return errFindings
			}
			if format == "text" && len(found) == 0 {
				t.say("%s is valid", name)
			}
			return nil
		},
	}
	c.Flags().StringVar(&format, "format", "text", "`how` to show findings: text, json or github")
	c.Flags().BoolVar(&strict, "strict", false, "take warnings as errors")
	// Only a format that is not one of these makes this fail, and it is checked when used.
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "json", "github"}, cobra.ShellCompDirectiveNoFileComp))
	c.AddCommand(newExplain(t))
	return c
}

// format writes findings in one of the formats.
type format func(schema.Diagnostics, *bytes.Buffer) error

func (t *terminal) format(name string) (format, error) {
	switch name {
	case "text":
		return t.writeText, nil
	case "json":
		return func(d schema.Diagnostics, b *bytes.Buffer) error { return d.WriteJSON(b) }, nil
	case "github":
		return func(d schema.Diagnostics, b *bytes.Buffer) error { return d.WriteGitHub(b) }, nil
	}
	return nil, hinted{fmt.Errorf("unknown format %q", name), "--format takes text, json or github"}
}

// writeText writes findings for people.
func (t *terminal) writeText(d schema.Diagnostics, b *bytes.Buffer) error {
	err := d.WriteText(b)
	if err == nil && colored(t.out) {
		painted := paintFindings(b.Bytes())
		b.Reset()
		b.Write(painted)
	}
	return err
}

func (t *terminal) findings(found schema.Diagnostics, write format) error {
	var b bytes.Buffer
	if err := write(found, &b); err != nil {
		return err
	}
	_, err := t.out.Write(b.Bytes())
	return err
}

// readSchema reads the schema that an argument names: a folder's, a file, or for
// "" the one of the folder around.
func readSchema(arg string) (name string, text []byte, err error) {
	info, err := os.Stat(arg)
	switch {
	case arg == "" || err == nil && info.IsDir():
		dir, err := service.Find(arg)
		if err != nil {
			return "", nil, hinted{err, "name a folder or a file that has a schema, or make a service with esgen init DIR"}
		}
		name = filepath.Join(dir, service.SchemaFile)
	case errors.Is(err, fs.ErrNotExist):
		return "", nil, fmt.Errorf("%s does not exist", arg)
	case err != nil:
		return "", nil, err
	default:
		name = filepath.Clean(arg)
	}
	text, err = os.ReadFile(name)
	return filepath.ToSlash(name), text, err
}

func newExplain(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "explain [CODE]",
		Short: "show what a rule asks for and why; without a code, list the rules",
		Args:  atMostOne("code"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var codes []string
			for _, r := range schema.Rules() {
				codes = append(codes, r.Code+"\t"+r.Title)
			}
			return codes, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				for _, r := range schema.Rules() {
					t.printf("%-24s %-8s %s\n", r.Code, r.Severity, r.Title)
				}
				return nil
			}
			rule, ok := schema.Explain(args[0])
			if !ok {
				return unknownRule(args[0])
			}
			t.printf("%s", explanation(rule))
			return nil
		},
	}
}

func unknownRule(code string) error {
	hint := "esgen explain lists the rules"
	best := 3
	for _, r := range schema.Rules() {
		if d := distance(code, r.Code); d < best {
			best, hint = d, fmt.Sprintf("did you mean %s?", r.Code)
		}
	}
	return hinted{fmt.Errorf("no rule has the code %q", code), hint}
}

func explanation(r schema.Rule) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s): %s\n", r.Code, r.Severity, r.Title)
	if r.Explanation != "" {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(r.Explanation))
	}
	for _, part := range []struct{ title, yaml string }{{"breaks the rule", r.Bad}, {"put right", r.Good}} {
		if part.yaml == "" {
			continue
		}
		fmt.Fprintf(&b, "\n%s:\n\n", part.title)
		for line := range strings.Lines(strings.TrimRight(part.yaml, "\n") + "\n") {
			b.WriteString(strings.TrimRight("    "+line, " \n") + "\n")
		}
	}
	return b.String()
}

// distance counts the edits between two words, up to their lengths.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			last, row[j+1] = row[j+1], min(last+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/esgen/esgen/esgen/internal/disk"
	"github.com/esgen/esgen/esgen/internal/plan"
	"github.com/esgen/esgen/esgen/internal/service"
	"github.com/esgen/esgen/esgen/internal/todo"
	"github.com/esgen/esgen/esgen/internal/watch"
)

func newRegenerate(t *terminal) *cobra.Command {
	r := regenerate{terminal: t}
	var check, diff, watch bool
	c := &cobra.Command{
		Use:     "regenerate [DIR]",
		Aliases: []string{"generate"},
		Short:   "bring the generated files up to date",
		Long: "regenerate brings the generated files of a service up to date with its schema: all of them or, when anything fails, none.\n\n" +
			"Files of yours are created once and never written again. A generated file that was edited by hand is left alone, and named, unless --force is given.\n\n" +
			"At the end it says what is left to do. A stub is listed while it is as esgen wrote it and sets nothing, leaves out a field because the types differ, lets the order of events show, " +
			"or belongs to a view with a field that nothing sets. One that copies all there is to copy is done; a comment in its body says of any other that it is meant to be so.",
		Args:              atMostOne("folder"),
		ValidArgsFunction: folders,
		RunE: func(c *cobra.Command, args []string) error {
			if n := count(check, diff, watch); n > 1 {
				return hinted{fmt.Errorf("--check, --diff and --watch exclude each other"), "run them one after another"}
			}
			dir, err := service.Find(optional(args))
			if err != nil {
				return hinted{err, "make a service with esgen init DIR"}
			}
			r.dir = dir
			switch {
			case check:
				return r.check()
			case diff:
				return r.diff()
			case watch:
				return r.watch(c.Context())
			}
			_, err = r.run()
			return err
		},
	}
	c.Flags().BoolVar(&check, "check", false, "change nothing, fail if something would change")
	c.Flags().BoolVar(&diff, "diff", false, "change nothing, show what would change")
	c.Flags().BoolVar(&watch, "watch", false, "do it again whenever the schema changes")
	c.Flags().BoolVar(&r.force, "force", false, "also overwrite and remove generated files that were edited by hand")
	return c
}

func count(flags ...bool) int {
	n := 0
	for _, f := range flags {
		if f {
			n++
		}
	}
	return n
}

// regenerate is the command, and what dev does on each change.
type regenerate struct {
	*terminal
	dir   string
	force bool
	brief bool // leave out what is left to do
}

// load reads the schema; findings that are errors end the command. Results of
// --diff must be a diff and nothing else, so warnings go where explanations go.
func (r *regenerate) load() (*service.Service, error) {
	s, err := service.Load(r.dir)
	if broken, ok := errors.AsType[service.RevisionsError](err); ok {
		r.printf("%v\n", broken)
		r.say("it records what is deployed, so it cannot be made again; after a merge, keep the higher revision of each view")
		return nil, errFindings
	}
	if err != nil {
		return nil, err
	}
	if s.Schema == nil {
		if err := r.findings(s.Findings, r.writeText); err != nil {
			return nil, err
		}
		r.say("nothing was changed")
		return nil, errFindings
	}
	if len(s.Findings) > 0 && !r.brief {
		r.say("%s", strings.TrimRight(s.Findings.String(), "\n"))
	}
	return s, nil
}

// plan reads the schema and the folder.
func (r *regenerate) plan() (*service.Service, *disk.Folder, *plan.Plan, error) {
	s, err := r.load()
	if err != nil {
		return nil, nil, nil, err
	}
	folder, err := disk.Open(r.dir)
	if err != nil {
		return nil, nil, nil, err
	}
	p, err := s.Plan(folder, r.force)
	if err != nil {
		folder.Close()
		return nil, nil, nil, err
	}
	for _, w := range s.Warnings {
		r.say("warning: %s", w)
	}
	if p.Salvaged {
		r.say("the manifest was not readable, as after a merge: rebuilt from what it says of each file")
	}
	for _, name := range p.Unparsed {
		r.say("%s does not parse: looked for handlers in it by name only", r.at(name))
	}
	return s, folder, p, nil
}

// run brings the files up to date.
func (r *regenerate) run() (*service.Service, error) {
	s, folder, p, err := r.plan()
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	if p.Refused() {
		r.blocked(p)
		r.say("nothing was changed")
		return nil, errFindings
	}
	if err := folder.Apply(p.Changes); err != nil {
		return nil, fmt.Errorf("nothing was changed: %w", err)
	}
	folder.Sweep(p.Dirs)
	r.summary(p)
	if !r.brief {
		list, err := s.Todo(folder, p.Manifest)
		if err != nil {
			return nil, err
		}
		r.todo(list)
	}
	if r.blocked(p) {
		return s, errFindings
	}
	return s, nil
}

// summary says what was done, and names the files that are the user's from now on.
func (r *regenerate) summary(p *plan.Plan) {
	var created, updated, removed int
	var yours []string
	for _, c := range p.Changes {
		switch {
		case c.Remove:
			removed++
		case c.Existed:
			updated++
		default:
			created++
			if p.Manifest.Created[c.Path] != nil {
				yours = append(yours, c.Path)
			}
		}
	}
	if len(p.Changes) == 0 {
		if !r.brief {
			r.say("everything is up to date")
		}
		return
	}
	var parts []string
	for _, part := range []struct {
		n    int
		done string
	}{{created, "created"}, {updated, "updated"}, {removed, "removed"}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", part.done, files(part.n)))
		}
	}
	r.say("%s", strings.Join(parts, ", "))
	for _, name := range yours {
		r.say("%s is new, and yours", r.at(name))
	}
}

func files(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}

// todo shows what is left to do.
func (r *regenerate) todo(list todo.List) {
	for _, part := range []struct {
		title string
		items []todo.Item
	}{{"stubs to fill in", list.Stubs}, {"handlers that belong to nothing", list.Orphans}, {"still under another module path", list.Moved}} {
		if len(part.items) == 0 {
			continue
		}
		r.printf("%s:\n", part.title)
		for _, i := range part.items {
			r.printf("%s:%d: %s\n", r.at(i.File), i.Line, i.Text)
		}
	}
}

// blocked names the files that stand in the way and says what to do.
func (r *regenerate) blocked(p *plan.Plan) bool {
	any := false
	for _, f := range p.Findings {
		if !f.Blocked {
			continue
		}
		any = true
		r.printf("%s: %s: %s\n", r.at(f.Path), f.State, remedy(f))
	}
	return any
}

func remedy(f plan.Finding) string {
	switch {
	case f.State == plan.Foreign:
		return "a file belongs here that esgen generates, and what is here is not esgen's: move it away"
	case f.State == plan.Extra:
		return "it says that esgen generated it, but nothing is known of it: delete it, or let --force do so"
	case !f.Wanted:
		return "the schema no longer asks for this generated file, and it was edited by hand: move your changes out and delete it, or let --force do so"
	}
	return "generated, then edited by hand: move your changes into a file of your own, then overwrite it with --force"
}

// check names every file that would change.
func (r *regenerate) check() error {
	_, folder, p, err := r.plan()
	if err != nil {
		return err
	}
	defer folder.Close()
	if len(p.Findings) == 0 {
		return nil
	}
	edited := false
	for _, f := range p.Findings {
		why := explainState(f)
		if f.Blocked {
			edited = true
			why = remedy(f)
		}
		r.printf("%s: %s: %s\n", r.at(f.Path), f.State, why)
	}
	r.say("to fix: %s", r.command())
	if edited {
		r.say("after what is edited, foreign or extra has been dealt with as said")
	}
	return errFindings
}

func explainState(f plan.Finding) string {
	switch {
	case f.State == plan.Missing:
		return "to be created"
	case !f.Wanted:
		return "to be removed"
	}
	return "to be updated"
}

func (r *regenerate) command() string {
	if r.dir == "." {
		return "esgen regenerate"
	}
	return "esgen regenerate " + filepath.ToSlash(r.dir)
}

// diff shows what would change as a unified diff.
func (r *regenerate) diff() error {
	_, folder, p, err := r.plan()
	if err != nil {
		return err
	}
	defer folder.Close()
	for _, c := range p.Changes {
		before, after := "a/"+c.Path, "b/"+c.Path
		if !c.Existed {
			before = "/dev/null"
		}
		if c.Remove {
			after = "/dev/null"
		}
		text := diff.Diff(before, c.Was, after, c.Content)
		if len(text) == 0 { // an empty file that comes or goes
			text = fmt.Appendf(nil, "diff %s %s\n--- %s\n+++ %s\n", before, after, before, after)
		}
		if colored(r.out) {
			text = paintDiff(text)
		}
		if _, err := r.out.Write(text); err != nil {
			return err
		}
	}
	for _, f := range p.Findings {
		if f.Blocked {
			r.say("%s: %s: %s", r.at(f.Path), f.State, remedy(f))
		}
	}
	if len(p.Findings) > 0 {
		return errFindings
	}
	return nil
}

// watch regenerates until the user ends it.
func (r *regenerate) watch(ctx context.Context) error {
	w := watch.New(r.dir)
	defer w.Close()
	r.say("watching %s (press Ctrl-C to stop)", filepath.ToSlash(filepath.Join(r.dir, service.SchemaFile)))
	for {
		if _, err := r.run(); err != nil && !isStatus(err) {
			r.complain(err)
		}
		// What was just written is no reason to go on.
		digest := watch.Digest(r.dir)
		for digest == watch.Digest(r.dir) {
			if w.Wait(ctx) == nil {
				return nil
			}
		}
	}
}

func isStatus(err error) bool {
	_, ok := err.(exitStatus)
	return ok
}

// at is the path of a file of the service as the user reaches it.
func (r *regenerate) at(name string) string {
	return filepath.ToSlash(filepath.Join(r.dir, filepath.FromSlash(name)))
}

// exists reports whether a path is there, whatever it is.
func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

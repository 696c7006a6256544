// Package ops is the operations program of a service, cmd/ops: it looks after the
// views of the local store, or of a deployed stack.
//
//	ops status [-full]                   how far views and consumers are
//	ops quarantine list [VIEW]           entities that a view's code cannot fold
//	ops quarantine retry [VIEW [ENTITY]] fold them again
//	ops reconcile [-full | -entities N]  fold what is known to be behind; -full compares every view with every history
//	ops rebuild VIEW                     build a new revision beside the one that readers get, and have them switch
//	ops rebuild VIEW -drop-old           drop the older revisions of a view that is rebuilt
//
// Each takes -store FILE (default .esgen/local/store.db) and -json. If a local program
// has the store open, it does the work; else the file is opened here. With -deployed STACK
// it works on the tables that the environment names as it does to the stack's own functions;
// "esgen status --stack STACK" finds them and sets it.
//
// Exit status: 0 done; 1 entities are still in quarantine, or were not folded, after a retry, a
// reconcile or a rebuild; 2 wrong usage or trouble.
package ops

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/dynamo"
	"github.com/esgen/esgen/runtime/local"
)

const usage = `usage: ops status | quarantine list [VIEW] | quarantine retry [VIEW [ENTITY]] | reconcile | rebuild VIEW
`

// Main runs the operations program of a service and ends the process. tables are the layouts of
// the views' tables in a deployed stack, without names.
func Main(m *es.Model, tables []dynamo.ViewTable) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := Run(ctx, m, tables, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// Run is Main without the process around it. It returns the exit status.
func Run(ctx context.Context, m *es.Model, tables []dynamo.ViewTable, args []string, stdout, stderr io.Writer) int {
	c := &command{model: m, tables: tables, out: stdout, errs: stderr, log: slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	findings, err := c.run(ctx, args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "ops: %s\n", strings.TrimPrefix(err.Error(), "es: "))
		return 2
	case findings:
		return 1
	}
	return 0
}

// operations are done by a program that runs, or here on the file.
type operations interface {
	// Status compares a deployed service's entities with their histories, some of them or all.
	Status(ctx context.Context, full bool) (Status, error)
	Quarantine(ctx context.Context, view string) (local.Quarantine, error)
	Retry(ctx context.Context, view, entity string) (es.Healing, error)
	Reconcile(ctx context.Context, o es.ReconcileOptions) (es.Healing, error)
	Rebuild(ctx context.Context, view string, o es.RebuildOptions) (es.Rebuilt, error)
	DropOld(ctx context.Context, view string) (local.Dropped, error)
}

const defaultStore = ".esgen/local/store.db"

type command struct {
	model  *es.Model
	tables []dynamo.ViewTable
	store  string
	stack  string // of a deployed service, else ""
	json   bool
	out    io.Writer
	errs   io.Writer
	log    *slog.Logger

	reconcile es.ReconcileOptions
	rebuild   rebuildFlags
}

// run reports whether something is left that needs the user.
func (c *command) run(ctx context.Context, args []string, stderr io.Writer) (findings bool, err error) {
	words, err := c.parse(args, stderr)
	if err != nil {
		return false, err
	}
	do := c.find(words)
	if do == nil {
		return false, fmt.Errorf("unknown command %q\n%s", strings.Join(words, " "), strings.TrimSpace(usage))
	}
	if err := c.checkFlags(words[0]); err != nil {
		return false, err
	}
	if view := viewOf(words); view != "" && !c.rebuild.dropOld { // a view that is gone can still be dropped
		if err := c.checkView(view); err != nil {
			return false, err
		}
	}
	o, done, err := c.connect()
	if err != nil {
		return false, err
	}
	findings, err = do(ctx, o)
	return findings, errors.Join(err, done())
}

// viewOf is the view that the words name, "" if they name none.
func viewOf(words []string) string {
	switch {
	case words[0] == "quarantine" && len(words) > 2:
		return words[2]
	case words[0] == "rebuild":
		return words[1]
	}
	return ""
}

// checkFlags refuses flags of another command.
func (c *command) checkFlags(word string) error {
	if word != "reconcile" && c.reconcile.Entities != 0 {
		return errors.New("-entities goes with reconcile")
	}
	if word != "reconcile" && word != "status" && c.reconcile.Full {
		return errors.New("-full goes with reconcile and status")
	}
	if c.reconcile.Entities < 0 {
		return errors.New("-entities is a number from 0")
	}
	if word != "rebuild" && c.rebuild != (rebuildFlags{}) {
		return errors.New("-rate, -parallel, -accept-quarantined and -drop-old go with rebuild")
	}
	return c.rebuild.check()
}

// checkView refuses the name of a view that the service does not have.
func (c *command) checkView(name string) error {
	var names []string
	for i := range c.model.Views {
		names = append(names, c.model.Views[i].Name)
	}
	if slices.Contains(names, name) {
		return nil
	}
	return fmt.Errorf("there is no view %q; the views are %s", name, strings.Join(names, ", "))
}

// parse takes flags before, between and behind the words.
func (c *command) parse(args []string, stderr io.Writer) (words []string, err error) {
	flags := flag.NewFlagSet("ops", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // an error says it once, and Run shows it
	flags.StringVar(&c.store, "store", defaultStore, "`file` of the store")
	flags.StringVar(&c.stack, "deployed", "", "`stack` whose tables the environment names")
	flags.BoolVar(&c.json, "json", false, "answer in JSON")
	flags.BoolVar(&c.reconcile.Full, "full", false, "reconcile: compare every view with every history; status: compare all entities of a stack, not some")
	flags.IntVar(&c.reconcile.Entities, "entities", 0, "reconcile: compare about `n` entities, from where the last such run stopped")
	c.rebuild.register(flags)
	for {
		switch err := flags.Parse(args); {
		case errors.Is(err, flag.ErrHelp):
			_, _ = io.WriteString(stderr, usage)
			flags.SetOutput(stderr)
			flags.PrintDefaults()
			return nil, err
		case err != nil:
			return nil, fmt.Errorf("%w\n%s", err, strings.TrimSpace(usage))
		}
		rest := flags.Args()
		if len(rest) == 0 {
			return words, nil
		}
		if len(rest) < len(args) && args[len(args)-len(rest)-1] == "--" {
			return append(words, rest...), nil // an id may start with a hyphen
		}
		words, args = append(words, rest[0]), rest[1:]
	}
}

// find returns what the words name, nil for what they do not.
func (c *command) find(words []string) func(context.Context, operations) (bool, error) {
	word := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	switch {
	case slices.Equal(words, []string{"status"}):
		return c.status
	case slices.Equal(words, []string{"reconcile"}):
		return func(ctx context.Context, o operations) (bool, error) { return c.healed(o.Reconcile(ctx, c.reconcile)) }
	case word(0) == "rebuild" && len(words) == 2 && c.rebuild.dropOld:
		return func(ctx context.Context, o operations) (bool, error) { return false, c.dropOld(ctx, o, word(1)) }
	case word(0) == "rebuild" && len(words) == 2:
		return func(ctx context.Context, o operations) (bool, error) { return c.rebuildView(ctx, o, word(1)) }
	case word(0) == "quarantine" && word(1) == "list" && len(words) <= 3:
		return func(ctx context.Context, o operations) (bool, error) { return false, c.list(ctx, o, word(2)) }
	case word(0) == "quarantine" && word(1) == "retry" && len(words) <= 4:
		return func(ctx context.Context, o operations) (bool, error) { return c.healed(o.Retry(ctx, word(2), word(3))) }
	}
	return nil
}

func (c *command) list(ctx context.Context, o operations, view string) error {
	q, err := o.Quarantine(ctx, view)
	if err != nil {
		return err
	}
	if c.json {
		return c.encode(q)
	}
	if len(q.Items) == 0 {
		_, err := fmt.Fprintln(c.out, "nothing is in quarantine")
		return err
	}
	t := newTable()
	t.line("VIEW", "ENTITY", "VERSION", "ATTEMPTS", "FIRST SEEN", "REASON")
	for _, i := range q.Items {
		t.line(i.View, printable(i.EntityID), i.Version, i.Attempts, i.FirstSeen.Format(clock), printable(i.Reason))
	}
	if q.More {
		t.line("and others")
	}
	return t.write(c.out)
}

// healed shows how a retry or a reconcile went.
func (c *command) healed(h es.Healing, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	left := h.Quarantined+h.Failed > 0
	if c.json {
		return left, c.encode(h)
	}
	compared := ""
	if h.Entities > 0 {
		compared = fmt.Sprintf("compared %d entities, ", h.Entities)
	}
	_, err = fmt.Fprintf(c.out, "%slooked at %d, folded %d events, released %d, still in quarantine %d, failed %d\n",
		compared, h.Looked, h.Folds, h.Released, h.Quarantined, h.Failed)
	return left, err
}

func (c *command) encode(v any) error {
	e := json.NewEncoder(c.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

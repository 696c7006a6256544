// Package cli is the command line of esgen. A command is a short story of load,
// check, plan, show, apply; the parts are in packages of their own.
//
// Results and findings go to standard output, progress and explanations to
// standard error. An error is one line, lower case, without a final full stop;
// a line with a hint may follow.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit statuses.
const (
	statusDone     = 0 // done, nothing found
	statusFindings = 1 // something is wrong with the user's files
	statusTrouble  = 2 // wrong usage, or something did not work
)

// Main runs the command with the arguments and streams of the process.
func Main() int {
	// Most commands end before collecting garbage would have paid.
	debug.SetGCPercent(400)
	// A signal ends the command after what it is writing, never in the middle.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return Run(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

// Run runs the command and returns its exit status.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	t := &terminal{out: stdout, err: stderr}
	root := newRoot(t)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var status exitStatus
	switch {
	case err == nil:
		return statusDone
	case errors.As(err, &status):
		return int(status)
	}
	t.complain(err)
	return statusTrouble
}

// exitStatus ends the command with a status when everything has been said.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// errFindings ends the command after findings have been shown.
var errFindings = exitStatus(statusFindings)

// hinted is an error with what the user may do about it.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

func newRoot(t *terminal) *cobra.Command {
	root := &cobra.Command{
		Use:           "esgen",
		Short:         "from one YAML file to an event-sourced service",
		Long:          "esgen turns one YAML file, esgen.yaml, into an event-sourced service in Go.\n\nExit status: 0 done, nothing found; 1 findings in your files; 2 wrong usage or trouble.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE:          needsCommand,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return hinted{err, fmt.Sprintf("%s --help lists the flags", c.CommandPath())}
	})
	root.AddCommand(
		newInit(t), newRegenerate(t), newValidate(t), newExplain(t), newDev(t), newUp(t),
		newStatus(t), newQuarantine(t), newReconcile(t), newRebuild(t), newRedrive(t), newDoctor(t), newVersion(t),
	)
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" { // cobra's own shows its help for a shell it does not know, with status 0
			c.Args, c.RunE = cobra.ArbitraryArgs, needsCommand
		}
	}
	return root
}

// needsCommand is the end of a command that only groups others.
func needsCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return hinted{fmt.Errorf("%s needs a command", c.CommandPath()), c.CommandPath() + " --help lists them"}
	}
	hint := c.CommandPath() + " --help lists the commands"
	c.SuggestionsMinimumDistance = 2
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return hinted{fmt.Errorf("%s has no command %q", c.CommandPath(), args[0]), hint}
}

// atMostOne takes one optional argument, "" without one.
func atMostOne(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) > 1 {
			return hinted{fmt.Errorf("%s takes one %s, not %d", c.CommandPath(), what, len(args)), c.CommandPath() + " --help"}
		}
		if len(args) == 1 && args[0] == "" {
			return fmt.Errorf("%s is empty", what)
		}
		return nil
	}
}

func optional(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// folders completes the name of a folder.
func folders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

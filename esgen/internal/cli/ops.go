package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/esgen/esgen/esgen/internal/deployed"
	"github.com/esgen/esgen/esgen/internal/service"
)

func newStatus(t *terminal) *cobra.Command {
	c := operation(t, "status [--full]", "status", "how far the views are, and what is wrong with them", done)
	c.Long = statusHelp + "\n\n" + c.Long
	return c
}

const statusHelp = `BEHIND counts the entities with events that a view has yet to fold, and says how old the oldest of these is. Of a
deployed service it compares a thousand entities, from a random place: seconds, and some thousand read units for each view. With --full it
compares all: a scan of the entities' ids and a read of every record, so on a large service it takes long and costs. The counts of
what is in quarantine, to reconcile and given up are always of all.`

func newReconcile(t *terminal) *cobra.Command {
	c := operation(t, "reconcile [--full | --entities N]", "reconcile", "bring views up to date with the stored events", doneOrNot)
	c.Long = reconcileHelp + "\n\n" + c.Long
	return c
}

const reconcileHelp = `Most of what a stream loses is mended by the entity's next event. reconcile mends the rest.

Without --full it folds the entities that are known to be behind: those that a projector had no time for, and those whose
quarantine is half written. It costs a look at that list, and the events that are missing: nothing when nothing is behind.
With --full it compares every entity's position in every view with its history, and finds what nobody knows of, such as batches
that a stream gave up: a scan of the entities' ids, a read of every record's position, and the events that are missing.
With --entities it does that for about N entities, from where the last such run stopped: on a schedule, it comes round to all.`

func newQuarantine(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "quarantine",
		Short: "entities that a view could not fold",
		Args:  cobra.ArbitraryArgs,
		RunE:  needsCommand,
	}
	c.AddCommand(
		operation(t, "list [VIEW]", "quarantine list", "list the entities that a view could not fold, and why", done),
		operation(t, "retry [VIEW [ENTITY]]", "quarantine retry", "fold them again", doneOrNot),
	)
	return c
}

// Exit statuses of operations.
const (
	done      = "0 done"
	doneOrNot = "0 done, 1 something is still in quarantine or failed"
)

const operationHelp = `It builds and runs the service's own program, cmd/ops, in the service's folder, against the store of esgen dev:
--store names another than .esgen/local/store.db, --json answers in JSON. A running service does the work itself.

With --stack it works on that deployed stack, SERVICE-STAGE, with the AWS configuration of your environment.`

// helpOn is what commands say of working on a deployed stack.
func helpOn(words string) string {
	return "Permissions that it takes on a stack:\n" + deployed.PermissionsText(words)
}

// operation is a command of the service's own program cmd/ops, which alone knows
// the service's code. What flags it takes is for that program to say.
func operation(t *terminal, use, words, short, status string) *cobra.Command {
	return &cobra.Command{
		Use:                   use + " [--stack NAME | --store FILE] [--json]",
		DisableFlagsInUseLine: true,
		Short:                 short,
		Long:                  short + ".\n\n" + operationHelp + "\n\n" + helpOn(words) + "\nExit status: " + status + ", 2 wrong usage or trouble.",
		DisableFlagParsing:    true,
		RunE: func(c *cobra.Command, args []string) error {
			if slices.Contains(args, "-h") || slices.Contains(args, "--help") {
				return c.Help()
			}
			dir, err := service.Find("")
			if err != nil {
				return hinted{err, "run it in the folder of a service"}
			}
			stack, args, err := takeStack(args)
			if err != nil {
				return err
			}
			args = append(strings.Fields(words), args...)
			if stack == "" {
				return runOps(c.Context(), t, dir, args, nil)
			}
			return runOpsOn(c.Context(), t, dir, stack, args)
		},
	}
}

// takeStack takes the flag --stack out of arguments that are the program's to understand.
func takeStack(args []string) (stack string, rest []string, err error) {
	for i := 0; i < len(args); i++ {
		name, value, assigned := strings.Cut(args[i], "=")
		switch {
		case args[i] == "--":
			return stack, append(rest, args[i:]...), nil
		case name != "--stack" && name != "-stack":
			rest = append(rest, args[i])
			continue
		case !assigned && i+1 < len(args):
			i++
			value = args[i]
		}
		if value == "" {
			return "", nil, hinted{errors.New("--stack needs the name of a stack"), "a service's stack is called SERVICE-STAGE, such as orders-dev"}
		}
		stack = value
	}
	return stack, rest, nil
}

// runOpsOn runs cmd/ops on a deployed stack, whose tables it finds in its environment.
func runOpsOn(ctx context.Context, t *terminal, dir, name string, args []string) error {
	stack, err := deployed.Find(ctx, name)
	if err != nil {
		return err
	}
	environment, err := stack.Environment(ctx)
	if err != nil {
		return err
	}
	if args[0] == "status" {
		environment = append(environment, countUndelivered(ctx, t, stack)...)
	}
	err = runOps(ctx, t, dir, append([]string{"-deployed", name}, args...), environment)
	if err == nil && (args[0] == "status" || args[0] == "rebuild") {
		noteDeployed(t, dir, environment)
	}
	return err
}

// countUndelivered tells cmd/ops what it cannot see. Who may not see that either is still told the rest.
func countUndelivered(ctx context.Context, t *terminal, stack *deployed.Stack) []string {
	undelivered, err := stack.Undelivered(ctx)
	var text []byte
	if err == nil {
		text, err = json.Marshal(undelivered)
	}
	if err != nil {
		t.say("what streams and queues gave up is not known: %v", err)
		return nil
	}
	return []string{"ESGEN_UNDELIVERED=" + string(text)}
}

// runOps builds cmd/ops and runs it, with variables beside those of this process. "go run" would do both,
// and lose the exit status.
func runOps(ctx context.Context, t *terminal, dir string, args, environment []string) error {
	bin := filepath.Join(dir, ".esgen", "local", "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	program, err := filepath.Abs(filepath.Join(bin, "ops.exe"))
	if err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", program, "./cmd/ops")
	build.Dir, build.Stdout, build.Stderr = dir, t.err, t.err
	if err := build.Run(); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return hinted{errors.New("the service's operations program does not build"), "see what the go command says above"}
		}
		return fmt.Errorf("building the service's operations program: %w", err)
	}
	ops := exec.Command(program, args...)
	ops.Dir, ops.Stdin, ops.Stdout, ops.Stderr = dir, os.Stdin, t.out, t.err
	ops.Env = append(os.Environ(), environment...)
	if err := ops.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = ops.Process.Signal(os.Interrupt) })
	defer stop()
	err = ops.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		return exitStatus(exit.ExitCode())
	}
	return err
}

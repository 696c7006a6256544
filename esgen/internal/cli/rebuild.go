package cli

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/esgen/esgen/esgen/internal/service"
	"github.com/esgen/esgen/templates"
)

const rebuildHelp = `rebuild folds all entities into the new revision of a view, beside the service, and then has readers get it.

A view's new revision is a new table. New events are folded into it from its deployment on; readers go on getting
the revision before, as it stood. A rebuild brings in everything older. It can be stopped at any moment: run again, it goes on
where it stopped, and several may run at once. When all is folded, readers switch by themselves, within seconds.
What cannot be folded goes into quarantine and does not stop it; but if readers would lose sight of an
entity that they see now, they do not switch: mend the code, or say --accept-quarantined.

It reads every event once and writes every record at least once. --rate holds it to so many events a second,
--parallel says how many parts of the entities it works on at once (4), --json answers in JSON. Progress goes to
standard error. esgen status says what is due, how far a rebuild is, and which revision readers get.

In a view without a revision before, which is read from the start, a rebuild brings in the entities that have had no event since the
view was deployed. esgen dev needs none: it folds a changed view anew by itself.

--drop-old is the explicit last step. Here it drops the older revisions' tables. With --stack it takes them
out of .esgen/revisions.json: then esgen regenerate, and the next deployment of each stage removes their tables. Until then a
stage can go back to them. Said again after the deployment it forgets how far they were folded, too. So first rebuild every stage. --record does only the latter,
for what was never deployed; for a view that the schema no longer has, that is all there is to do, and should it
come back, it begins with a revision that it never had.

--accept-code says that the view's code has changed and its records do not come out differently: esgen regenerate
warns of a view whose code is not what it was when esgen status or rebuild first saw its revision in a stack.`

func newRebuild(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use: "rebuild VIEW [--rate N] [--parallel N] [--accept-quarantined] [--json] [--stack NAME | --store FILE]\n" +
			"  esgen rebuild VIEW --drop-old [--record] [--json] [--stack NAME | --store FILE]\n" +
			"  esgen rebuild VIEW --accept-code",
		DisableFlagsInUseLine: true,
		Short:                 "build a view's new revision beside the one that readers get, and have them switch",
		Long:                  rebuildHelp + "\n\n" + operationHelp + "\n\n" + helpOn("rebuild") + "\nExit status: " + doneOrNot + ", 2 wrong usage or trouble.",
		DisableFlagParsing:    true,
		RunE: func(c *cobra.Command, args []string) error {
			if slices.Contains(args, "-h") || slices.Contains(args, "--help") {
				return c.Help()
			}
			return rebuild(c.Context(), t, args)
		},
	}
}

func rebuild(ctx context.Context, t *terminal, args []string) error {
	dir, err := service.Find("")
	if err != nil {
		return hinted{err, "run it in the folder of a service"}
	}
	stack, args, err := takeStack(args)
	if err != nil {
		return err
	}
	record, args := takeFlag(args, "record")
	accept, args := takeFlag(args, "accept-code")
	view := viewArgument(args)
	if view == "" {
		return hinted{errors.New("esgen rebuild needs the name of a view"), "esgen status lists them"}
	}
	dropOld, rest := takeFlag(args, "drop-old")
	switch {
	case accept && (record || dropOld || stack != "" || len(rest) > 1):
		return errors.New("--accept-code goes with nothing but the name of a view")
	case accept:
		if err := service.AcceptCode(dir, view); err != nil {
			return err
		}
		t.say("noted in %s: the code of the view %s as it is now makes the records of its revision", templates.RevisionsPath, view)
		return nil
	case record && !dropOld:
		return errors.New("--record goes with --drop-old")
	case dropOld && (record || service.RemovedView(dir, view)):
		return dropRecord(t, dir, view)
	}
	args = append([]string{"rebuild"}, args...)
	if stack == "" {
		return runOps(ctx, t, dir, args, nil)
	}
	if err := runOpsOn(ctx, t, dir, stack, args); err != nil || !dropOld {
		return err
	}
	return dropRecord(t, dir, view)
}

// dropRecord takes a view's older revisions out of the record, or a view that is gone.
func dropRecord(t *terminal, dir, view string) error {
	var dropped templates.DroppedRevisions
	err := service.EditRecord(dir, func(record []byte) (text []byte, err error) {
		text, dropped, err = templates.DropRevisions(record, view)
		return text, err
	})
	if err != nil {
		return err
	}
	if len(dropped.Revisions) == 0 {
		t.say("%s has no older revision of the view %s", templates.RevisionsPath, view)
		return nil
	}
	var numbers []string
	for _, n := range dropped.Revisions {
		numbers = append(numbers, strconv.Itoa(n))
	}
	t.say("taken out of %s: revision %s of the view %s. After esgen regenerate, the next deployment of each stage "+
		"removes the tables: first make sure that every stage is rebuilt (esgen status --stack NAME)",
		templates.RevisionsPath, strings.Join(numbers, " and "), view)
	return nil
}

// takeFlag takes a flag without a value out of arguments.
func takeFlag(args []string, name string) (given bool, rest []string) {
	for i, arg := range args {
		switch {
		case arg == "--":
			return given, append(rest, args[i:]...)
		case arg == "--"+name || arg == "-"+name:
			given = true
		default:
			rest = append(rest, arg)
		}
	}
	return given, rest
}

// viewArgument is the first argument that is neither a flag nor the value of one.
func viewArgument(args []string) string {
	for i := 0; i < len(args); i++ {
		name, isFlag := strings.CutPrefix(args[i], "-")
		if !isFlag {
			return args[i]
		}
		switch strings.TrimPrefix(name, "-") {
		case "rate", "parallel", "store":
			i++
		}
	}
	return ""
}

// noteDeployed keeps in the record what code the revisions have that a stack was seen to have, so that a
// change of the code alone is noticed. It is a help only: trouble is said, and is none of the operation's.
func noteDeployed(t *terminal, dir string, environment []string) {
	revisions := map[string]int{}
	for _, variable := range environment {
		tables, ok := strings.CutPrefix(variable, "ESGEN_VIEWS=")
		if !ok {
			continue
		}
		for word := range strings.FieldsSeq(tables) {
			table, _, _ := strings.Cut(word, "=")
			dot := strings.LastIndexByte(table, '.')
			if revision, err := strconv.Atoi(table[dot+1:]); err == nil && dot > 0 {
				revisions[table[:dot]] = max(revisions[table[:dot]], revision)
			}
		}
	}
	changed, err := service.NoteDeployed(dir, revisions)
	if err != nil {
		t.say("%s: what is deployed was not noted: %v", templates.RevisionsPath, err)
	} else if len(changed) > 0 {
		t.say("noted in %s which code the deployed revision has of: %s", templates.RevisionsPath, strings.Join(changed, ", "))
	}
}

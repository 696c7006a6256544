package ops

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	es "github.com/esgen/esgen/runtime"
)

// rebuildFlags are the flags of rebuild alone.
type rebuildFlags struct {
	rate     float64
	parallel int
	accept   bool
	dropOld  bool
}

func (f *rebuildFlags) register(flags *flag.FlagSet) {
	flags.Float64Var(&f.rate, "rate", 0, "rebuild: read at most so many `events` a second; 0: as many as possible")
	flags.IntVar(&f.parallel, "parallel", 0, "rebuild: work on `n` parts of the entities at once (default 4)")
	flags.BoolVar(&f.accept, "accept-quarantined", false, "rebuild: let readers switch even if they lose sight of entities that cannot be folded")
	flags.BoolVar(&f.dropOld, "drop-old", false, "rebuild: drop what older revisions of the view have; nothing is rebuilt")
}

func (f *rebuildFlags) check() error {
	switch {
	case !(f.rate >= 0 && f.rate <= 1e9):
		return errors.New("-rate is a number of events a second, from 0")
	case f.parallel < 0 || f.parallel > 1000:
		return errors.New("-parallel is a number from 1 to 1000")
	case f.dropOld && *f != rebuildFlags{dropOld: true}:
		return errors.New("-drop-old rebuilds nothing, so it goes with none of -rate, -parallel, -accept-quarantined")
	}
	return nil
}

// rebuildView rebuilds a view and reports whether something is left for the user.
func (c *command) rebuildView(ctx context.Context, o operations, view string) (bool, error) {
	bar := newBar(c.errs)
	done, err := o.Rebuild(ctx, view, es.RebuildOptions{
		Rate: c.rebuild.rate, Parallel: c.rebuild.parallel, Accept: c.rebuild.accept, Progress: bar.show,
	})
	bar.end()
	if err != nil {
		if ctx.Err() != nil {
			return false, errors.New("stopped; run it again, it goes on from here")
		}
		return false, err
	}
	left := done.Quarantined+done.Left > 0
	if c.json {
		return left, c.encode(done)
	}
	_, err = c.out.Write([]byte(rebuiltText(&done)))
	return left, err
}

func rebuiltText(done *es.Rebuilt) string {
	var b strings.Builder
	state := "is complete, and readers get it"
	if done.Held() {
		state = fmt.Sprintf("is folded, but readers still get revision %d", done.Active)
	}
	fmt.Fprintf(&b, "revision %d of the view %s %s: looked at %d entities, folded %d events, in quarantine %d\n",
		done.Revision, done.View, state, done.Entities, done.Folds, done.Quarantined)
	if done.Held() {
		b.WriteString("with it they would lose sight of:\n")
		for i := range done.Worse {
			q := &done.Worse[i]
			fmt.Fprintf(&b, "  %s, from version %d on: %s\n", printable(q.EntityID), q.Version, printable(q.Reason))
		}
		if done.Left > 0 {
			fmt.Fprintf(&b, "  %d entities whose histories lack an event or have one that is damaged\n", done.Left)
		}
		b.WriteString("mend the view's code, deploy it, run quarantine retry and this again; or have readers switch anyway: -accept-quarantined\n")
	} else if done.Quarantined > 0 {
		b.WriteString("quarantine list says why\n")
	}
	return b.String()
}

func (c *command) dropOld(ctx context.Context, o operations, view string) error {
	dropped, err := o.DropOld(ctx, view)
	if err != nil {
		return err
	}
	if c.json {
		return c.encode(dropped)
	}
	if len(dropped.Revisions)+len(dropped.Retired) == 0 {
		_, err = fmt.Fprintf(c.out, "the view %s has no older revision\n", view)
		return err
	}
	for _, revision := range dropped.Revisions {
		if _, err := fmt.Fprintf(c.out, "dropped revision %d of the view %s\n", revision, view); err != nil {
			return err
		}
	}
	for _, revision := range dropped.Retired {
		_, err := fmt.Fprintf(c.out, "revision %d of the view %s is needed no more; a deployment takes its table away, after which this, said again, forgets how far it was folded\n",
			revision, view)
		if err != nil {
			return err
		}
	}
	return nil
}

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/esgen/esgen/esgen/internal/deployed"
)

const redriveHelp = `redrive has delivered again what was given up after all its tries: batches of the streams, and the dead letters of
consumers behind a queue. First mend what they failed of. What had been done already is not done twice.

  esgen redrive --stack NAME --list             what there is, and why; nothing is delivered
  esgen redrive --stack NAME                    everything
  esgen redrive --stack NAME batches            the batches of the streams
  esgen redrive --stack NAME aws/lambda/…       one batch, by the key that --list shows
  esgen redrive --stack NAME mailer --limit 1   one dead letter of a consumer, to see it go well before the others

--limit holds it to so many batches, and to so many dead letters of each consumer. A batch that is refused again
stays where it is. Dead letters go back to the queue that they come from; without --limit SQS moves them, in the background.`

const redriveStatus = `Exit status: 0 done, 1 something was refused again, 2 wrong usage or trouble.`

func newRedrive(t *terminal) *cobra.Command {
	r := redrive{terminal: t}
	c := &cobra.Command{
		Use:                   "redrive --stack NAME [--list] [--limit N] [--json] [batches | KEY | CONSUMER ...]",
		Short:                 "have delivered again what streams and queues of a deployed stack gave up",
		Long:                  redriveHelp + "\n\n" + helpOn("redrive") + "\n" + redriveStatus,
		DisableFlagsInUseLine: true,
		RunE:                  func(c *cobra.Command, args []string) error { return r.run(c.Context(), args) },
	}
	c.Flags().StringVar(&r.stack, "stack", "", "`name` of the deployed stack, SERVICE-STAGE")
	c.Flags().BoolVar(&r.list, "list", false, "show what there is, the first 100 batches unless --limit says otherwise, and deliver nothing")
	c.Flags().IntVar(&r.limit, "limit", 0, "deliver at most `n` batches, and n dead letters of each consumer")
	c.Flags().BoolVar(&r.json, "json", false, "answer in JSON")
	return c
}

type redrive struct {
	*terminal
	stack string
	list  bool
	limit int
	json  bool
}

func (r *redrive) run(ctx context.Context, args []string) error {
	if r.stack == "" {
		return hinted{errors.New("esgen redrive needs --stack"), "a local service delivers until it succeeds: there is nothing to redrive; a service's stack is called SERVICE-STAGE"}
	}
	if r.limit < 0 {
		return errors.New("--limit is a number from 1")
	}
	stack, err := deployed.Find(ctx, r.stack)
	if err != nil {
		return err
	}
	if r.list {
		return r.show(ctx, stack, args)
	}
	did, err := stack.Redrive(ctx, deployed.RedriveOptions{Only: args, Limit: r.limit, Refused: func(key string, err error) { r.say("%s: %v", key, err) }})
	if err != nil {
		return err
	}
	if r.json {
		err = r.encode(did)
	} else {
		if len(args) == 0 || len(args) > len(did.DeadLetters) { // else only consumers were named
			r.printf("batches delivered %d, refused again %d\n", did.Batches, did.Failed)
		}
		for _, consumer := range slices.Sorted(maps.Keys(did.DeadLetters)) {
			r.printf("dead letters of %s on their way back: %s%d\n", consumer, r.about(), did.DeadLetters[consumer])
		}
	}
	if err == nil && did.Failed > 0 {
		return errFindings
	}
	return err
}

// about is said of numbers that SQS only guesses.
func (r *redrive) about() string {
	if r.limit > 0 {
		return ""
	}
	return "about "
}

func (r *redrive) encode(v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		r.printf("%s\n", text)
	}
	return err
}

// listed is how many batches are shown unless the user says otherwise: each is read.
const listed = 100

func (r *redrive) show(ctx context.Context, stack *deployed.Stack, only []string) error {
	limit := r.limit
	if limit == 0 {
		limit = listed
	}
	waiting, err := stack.Waiting(ctx, only, limit)
	if err != nil {
		return err
	}
	if r.json {
		return r.encode(waiting)
	}
	table := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', 0)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(table, format+"\n", args...) }
	if len(waiting.Batches) > 0 {
		line("GIVEN UP\tFUNCTION\tRECORDS\tWHY\tBATCH")
	}
	for _, b := range waiting.Batches {
		at := "?"
		if !b.GivenUp.IsZero() {
			at = b.GivenUp.Format(time.RFC3339)
		}
		line("%s\t%s\t%d\t%s\t%s", at, b.Function, b.Records, b.Why, b.Key)
	}
	if waiting.More {
		line("and others: --limit shows more")
	}
	dead := 0
	for _, consumer := range slices.Sorted(maps.Keys(waiting.DeadLetters)) {
		if n := waiting.DeadLetters[consumer]; n > 0 {
			line("dead letters of %s: about %d", consumer, n)
			dead += n
		}
	}
	if len(waiting.Batches)+dead == 0 {
		line("nothing was given up")
	}
	return table.Flush()
}

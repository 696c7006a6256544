package cli

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/esgen/esgen/esgen/internal/deployed"
)

func newRedrive(t *terminal) *cobra.Command {
	r := redrive{terminal: t}
	c := &cobra.Command{
		Use:   "redrive --stack NAME [batches | CONSUMER ...]",
		Short: "have delivered again what streams and queues of a deployed stack gave up",
		Long: "redrive has delivered again what was given up after all its tries: batches of the streams, and the dead letters\n" +
			"of consumers behind a queue; everything, or only what is named. What had been done already is not done twice.\n\n" +
			"Exit status: 0 done, 1 something was refused again, 2 wrong usage or trouble.",
		DisableFlagsInUseLine: true,
		RunE:                  func(c *cobra.Command, args []string) error { return r.run(c, args) },
	}
	c.Flags().StringVar(&r.stack, "stack", "", "`name` of the deployed stack, SERVICE-STAGE")
	c.Flags().BoolVar(&r.json, "json", false, "answer in JSON")
	return c
}

type redrive struct {
	*terminal
	stack string
	json  bool
}

func (r *redrive) run(c *cobra.Command, args []string) error {
	if r.stack == "" {
		return hinted{errors.New("esgen redrive needs --stack"), "a local service delivers until it succeeds: there is nothing to redrive; a service's stack is called SERVICE-STAGE"}
	}
	stack, err := deployed.Find(c.Context(), r.stack)
	if err != nil {
		return err
	}
	did, err := stack.Redrive(c.Context(), args, func(key string, err error) { r.say("%s: %v", key, err) })
	if err != nil {
		return err
	}
	if r.json {
		text, err := json.MarshalIndent(did, "", "  ")
		if err != nil {
			return err
		}
		r.printf("%s\n", text)
	} else {
		r.printf("batches delivered %d, refused again %d\n", did.Batches, did.Failed)
		for _, consumer := range slices.Sorted(maps.Keys(did.DeadLetters)) {
			r.printf("dead letters of %s on their way back: about %d\n", consumer, did.DeadLetters[consumer])
		}
	}
	if did.Failed > 0 {
		return errFindings
	}
	return nil
}

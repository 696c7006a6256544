package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/esgen/esgen/esgen/internal/dev"
	"github.com/esgen/esgen/esgen/internal/service"
	"github.com/esgen/esgen/schema"
)

func newDev(t *terminal) *cobra.Command {
	var port int
	c := &cobra.Command{
		Use:   "dev [DIR]",
		Short: "build and run the service here, and again on each change",
		Long: "dev builds and runs the service here on an embedded store, .esgen/local/store.db. When the schema or the code changes it regenerates, builds and reloads, and folds changed views again; a change that does not build leaves the last good service running.\n\n" +
			"It serves this machine only and authenticates nobody; the actor is \"local\".",
		Args:              atMostOne("folder"),
		ValidArgsFunction: folders,
		RunE: func(c *cobra.Command, args []string) error {
			if port < 0 || port > 65535 {
				return fmt.Errorf("--port %d: a port is a number from 0 to 65535, 0 takes a free one", port)
			}
			dir, err := service.Find(optional(args))
			if err != nil {
				return hinted{err, "make a service with esgen init DIR"}
			}
			// Findings are part of the story of what happened, so they go where it is told.
			r := regenerate{terminal: &terminal{out: t.err, err: t.err}, dir: dir, brief: true}
			return dev.Run(c.Context(), dev.Options{
				Dir: dir, Port: port, Out: t.out, Log: t.err,
				Regenerate: func() *schema.Service { return r.forDev() },
			})
		},
	}
	c.Flags().IntVar(&port, "port", 8080, "`port` to serve on")
	return c
}

// forDev regenerates and returns the schema, nil when the user is needed first.
func (r *regenerate) forDev() *schema.Service {
	s, err := r.run()
	if err != nil {
		var status exitStatus
		if !errors.As(err, &status) {
			r.complain(err)
		}
		// What is left over of older schemas need not stop anyone.
		if s == nil {
			return nil
		}
	}
	return s.Schema
}

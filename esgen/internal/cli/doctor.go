package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/esgen/esgen/esgen/internal/doctor"
	"github.com/esgen/esgen/esgen/internal/service"
)

func newDoctor(t *terminal) *cobra.Command {
	var asJSON bool
	var port int
	c := &cobra.Command{
		Use:               "doctor [DIR]",
		Short:             "look at what a service needs on this machine",
		Args:              atMostOne("folder"),
		ValidArgsFunction: folders,
		RunE: func(c *cobra.Command, args []string) error {
			dir, err := service.Find(optional(args))
			if err != nil && !(errors.Is(err, service.ErrNoSchema) && len(args) == 0) {
				return err
			}
			report := doctor.Examine(c.Context(), dir, port)
			if asJSON {
				if err := t.json(report); err != nil {
					return err
				}
			} else {
				t.checkup(report)
			}
			if !report.Healthy() {
				return errFindings
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "answer as JSON")
	c.Flags().IntVar(&port, "port", 8080, "`port` that esgen dev would serve on")
	return c
}

func (t *terminal) checkup(report doctor.Report) {
	colors := map[doctor.Verdict]string{doctor.Fine: green, doctor.Note: yellow, doctor.Problem: red}
	for _, c := range report.Checks {
		from, to := "", ""
		if colored(t.out) {
			from, to = colors[c.Verdict], plain
		}
		t.printf("%s%-8s%s %-16s %s\n", from, c.Verdict, to, c.Name, c.Found)
		if c.Remedy != "" {
			t.printf("%-8s %-16s %s\n", "", "", "→ "+c.Remedy)
		}
	}
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/esgen/esgen/esgen/internal/dev"
	"github.com/esgen/esgen/esgen/internal/service"
	"github.com/esgen/esgen/esgen/internal/up"
	"github.com/esgen/esgen/runtime/dynamo/dynamolocal"
	"github.com/esgen/esgen/schema"
)

func newUp(t *terminal) *cobra.Command {
	var port int
	var stage string
	c := &cobra.Command{
		Use:   "up [DIR]",
		Short: "run the service's stack here, as it would be deployed",
		Long: "up builds the functions and the CDK app, synthesizes the stack and stands it up on this machine: each function is a process behind the Lambda Runtime API, the tables are in Amazon's DynamoDB Local, the gateway enforces auth, and what functions may do is what their roles say. It needs Linux, Node.js and Java, no account and no container.\n\n" +
			"Nothing is kept: the tables are empty at the start and gone at the end.",
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
			s := r.forDev()
			if s == nil {
				return errFindings
			}
			err = standUp(c.Context(), t, dir, s, port, stage)
			if c.Context().Err() != nil {
				return nil // stopped, at whatever point
			}
			return remedied(err)
		},
	}
	c.Flags().IntVar(&port, "port", 8080, "`port` of the API")
	c.Flags().StringVar(&stage, "stage", "dev", "`name` of the stage to stand up")
	return c
}

// remedied says how to get what a machine lacks.
func remedied(err error) error {
	if missing, ok := errors.AsType[*up.MissingError](err); ok {
		return hinted{err, missing.Install}
	}
	if _, ok := errors.AsType[*dynamolocal.MissingError](err); ok {
		return hinted{err, dynamolocal.Install}
	}
	return err
}

// embeddedMetrics is how lines begin that are for CloudWatch, not for people.
const embeddedMetrics = `{"_aws":`

// standUp runs a stack until ctx ends.
func standUp(ctx context.Context, t *terminal, dir string, s *schema.Service, port int, stage string) error {
	// What is missing is said before anything takes its time.
	if err := up.CheckMachine(port); err != nil {
		return err
	}
	dynamoDB, err := dynamolocal.Endpoint()
	if err != nil {
		return err
	}
	t.say("building the functions and the CDK app; the first time this takes minutes")
	assembly, err := up.Synthesize(ctx, dir, stage, t.err)
	if err != nil {
		return err
	}
	t.say("standing up the stack %s-%s", s.Name, stage)
	var mu sync.Mutex // functions write at the same time
	stand, err := up.Start(ctx, up.Options{
		Dir: assembly, Stacks: []string{s.Name + "-" + stage}, Port: port, DynamoDB: dynamoDB,
		Log: func(source, line string) {
			if strings.HasPrefix(line, embeddedMetrics) {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			t.say("%s | %s", source, line)
		},
	})
	if err != nil {
		return err
	}
	defer stand.Close()
	t.printf("%s", greetingOf(s, stand))
	<-ctx.Done()
	t.say("stopping")
	return nil
}

// greetingOf says where the service is and how to call it, with what its auth asks for.
func greetingOf(s *schema.Service, stand *up.Stand) string {
	if stand.URL == "" {
		return s.Name + " is up, without an API (press Ctrl-C to stop)\n"
	}
	credentials, note := "", ""
	switch s.API.Auth {
	case schema.AuthIAM:
		credentials = fmt.Sprintf("--aws-sigv4 aws:amz:%s:execute-api --user %s:%s ", stand.Region, stand.Credentials.AccessKeyID, stand.Credentials.SecretAccessKey)
	case schema.AuthJWT:
		credentials = `-H "Authorization: Bearer $TOKEN" `
		note = "TOKEN is a token of " + s.API.JWT.Issuer + ".\n"
	case schema.AuthCustom:
		note = "Add what the authorizer in authorizer/ asks for.\n"
	}
	return strings.ReplaceAll(dev.Greeting(s, stand.URL), "curl -sS ", "curl -sS "+credentials) + note
}

// Package deployed finds a deployed stack of a service and does from outside what needs none
// of the service's own code: it names the stack's tables to the operations program, and has what
// streams and queues have given up delivered again.
package deployed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/smithy-go"
)

// Stack is a deployed stack.
type Stack struct {
	Name  string
	parts parts
	aws   aws.Config
}

// parts is what the stack's output Operations says.
type parts struct {
	Service  string `json:"service"`
	Stage    string `json:"stage"`
	Events   string `json:"events"`
	Progress string `json:"progress"`
	Views    string `json:"views"` // as the functions' ESGEN_VIEWS
	GivenUp  string `json:"givenUp"`
	// Functions are the physical names by what they are: "projector", "consumer-x".
	Functions map[string]string `json:"functions"`
	// DeadLetters are the URLs of queues by consumer.
	DeadLetters map[string]string `json:"deadLetters"`
}

const operationsOutput = "Operations"

// NotFoundError: there is no such stack, where the caller's configuration looks.
type NotFoundError struct{ Name, Region string }

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("there is no stack %q in %s, or it may not be seen with these credentials", e.Name, e.Region)
}

// Find finds a stack with the caller's own AWS configuration: environment, profile, SSO.
func Find(ctx context.Context, name string) (*Stack, error) {
	configured, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("AWS configuration: %w", err)
	}
	if configured.Region == "" {
		return nil, errors.New("no AWS region is configured: set AWS_REGION, or a profile with one")
	}
	out, err := cloudformation.NewFromConfig(configured).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if e, ok := errors.AsType[smithy.APIError](err); ok && e.ErrorCode() == "ValidationError" && strings.Contains(e.ErrorMessage(), "does not exist") {
		return nil, &NotFoundError{name, configured.Region}
	}
	if err != nil {
		return nil, fmt.Errorf("describe the stack %q: %w", name, err)
	}
	for _, stack := range out.Stacks {
		for _, output := range stack.Outputs {
			if aws.ToString(output.OutputKey) != operationsOutput {
				continue
			}
			s := &Stack{Name: name, aws: configured}
			if err := json.Unmarshal([]byte(aws.ToString(output.OutputValue)), &s.parts); err != nil {
				return nil, fmt.Errorf("the output %s of the stack %q cannot be read: %w", operationsOutput, name, err)
			}
			return s, nil
		}
	}
	return nil, fmt.Errorf("the stack %q has no output %s: it is not one of a service, or the one with its tables; the stack is called SERVICE-STAGE", name, operationsOutput)
}

// Service is the name of the service that the stack is of.
func (s *Stack) Service() string { return s.parts.Service }

// Environment is what the operations program finds the tables by, with the caller's
// credentials: whatever they come from, it understands only the environment.
func (s *Stack) Environment(ctx context.Context) ([]string, error) {
	keys, err := s.aws.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("AWS credentials: %w", err)
	}
	return []string{
		"AWS_REGION=" + s.aws.Region, "AWS_ACCESS_KEY_ID=" + keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + keys.SecretAccessKey,
		"AWS_SESSION_TOKEN=" + keys.SessionToken,
		"ESGEN_EVENTS=" + s.parts.Events, "ESGEN_PROGRESS=" + s.parts.Progress, "ESGEN_VIEWS=" + s.parts.Views,
	}, nil
}

// consumers are those with a queue for dead letters, sorted.
func (s *Stack) consumers() []string { return slices.Sorted(maps.Keys(s.parts.DeadLetters)) }

// owns reports whether a function, by its ARN or name, is one of the stack's.
func (s *Stack) owns(function string) bool { return s.part(function) != "" }

// called is what a function is called in the app, or its ARN if it is none of the stack's.
func (s *Stack) called(function string) string {
	if part := s.part(function); part != "" {
		return part
	}
	return function
}

// part is what a function of the stack is, by its ARN or name; "" for others.
func (s *Stack) part(function string) string {
	name := function
	if _, after, ok := strings.Cut(function, ":function:"); ok {
		name, _, _ = strings.Cut(after, ":")
	}
	for part, own := range s.parts.Functions {
		if own == name {
			return part
		}
	}
	return ""
}

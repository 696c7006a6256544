package up

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/esgen/esgen/esgen/internal/assembly"
	"github.com/esgen/esgen/esgen/internal/cloud/cloudformation"
	"github.com/esgen/esgen/esgen/internal/cloud/lambda"
)

func makeFunction(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	f := lambda.Function{
		Handler: p.String("Handler"), Timeout: time.Duration(p.Int("Timeout", 3)) * time.Second, MemoryMB: p.Int("MemorySize", 128),
		Concurrency: p.Int("ReservedConcurrentExecutions", 0), Environment: p.Object("Environment").Texts("Variables"),
		Architectures: p.Strings("Architectures"),
	}
	name, roleARN := p.String("FunctionName"), p.Needed("Role")
	p.Choice("PackageType", "Zip")
	p.Choice("Runtime", "provided.al2023", "provided.al2")
	p.Ignore("Description", "LoggingConfig", "RecursiveLoop", "RuntimeManagementConfig", "Tags", "TracingConfig")
	code := p.Object("Code")
	code.Ignore("S3Bucket")
	key := code.Needed("S3Key")
	folder, err := r.Stack.Asset(key)
	if err != nil {
		code.Refuse("S3Key", "%v", err)
	}
	return func(context.Context) error {
		f.Name, f.Code = or(name, s.physical(r, 64)), folder
		add := s.host.Add
		if before := s.before(r); before != nil {
			f.Name, add = before.Ref(), s.host.Update
		}
		role := s.roles[roleARN]
		if role == nil {
			return errNoRole
		}
		shown := nameOf(r)
		id := s.assume(role, f.Name, shown)
		f.Credentials = lambda.Credentials{AccessKeyID: id.AccessKeyID, SecretAccessKey: id.SecretAccessKey, SessionToken: id.SessionToken}
		f.Endpoints = s.endpointsOfFunctions()
		if err := add(f); err != nil {
			return err
		}
		arn := s.host.ARN(f.Name)
		s.Functions[shown] = f.Name
		s.names.Store(f.Name, shown)
		s.timeouts[arn], s.roleOf[arn] = f.Timeout, role
		r.Created(f.Name, map[string]any{"Arn": arn})
		return nil
	}
}

// endpointsOfFunctions are those where policies are enforced; for all other services there is one
// that refuses.
func (s *Stand) endpointsOfFunctions() map[string]string {
	endpoints := map[string]string{}
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_DYNAMODB_STREAMS", "AWS_ENDPOINT_URL_SNS"} {
		endpoints[name] = s.Endpoints[name]
	}
	return endpoints
}

// makePermission grants the gateway; others are not stood up.
func makePermission(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	p.Choice("Action", "lambda:InvokeFunction")
	p.Choice("Principal", "apigateway.amazonaws.com")
	p.Ignore("SourceAccount")
	function, source := p.Needed("FunctionName"), p.String("SourceArn")
	return func(context.Context) error {
		s.permissions.Grant(s.functionARN(function), source)
		r.Created(s.physical(r, 100), nil)
		return nil
	}
}

// functionARN takes a function's name or ARN.
func (s *Stand) functionARN(name string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	return s.host.ARN(name)
}

// caller invokes a function for a mapping or CloudFormation.
func (s *Stand) caller(arn string) func(ctx context.Context, payload []byte) ([]byte, string, error) {
	return func(ctx context.Context, payload []byte) ([]byte, string, error) {
		result, err := s.host.Invoke(ctx, arn, payload)
		return result.Payload, result.FunctionError, err
	}
}

// makeConsumerStart has a consumer's function remember from where on it is told of events.
func makeConsumerStart(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	token := p.Needed("ServiceToken")
	properties := map[string]any{"ServiceToken": token, "Consumer": p.Needed("Consumer")}
	timeout := time.Duration(p.Int("ServiceTimeout", 300)) * time.Second
	return func(ctx context.Context) error {
		answer, err := s.responses.Run(ctx, cloudformation.Request{
			RequestType: "Create", StackID: s.stackID(r.Stack.Name), LogicalResourceID: r.LogicalID, ResourceType: r.Type, ServiceToken: token, Properties: properties,
		}, timeout, s.caller(token))
		if err != nil {
			return fmt.Errorf("the consumer did not start: %w", err)
		}
		r.Created(answer.PhysicalResourceID, answer.Data)
		return nil
	}
}

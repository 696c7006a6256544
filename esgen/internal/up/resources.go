package up

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"strings"

	"github.com/esgen/esgen/esgen/internal/assembly"
)

// maker takes the properties of a resource and returns what creates it. It is called twice: in
// rehearsal, where references give placeholders and nothing is created, and for good.
type maker func(s *Stand, p *assembly.Reader) func(ctx context.Context) error

// makers are by type of resource.
var makers = map[string]maker{
	"AWS::DynamoDB::GlobalTable":       makeTable,
	"AWS::IAM::Role":                   makeRole,
	"AWS::IAM::Policy":                 makePolicy,
	"AWS::Lambda::Function":            makeFunction,
	"AWS::Lambda::Permission":          makePermission,
	"AWS::Lambda::EventSourceMapping":  makeMapping,
	"AWS::Lambda::EventInvokeConfig":   makeAsync,
	"AWS::Scheduler::Schedule":         makeSchedule,
	"AWS::SQS::Queue":                  makeQueue,
	"AWS::SQS::QueuePolicy":            makeQueuePolicy,
	"AWS::SNS::Topic":                  makeTopic,
	"AWS::SNS::Subscription":           makeSubscription,
	"AWS::S3::Bucket":                  makeBucket,
	"Custom::EsgenConsumerStart":       makeConsumerStart,
	"AWS::ApiGatewayV2::Api":           makeHTTPAPI,
	"AWS::ApiGatewayV2::Integration":   makeHTTPIntegration,
	"AWS::ApiGatewayV2::Authorizer":    makeHTTPAuthorizer,
	"AWS::ApiGatewayV2::Route":         makeHTTPRoute,
	"AWS::ApiGatewayV2::Stage":         makeHTTPStage,
	"AWS::ApiGateway::RestApi":         makeRESTAPI,
	"AWS::ApiGateway::Resource":        makeRESTResource,
	"AWS::ApiGateway::Method":          makeRESTMethod,
	"AWS::ApiGateway::Authorizer":      makeRESTAuthorizer,
	"AWS::ApiGateway::GatewayResponse": makeGatewayResponse,
	"AWS::ApiGateway::Deployment":      makeDeployment,
	"AWS::ApiGateway::Stage":           makeRESTStage,
}

// withoutBehaviour are types that change nothing about how a service answers: who watches it, and
// who else might reach its parts.
var withoutBehaviour = map[string]bool{
	"AWS::Logs::LogGroup":             true,
	"AWS::Logs::MetricFilter":         true,
	"AWS::CloudWatch::Alarm":          true,
	"AWS::CloudWatch::CompositeAlarm": true,
	"AWS::CloudWatch::Dashboard":      true,
	"AWS::S3::BucketPolicy":           true,
	"AWS::SNS::TopicPolicy":           true,
	"AWS::ApiGateway::Account":        true,
}

func (s *Stand) maker(r *assembly.Resource) maker {
	if m := makers[r.Type]; m != nil {
		return m
	}
	if withoutBehaviour[r.Type] {
		return makeNothing
	}
	return func(s *Stand, p *assembly.Reader) func(context.Context) error {
		p.IgnoreRest()
		s.deployment.Refuse(r, "there are no resources of this type on this machine")
		return nil
	}
}

func makeNothing(s *Stand, p *assembly.Reader) func(context.Context) error {
	p.IgnoreRest()
	r := p.Resource()
	return func(context.Context) error {
		name := s.physical(r, 255)
		r.Created(name, map[string]any{"Arn": "arn:aws:" + service(r.Type) + ":" + s.Region + ":" + s.Account + ":" + name})
		return nil
	}
}

// service is the part of ARNs that a type's are of.
func service(kind string) string {
	parts := strings.Split(kind, "::")
	return strings.ToLower(parts[len(parts)-2])
}

// physical makes a name for a resource, as CloudFormation does: of the stack, the logical id and a
// random end.
func (s *Stand) physical(r *assembly.Resource, limit int) string {
	end := "-" + randomID()
	name := r.Stack.Name + "-" + r.LogicalID
	if room := limit - len(end); len(name) > room {
		name = name[:room]
	}
	return name + end
}

// randomID has 12 capitals and digits.
func randomID() string {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return base32.StdEncoding.EncodeToString(b[:])[:12]
}

// nameOf is what a resource is called in the app: "orders-dev/Consumer-x/Resource" is
// "consumer-x".
func nameOf(r *assembly.Resource) string {
	parts := strings.Split(r.Path, "/")
	name := r.LogicalID
	switch {
	case len(parts) >= 3 && (parts[len(parts)-1] == "Resource" || parts[len(parts)-1] == "Default"):
		name = strings.Join(parts[1:len(parts)-1], "/")
	case len(parts) == 2:
		name = parts[1]
	}
	return strings.ToLower(name)
}

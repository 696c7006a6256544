// Package up stands a synthesized service up on this machine: what a cloud assembly declares is
// created as it is declared (tables in DynamoDB Local, functions as processes behind the Lambda
// Runtime API, mappings, schedules, queues, topics, buckets, gateways with their authorizers), all of
// it on loopback. What functions may do is what their roles say. What a template asks for and cannot be
// had here is refused before anything is created.
package up

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/esgen/esgen/esgen/internal/assembly"
	"github.com/esgen/esgen/esgen/internal/cloud/cloudformation"
	"github.com/esgen/esgen/esgen/internal/cloud/gateway"
	"github.com/esgen/esgen/esgen/internal/cloud/iam"
	"github.com/esgen/esgen/esgen/internal/cloud/lambda"
	"github.com/esgen/esgen/esgen/internal/cloud/mapping"
	"github.com/esgen/esgen/esgen/internal/cloud/s3"
	"github.com/esgen/esgen/esgen/internal/cloud/sns"
	"github.com/esgen/esgen/esgen/internal/cloud/sqs"
	"github.com/esgen/esgen/runtime/dynamo/dynamolocal"
)

// Options say what to stand up. Dir is needed.
type Options struct {
	Dir    string   // the cloud assembly
	Stacks []string // and what they depend on; none is all
	// Region and Account are what stacks are told that are for any: us-east-1 and 123456789012
	// unless they are given.
	Region, Account string
	DynamoDB        string // endpoint of a DynamoDB Local; "" starts one
	Port            int    // of the first API; 0 is a free one
	// Log gets the lines that functions write, and what happens to mappings; it is called from
	// several goroutines. Nil drops them.
	Log func(source, line string)
	// Client fetches the keys of issuers of JWTs; nil is the default one.
	Client *http.Client
}

// Credentials are an access key with its secret.
type Credentials struct{ AccessKeyID, SecretAccessKey string }

// Stand is a service that is stood up. Its methods are safe for concurrent use; the fields are
// not to be changed.
type Stand struct {
	URL             string            // of the API, without a slash at the end; "" without an API
	Outputs         map[string]string // of all stacks, by name
	Region, Account string
	Credentials     Credentials // of a caller who may do everything
	// Functions are the physical names of functions by their name in the app: "projector",
	// "consumer-shipping-email".
	Functions map[string]string
	// Mappings are the event source mappings by the name of their function.
	Mappings map[string][]*mapping.Mapping
	// Tables are the physical names of tables by "STACK/CONSTRUCT", as "orders-dev-data/Events".
	Tables map[string]string
	// Endpoints are where services are, by the name of the variable that tells SDKs so:
	// AWS_ENDPOINT_URL_DYNAMODB, …_SNS, …_SQS, …_S3, …_LAMBDA, …_CLOUDFORMATION.
	Endpoints map[string]string

	Queues  *sqs.Service
	Topics  *sns.Service
	Buckets *s3.Service
	// Dynamo and Publishing are in front of DynamoDB and SNS: faults can be set on them.
	Dynamo     *iam.DynamoDB
	Publishing *iam.SNS

	options     Options
	deployment  *assembly.Deployment
	former      *assembly.Deployment // while an update is made, what was there before; else nil
	host        *lambda.Host
	identities  *iam.Identities
	permissions *gateway.Permissions
	denials     *iam.Denials
	registry    *mapping.Registry
	responses   *cloudformation.Responses
	stacks      *cloudformation.Stacks
	schedules   schedules
	tables      *dynamodb.Client
	streams     *streams

	servers   []*server
	roles     map[string]*role         // by ARN
	apis      map[string]*api          // by id
	names     sync.Map                 // of functions in the app, by physical name
	timeouts  map[string]time.Duration // of functions, by ARN
	roleOf    map[string]*role         // of functions, by ARN
	sends     []subscribed
	policies  []queuePolicy
	created   []string // tables
	closeOnce sync.Once
}

// Start stands stacks up. The error is a *dynamolocal.MissingError where the machine lacks what it
// takes. Close ends everything; so does the end of this process.
func Start(ctx context.Context, o Options) (*Stand, error) {
	s, err := prepare(o)
	if err != nil {
		return nil, err
	}
	if err := s.deployment.Rehearse(func(r *assembly.Resource, p *assembly.Reader) { s.maker(r)(s, p) }); err != nil {
		return nil, err
	}
	if err := s.open(ctx); err != nil {
		s.Close()
		return nil, err
	}
	if err := s.create(ctx); err != nil {
		s.Close()
		return nil, err
	}
	s.startSchedules()
	return s, nil
}

// prepare reads the assembly.
func prepare(o Options) (*Stand, error) {
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Account == "" {
		o.Account = "123456789012"
	}
	if o.Log == nil {
		o.Log = func(string, string) {}
	}
	a, err := assembly.Read(o.Dir)
	if err != nil {
		return nil, err
	}
	d, err := a.Deploy(assembly.Options{Stacks: o.Stacks, Region: o.Region, Account: o.Account})
	if err != nil {
		return nil, err
	}
	for _, stack := range d.Stacks() {
		o.Region, o.Account = or(stack.Region, o.Region), or(stack.Account, o.Account)
	}
	for _, stack := range d.Stacks() {
		if or(stack.Region, o.Region) != o.Region || or(stack.Account, o.Account) != o.Account {
			return nil, fmt.Errorf("the stacks are for different regions or accounts; a stand has one")
		}
	}
	if d, err = a.Deploy(assembly.Options{Stacks: o.Stacks, Region: o.Region, Account: o.Account}); err != nil {
		return nil, err
	}
	return &Stand{
		Outputs: map[string]string{}, Region: o.Region, Account: o.Account, Functions: map[string]string{}, Mappings: map[string][]*mapping.Mapping{},
		Tables: map[string]string{}, Endpoints: map[string]string{}, options: o, deployment: d,
		identities: &iam.Identities{}, permissions: &gateway.Permissions{}, denials: &iam.Denials{}, stacks: cloudformation.NewStacks(),
		roles: map[string]*role{}, apis: map[string]*api{}, timeouts: map[string]time.Duration{}, roleOf: map[string]*role{},
		schedules: schedules{all: map[string]*schedule{}},
	}, nil
}

func or(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}

// open starts the services that resources are created in.
func (s *Stand) open(ctx context.Context) error {
	endpoint := s.options.DynamoDB
	if endpoint == "" {
		var err error
		if endpoint, err = dynamolocal.Endpoint(); err != nil {
			return err
		}
	}
	// DynamoDB Local has one set of tables for each access key; the stand's is its own.
	key, secret := iam.NewKeys("ESGENSTAND")
	config := Credentials{key, secret}
	s.tables = dynamodb.New(dynamodb.Options{Region: s.Region, BaseEndpoint: &endpoint, Credentials: config.provider()})
	s.streams = &streams{client: dynamodbstreams.New(dynamodbstreams.Options{Region: s.Region, BaseEndpoint: &endpoint, Credentials: config.provider()}), local: map[string]string{}}
	s.Credentials.AccessKeyID, s.Credentials.SecretAccessKey = iam.NewKeys("ESGENCALLER")
	s.identities.Add(iam.Identity{
		Name: "caller", ARN: "arn:aws:iam::" + s.Account + ":user/caller", Policy: iam.Everything(),
		AccessKeyID: s.Credentials.AccessKeyID, SecretAccessKey: s.Credentials.SecretAccessKey,
	})
	s.host = lambda.NewHost(lambda.Options{Region: s.Region, Account: s.Account, Log: func(function, line string) { s.options.Log(s.shown(function), line) }})
	guarded := iam.Options{Region: s.Region, Account: s.Account, Identities: s.identities, Denials: s.denials}
	var err error
	if s.Dynamo, err = iam.NewDynamoDB(guarded, endpoint, key); err != nil {
		return err
	}
	return s.serveAll(ctx, guarded)
}

// serveAll gives each service its own address.
func (s *Stand) serveAll(_ context.Context, guarded iam.Options) error {
	queues, err := s.listen(0)
	if err != nil {
		return err
	}
	responses, err := s.listen(0)
	if err != nil {
		return err
	}
	s.Queues = sqs.New(sqs.Options{Region: s.Region, Account: s.Account, Endpoint: queues.url})
	s.Topics = sns.New(sns.Options{Region: s.Region, Account: s.Account, Queues: s.Queues})
	s.Publishing = iam.NewSNS(guarded, s.Topics)
	s.Buckets = s3.New(s3.Options{Region: s.Region})
	s.responses = cloudformation.NewResponses(responses.url)
	log := slog.New(&logHandler{log: s.options.Log})
	s.registry = mapping.New(mapping.Options{Region: s.Region, Streams: mapping.InSeconds(s.streams, time.Now), Queues: s.Queues, Buckets: s.Buckets, Log: log})
	queues.handle(guard(s.Queues))
	responses.handle(guard(s.responses))
	s.Endpoints["AWS_ENDPOINT_URL_SQS"] = queues.url
	for name, handler := range map[string]http.Handler{
		"AWS_ENDPOINT_URL_DYNAMODB": s.Dynamo, "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": s.Dynamo, "AWS_ENDPOINT_URL_SNS": s.Publishing, "AWS_ENDPOINT_URL_S3": s.Buckets,
		"AWS_ENDPOINT_URL_LAMBDA": s.host, "AWS_ENDPOINT_URL_CLOUDFORMATION": s.stacks, "AWS_ENDPOINT_URL": http.HandlerFunc(notHere),
	} {
		srv, err := s.listen(0)
		if err != nil {
			return err
		}
		srv.handle(guard(handler))
		s.Endpoints[name] = srv.url
	}
	return nil
}

// notHere answers for services that are not stood up, so that no function talks to real ones.
func notHere(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "this service is not stood up on this machine", http.StatusNotImplemented)
}

// create creates all resources, in order, and then the APIs, which are made of several.
func (s *Stand) create(ctx context.Context) error {
	for _, r := range s.deployment.Resources() {
		p := s.deployment.Read(r)
		if p == nil {
			return s.deployment.Err()
		}
		create := s.maker(r)(s, p)
		if err := s.deployment.Err(); err != nil {
			return err
		}
		if err := create(ctx); err != nil {
			return fmt.Errorf("%s: %w", r, err)
		}
	}
	if err := s.checkSubscriptions(); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(s.apis)) {
		if err := s.apis[id].serve(s); err != nil {
			return err
		}
	}
	return s.conclude()
}

// conclude makes the outputs known.
func (s *Stand) conclude() error {
	var replace []string
	for id, a := range s.apis {
		replace = append(replace, "https://"+id+".execute-api."+s.Region+".amazonaws.com", a.server.url)
	}
	local := strings.NewReplacer(replace...)
	for _, stack := range s.deployment.Stacks() {
		outputs, err := s.deployment.Outputs(stack.Name)
		if err != nil {
			return err
		}
		shown := cloudformation.Stack{Name: stack.Name, Status: "CREATE_COMPLETE", Created: time.Now(), ID: s.stackID(stack.Name)}
		if s.former != nil {
			shown.Status = "UPDATE_COMPLETE"
		}
		for _, name := range slices.Sorted(maps.Keys(outputs)) {
			value := local.Replace(outputs[name])
			s.Outputs[name] = value
			shown.Outputs = append(shown.Outputs, cloudformation.Output{Key: name, Value: value})
		}
		s.stacks.Put(shown)
	}
	if s.URL = strings.TrimSuffix(s.Outputs["Url"], "/"); s.URL == "" && len(s.apis) == 1 {
		for _, a := range s.apis {
			s.URL = strings.TrimSuffix(a.server.url+a.prefix(), "/")
		}
	}
	return nil
}

// shown is a function's name in the app.
func (s *Stand) shown(physical string) string {
	if name, ok := s.names.Load(physical); ok {
		return name.(string)
	}
	return physical
}

func (s *Stand) stackID(name string) string {
	return "arn:aws:cloudformation:" + s.Region + ":" + s.Account + ":stack/" + name + "/esgen"
}

// Environ is what SDKs and the service's cmd/ops need to be told to work on the stand: region, the
// caller's credentials, endpoints.
func (s *Stand) Environ() []string {
	environ := []string{
		"AWS_REGION=" + s.Region, "AWS_DEFAULT_REGION=" + s.Region, "AWS_ACCESS_KEY_ID=" + s.Credentials.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + s.Credentials.SecretAccessKey, "AWS_SESSION_TOKEN=",
	}
	for _, name := range slices.Sorted(maps.Keys(s.Endpoints)) {
		environ = append(environ, name+"="+s.Endpoints[name])
	}
	return environ
}

// AddCaller makes credentials of somebody who may do what the policy says.
func (s *Stand) AddCaller(name string, policy iam.Policy) Credentials {
	key, secret := iam.NewKeys("ESGENCALLER")
	s.identities.Add(iam.Identity{Name: name, ARN: "arn:aws:iam::" + s.Account + ":user/" + name, AccessKeyID: key, SecretAccessKey: secret, Policy: policy})
	return Credentials{key, secret}
}

// Invoke runs a function, by its name in the app.
func (s *Stand) Invoke(ctx context.Context, function string, payload []byte) (lambda.Result, error) {
	return s.host.Invoke(ctx, or(s.Functions[function], function), payload)
}

// Restart has a function go on in new processes, as after a deployment.
func (s *Stand) Restart(function string) error {
	return s.host.Restart(or(s.Functions[function], function))
}

// Kill kills a function's processes, also in the middle of an invocation, and returns how many
// there were.
func (s *Stand) Kill(function string) (int, error) {
	return s.host.KillAll(or(s.Functions[function], function))
}

// Denied is what requests of functions, or of others, were refused because no policy allows it.
func (s *Stand) Denied() []iam.Denial { return s.denials.List() }

// Close ends mappings, functions and servers, and deletes the tables.
func (s *Stand) Close() {
	s.closeOnce.Do(func() {
		s.stopSchedules()
		var stopping sync.WaitGroup
		for _, mappings := range s.Mappings {
			for _, m := range mappings {
				stopping.Go(m.Stop)
			}
		}
		if s.host != nil {
			s.host.Close() // a batch under way ends with its function
		}
		stopping.Wait()
		s.schedules.running.Wait()
		for _, srv := range s.servers {
			srv.close()
		}
		s.dropTables()
	})
}

var errNoRole = errors.New("the function's role is not one of the stacks here")

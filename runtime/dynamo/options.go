package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	es "github.com/esgen/esgen/runtime"
)

// Options say how a store reaches its tables. Region, Credentials and Tables are needed.
type Options struct {
	Region      string
	Credentials aws.CredentialsProvider
	Endpoint    string              // "" is the region's own
	HTTPClient  dynamodb.HTTPClient // nil is the SDK's
	Tables      Tables

	// Attempts is how often a request is sent at most, 4 by default; each may take
	// AttemptTimeout, 2 s by default. A wait between two grows, with jitter, up to MaxWait, 400 ms by
	// default. None of it goes beyond the deadline of the call.
	Attempts       int
	AttemptTimeout time.Duration
	MaxWait        time.Duration

	// Clock decides which entries of the progress store have expired.
	Clock es.Clock
	// NearFull is told of an entity whose history has passed half of the 10 GB that a local index
	// allows, at each append from then on.
	NearFull func(entityID string, gigabytes float64)
	// Meter is told what each request consumed; asking costs nothing. It is called from
	// several goroutines.
	Meter func(operation string, consumed []types.ConsumedCapacity)
}

// FromEnvironment fills in what the variables say that a Lambda function finds set:
// region, credentials, and an endpoint if there is one.
func FromEnvironment(getenv func(name string) string) (Options, error) {
	o := Options{Region: getenv("AWS_REGION"), Endpoint: getenv("AWS_ENDPOINT_URL_DYNAMODB")}
	if o.Region == "" {
		o.Region = getenv("AWS_DEFAULT_REGION")
	}
	keys := aws.Credentials{
		AccessKeyID: getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken: getenv("AWS_SESSION_TOKEN"), Source: "environment",
	}
	switch {
	case o.Region == "":
		return o, errors.New("dynamo: no region; set AWS_REGION")
	case keys.AccessKeyID == "" || keys.SecretAccessKey == "":
		return o, errors.New("dynamo: no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	o.Credentials = Keys(keys)
	return o, nil
}

// Keys provides fixed credentials.
func Keys(keys aws.Credentials) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return keys, nil })
}

// Store is the DynamoDB store. It implements es.EventStore, es.ViewStore and
// es.ProgressStore and is safe for concurrent use.
type Store struct {
	client   *client
	tables   Tables
	views    map[es.Table]*ViewTable
	clock    es.Clock
	nearFull func(string, float64)
	meter    func(string, []types.ConsumedCapacity)

	attempts int
	timeout  time.Duration
	maxWait  time.Duration
}

// New makes a store; it sends no request.
func New(o Options) (*Store, error) {
	switch {
	case o.Region == "" || o.Credentials == nil:
		return nil, errors.New("dynamo: region and credentials are needed")
	case o.Tables.Events == "" && o.Tables.Progress == "" && len(o.Tables.Views) == 0:
		return nil, errors.New("dynamo: the options name no table")
	}
	s := &Store{
		tables: o.Tables, views: make(map[es.Table]*ViewTable, len(o.Tables.Views)), clock: o.Clock,
		nearFull: o.NearFull, meter: o.Meter, attempts: o.Attempts, timeout: o.AttemptTimeout, maxWait: o.MaxWait,
	}
	for i := range o.Tables.Views {
		v := &o.Tables.Views[i]
		t := es.Table{View: v.View, Revision: v.Revision}
		if s.views[t] != nil {
			return nil, fmt.Errorf("dynamo: revision %d of the view %s has two tables", t.Revision, t.View)
		}
		if v.Shards < 1 || v.Shards > maxShards {
			return nil, fmt.Errorf("dynamo: the table %s has %d shards: 1 to %d", v.Name, v.Shards, maxShards)
		}
		s.views[t] = v
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.attempts < 1 {
		s.attempts = 4
	}
	if s.timeout <= 0 {
		s.timeout = 2 * time.Second
	}
	if s.maxWait <= 0 {
		s.maxWait = 400 * time.Millisecond
	}
	var err error
	if s.client, err = newClient(o); err != nil {
		return nil, err
	}
	return s, nil
}

// Stores returns the store as the three kinds that a service works on.
func (s *Store) Stores() es.Stores { return es.Stores{Events: s, Views: s, Progress: s} }

func (s *Store) wantCapacity() types.ReturnConsumedCapacity {
	if s.meter == nil {
		return types.ReturnConsumedCapacityNone
	}
	return types.ReturnConsumedCapacityIndexes
}

// consumed tells the meter what a request cost.
func (s *Store) consumed(operation string, c ...types.ConsumedCapacity) {
	if s.meter != nil {
		s.meter(operation, c)
	}
}

func (s *Store) consumedOne(operation string, c *types.ConsumedCapacity) {
	if s.meter != nil && c != nil {
		s.meter(operation, []types.ConsumedCapacity{*c})
	}
}

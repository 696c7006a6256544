package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/esgen/esgen/bench/sample"
	accounts "github.com/esgen/esgen/bench/sample/accounts/events"
	"github.com/esgen/esgen/bench/sample/accounts/views/balance"
	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/dynamo"
	"github.com/esgen/esgen/runtime/dynamo/dynamolocal"
)

const (
	batchEvents = 100
	delay       = 5 * time.Millisecond // of each request: about what the service adds to what DynamoDB Local takes
)

// batchGoals: how many records a batch touches, what time of the naive way it may take, and
// how many requests an event.
var batchGoals = []struct {
	records  int
	time     float64
	requests float64
}{{1, 0.02, 0.02}, {10, 0.04, 0.11}, {100, 0.20, 1.01}}

// batchSuite measures the folding of batches into a table: by the clock, as nearly all of it is waiting.
func batchSuite() (*suite, error) {
	endpoint, err := dynamolocal.Endpoint()
	if missing, ok := errors.AsType[*dynamolocal.MissingError](err); ok {
		return nil, &notRunError{goals: "G9, G10", err: missing}
	}
	if err != nil {
		return nil, err
	}
	b, err := newBatches(endpoint)
	if err != nil {
		return nil, err
	}
	s := &suite{
		title:  fmt.Sprintf("A batch of %d events on DynamoDB Local, each request %v longer; by the clock", batchEvents, delay),
		rounds: 5, once: true,
	}
	for _, g := range batchGoals {
		naive := fmt.Sprintf("%d records: GetItem and PutItem for each event", g.records)
		ours := fmt.Sprintf("%d records: esgen: Project", g.records)
		var requests int64
		s.rows = append(s.rows,
			row{naive, func() error { return b.naive(g.records) }, b.clock},
			row{ours, func() (err error) {
				requests, err = b.project(g.records)
				return err
			}, b.clock})
		says := fmt.Sprintf("with %d records", g.records)
		s.goals = append(s.goals,
			goal{id: "G9", says: "requests an event " + says, limit: g.requests, exactly: true, measured: func() float64 { return float64(requests) / batchEvents }},
			goal{id: "G10", says: "of the naive way, " + says, row: ours, against: naive, limit: g.time})
	}
	return s, nil
}

// batches are two ways to fold events into the records of a table.
type batches struct {
	client    *dynamodb.Client
	wire      *slowWire
	table     string
	store     *dynamo.Store
	projector *es.Projector
	turn      int
	folding   time.Duration // so far, without what is done to prepare and to check
}

func (b *batches) clock() time.Duration { return b.folding }

// timed adds to the clock what is done until the returned function is called.
func (b *batches) timed() (stop func()) {
	began := time.Now()
	return func() { b.folding += time.Since(began) }
}

// slowWire adds a delay to each request, and counts them.
type slowWire struct {
	client   dynamodb.HTTPClient
	requests atomic.Int64
}

func (w *slowWire) Do(r *http.Request) (*http.Response, error) {
	w.requests.Add(1)
	time.Sleep(delay)
	return w.client.Do(r)
}

func newBatches(endpoint string) (*batches, error) {
	b := &batches{wire: &slowWire{client: awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = 64 // as the store has it without a client of ours
	})}}
	tables := dynamo.TablesOf(sample.Accounts(), fmt.Sprintf("bench-%d-", time.Now().UnixNano()))
	b.table = tables.Views[0].Name
	o := dynamo.Options{
		Region: benchRegion, Endpoint: endpoint, HTTPClient: b.wire, Tables: tables, AttemptTimeout: 30 * time.Second,
		Credentials: benchKeys,
	}
	var err error
	if b.store, err = dynamo.New(o); err != nil {
		return nil, err
	}
	if err := b.store.CreateTables(context.Background()); err != nil {
		return nil, err
	}
	cleanup = append(cleanup, func() { _ = b.store.DeleteTables(context.Background()) })
	b.client = dynamodb.New(dynamodb.Options{
		Region: o.Region, Credentials: o.Credentials, BaseEndpoint: &endpoint, HTTPClient: b.wire,
	})
	b.projector = es.NewProjector(sample.Accounts(), b.store.Stores(), es.ProjectorOptions{Logger: slog.New(slog.DiscardHandler)})
	return b, nil
}

// events are a whole history of new entities, by turns.
func (b *batches) events(entities int) []es.Recorded {
	b.turn++
	events := make([]es.Recorded, batchEvents)
	for i := range events {
		id := fmt.Sprintf("account-%d-%d", b.turn, i%entities)
		moved := &accounts.Moved{AccountID: id, Amount: 2, Purpose: "rent"}
		events[i] = es.Recorded{
			EntityID: id, Version: int64(i/entities) + 1, EventID: fmt.Sprintf("%s-%d", id, i), Type: moved.EventType(), Revision: 1,
			Time: now, Payload: string(moved.AppendJSON(nil)),
		}
	}
	return events
}

// naiveBalance is a record as most services keep it.
type naiveBalance struct {
	Key    string `dynamodbav:"_key"`
	Moves  int64  `dynamodbav:"moves"`
	Amount int64  `dynamodbav:"amount"`
}

func (b *batches) naive(records int) error {
	ctx, m := context.Background(), sample.Accounts()
	events := b.events(records)
	defer b.timed()()
	var v naiveBalance
	for i := range events {
		e, err := m.LoadEvent(&events[i])
		if err != nil {
			return err
		}
		moved := e.(*accounts.Moved)
		out, err := b.client.GetItem(ctx, &dynamodb.GetItemInput{
			TableName: &b.table, Key: map[string]types.AttributeValue{"_key": &types.AttributeValueMemberS{Value: moved.AccountID}},
		})
		if err != nil {
			return err
		}
		v = naiveBalance{Key: moved.AccountID}
		if err := attributevalue.UnmarshalMap(out.Item, &v); err != nil {
			return err
		}
		v.Moves++
		v.Amount += moved.Amount
		item, err := attributevalue.MarshalMap(&v)
		if err != nil {
			return err
		}
		if _, err := b.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &b.table, Item: item}); err != nil {
			return err
		}
	}
	return checkBatch(v.Moves, v.Amount, records)
}

// project folds a batch and says how many requests that took.
func (b *batches) project(records int) (requests int64, err error) {
	events := b.events(records)
	before := b.wire.requests.Load()
	stop := b.timed()
	report, _, err := b.projector.Project(context.Background(), events)
	stop()
	if err != nil {
		return 0, err
	}
	if report.Folds != batchEvents {
		return 0, fmt.Errorf("%d folds of %d events", report.Folds, batchEvents)
	}
	return b.wire.requests.Load() - before, b.checkLast(&events[batchEvents-1], records)
}

// checkLast reads the record of the last event.
func (b *batches) checkLast(last *es.Recorded, records int) error {
	table := es.Table{View: "balance", Revision: 1}
	rows, err := b.store.Load(context.Background(), []es.ViewRead{{Table: table, Keys: []string{last.EntityID}}})
	if err != nil {
		return err
	}
	item := rows[0].Items[last.EntityID]
	if item == nil {
		return errors.New("the record was not written")
	}
	v := &balance.View{}
	if err := v.Load(item.Payload); err != nil {
		return err
	}
	return checkBatch(v.Moves, v.Amount, records)
}

func checkBatch(moves, amount int64, records int) error {
	if each := int64(batchEvents / records); moves != each || amount != 2*each {
		return fmt.Errorf("a record has %d moves of together %d, want %d of 2", moves, amount, each)
	}
	return nil
}

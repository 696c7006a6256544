package dynamo

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	es "github.com/esgen/esgen/runtime"
)

// Tables says which table is what, as a program is told by its environment: it can be
// written as JSON. A program names the tables that it works on and leaves out the others.
type Tables struct {
	Events   string      `json:"events,omitempty"`
	Progress string      `json:"progress,omitempty"`
	Views    []ViewTable `json:"views,omitempty"`
}

// ViewTable is the table of one revision of a view.
type ViewTable struct {
	View     string   `json:"view"`
	Revision int      `json:"revision"`
	Name     string   `json:"name"`
	Indexes  []string `json:"indexes,omitempty"`
	// Shards is over how many partition keys each value of an index spreads, from 1; the
	// same for as long as the table exists.
	Shards int `json:"shards"`
}

// DefaultShards takes some 4,000 writes a second to the records of one value of an index.
// A page reads each shard, so a higher number makes pages dearer.
const DefaultShards = 4

const maxShards = 64

// byEvent is the index that finds an event by its id.
const byEvent = "byEvent"

// TablesOf names the tables of a model, each with the prefix in front.
func TablesOf(m *es.Model, prefix string) Tables {
	t := Tables{Events: prefix + "events", Progress: prefix + "progress"}
	for i := range m.Views {
		v := &m.Views[i]
		table := ViewTable{
			View: v.Name, Revision: v.Revision, Shards: DefaultShards,
			Name: ViewTableName(prefix, es.Table{View: v.Name, Revision: v.Revision}),
		}
		for _, index := range v.Indexes {
			table.Indexes = append(table.Indexes, index.Name)
		}
		t.Views = append(t.Views, table)
	}
	return t
}

// ViewTableName is the name that TablesOf gives the table of a view.
func ViewTableName(prefix string, t es.Table) string {
	return prefix + "view-" + t.View + "-" + strconv.Itoa(t.Revision)
}

// Definition is what a table is made of.
type Definition struct {
	Create dynamodb.CreateTableInput
	// Expiry is the attribute of the table's time to live, "" for none.
	Expiry string
}

// Definitions gives all tables. What protects them (backups, deletion protection,
// alarms) is the stack's.
func (t Tables) Definitions() []Definition {
	var all []Definition
	if t.Events != "" {
		all = append(all, Definition{Create: eventsTable(t.Events)})
	}
	for i := range t.Views {
		all = append(all, Definition{Create: viewTable(&t.Views[i])})
	}
	if t.Progress != "" {
		all = append(all, Definition{Create: progressTable(t.Progress), Expiry: attrExpires})
	}
	return all
}

func eventsTable(name string) dynamodb.CreateTableInput {
	return dynamodb.CreateTableInput{
		TableName:   aws.String(name),
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			attribute(attrID, types.ScalarAttributeTypeS), attribute(attrVersion, types.ScalarAttributeTypeN),
			attribute(attrEventID, types.ScalarAttributeTypeS),
		},
		KeySchema: keys(attrID, attrVersion),
		LocalSecondaryIndexes: []types.LocalSecondaryIndex{{
			IndexName: aws.String(byEvent), KeySchema: keys(attrID, attrEventID),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		}},
		StreamSpecification: stream(types.StreamViewTypeNewImage),
	}
}

// viewTable has an index for each of the view's. It projects what a page shows and nothing else: a
// write that leaves that and the record's place alone costs the index nothing.
func viewTable(t *ViewTable) dynamodb.CreateTableInput {
	in := dynamodb.CreateTableInput{
		TableName:            aws.String(t.Name),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{attribute(attrKey, types.ScalarAttributeTypeS)},
		KeySchema:            keys(attrKey),
		StreamSpecification:  stream(types.StreamViewTypeNewAndOldImages),
	}
	for _, index := range t.Indexes {
		in.AttributeDefinitions = append(in.AttributeDefinitions,
			attribute(attrIndexKey+index, types.ScalarAttributeTypeS), attribute(attrIndexSort+index, types.ScalarAttributeTypeB))
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: aws.String(indexName(index)), KeySchema: keys(attrIndexKey+index, attrIndexSort+index),
			Projection: &types.Projection{
				ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{attrPayload, attrVersion},
			},
		})
	}
	return in
}

func progressTable(name string) dynamodb.CreateTableInput {
	return dynamodb.CreateTableInput{
		TableName:   aws.String(name),
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			attribute(attrPart, types.ScalarAttributeTypeS), attribute(attrID, types.ScalarAttributeTypeS),
		},
		KeySchema: keys(attrPart, attrID),
	}
}

// indexName is the name of the GSI of an index, of three letters at least as DynamoDB wants it.
func indexName(index string) string { return "by-" + index }

func attribute(name string, t types.ScalarAttributeType) types.AttributeDefinition {
	return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: t}
}

func keys(names ...string) []types.KeySchemaElement {
	schema := []types.KeySchemaElement{{AttributeName: aws.String(names[0]), KeyType: types.KeyTypeHash}}
	for _, name := range names[1:] {
		schema = append(schema, types.KeySchemaElement{AttributeName: aws.String(name), KeyType: types.KeyTypeRange})
	}
	return schema
}

func stream(v types.StreamViewType) *types.StreamSpecification {
	return &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: v}
}

// CreateTables creates the tables of a development or test store and waits until they can be
// used. Tables that exist are left as they are. On AWS the stack creates them.
func (s *Store) CreateTables(ctx context.Context) error {
	for _, d := range s.tables.Definitions() {
		name := *d.Create.TableName
		if _, err := s.client.CreateTable(ctx, &d.Create); err != nil {
			if _, exists := errors.AsType[*types.ResourceInUseException](err); exists {
				continue
			}
			return fmt.Errorf("dynamo: create the table %s: %w", name, err)
		}
		if err := s.awaitTable(ctx, name); err != nil {
			return err
		}
		if d.Expiry == "" {
			continue
		}
		_, err := s.client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
			TableName:               &name,
			TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &d.Expiry, Enabled: aws.Bool(true)},
		})
		if err != nil {
			return fmt.Errorf("dynamo: time to live of the table %s: %w", name, err)
		}
	}
	return nil
}

func (s *Store) awaitTable(ctx context.Context, name string) error {
	for {
		out, err := s.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		if err != nil {
			return fmt.Errorf("dynamo: describe the table %s: %w", name, err)
		}
		if out.Table != nil && out.Table.TableStatus == types.TableStatusActive {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// DeleteTables deletes all tables and what is in them. Tables that do not exist are no error.
func (s *Store) DeleteTables(ctx context.Context) error {
	for _, d := range s.tables.Definitions() {
		_, err := s.client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: d.Create.TableName})
		if _, absent := errors.AsType[*types.ResourceNotFoundException](err); err != nil && !absent {
			return fmt.Errorf("dynamo: delete the table %s: %w", *d.Create.TableName, err)
		}
	}
	return nil
}

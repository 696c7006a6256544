package up

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/esgen/esgen/esgen/internal/assembly"
)

// makeTable makes a table as it is declared. What protects it (backups, deletion protection) has
// no meaning here.
func makeTable(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	in := &dynamodb.CreateTableInput{
		BillingMode: types.BillingMode(p.Choice("BillingMode", "PAY_PER_REQUEST")), KeySchema: keySchema(p),
	}
	name := p.String("TableName")
	for _, a := range p.Objects("AttributeDefinitions") {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: aws.String(a.Needed("AttributeName")), AttributeType: types.ScalarAttributeType(a.Needed("AttributeType"))})
	}
	for _, i := range p.Objects("LocalSecondaryIndexes") {
		in.LocalSecondaryIndexes = append(in.LocalSecondaryIndexes, types.LocalSecondaryIndex{
			IndexName: aws.String(i.Needed("IndexName")), KeySchema: keySchema(i), Projection: projection(i)})
	}
	for _, i := range p.Objects("GlobalSecondaryIndexes") {
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: aws.String(i.Needed("IndexName")), KeySchema: keySchema(i), Projection: projection(i)})
	}
	if p.Has("StreamSpecification") {
		in.StreamSpecification = &types.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewType(p.Object("StreamSpecification").Needed("StreamViewType"))}
	}
	ttl := p.Object("TimeToLiveSpecification")
	expiry := ttl.String("AttributeName")
	if !ttl.Bool("Enabled", false) {
		expiry = ""
	}
	p.Ignore("SSESpecification", "WriteOnDemandThroughputSettings")
	replicas(s, p)
	return func(ctx context.Context) error {
		in.TableName = aws.String(or(name, s.physical(r, 255)))
		return s.createTable(ctx, r, in, expiry)
	}
}

// replicas takes the one replica that a table has.
func replicas(s *Stand, p *assembly.Reader) {
	all := p.Objects("Replicas")
	for _, replica := range all {
		if region := replica.Needed("Region"); region != s.Region {
			replica.Refuse("Region", "a replica in %s: tables here are in one region, %s", region, s.Region)
		}
		replica.Ignore("ContributorInsightsSpecification", "DeletionProtectionEnabled", "GlobalSecondaryIndexes", "PointInTimeRecoverySpecification",
			"ReadOnDemandThroughputSettings", "ResourcePolicy", "SSESpecification", "TableClass", "Tags")
	}
	if len(all) != 1 {
		p.Refuse("Replicas", "there are %d: tables here have one", len(all))
	}
}

func keySchema(p *assembly.Reader) []types.KeySchemaElement {
	var keys []types.KeySchemaElement
	for _, k := range p.Objects("KeySchema") {
		keys = append(keys, types.KeySchemaElement{AttributeName: aws.String(k.Needed("AttributeName")), KeyType: types.KeyType(k.Needed("KeyType"))})
	}
	return keys
}

func projection(p *assembly.Reader) *types.Projection {
	o := p.Object("Projection")
	return &types.Projection{ProjectionType: types.ProjectionType(o.String("ProjectionType")), NonKeyAttributes: o.Strings("NonKeyAttributes")}
}

func (s *Stand) createTable(ctx context.Context, r *assembly.Resource, in *dynamodb.CreateTableInput, expiry string) error {
	out, err := s.tables.CreateTable(ctx, in)
	if err != nil {
		return err
	}
	name := *in.TableName
	s.created = append(s.created, name)
	if expiry != "" {
		if _, err := s.tables.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{TableName: &name, TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: &expiry, Enabled: aws.Bool(true)}}); err != nil {
			return fmt.Errorf("time to live: %w", err)
		}
	}
	s.Tables[strings.TrimSuffix(r.Path, "/Resource")] = name
	attributes := map[string]any{"Arn": s.Dynamo.TableARN(name), "TableId": name}
	if local := out.TableDescription.LatestStreamArn; local != nil {
		attributes["StreamArn"] = s.streams.named(s.Dynamo.TableARN(name), *local)
	}
	r.Created(name, attributes)
	return nil
}

// dropTables empties what a DynamoDB Local that goes on would keep in memory.
func (s *Stand) dropTables() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, name := range s.created {
		if _, err := s.tables.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
			return // the server is gone, and the tables with it
		}
	}
}

// streams reads streams under the ARNs that AWS would give them: DynamoDB Local has a region and
// an account of its own, and policies would not fit.
type streams struct {
	client *dynamodbstreams.Client
	mu     sync.RWMutex
	local  map[string]string
}

// named is the ARN of a table's stream.
func (s *streams) named(table, local string) string {
	_, label, _ := strings.Cut(local, "/stream/")
	arn := table + "/stream/" + label
	s.mu.Lock()
	defer s.mu.Unlock()
	s.local[arn] = local
	return arn
}

func (s *streams) localOf(arn *string) *string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if local, ok := s.local[aws.ToString(arn)]; ok {
		return &local
	}
	return arn
}

func (s *streams) DescribeStream(ctx context.Context, in *dynamodbstreams.DescribeStreamInput, o ...func(*dynamodbstreams.Options)) (*dynamodbstreams.DescribeStreamOutput, error) {
	local := *in
	local.StreamArn = s.localOf(in.StreamArn)
	return s.client.DescribeStream(ctx, &local, o...)
}

func (s *streams) GetShardIterator(ctx context.Context, in *dynamodbstreams.GetShardIteratorInput, o ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetShardIteratorOutput, error) {
	local := *in
	local.StreamArn = s.localOf(in.StreamArn)
	return s.client.GetShardIterator(ctx, &local, o...)
}

func (s *streams) GetRecords(ctx context.Context, in *dynamodbstreams.GetRecordsInput, o ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error) {
	return s.client.GetRecords(ctx, in, o...)
}

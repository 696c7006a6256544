package mapping_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/esgen/esgen/runtime/dynamo/dynamotest"
)

func TestAStreamOfDynamoDB(t *testing.T) {
	o := dynamotest.Options(t)
	tables := dynamodb.New(dynamodb.Options{Region: o.Region, Credentials: o.Credentials, BaseEndpoint: &o.Endpoint})
	streams := dynamodbstreams.New(dynamodbstreams.Options{Region: o.Region, Credentials: o.Credentials, BaseEndpoint: &o.Endpoint})
	created, err := tables.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("events"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeN}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		StreamSpecification:  &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
	})
	if err != nil {
		t.Fatal(err)
	}
	put := func(n int, kind string) {
		t.Helper()
		_, err := tables.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("events"), Item: map[string]types.AttributeValue{
			"id": &types.AttributeValueMemberN{Value: fmt.Sprint(n)}, "_type": &types.AttributeValueMemberS{Value: kind}, "bytes": &types.AttributeValueMemberB{Value: []byte{1, 2}},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	// The beginning is there before the mapping.
	for n := range 20 {
		put(n, []string{"placed", "paid", "sent", "lost"}[n%4])
	}
	put(0, "changed")
	fn := &function{answer: func(call int, items []int) ([]byte, string, error) {
		if call == 1 {
			return nil, "Unhandled", nil
		}
		return nil, "", nil
	}}
	c := config(fn.invoke)
	c.StreamARN = *created.TableDescription.LatestStreamArn
	c.Filters = []string{`{"eventName":["INSERT"],"dynamodb":{"NewImage":{"_type":{"S":["placed","paid"]}}}}`}
	c.BatchSize, c.MaximumRetryAttempts = 4, 10
	c.PollInterval = 20 * time.Millisecond
	m := start(t, streams, c, nil)
	eventually(t, "the beginning is delivered", func() bool { return m.Stats().Delivered == 10 })
	m.Stop()
	put(21, "sent")
	put(24, "placed")
	m.Start()
	eventually(t, "what was written meanwhile is delivered", func() bool { return m.Stats().Delivered == 11 })
	m.Stop()
	m.Start()
	put(28, "placed")
	eventually(t, "what was written then is delivered", func() bool { return m.Stats().Delivered == 12 })
	var order []int
	for _, n := range slices.Concat(fn.called()...) {
		if !slices.Contains(order, n) {
			order = append(order, n)
		}
	}
	if want := []int{0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 24, 28}; !slices.Equal(order, want) {
		t.Errorf("%v, not %v", order, want)
	}
	if s := m.Stats(); s.GivenUp != 0 || s.Filtered < 12 {
		t.Errorf("%+v", s)
	}
}

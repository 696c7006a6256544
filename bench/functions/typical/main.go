// Command typical is the function that most would write: the SDK's configuration, the library's
// event types, a schema at run time, items by reflection. By default it sends what an append
// sends, two queries and a put; with FUNCTION_REQUESTS=1 the put alone.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/esgen/esgen/bench/plain"
)

type function struct {
	client *dynamodb.Client
	schema *jsonschema.Schema
	table  string
	alone  bool // the put
}

func main() {
	c, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	schema, err := plain.Compile()
	if err != nil {
		log.Fatal(err)
	}
	f := &function{
		client: dynamodb.NewFromConfig(c), schema: schema, table: os.Getenv("ESGEN_EVENTS"),
		alone: os.Getenv("FUNCTION_REQUESTS") == "1",
	}
	lambda.Start(f.handle)
}

func (f *function) handle(ctx context.Context, r events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	if err := plain.Validate(f.schema, r.Body); err != nil {
		return events.APIGatewayV2HTTPResponse{StatusCode: 400, Body: err.Error()}, nil
	}
	var o plain.Order
	if err := json.Unmarshal([]byte(r.Body), &o); err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	now := time.Now().UTC()
	if err := o.Check(now); err != nil {
		return events.APIGatewayV2HTTPResponse{StatusCode: 400, Body: err.Error()}, nil
	}
	var head plain.Order
	if !f.alone {
		var err error
		if head, err = f.look(ctx, o.OrderID, r.Headers["idempotency-key"]); err != nil {
			return events.APIGatewayV2HTTPResponse{}, err
		}
	}
	item, err := o.Attributes(head.Version+1, now)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	_, err = f.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &f.table, Item: item,
		ConditionExpression:      aws.String("attribute_not_exists(#id)"),
		ExpressionAttributeNames: map[string]string{"#id": "orderId"},
	})
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	body, err := json.Marshal(&o)
	return events.APIGatewayV2HTTPResponse{
		StatusCode: 201, Body: string(body),
		Headers: map[string]string{"Content-Type": "application/json", "ETag": strconv.Quote(strconv.FormatInt(o.Version, 10))},
	}, err
}

// look reads the entity's latest event, and whether it has this one.
func (f *function) look(ctx context.Context, orderID, eventID string) (head plain.Order, err error) {
	for _, in := range []*dynamodb.QueryInput{
		{
			TableName: &f.table, ConsistentRead: aws.Bool(true), ScanIndexForward: aws.Bool(false), Limit: aws.Int32(1),
			KeyConditionExpression:    aws.String("#id = :id"),
			ExpressionAttributeNames:  map[string]string{"#id": "orderId"},
			ExpressionAttributeValues: map[string]types.AttributeValue{":id": text(orderID)},
		},
		{
			TableName: &f.table, IndexName: aws.String("byEvent"), ConsistentRead: aws.Bool(true), Limit: aws.Int32(1),
			Select:                    types.SelectAllAttributes,
			KeyConditionExpression:    aws.String("#id = :id AND #event = :event"),
			ExpressionAttributeNames:  map[string]string{"#id": "orderId", "#event": "eventId"},
			ExpressionAttributeValues: map[string]types.AttributeValue{":id": text(orderID), ":event": text(eventID)},
		},
	} {
		out, err := f.client.Query(ctx, in)
		if err != nil {
			return head, err
		}
		var found []plain.Order
		if err := attributevalue.UnmarshalListOfMaps(out.Items, &found); err != nil {
			return head, err
		}
		if len(found) > 0 {
			head = found[0]
		}
	}
	return head, nil
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

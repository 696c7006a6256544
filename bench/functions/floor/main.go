// Command floor is a function that sends DynamoDB what it is handed, without looking at it, by
// a client that is built by hand: what the SDK alone costs. By default it sends what an append
// sends, two queries and a put; with FUNCTION_REQUESTS=1 the put alone.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type handler struct {
	client *dynamodb.Client
	table  string
	alone  bool // the put
}

func main() {
	keys := aws.Credentials{
		AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken: os.Getenv("AWS_SESSION_TOKEN"),
	}
	client := dynamodb.New(dynamodb.Options{
		Region: os.Getenv("AWS_REGION"), BaseEndpoint: aws.String(os.Getenv("AWS_ENDPOINT_URL_DYNAMODB")),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return keys, nil }),
	})
	lambda.Start(&handler{client: client, table: os.Getenv("ESGEN_EVENTS"), alone: os.Getenv("FUNCTION_REQUESTS") == "1"})
}

func (h *handler) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	if !h.alone {
		if err := h.look(ctx); err != nil {
			return nil, err
		}
	}
	_, err := h.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &h.table,
		Item: map[string]types.AttributeValue{
			"_id": text("ord-2026-000017"), "_version": &types.AttributeValueMemberN{Value: "1"}, "_eventId": text(eventID), "_payload": text(string(event)),
		},
		ConditionExpression:      aws.String("attribute_not_exists(#id)"),
		ExpressionAttributeNames: map[string]string{"#id": "_id"},
	})
	return []byte(`{"statusCode":201}`), err
}

// look sends the queries of an append.
func (h *handler) look(ctx context.Context) error {
	_, err := h.client.Query(ctx, &dynamodb.QueryInput{
		TableName: &h.table, ConsistentRead: aws.Bool(true), ScanIndexForward: aws.Bool(false), Limit: aws.Int32(1),
		KeyConditionExpression:    aws.String("#id = :id"),
		ExpressionAttributeNames:  map[string]string{"#id": "_id"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":id": text("ord-2026-000017")},
	})
	if err != nil {
		return err
	}
	_, err = h.client.Query(ctx, &dynamodb.QueryInput{
		TableName: &h.table, IndexName: aws.String("byEvent"), ConsistentRead: aws.Bool(true), Limit: aws.Int32(1),
		Select:                    types.SelectAllAttributes,
		KeyConditionExpression:    aws.String("#id = :id AND #event = :event"),
		ExpressionAttributeNames:  map[string]string{"#id": "_id", "#event": "_eventId"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":id": text("ord-2026-000017"), ":event": text(eventID)},
	})
	return err
}

const eventID = "01957f3e-8c10-7aaa-8bbb-0123456789ab"

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

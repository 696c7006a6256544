package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/esgen/esgen/bench/plain"
	"github.com/esgen/esgen/bench/sample"
	"github.com/esgen/esgen/runtime/dynamo"
)

const (
	replayPage = 100

	rowReplayNested = "Query, UnmarshalMap, nested items"
	rowReplaySDK    = "Query of what esgen stores, and nothing done with it"
	rowReplayRead   = "esgen: Read, and each event decoded"
)

// replaySuite measures the reading of a page of a history through the SDK, without a network.
func replaySuite() (*suite, error) {
	nested, err := queryAnswer(nestedItems)
	if err != nil {
		return nil, err
	}
	stored, err := queryAnswer(storedItems)
	if err != nil {
		return nil, err
	}
	store, err := storeOn(newCannedWire(stored), dynamo.Tables{Events: "events"})
	if err != nil {
		return nil, err
	}
	m, peer, floor := sample.Orders(), plainClient(newCannedWire(nested)), plainClient(newCannedWire(stored))
	return &suite{
		title: fmt.Sprintf("Replay: a page of %d events, without a network", replayPage),
		rows: []row{
			{name: rowReplayNested, run: func() error {
				out, err := queryPage(peer)
				if err != nil {
					return err
				}
				for _, item := range out.Items {
					o := &plain.Order{}
					if err := attributevalue.UnmarshalMap(item, o); err != nil {
						return err
					}
					if len(o.Items) != 4 {
						return plain.ErrInvalid
					}
					sink = o
				}
				return nil
			}},
			{name: rowReplaySDK, run: func() error {
				_, err := queryPage(floor)
				return err
			}},
			{name: rowReplayRead, run: func() error {
				events, more, err := store.Read(context.Background(), "ord-2026-000017", 0, replayPage)
				if err != nil || more || len(events) != replayPage {
					return fmt.Errorf("%d events, more: %t: %w", len(events), more, err)
				}
				for i := range events {
					e, err := m.LoadEvent(&events[i])
					if err != nil {
						return err
					}
					sink = e
				}
				return nil
			}},
		},
		goals: []goal{
			{id: "G8", says: "of nested items and UnmarshalMap", row: rowReplayRead, against: rowReplayNested, limit: 0.50},
		},
	}, nil
}

func queryPage(client *dynamodb.Client) (*dynamodb.QueryOutput, error) {
	out, err := client.Query(context.Background(), &dynamodb.QueryInput{
		TableName:                 aws.String("events"),
		KeyConditionExpression:    aws.String("#id = :id AND #version > :after"),
		ExpressionAttributeNames:  map[string]string{"#id": "_id", "#version": "_version"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":id": &types.AttributeValueMemberS{Value: "ord-2026-000017"}, ":after": &types.AttributeValueMemberN{Value: "0"}},
		ConsistentRead:            aws.Bool(true),
		Limit:                     aws.Int32(replayPage),
	})
	if err == nil && len(out.Items) != replayPage {
		err = fmt.Errorf("%d items", len(out.Items))
	}
	return out, err
}

// queryAnswer is what the service answers to a query that finds the items.
func queryAnswer(items func(n int) ([]json.RawMessage, error)) ([]byte, error) {
	found, err := items(replayPage)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"Count":%d,"ScannedCount":%d,"Items":%s}`, replayPage, replayPage, joined(found))
	return b.Bytes(), nil
}

func joined(items []json.RawMessage) []byte {
	list := []byte{'['}
	for i, item := range items {
		if i > 0 {
			list = append(list, ',')
		}
		list = append(list, item...)
	}
	return append(list, ']')
}

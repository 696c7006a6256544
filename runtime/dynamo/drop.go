package dynamo

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	es "github.com/esgen/esgen/runtime"
)

// Drop implements es.ViewStore: it deletes the items, one by one, and leaves the table itself
// to the stack. It takes a write unit for each kilobyte of each item, and readers of the view's
// stream see every record go. It is no transaction: nothing may write to the table meanwhile,
// and a Drop that failed is repeated before anything does.
func (s *Store) Drop(ctx context.Context, t es.Table) error {
	if table := s.views[t]; table != nil {
		err := s.deleteScanned(ctx, table.Name)
		if err != nil {
			return err
		}
	}
	var parts []string
	for shard := range markerShards {
		parts = append(parts, markerPart(t, shard))
	}
	for _, kind := range []string{"quarantine", "behind", "rebuild"} {
		parts = append(parts, entryPart(fmt.Sprintf("%s/%s/%d", kind, t.View, t.Revision)))
	}
	for _, part := range parts {
		if err := s.deletePart(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) deleteScanned(ctx context.Context, table string) error {
	var from item
	for {
		out, err := s.scan(ctx, "empty a table", &dynamodb.ScanInput{
			TableName: &table, ExclusiveStartKey: from, ConsistentRead: aws.Bool(true),
			ProjectionExpression: aws.String("#key"), ExpressionAttributeNames: map[string]string{"#key": attrKey},
		})
		if err != nil {
			return err
		}
		if err := s.deleteAll(ctx, table, out.Items); err != nil {
			return err
		}
		if from = out.LastEvaluatedKey; len(from) == 0 {
			return nil
		}
	}
}

func (s *Store) deletePart(ctx context.Context, part string) error {
	var from item
	for {
		out, err := s.query(ctx, "empty a part of the progress", &dynamodb.QueryInput{
			TableName: &s.tables.Progress, ExclusiveStartKey: from, ConsistentRead: aws.Bool(true),
			KeyConditionExpression: aws.String("#part = :part"), ProjectionExpression: aws.String("#part, #id"),
			ExpressionAttributeNames:  map[string]string{"#part": attrPart, "#id": attrID},
			ExpressionAttributeValues: item{":part": text(part)},
		})
		if err != nil {
			return err
		}
		if err := s.deleteAll(ctx, s.tables.Progress, out.Items); err != nil {
			return err
		}
		if from = out.LastEvaluatedKey; len(from) == 0 {
			return nil
		}
	}
}

// deleteAll deletes items by their keys, 25 a request.
func (s *Store) deleteAll(ctx context.Context, table string, keys []item) error {
	for batch := range slices.Chunk(keys, 25) {
		var writes []types.WriteRequest
		for _, key := range batch {
			writes = append(writes, types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: key}})
		}
		request := map[string][]types.WriteRequest{table: writes}
		for idle := 0; len(request) > 0; {
			in := &dynamodb.BatchWriteItemInput{RequestItems: request, ReturnConsumedCapacity: s.wantCapacity()}
			var out *dynamodb.BatchWriteItemOutput
			_, err := s.attempt(ctx, "delete items", func(ctx context.Context) (err error) {
				out, err = s.client.BatchWriteItem(ctx, in)
				return err
			})
			if err != nil {
				return err
			}
			s.consumed("BatchWriteItem", out.ConsumedCapacity...)
			left := out.UnprocessedItems
			if len(left[table]) == len(request[table]) {
				if idle++; idle >= s.attempts {
					return fmt.Errorf("%w: delete items: some are left over", es.ErrThrottled)
				}
			}
			if request = left; len(request) > 0 && !s.pause(ctx, idle+1) {
				return fmt.Errorf("%w: delete items: some are left over", es.ErrThrottled)
			}
		}
	}
	return nil
}

package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	es "github.com/esgen/esgen/runtime"
)

// HasTable implements es.TableKnower: it reports whether the store was told of the table.
func (s *Store) HasTable(t es.Table) bool { return s.views[t] != nil }

// CountEvents implements es.EventCounter with DynamoDB's own count, which is some hours old. It is 0
// for who may not describe the table: nothing but an estimate depends on it.
func (s *Store) CountEvents(ctx context.Context) (int64, error) {
	var out *dynamodb.DescribeTableOutput
	_, err := s.attempt(ctx, "describe the events table", func(ctx context.Context) (err error) {
		out, err = s.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &s.tables.Events})
		return err
	})
	if err != nil || out.Table == nil || out.Table.ItemCount == nil {
		return 0, ctx.Err()
	}
	return *out.Table.ItemCount, nil
}

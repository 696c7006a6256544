package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/schemas"
	"github.com/aws/smithy-go"
)

// The operations, with the methods that the SDK's client has for them.
var (
	opBatchGetItem       = smithy.NewOperationSchema(schemas.BatchGetItem, schemas.BatchGetItemInput, schemas.BatchGetItemOutput)
	opBatchWriteItem     = smithy.NewOperationSchema(schemas.BatchWriteItem, schemas.BatchWriteItemInput, schemas.BatchWriteItemOutput)
	opCreateTable        = smithy.NewOperationSchema(schemas.CreateTable, schemas.CreateTableInput, schemas.CreateTableOutput)
	opDeleteItem         = smithy.NewOperationSchema(schemas.DeleteItem, schemas.DeleteItemInput, schemas.DeleteItemOutput)
	opDeleteTable        = smithy.NewOperationSchema(schemas.DeleteTable, schemas.DeleteTableInput, schemas.DeleteTableOutput)
	opDescribeTable      = smithy.NewOperationSchema(schemas.DescribeTable, schemas.DescribeTableInput, schemas.DescribeTableOutput)
	opGetItem            = smithy.NewOperationSchema(schemas.GetItem, schemas.GetItemInput, schemas.GetItemOutput)
	opPutItem            = smithy.NewOperationSchema(schemas.PutItem, schemas.PutItemInput, schemas.PutItemOutput)
	opQuery              = smithy.NewOperationSchema(schemas.Query, schemas.QueryInput, schemas.QueryOutput)
	opScan               = smithy.NewOperationSchema(schemas.Scan, schemas.ScanInput, schemas.ScanOutput)
	opTransactWriteItems = smithy.NewOperationSchema(schemas.TransactWriteItems, schemas.TransactWriteItemsInput, schemas.TransactWriteItemsOutput)
	opUpdateItem         = smithy.NewOperationSchema(schemas.UpdateItem, schemas.UpdateItemInput, schemas.UpdateItemOutput)
	opUpdateTimeToLive   = smithy.NewOperationSchema(schemas.UpdateTimeToLive, schemas.UpdateTimeToLiveInput, schemas.UpdateTimeToLiveOutput)
)

func (c *client) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput) (*dynamodb.BatchGetItemOutput, error) {
	return call[dynamodb.BatchGetItemOutput](ctx, c, opBatchGetItem, in)
}

func (c *client) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput) (*dynamodb.BatchWriteItemOutput, error) {
	return call[dynamodb.BatchWriteItemOutput](ctx, c, opBatchWriteItem, in)
}

func (c *client) CreateTable(ctx context.Context, in *dynamodb.CreateTableInput) (*dynamodb.CreateTableOutput, error) {
	return call[dynamodb.CreateTableOutput](ctx, c, opCreateTable, in)
}

func (c *client) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput) (*dynamodb.DeleteItemOutput, error) {
	return call[dynamodb.DeleteItemOutput](ctx, c, opDeleteItem, in)
}

func (c *client) DeleteTable(ctx context.Context, in *dynamodb.DeleteTableInput) (*dynamodb.DeleteTableOutput, error) {
	return call[dynamodb.DeleteTableOutput](ctx, c, opDeleteTable, in)
}

func (c *client) DescribeTable(ctx context.Context, in *dynamodb.DescribeTableInput) (*dynamodb.DescribeTableOutput, error) {
	return call[dynamodb.DescribeTableOutput](ctx, c, opDescribeTable, in)
}

func (c *client) GetItem(ctx context.Context, in *dynamodb.GetItemInput) (*dynamodb.GetItemOutput, error) {
	return call[dynamodb.GetItemOutput](ctx, c, opGetItem, in)
}

func (c *client) PutItem(ctx context.Context, in *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
	return call[dynamodb.PutItemOutput](ctx, c, opPutItem, in)
}

func (c *client) Query(ctx context.Context, in *dynamodb.QueryInput) (*dynamodb.QueryOutput, error) {
	return call[dynamodb.QueryOutput](ctx, c, opQuery, in)
}

func (c *client) Scan(ctx context.Context, in *dynamodb.ScanInput) (*dynamodb.ScanOutput, error) {
	return call[dynamodb.ScanOutput](ctx, c, opScan, in)
}

func (c *client) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput) (*dynamodb.TransactWriteItemsOutput, error) {
	return call[dynamodb.TransactWriteItemsOutput](ctx, c, opTransactWriteItems, in)
}

func (c *client) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput) (*dynamodb.UpdateItemOutput, error) {
	return call[dynamodb.UpdateItemOutput](ctx, c, opUpdateItem, in)
}

func (c *client) UpdateTimeToLive(ctx context.Context, in *dynamodb.UpdateTimeToLiveInput) (*dynamodb.UpdateTimeToLiveOutput, error) {
	return call[dynamodb.UpdateTimeToLiveOutput](ctx, c, opUpdateTimeToLive, in)
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/esgen/esgen/bench/plain"
	"github.com/esgen/esgen/bench/sample"
	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/dynamo"
)

const (
	streamRecords = 100

	rowStreamTypes = "events.DynamoDBEvent, UnmarshalMap, nested items"
	rowStreamValid = "json.Valid of the batch that esgen reads"
	rowStreamRead  = "esgen: DecodeEvents"
	rowStreamLoad  = "esgen: DecodeEvents, and each event decoded"
)

// streamSuite measures the reading of a batch of a table's stream up to typed events.
func streamSuite() (*suite, error) {
	nested, err := streamBatch(nestedItems)
	if err != nil {
		return nil, err
	}
	stored, err := streamBatch(storedItems)
	if err != nil {
		return nil, err
	}
	m := sample.Orders()
	return &suite{
		title: fmt.Sprintf("Stream: a batch of %d events, %d bytes each as a nested item, %d as esgen stores them",
			streamRecords, len(nested)/streamRecords, len(stored)/streamRecords),
		rows: []row{
			{name: rowStreamTypes, run: func() error { return readByTypes(nested) }},
			{name: rowStreamValid, run: func() error {
				if !json.Valid(stored) {
					return fmt.Errorf("no JSON")
				}
				return nil
			}},
			{name: rowStreamRead, run: func() error {
				b, err := dynamo.DecodeEvents(stored)
				if err == nil && len(b.Values) != streamRecords {
					err = fmt.Errorf("%d events", len(b.Values))
				}
				return err
			}},
			{name: rowStreamLoad, run: func() error { return readBatch(m, stored) }},
		},
		goals: []goal{
			{id: "G6", says: "of the event type and UnmarshalMap", row: rowStreamLoad, against: rowStreamTypes, limit: 0.10},
			{id: "G6", says: "of json.Valid", row: rowStreamLoad, against: rowStreamValid, limit: 1.0},
		},
	}, nil
}

// streamBatch is what Lambda hands on when the items are new.
func streamBatch(items func(n int) ([]json.RawMessage, error)) ([]byte, error) {
	images, err := items(streamRecords)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(`{"Records":[`)
	for i, image := range images {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"plain.EventID":"c4ca4238a0b923820dcc509a6f75849b","eventName":"INSERT","eventVersion":"1.1","eventSource":"aws:dynamodb",`+
			`"awsRegion":"eu-central-1","dynamodb":{"ApproximateCreationDateTime":1772360131,"Keys":{"_id":{"S":"ord-2026-000017"},"_version":{"N":"%d"}},`+
			`"NewImage":%s,"SequenceNumber":"%d00000000020000000001","SizeBytes":%d,"StreamViewType":"NEW_IMAGE"},`+
			`"eventSourceARN":"arn:aws:dynamodb:eu-central-1:123456789012:table/orders-events/stream/2026-03-01T00:00:00.000"}`,
			i+1, image, i+1, len(image))
	}
	b.WriteString(`]}`)
	return b.Bytes(), nil
}

func readBatch(m *es.Model, batch []byte) error {
	b, err := dynamo.DecodeEvents(batch)
	if err != nil {
		return err
	}
	for i := range b.Values {
		e, err := m.LoadEvent(&b.Values[i])
		if err != nil {
			return err
		}
		sink = e
	}
	return nil
}

func readByTypes(batch []byte) error {
	var e events.DynamoDBEvent
	if err := json.Unmarshal(batch, &e); err != nil {
		return err
	}
	for i := range e.Records {
		image := make(map[string]types.AttributeValue, len(e.Records[i].Change.NewImage))
		for name, v := range e.Records[i].Change.NewImage {
			image[name] = bridged(v)
		}
		o := &plain.Order{}
		if err := attributevalue.UnmarshalMap(image, o); err != nil {
			return err
		}
		if o.Total == 0 || len(o.Items) != 4 {
			return plain.ErrInvalid
		}
		sink = o
	}
	return nil
}

// bridged turns an attribute of the event type into one of the SDK, which alone can be unmarshalled.
func bridged(v events.DynamoDBAttributeValue) types.AttributeValue {
	switch v.DataType() {
	case events.DataTypeString:
		return &types.AttributeValueMemberS{Value: v.String()}
	case events.DataTypeNumber:
		return &types.AttributeValueMemberN{Value: v.Number()}
	case events.DataTypeList:
		list := make([]types.AttributeValue, len(v.List()))
		for i, e := range v.List() {
			list[i] = bridged(e)
		}
		return &types.AttributeValueMemberL{Value: list}
	case events.DataTypeMap:
		members := make(map[string]types.AttributeValue, len(v.Map()))
		for name, e := range v.Map() {
			members[name] = bridged(e)
		}
		return &types.AttributeValueMemberM{Value: members}
	}
	return &types.AttributeValueMemberNULL{Value: true}
}

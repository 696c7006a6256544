package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/esgen/esgen/bench/plain"
	"github.com/esgen/esgen/bench/sample"
	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/dynamo"
)

// orderOf is the sample event as it is stored at a version.
func orderOf(version int64) (*es.Recorded, error) {
	s, err := sample.Orders().DecodeSubmission([]byte(plain.Body), now)
	if err != nil {
		return nil, err
	}
	return &es.Recorded{
		EntityID: s.EntityID, Version: version, EventID: fmt.Sprintf("%s-%d", plain.EventID, version), Type: s.Type.Name, Revision: 1,
		Time: now, Digest: s.Digest, Payload: s.Payload,
	}, nil
}

// storedItems are events as the store writes them, each an object in DynamoDB's JSON.
func storedItems(n int) ([]json.RawMessage, error) {
	wire := newCannedWire([]byte("{}"))
	wire.keep = true
	store, err := storeOn(wire, dynamo.Tables{Events: "events"})
	if err != nil {
		return nil, err
	}
	items := make([]json.RawMessage, n)
	for i := range items {
		e, err := orderOf(int64(i) + 1)
		if err != nil {
			return nil, err
		}
		if _, err := store.Put(context.Background(), e); err != nil {
			return nil, err
		}
		var request struct{ Item json.RawMessage }
		if err := json.Unmarshal(wire.last, &request); err != nil {
			return nil, err
		}
		items[i] = request.Item
	}
	return items, nil
}

// nestedItems are the same events as most services store them.
func nestedItems(n int) ([]json.RawMessage, error) {
	items := make([]json.RawMessage, n)
	for i := range items {
		var o plain.Order
		if err := json.Unmarshal([]byte(plain.Body), &o); err != nil {
			return nil, err
		}
		if err := o.Check(now); err != nil {
			return nil, err
		}
		attributes, err := o.Attributes(int64(i)+1, now)
		if err != nil {
			return nil, err
		}
		if items[i], err = json.Marshal(attributeJSON(&types.AttributeValueMemberM{Value: attributes})["M"]); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// attributeJSON is an attribute as DynamoDB spells it.
func attributeJSON(v types.AttributeValue) map[string]any {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return map[string]any{"S": v.Value}
	case *types.AttributeValueMemberN:
		return map[string]any{"N": v.Value}
	case *types.AttributeValueMemberL:
		list := make([]any, len(v.Value))
		for i, e := range v.Value {
			list[i] = attributeJSON(e)
		}
		return map[string]any{"L": list}
	case *types.AttributeValueMemberM:
		members := make(map[string]any, len(v.Value))
		for name, e := range v.Value {
			members[name] = attributeJSON(e)
		}
		return map[string]any{"M": members}
	}
	panic(fmt.Sprintf("no order has a %T", v))
}

package main

import (
	"encoding/json"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/esgen/esgen/bench/plain"
)

func postByHand(body []byte, now time.Time) error {
	var o plain.Order
	if err := json.Unmarshal(body, &o); err != nil {
		return err
	}
	if err := o.Check(now); err != nil {
		return err
	}
	item, err := o.Attributes(1, now)
	sink = item
	return err
}

func postBySchema(schema *jsonschema.Schema, body []byte, now time.Time) error {
	if err := plain.Validate(schema, string(body)); err != nil {
		return err
	}
	return postByHand(body, now)
}

func decodeV1(body []byte) error {
	var o plain.Order
	err := json.Unmarshal(body, &o)
	sink = o.Items
	return err
}

func decodeV2(body []byte) error {
	var o plain.Order
	err := jsonv2.Unmarshal(body, &o)
	sink = o.Items
	return err
}

// sink keeps the compiler from leaving out what nobody looks at.
var sink any

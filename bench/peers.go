package main

import (
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	jsonv2 "github.com/go-json-experiment/json"
	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/esgen/esgen/bench/sample"
)

// plainOrder is the sample event as Go programs usually take it in.
type plainOrder struct {
	Type       string      `json:"type" dynamodbav:"type"`
	OrderID    string      `json:"orderId" dynamodbav:"orderId"`
	CustomerID string      `json:"customerId" dynamodbav:"customerId"`
	Currency   string      `json:"currency" dynamodbav:"currency"`
	Channel    string      `json:"channel" dynamodbav:"channel"`
	Items      []plainItem `json:"items" dynamodbav:"items"`
	Total      float64     `json:"total" dynamodbav:"total"`
	PlacedAt   string      `json:"placedAt" dynamodbav:"placedAt"`
	Note       *string     `json:"note" dynamodbav:"note,omitempty"`
	Version    int64       `json:"-" dynamodbav:"version"`
	Time       string      `json:"-" dynamodbav:"time"`
	EventID    string      `json:"-" dynamodbav:"eventId"`
}

type plainItem struct {
	Sku       string  `json:"sku" dynamodbav:"sku"`
	Title     string  `json:"title" dynamodbav:"title"`
	Quantity  int64   `json:"quantity" dynamodbav:"quantity"`
	UnitPrice float64 `json:"unitPrice" dynamodbav:"unitPrice"`
}

var errPlain = errors.New("not valid")

// check is what a programmer writes by hand.
func (o *plainOrder) check(now time.Time) error {
	if o.Currency == "" {
		o.Currency = "EUR"
	}
	if o.Channel == "" {
		o.Channel = "web"
	}
	if o.PlacedAt == "" {
		o.PlacedAt = now.Format(time.RFC3339Nano)
	}
	_, err := time.Parse(time.RFC3339, o.PlacedAt)
	switch {
	case err != nil, o.Type != "OrderPlaced", o.OrderID == "", utf8.RuneCountInString(o.OrderID) > 256,
		len(o.CustomerID) != 36 || strings.Count(o.CustomerID, "-") != 4,
		o.Currency != "EUR" && o.Currency != "USD" && o.Currency != "GBP",
		o.Channel != "web" && o.Channel != "phone",
		len(o.Items) < 1, len(o.Items) > 100, o.Total < 0,
		o.Note != nil && utf8.RuneCountInString(*o.Note) > 500:
		return errPlain
	}
	for i := range o.Items {
		it := &o.Items[i]
		if it.Sku == "" || utf8.RuneCountInString(it.Sku) > 64 || utf8.RuneCountInString(it.Title) > 200 ||
			it.Quantity < 1 || it.Quantity > 1000 || it.UnitPrice < 0 {
			return errPlain
		}
	}
	return nil
}

// item is the event as most services store it: a nested item, by reflection.
func (o *plainOrder) item(now time.Time) (map[string]types.AttributeValue, error) {
	o.Version, o.EventID, o.Time = 1, eventID, now.Format(time.RFC3339Nano)
	return attributevalue.MarshalMap(o)
}

const eventID = "01957f3e-8c10-7aaa-8bbb-0123456789ab"

func postByHand(body []byte, now time.Time) error {
	var o plainOrder
	if err := json.Unmarshal(body, &o); err != nil {
		return err
	}
	if err := o.check(now); err != nil {
		return err
	}
	item, err := o.item(now)
	sink = item
	return err
}

func postBySchema(schema *jsonschema.Schema, body []byte, now time.Time) error {
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return err
	}
	if err := schema.Validate(v); err != nil {
		return err
	}
	return postByHand(body, now)
}

func decodeV1(body []byte) error {
	var o plainOrder
	err := json.Unmarshal(body, &o)
	sink = o.Items
	return err
}

func decodeV2(body []byte) error {
	var o plainOrder
	err := jsonv2.Unmarshal(body, &o)
	sink = o.Items
	return err
}

func compiledSchema() (*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.Draft, c.AssertFormat = jsonschema.Draft2020, true
	if err := c.AddResource("order.json", strings.NewReader(sample.Schema)); err != nil {
		return nil, err
	}
	return c.Compile("order.json")
}

// sink keeps the compiler from leaving out what nobody looks at.
var sink any

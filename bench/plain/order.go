// Package plain is the sample event as Go programs usually take it in: structs with tags,
// checks by hand or a schema at run time, items by reflection.
package plain

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Order is the sample event.
type Order struct {
	Type       string  `json:"type" dynamodbav:"type"`
	OrderID    string  `json:"orderId" dynamodbav:"orderId"`
	CustomerID string  `json:"customerId" dynamodbav:"customerId"`
	Currency   string  `json:"currency" dynamodbav:"currency"`
	Channel    string  `json:"channel" dynamodbav:"channel"`
	Items      []Item  `json:"items" dynamodbav:"items"`
	Total      float64 `json:"total" dynamodbav:"total"`
	PlacedAt   string  `json:"placedAt" dynamodbav:"placedAt"`
	Note       *string `json:"note" dynamodbav:"note,omitempty"`
	Version    int64   `json:"-" dynamodbav:"version"`
	Time       string  `json:"-" dynamodbav:"time"`
	EventID    string  `json:"-" dynamodbav:"eventId"`
}

// Item is a line of an order.
type Item struct {
	Sku       string  `json:"sku" dynamodbav:"sku"`
	Title     string  `json:"title" dynamodbav:"title"`
	Quantity  int64   `json:"quantity" dynamodbav:"quantity"`
	UnitPrice float64 `json:"unitPrice" dynamodbav:"unitPrice"`
}

// ErrInvalid is all that a check by hand says.
var ErrInvalid = errors.New("not valid")

// Check is what a programmer writes by hand.
func (o *Order) Check(now time.Time) error {
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
		return ErrInvalid
	}
	for i := range o.Items {
		it := &o.Items[i]
		if it.Sku == "" || utf8.RuneCountInString(it.Sku) > 64 || utf8.RuneCountInString(it.Title) > 200 ||
			it.Quantity < 1 || it.Quantity > 1000 || it.UnitPrice < 0 {
			return ErrInvalid
		}
	}
	return nil
}

// Attributes is the event as most services store it: a nested item, by reflection.
func (o *Order) Attributes(version int64, now time.Time) (map[string]types.AttributeValue, error) {
	o.Version, o.EventID, o.Time = version, EventID, now.Format(time.RFC3339Nano)
	return attributevalue.MarshalMap(o)
}

// EventID is that of the measured request.
const EventID = "01957f3e-8c10-7aaa-8bbb-0123456789ab"

// Package sample is the event that the benchmarks post, as esgen generates it: a
// stand-in of the same shape and calls, written by hand.
package sample

import (
	"time"

	es "github.com/esgen/esgen/runtime"
)

// OrderPlaced has what events usually have: ids, an enum, a timestamp, a list of
// objects, ranges, lengths, a default, an absent optional.
type OrderPlaced struct {
	OrderID    string
	CustomerID es.UUID
	Currency   Currency
	Channel    string
	Items      []LineItem
	Total      es.Decimal
	PlacedAt   time.Time
	Note       *string
}

// Currency is an enum.
type Currency string

// The values of Currency.
const (
	CurrencyEUR Currency = "EUR"
	CurrencyUSD Currency = "USD"
	CurrencyGBP Currency = "GBP"
)

// Decode reads a Currency.
func (c *Currency) Decode(d *es.Decoder) {
	if d.String((*string)(c)) {
		d.EnumStrings(string(CurrencyEUR), string(CurrencyUSD), string(CurrencyGBP))
	}
}

// The values of OrderPlaced.Channel.
const (
	OrderPlacedChannelWeb   = "web"
	OrderPlacedChannelPhone = "phone"
)

// EventType is the event's name in the schema.
func (e OrderPlaced) EventType() string { return "OrderPlaced" }

// EntityID is the order's id.
func (e OrderPlaced) EntityID() string { return e.OrderID }

// AppendJSON appends the event's fields as a JSON object.
func (e OrderPlaced) AppendJSON(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, `,"customerId":`...)
	dst = es.AppendUUID(dst, e.CustomerID)
	dst = append(dst, `,"currency":`...)
	dst = es.AppendString(dst, string(e.Currency))
	dst = append(dst, `,"channel":`...)
	dst = es.AppendString(dst, e.Channel)
	dst = append(dst, `,"items":`...)
	dst = append(dst, '[')
	for i := range e.Items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = e.Items[i].AppendJSON(dst)
	}
	dst = append(dst, ']')
	dst = append(dst, `,"total":`...)
	dst = es.AppendDecimal(dst, e.Total)
	dst = append(dst, `,"placedAt":`...)
	dst = es.AppendTime(dst, e.PlacedAt)
	if e.Note != nil {
		dst = append(dst, `,"note":`...)
		dst = es.AppendString(dst, *e.Note)
	}
	return es.AppendObjectEnd(dst, start)
}

// Decode reads the members, fills in defaults and reports to d what is wrong with it.
func (e *OrderPlaced) Decode(d *es.Decoder) {
	if !d.Object() {
		return
	}
	var seen uint64
	for d.Member() {
		switch d.Name() {
		case "customerId":
			seen |= 1 << 0
			d.UUID(&e.CustomerID)
		case "currency":
			seen |= 1 << 1
			e.Currency.Decode(d)
		case "channel":
			seen |= 1 << 2
			if d.String(&e.Channel) {
				d.EnumStrings(OrderPlacedChannelWeb, OrderPlacedChannelPhone)
			}
		case "items":
			seen |= 1 << 3
			if d.List() {
				e.Items = es.NewList[LineItem](d)
				for d.Element() {
					es.Append(&e.Items).Decode(d)
				}
				d.MinItems(1)
				d.MaxItems(100)
			}
		case "total":
			seen |= 1 << 4
			if d.Decimal(&e.Total) {
				d.Minimum("0")
			}
		case "placedAt":
			seen |= 1 << 5
			d.Time(&e.PlacedAt)
		case "note":
			if !d.Null() {
				e.Note = new(string)
				if d.String(e.Note) {
					d.MaxLength(500)
				}
			}
		default:
			d.Unknown()
		}
	}
	if seen&(1<<0) == 0 {
		d.Missing("customerId")
	}
	if seen&(1<<1) == 0 {
		e.Currency = CurrencyEUR
	}
	if seen&(1<<2) == 0 {
		e.Channel = OrderPlacedChannelWeb
	}
	if seen&(1<<3) == 0 {
		d.Missing("items")
	}
	if seen&(1<<4) == 0 {
		d.Missing("total")
	}
	if seen&(1<<5) == 0 {
		e.PlacedAt = d.Now()
	}
}

// LineItem is a position of an order.
type LineItem struct {
	Sku       string
	Title     string
	Quantity  int64
	UnitPrice es.Decimal
}

// AppendJSON appends the item as a JSON object.
func (l LineItem) AppendJSON(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, `,"sku":`...)
	dst = es.AppendString(dst, l.Sku)
	dst = append(dst, `,"title":`...)
	dst = es.AppendString(dst, l.Title)
	dst = append(dst, `,"quantity":`...)
	dst = es.AppendInt(dst, l.Quantity)
	dst = append(dst, `,"unitPrice":`...)
	dst = es.AppendDecimal(dst, l.UnitPrice)
	return es.AppendObjectEnd(dst, start)
}

// Decode reads the members and reports to d what is wrong with it.
func (l *LineItem) Decode(d *es.Decoder) {
	if !d.Object() {
		return
	}
	var seen uint64
	for d.Member() {
		switch d.Name() {
		case "sku":
			seen |= 1 << 0
			if d.String(&l.Sku) {
				d.MinLength(1)
				d.MaxLength(64)
			}
		case "title":
			seen |= 1 << 1
			if d.String(&l.Title) {
				d.MaxLength(200)
			}
		case "quantity":
			seen |= 1 << 2
			if d.Int(&l.Quantity) {
				d.MinInt(1)
				d.MaxInt(1000)
			}
		case "unitPrice":
			seen |= 1 << 3
			if d.Decimal(&l.UnitPrice) {
				d.Minimum("0")
			}
		default:
			d.Unknown()
		}
	}
	if seen&(1<<0) == 0 {
		d.Missing("sku")
	}
	if seen&(1<<1) == 0 {
		d.Missing("title")
	}
	if seen&(1<<2) == 0 {
		d.Missing("quantity")
	}
	if seen&(1<<3) == 0 {
		d.Missing("unitPrice")
	}
}

// Model is a service with the one event.
func Model() *es.Model {
	return &es.Model{
		Service: "orders",
		Key:     es.KeyRule{Name: "orderId", MinLength: 1, MaxLength: 256},
		Events: []es.EventType{{
			Name: "OrderPlaced", Revision: 1,
			New: func(id string) es.DecodableEvent { return &OrderPlaced{OrderID: id} },
		}},
	}
}

// Body is the request that is measured, 555 bytes with four items.
const Body = `{"type":"OrderPlaced","orderId":"ord-2026-000017","customerId":"3f8c9a52-6d0e-4b7a-9c1d-2e5f7a8b9c0d","currency":"EUR",` +
	`"items":[{"sku":"TEA-100","title":"Green tea, 100 g","quantity":2,"unitPrice":4.95},` +
	`{"sku":"CUP-7","title":"Cup, glazed blue","quantity":4,"unitPrice":12.50},` +
	`{"sku":"POT-22","title":"Pot of cast iron","quantity":1,"unitPrice":64.00},` +
	`{"sku":"TRAY-3","title":"Tray of bamboo, large","quantity":1,"unitPrice":23.90}],` +
	`"total":147.80,"placedAt":"2026-03-01T10:15:30.250Z","note":"Please ring twice and leave it with the neighbours."}`

// Schema says of the body what the decoder checks.
const Schema = `{"type":"object","additionalProperties":false,
"required":["type","orderId","customerId","items","total"],
"properties":{
 "type":{"const":"OrderPlaced"},
 "orderId":{"type":"string","minLength":1,"maxLength":256},
 "customerId":{"type":"string","format":"uuid"},
 "currency":{"type":"string","enum":["EUR","USD","GBP"]},
 "channel":{"type":"string","enum":["web","phone"]},
 "items":{"type":"array","minItems":1,"maxItems":100,"items":{"type":"object","additionalProperties":false,
  "required":["sku","title","quantity","unitPrice"],"properties":{
   "sku":{"type":"string","minLength":1,"maxLength":64},"title":{"type":"string","maxLength":200},
   "quantity":{"type":"integer","minimum":1,"maximum":1000},"unitPrice":{"type":"number","minimum":0}}}},
 "total":{"type":"number","minimum":0},
 "placedAt":{"type":"string","format":"date-time"},
 "note":{"type":["string","null"],"maxLength":500}}}`

package es_test

import (
	"errors"
	"slices"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// A service as generated code and a user would write it, for the tests of this package:
// the contract's orders, cut to what differs for the runtime. Some values make the
// user's code misbehave: see onOrderPlaced and onOrderCancelled.

type orderPlaced struct {
	OrderID    string
	CustomerID string
	Currency   string
	Quantity   int64
	Total      es.Decimal
	PlacedAt   time.Time
	Note       *string
}

func (e orderPlaced) EventType() string { return "OrderPlaced" }
func (e orderPlaced) EntityID() string  { return e.OrderID }

func (e orderPlaced) AppendJSON(dst []byte) []byte {
	start := len(dst)
	dst = es.AppendString(append(dst, `,"customerId":`...), e.CustomerID)
	dst = es.AppendString(append(dst, `,"currency":`...), e.Currency)
	dst = es.AppendInt(append(dst, `,"quantity":`...), e.Quantity)
	dst = es.AppendDecimal(append(dst, `,"total":`...), e.Total)
	dst = es.AppendTime(append(dst, `,"placedAt":`...), e.PlacedAt)
	if e.Note != nil {
		dst = es.AppendString(append(dst, `,"note":`...), *e.Note)
	}
	return es.AppendObjectEnd(dst, start)
}

func (e *orderPlaced) Decode(d *es.Decoder) {
	if !d.Object() {
		return
	}
	var seen uint64
	for d.Member() {
		switch d.Name() {
		case "customerId":
			seen |= 1 << 0
			if d.String(&e.CustomerID) {
				d.MinLength(1)
			}
		case "currency":
			seen |= 1 << 1
			if d.String(&e.Currency) {
				d.EnumStrings("EUR", "USD")
			}
		case "quantity":
			seen |= 1 << 2
			if d.Int(&e.Quantity) {
				d.MinInt(1)
			}
		case "total":
			seen |= 1 << 3
			d.Decimal(&e.Total)
		case "placedAt":
			seen |= 1 << 4
			d.Time(&e.PlacedAt)
		case "note":
			if !d.Null() {
				e.Note = new(string)
				d.String(e.Note)
			}
		default:
			d.Unknown()
		}
	}
	for i, name := range []string{"customerId", "", "quantity", "total"} {
		if name != "" && seen&(1<<i) == 0 {
			d.Missing(name)
		}
	}
	if seen&(1<<1) == 0 {
		e.Currency = "EUR"
	}
	if seen&(1<<4) == 0 {
		e.PlacedAt = d.Now()
	}
}

type orderShipped struct {
	OrderID string
	Carrier string
}

func (e orderShipped) EventType() string { return "OrderShipped" }
func (e orderShipped) EntityID() string  { return e.OrderID }

func (e orderShipped) AppendJSON(dst []byte) []byte {
	start := len(dst)
	dst = es.AppendString(append(dst, `,"carrier":`...), e.Carrier)
	return es.AppendObjectEnd(dst, start)
}

func (e *orderShipped) Decode(d *es.Decoder) {
	if !d.Object() {
		return
	}
	seen := false
	for d.Member() {
		switch d.Name() {
		case "carrier":
			seen = true
			d.String(&e.Carrier)
		default:
			d.Unknown()
		}
	}
	if !seen {
		d.Missing("carrier")
	}
}

type orderCancelled struct {
	OrderID string
	Reason  *string
}

func (e orderCancelled) EventType() string { return "OrderCancelled" }
func (e orderCancelled) EntityID() string  { return e.OrderID }

func (e orderCancelled) AppendJSON(dst []byte) []byte {
	start := len(dst)
	if e.Reason != nil {
		dst = es.AppendString(append(dst, `,"reason":`...), *e.Reason)
	}
	return es.AppendObjectEnd(dst, start)
}

func (e *orderCancelled) Decode(d *es.Decoder) {
	if !d.Object() {
		return
	}
	for d.Member() {
		switch d.Name() {
		case "reason":
			if !d.Null() {
				e.Reason = new(string)
				d.String(e.Reason)
			}
		default:
			d.Unknown()
		}
	}
}

// orderNoted changes no state, and no view but audit lists it.
type orderNoted struct {
	OrderID string
	Text    string
}

func (e orderNoted) EventType() string { return "OrderNoted" }
func (e orderNoted) EntityID() string  { return e.OrderID }

func (e orderNoted) AppendJSON(dst []byte) []byte {
	start := len(dst)
	dst = es.AppendString(append(dst, `,"text":`...), e.Text)
	return es.AppendObjectEnd(dst, start)
}

func (e *orderNoted) Decode(d *es.Decoder) {
	if !d.Object() {
		return
	}
	for d.Member() {
		switch d.Name() {
		case "text":
			d.String(&e.Text)
		default:
			d.Unknown()
		}
	}
}

// orderView is a record of the view default: keyed by the entity, with an index.
type orderView struct {
	OrderID    string
	CustomerID string
	Status     string
	Total      es.Decimal
	PlacedAt   time.Time
	Carrier    *string
}

func (v *orderView) Decode(d *es.Decoder) {
	if !d.Object() {
		return
	}
	for d.Member() {
		switch d.Name() {
		case "orderId":
			d.String(&v.OrderID)
		case "customerId":
			d.String(&v.CustomerID)
		case "status":
			d.String(&v.Status)
		case "total":
			d.Decimal(&v.Total)
		case "placedAt":
			d.Time(&v.PlacedAt)
		case "carrier":
			if !d.Null() {
				v.Carrier = new(string)
				d.String(v.Carrier)
			}
		default:
			d.Unknown()
		}
	}
}

func (v *orderView) Load(payload string) error { return es.DecodeStored(payload, v) }

func (v *orderView) AppendJSON(dst []byte) []byte {
	start := len(dst)
	dst = es.AppendString(append(dst, `,"orderId":`...), v.OrderID)
	dst = es.AppendString(append(dst, `,"customerId":`...), v.CustomerID)
	if v.Status != "" {
		dst = es.AppendString(append(dst, `,"status":`...), v.Status)
	}
	dst = es.AppendDecimal(append(dst, `,"total":`...), v.Total)
	if !v.PlacedAt.IsZero() {
		dst = es.AppendTime(append(dst, `,"placedAt":`...), v.PlacedAt)
	}
	if v.Carrier != nil {
		dst = es.AppendString(append(dst, `,"carrier":`...), *v.Carrier)
	}
	return es.AppendObjectEnd(dst, start)
}

func (v *orderView) AppendIndexEntries(dst []es.IndexEntry) []es.IndexEntry {
	if v.Status == "" || v.PlacedAt.IsZero() {
		return dst
	}
	return append(dst, es.IndexEntry{Index: "status", Key: v.Status, Sort: es.AppendSortTime(nil, v.PlacedAt)},
		es.IndexEntry{Index: "customer", Key: v.CustomerID})
}

var errAggregator = errors.New("the aggregator will not")

func (v *orderView) Fold(event es.Event, meta es.Meta) error {
	switch e := event.(type) {
	case *orderPlaced:
		return onOrderPlaced(v, *e, meta)
	case *orderShipped:
		v.Carrier, v.Status = &e.Carrier, meta.State
	case *orderCancelled:
		return onOrderCancelled(v, *e, meta)
	}
	return nil
}

// onOrderPlaced fails on the note "fail" and panics on the note "panic".
func onOrderPlaced(v *orderView, e orderPlaced, meta es.Meta) error {
	if e.Note != nil && *e.Note == "fail" {
		return errAggregator
	}
	if e.Note != nil && *e.Note == "panic" {
		panic("secret " + e.CustomerID)
	}
	v.CustomerID, v.Total, v.PlacedAt, v.Status = e.CustomerID, e.Total, e.PlacedAt, meta.State
	return nil
}

// onOrderCancelled deletes the record on the reason "delete", and fails on the reason "fail".
func onOrderCancelled(v *orderView, e orderCancelled, meta es.Meta) error {
	if e.Reason != nil && *e.Reason == "delete" {
		return es.Delete
	}
	if e.Reason != nil && *e.Reason == "fail" {
		v.Status = "half done"
		return errAggregator
	}
	v.Status = meta.State
	return nil
}

// customerView is a record of the view customer-summary: one per customer.
type customerView struct {
	CustomerID  string
	Orders      int64
	Spent       es.Decimal
	LastOrderAt *time.Time
}

func (v *customerView) Decode(d *es.Decoder) {
	if !d.Object() {
		return
	}
	for d.Member() {
		switch d.Name() {
		case "customerId":
			d.String(&v.CustomerID)
		case "orders":
			d.Int(&v.Orders)
		case "spent":
			d.Decimal(&v.Spent)
		case "lastOrderAt":
			if !d.Null() {
				v.LastOrderAt = new(time.Time)
				d.Time(v.LastOrderAt)
			}
		default:
			d.Unknown()
		}
	}
}

func (v *customerView) Load(payload string) error { return es.DecodeStored(payload, v) }

func (v *customerView) AppendJSON(dst []byte) []byte {
	start := len(dst)
	dst = es.AppendString(append(dst, `,"customerId":`...), v.CustomerID)
	dst = es.AppendInt(append(dst, `,"orders":`...), v.Orders)
	dst = es.AppendDecimal(append(dst, `,"spent":`...), v.Spent)
	if v.LastOrderAt != nil {
		dst = es.AppendTime(append(dst, `,"lastOrderAt":`...), *v.LastOrderAt)
	}
	return es.AppendObjectEnd(dst, start)
}

func (v *customerView) AppendIndexEntries(dst []es.IndexEntry) []es.IndexEntry { return dst }

func (v *customerView) Fold(event es.Event, meta es.Meta) error {
	if e, ok := event.(*orderPlaced); ok {
		if e.Note != nil && *e.Note == "fail" {
			return errAggregator
		}
		v.Orders++
		v.Spent = v.Spent.Add(e.Total)
		if meta.Latest {
			v.LastOrderAt = &e.PlacedAt
		}
	}
	return nil
}

// ordersModel returns the model of the service; callers may change it before they use it.
func ordersModel() *es.Model {
	return &es.Model{
		Service:  "orders",
		Key:      es.KeyRule{Name: "orderId", MinLength: 1, MaxLength: 256},
		States:   []string{"placed", "shipped", "cancelled"},
		PageSize: 10,
		Events: []es.EventType{
			{Name: "OrderPlaced", Revision: 1, FromNone: true, To: "placed",
				New: func(id string) es.DecodableEvent { return &orderPlaced{OrderID: id} }},
			{Name: "OrderShipped", Revision: 2, From: []string{"placed"}, To: "shipped",
				New:     func(id string) es.DecodableEvent { return &orderShipped{OrderID: id} },
				Upcasts: []func(es.Fields) error{func(es.Fields) error { return nil }}},
			{Name: "OrderCancelled", Revision: 1, From: []string{"placed"}, To: "cancelled",
				New: func(id string) es.DecodableEvent { return &orderCancelled{OrderID: id} }},
			{Name: "OrderNoted", Revision: 1,
				New: func(id string) es.DecodableEvent { return &orderNoted{OrderID: id} }},
		},
		Views: []es.View{
			{Name: "default", Revision: 1, KeyName: "orderId",
				Events: []string{"OrderPlaced", "OrderShipped", "OrderCancelled"},
				New:    func(key string) es.Record { return &orderView{OrderID: key} },
				Indexes: []es.Index{
					{Name: "status", Desc: true, ParseKey: parseStatus},
					{Name: "customer", ParseKey: func(text string) (string, bool) { return text, true }},
				}},
			{Name: "customer-summary", Revision: 1, KeyName: "customerId",
				Events: []string{"OrderPlaced"},
				Keys: func(event es.Event) []string {
					if e, ok := event.(*orderPlaced); ok {
						return es.AppendKey(nil, e.CustomerID)
					}
					return nil
				},
				New: func(key string) es.Record { return &customerView{CustomerID: key} }},
		},
	}
}

func parseStatus(text string) (string, bool) {
	return text, slices.Contains([]string{"placed", "shipped", "cancelled"}, text)
}

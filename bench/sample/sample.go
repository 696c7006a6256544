// Package sample has what the benchmarks post and fold. Its services, orders and accounts,
// are generated from the schemas in their folders; after a change of a schema or
// of the generator
//
//	go test ./templates -run BenchSample -update
//
// in the toolkit's module brings them up to date, and without -update says whether they are.
package sample

import (
	accounts "github.com/esgen/esgen/bench/sample/accounts/events"
	"github.com/esgen/esgen/bench/sample/accounts/views/balance"
	orders "github.com/esgen/esgen/bench/sample/orders/events"
	es "github.com/esgen/esgen/runtime"
)

// Orders describes a service with one event, which has what events usually have: ids, an
// enum, a timestamp, a list of objects, ranges, lengths, a default, an absent optional.
func Orders() *es.Model {
	return &es.Model{Service: "orders", Key: orders.Key(), Events: orders.Types()}
}

// Accounts describes a service with a small event, as most of a history is, and a view of it.
func Accounts() *es.Model {
	return &es.Model{
		Service: "accounts", Key: accounts.Key(), Events: accounts.Types(),
		Views: []es.View{balance.Definition()},
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

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

package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/esgen/esgen/schema"
)

// variant is a service in one of the forms that stacks have.
type variant struct {
	gateway, auth string
	events, views int // how many consumers events and one view have
	cors          bool
	pipeline      bool
}

// The forms of the API in full; beside them each number of consumers at least once. What makes
// consumers and what makes an API have nothing to do with each other.
var variants = []variant{
	{gateway: "http", auth: "iam", cors: true, pipeline: true},
	{gateway: "http", auth: "jwt", events: 1, views: 1},
	{gateway: "http", auth: "custom", events: 2, views: 2, cors: true},
	{gateway: "http", auth: "none", events: 4, views: 4, cors: true},
	{gateway: "rest", auth: "iam", events: 4, cors: true},
	{gateway: "rest", auth: "custom", views: 3},
	{gateway: "rest", auth: "none", events: 1, views: 2, cors: true},
	{gateway: "none", auth: "none", events: 2, views: 1},
}

func (v variant) String() string {
	return fmt.Sprintf("%s-%s-%d-%d", v.gateway, v.auth, v.events, v.views)
}

// schema writes the variant's schema: orders with two views, one of them with indexes.
func (v variant) schema() string {
	var b strings.Builder
	b.WriteString(`esgen: 1
service: shop
module: example.com/shop
entity: {name: order, key: orderId}
events:
  OrderPlaced: {fields: {customerId: {type: string, maxLength: 256}, total: decimal, placedAt: timestamp, open: bool}}
  OrderShipped: {fields: {carrier: string}}
  OrderCancelled:
views:
  default:
    events: [OrderPlaced, OrderShipped, OrderCancelled]
    fields: {customerId: string, total: decimal, placedAt: timestamp, open: bool, carrier: string}
    indexes: {customer: {key: customerId, sort: placedAt, order: desc}, carrier: {key: carrier}, open: {key: open, sort: total}}
  customer-summary:
    key: customerId
    events: [OrderPlaced]
    fields: {orders: int, spent: decimal}
`)
	if v.events+v.views > 0 {
		b.WriteString("consumers:\n")
	}
	for i := range v.events {
		types := []string{"[OrderShipped]", "[OrderPlaced, OrderCancelled]"}[i%2]
		fmt.Fprintf(&b, "  mailer-%d: {events: %s}\n", i+1, types)
	}
	for i := range v.views {
		fmt.Fprintf(&b, "  watcher-%d: {view: customer-summary}\n", i+1)
	}
	fmt.Fprintf(&b, "api:\n  gateway: %s\n", v.gateway)
	if v.gateway == "none" {
		return b.String()
	}
	auth := v.auth
	if auth == "jwt" {
		auth = `{jwt: {issuer: "https://issuer.example.com", audience: [shop, shop-admin]}}`
	}
	fmt.Fprintf(&b, "  auth: %s\n  throttle: {rate: 70, burst: 140}\n", auth)
	if v.cors {
		b.WriteString("  cors: {origins: [\"https://shop.example.com\", \"https://admin.example.com\"]}\n")
	}
	if v.pipeline {
		b.WriteString(`pipeline:
  github: {owner: acme, repo: shop, connection: "arn:aws:codeconnections:eu-central-1:123456789012:connection/4f1c9c4e-0d7e-4f7c-9a58-2f1f0f4f8a11"}
  stages: [{name: test}, {name: prod, approval: true}]
`)
	}
	return b.String()
}

// service is the variant's schema as it was understood.
func (v variant) service(t testing.TB) *schema.Service {
	t.Helper()
	s, diagnostics := schema.Load("esgen.yaml", []byte(v.schema()))
	for _, d := range diagnostics {
		if d.Severity == schema.SeverityError {
			t.Fatalf("%s: %s", v, d.Message)
		}
	}
	return s
}

// stackChecks hold what every stack must fulfil, whatever the schema.
var stackChecks = map[string]func(t testing.TB, v variant, s *stage){
	"tables":      checkTables,
	"functions":   checkFunctions,
	"names":       checkNames,
	"mappings":    checkMappings,
	"queues":      checkQueues,
	"order":       checkOrder,
	"wildcards":   checkWildcards,
	"permissions": checkPermissions,
	"api":         checkAPI,
	"schedule":    checkSchedule,
	"operations":  checkOperations,
}

func TestStacks(t *testing.T) {
	for _, v := range variants {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			assembly := assemblyOf(t, v.schema())
			s := stageOf(t, assembly, "shop", "dev")
			for name, check := range stackChecks {
				t.Run(name, func(t *testing.T) { check(t, v, s) })
			}
			t.Run("programs", func(t *testing.T) { checkPrograms(t, s, assembly) })
		})
	}
}

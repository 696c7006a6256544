package templates_test

import (
	"fmt"
	"testing"

	"github.com/esgen/esgen/schema"
	"github.com/esgen/esgen/templates"
)

// BenchmarkFiles generates services of 10 to 1,000 events, with a view for each
// twenty of them. Time per event should not grow with their number.
func BenchmarkFiles(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("events=%d", n), func(b *testing.B) {
			s := manyEvents(n)
			size := 0
			for b.Loop() {
				files, err := templates.Files(s, nil)
				if err != nil {
					b.Fatal(err)
				}
				size = 0
				for _, f := range files {
					size += len(f.Content)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/event")
			b.ReportMetric(float64(size)/float64(n), "B/event")
		})
	}
}

// manyEvents is a service of n events of ten fields each.
func manyEvents(n int) *schema.Service {
	one, hundred := 1, 100
	text := &schema.Type{Kind: schema.String, Constraints: schema.Constraints{MinLength: &one, MaxLength: &hundred}}
	item := &schema.NamedType{Name: "Item", Type: &schema.Type{Kind: schema.Object, Fields: []*schema.Field{
		{Name: "sku", Type: text},
		{Name: "price", Type: &schema.Type{Kind: schema.Decimal, Constraints: schema.Constraints{Minimum: "0"}}},
	}}}
	itemUse := &schema.Type{Kind: schema.Object, Named: item, Fields: item.Type.Fields}
	s := &schema.Service{Name: "many", Module: "example.com/many", Types: []*schema.NamedType{item},
		Entity: schema.Entity{Name: "thing", Key: "thingId", MinLength: 1, MaxLength: 256},
		API:    schema.API{Auth: schema.AuthNone, Gateway: schema.GatewayHTTP, PageSize: 10}}
	for i := range n {
		s.Events = append(s.Events, &schema.Event{Name: fmt.Sprintf("ThingHappened%d", i), Revision: 1, Fields: []*schema.Field{
			{Name: "customerId", Type: text},
			{Name: "note", Type: text, Optional: true},
			{Name: "quantity", Type: &schema.Type{Kind: schema.Int, Constraints: schema.Constraints{Minimum: "1"}}},
			{Name: "price", Type: &schema.Type{Kind: schema.Decimal}},
			{Name: "at", Type: &schema.Type{Kind: schema.Timestamp}, Default: &schema.Default{Now: true}},
			{Name: "ref", Type: &schema.Type{Kind: schema.UUID}, Default: &schema.Default{New: true}},
			{Name: "status", Type: &schema.Type{Kind: schema.Enum, Values: []string{"open", "closed"}}},
			{Name: "done", Type: &schema.Type{Kind: schema.Bool}},
			{Name: "tags", Type: &schema.Type{Kind: schema.List, Elem: text}},
			{Name: "items", Type: &schema.Type{Kind: schema.List, Elem: itemUse}},
		}})
	}
	for i := range max(n/20, 1) {
		v := &schema.View{Name: fmt.Sprintf("view-%d", i), Revision: 1, KeyedByEntity: true, Key: "thingId",
			KeyType: &schema.Type{Kind: schema.String}, Fields: []*schema.Field{{Name: "note", Type: text}}}
		for _, e := range s.Events[i*n/max(n/20, 1) : min(n, i*n/max(n/20, 1)+20)] {
			v.Events = append(v.Events, &schema.ViewEvent{Event: e})
		}
		s.Views = append(s.Views, v)
	}
	return s
}

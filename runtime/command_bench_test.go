package es_test

import (
	"context"
	"testing"

	es "github.com/esgen/esgen/runtime"
)

// voidEvents takes every event at once: what is left is the work of the command itself.
type voidEvents struct{ es.EventStore }

func (voidEvents) Head(context.Context, string) (*es.Recorded, error)           { return nil, nil }
func (voidEvents) Lookup(context.Context, string, string) (*es.Recorded, error) { return nil, nil }
func (voidEvents) Put(context.Context, *es.Recorded) (*es.Recorded, error)      { return nil, nil }

func BenchmarkPost(b *testing.B) {
	c := es.NewCommand(ordersModel(), voidEvents{}, es.CommandOptions{})
	r := &es.Request{Method: "POST", Path: "/", Body: []byte(placed("o-1")), Header: func(name string) string {
		if name == "Content-Type" {
			return "application/json"
		}
		return ""
	}}
	b.ReportAllocs()
	for b.Loop() {
		if a := c.Handle(b.Context(), r); a.Status != 201 {
			b.Fatalf("%d %s", a.Status, a.Body)
		}
	}
}

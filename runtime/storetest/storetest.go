// Package storetest is the conformance suite of the stores: what package es says of
// its store interfaces, as tests. Every store passes it, so that the rest of
// the service never asks which one it works on.
package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// Table is a view table that the tests write to, with its indexes.
type Table struct {
	es.Table
	Indexes []string
}

// Tables are for stores whose tables must exist before something is written to them. The tests
// read others too: a table or an index that does not exist is empty.
var Tables = []Table{
	{orders, []string{"i", "status", "statu", "status-2", "other", "status-false", "status-true"}},
	{es.Table{View: "orders", Revision: 2}, []string{"i", "status", "other"}},
	{es.Table{View: "orders", Revision: 11}, []string{"i"}},
	{es.Table{View: "orders1", Revision: 1}, []string{"i"}},
	{es.Table{View: "order", Revision: 1}, []string{"i"}},
}

// Run tests stores. open returns empty stores each time, and leaves it to
// t.Cleanup to close them.
func Run(t *testing.T, open func(t *testing.T) es.Stores) {
	for _, group := range []struct {
		name  string
		tests []test
	}{
		{"Events", eventTests},
		{"Views", viewTests},
		{"Pages", pageTests},
		{"Progress", progressTests},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, test := range group.tests {
				t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
			}
		})
	}
}

type test struct {
	name string
	run  func(t *testing.T, s es.Stores)
}

// hostile are ids and keys that break stores which join, split, quote, fold or normalize
// them. Some are beginnings of others, some differ only in case or normalization.
var hostile = []string{
	"a", "A", "aa", "a/b", "a|b", "a#b", "a:b", "a b", " a", "a ", "a%2Fb", "a%00b", "a\x00b", "a\x00", "\x00", "\x00\x00", "\x01",
	"a\x00\x00\x00\x00\x00\x00\x00\x01", "a\x00\xc3\xbf", "é", "e\u0301", "\u00e9\u00e9", "日本", "\U0001F600", "\U0010FFFF", "\uFFFD", "\u0000é",
	"'; drop table events; --", `"`, `\`, "{}", "[]", "null", "0", "00", "-1", "1e3", "..", ".", "../..", "*", "%", "_", "$", "~",
	"\n", "\r\n", "\t", "\u2028", "\u200b", "\x7f", "events", "default", "quarantine",
	strings.Repeat("a", 255), strings.Repeat("a", 256), strings.Repeat("é", 256), strings.Repeat("\U0001F600", 256), strings.Repeat("\x00", 256),
}

// payload is a JSON object of about n bytes.
func payload(n int) string { return `{"x":"` + strings.Repeat("x", max(n-8, 0)) + `"}` }

var moment = time.Date(2024, 2, 29, 23, 59, 59, 123456789, time.UTC)

func event(id string, version int64) *es.Recorded {
	return &es.Recorded{
		EntityID: id, Version: version, EventID: fmt.Sprintf("e%d", version), Type: "Happened", Revision: 2,
		Time: moment.Add(time.Duration(version) * time.Nanosecond), State: "open", Digest: "d1-\u00e9", Payload: fmt.Sprintf(`{"n":%d,"s":"<\u00e9\u2028>"}`, version),
		CorrelationID: "corr", CausationID: "cause", Actor: "arn:aws:iam::1:user/é",
	}
}

// put stores an event in a free slot.
func put(t *testing.T, s es.EventStore, e *es.Recorded) {
	t.Helper()
	occupant, err := s.Put(t.Context(), e)
	if err != nil {
		t.Fatalf("put %q version %d: %v", e.EntityID, e.Version, err)
	}
	if occupant != nil {
		t.Fatalf("put %q version %d: the slot is taken by %q", e.EntityID, e.Version, occupant.EventID)
	}
}

// sameEvent compares all that a store keeps; times by instant.
func sameEvent(t *testing.T, what string, got, want *es.Recorded) {
	t.Helper()
	switch {
	case got == nil && want == nil:
		return
	case got == nil || want == nil:
		t.Fatalf("%s: got %+v, want %+v", what, got, want)
	}
	g, w := *got, *want
	if !g.Time.Equal(w.Time) {
		t.Errorf("%s: time %v, want %v", what, g.Time, w.Time)
	}
	if _, offset := g.Time.Zone(); offset != 0 {
		t.Errorf("%s: time %v is not UTC", what, g.Time)
	}
	g.Time, w.Time = time.Time{}, time.Time{}
	if g != w {
		t.Errorf("%s:\n got %+v\nwant %+v", what, g, w)
	}
}

var orders = es.Table{View: "orders", Revision: 1}

// row is a record with a payload.
func row(key string, guard int64) es.Item {
	return es.Item{Key: key, Guard: guard, Payload: fmt.Sprintf(`{"guard":%d}`, guard)}
}

func write(t *testing.T, s es.ViewStore, table es.Table, was int64, item es.Item) {
	t.Helper()
	if err := s.Write(t.Context(), es.Step{Table: table, Records: []es.ItemWrite{{Was: was, Item: item}}}); err != nil {
		t.Fatalf("write %q from %d to %d: %v", item.Key, was, item.Guard, err)
	}
}

func get(t *testing.T, s es.ViewStore, table es.Table, key string) *es.Item {
	t.Helper()
	item, err := s.Get(t.Context(), table, key, true)
	if err != nil {
		t.Fatalf("get %q: %v", key, err)
	}
	return item
}

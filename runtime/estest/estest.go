// Package estest tests a view: given these events, want these records.
//
//	func TestShippedOrder(t *testing.T) {
//		estest.Given(t, Definition(),
//			events.OrderPlaced{OrderID: "order-1", CustomerID: "ann"},
//			events.OrderShipped{OrderID: "order-1", Carrier: "DHL"},
//		).Want(
//			View{OrderID: "order-1", CustomerID: "ann", Status: ViewStatusShipped, Carrier: new("DHL")},
//		)
//	}
//
// Events and records go through their stored form on the way, as they do in
// the service; fields with a default that are left zero get it, as in [es.Appender.Append]. Versions, event ids, times and states of the lifecycle are filled in: the
// first event happens at [Start], every other a minute after the one before it.
package estest

import (
	"fmt"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// Start is the time of the first event, unless [Scenario.At] says otherwise.
var Start = time.Date(2026, time.January, 2, 9, 0, 0, 0, time.UTC)

// DefaultEntity is the id of the entity whose events leave their key empty.
const DefaultEntity = "entity-1"

// Scenario is a history of events and what a view makes of it. It is for one
// goroutine.
type Scenario struct {
	t        testing.TB
	view     es.View
	model    es.Model
	history  []es.Recorded
	entity   string
	next     time.Time
	actor    string
	anyOrder bool
	versions map[string]int64
	states   map[string]string
}

// Given begins a history with events, oldest first. Events that the view does not
// list may be among them: they count as versions and lead to states.
func Given(t testing.TB, view es.View, events ...es.Event) *Scenario {
	t.Helper()
	s := &Scenario{
		t: t, view: view, entity: DefaultEntity, next: Start,
		model:    es.Model{Events: view.EventTypes()},
		versions: map[string]int64{}, states: map[string]string{},
	}
	return s.And(events...)
}

// And adds events.
func (s *Scenario) And(events ...es.Event) *Scenario {
	s.t.Helper()
	for _, e := range events {
		s.add(e)
	}
	return s
}

// From adds events of another entity: it is the id of those, also in a later And,
// that leave their key empty.
func (s *Scenario) From(entityID string, events ...es.Event) *Scenario {
	s.t.Helper()
	s.entity = entityID
	return s.And(events...)
}

// At sets the time of the next event; those after it follow a minute apart.
func (s *Scenario) At(t time.Time) *Scenario {
	s.next = t
	return s
}

// By sets the actor of the events that are added from now on.
func (s *Scenario) By(actor string) *Scenario {
	s.actor = actor
	return s
}

// InAnyOrder makes the checks that follow also fold the history in other orders:
// every order, or several hundred where there are more, that keeps the events of
// each entity in theirs. All must end in the same records, as a view that is not keyed by
// the entity has to promise.
func (s *Scenario) InAnyOrder() *Scenario {
	s.anyOrder = true
	return s
}

// add stores an event, as the service would.
func (s *Scenario) add(e es.Event) {
	s.t.Helper()
	et := s.model.EventType(e.EventType())
	if et == nil {
		s.t.Fatalf("the service has no event %q", e.EventType())
	}
	id := e.EntityID()
	if id == "" {
		id = s.entity
	}
	s.versions[id]++
	if et.To != "" {
		s.states[id] = et.To
	}
	s.history = append(s.history, es.Recorded{
		EntityID: id,
		Version:  s.versions[id],
		EventID:  es.DeriveUUID(id, fmt.Sprint(s.versions[id])).String(),
		Type:     et.Name,
		Revision: et.Revision,
		Time:     s.next.UTC(),
		State:    s.states[id],
		Payload:  string(es.AppendGiven(nil, e)),
		Actor:    s.actor,
	})
	s.next = s.next.Add(time.Minute)
}

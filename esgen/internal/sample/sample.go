// Package sample makes up valid events of a schema: what a new user can send at
// once to see a service work.
package sample

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/esgen/esgen/schema"
)

// Event is a made-up event, ready to be sent.
type Event struct {
	Type   string
	Entity string // the id in Body
	Body   []byte // compact JSON: type, key, fields that are required
	// Again says that an event of this type came before, and this one only leads
	// up to the next.
	Again bool
}

// Events returns one event of each type, each where the lifecycle allows it
// when all are sent in this order, with what has to come before.
// A type whose values cannot be made up, for a pattern that is too hard, is named
// in missing, as are those that need one to come first.
func Events(s *schema.Service) (events []Event, missing []string) {
	m := maker{service: s, done: map[string]bool{}}
	for _, e := range s.Events {
		if m.done[e.Name] {
			continue
		}
		if !m.reach(e) {
			missing = append(missing, e.Name)
		}
	}
	return m.events, missing
}

// maker walks entities through the lifecycle.
type maker struct {
	service *schema.Service
	events  []Event
	done    map[string]bool
	entity  string // the one that is walked now, "" before the first
	state   string
	count   int // entities so far
}

// reach sends e to the entity being walked if that is possible in as few events as on a
// new one, else to a new one.
func (m *maker) reach(e *schema.Event) bool {
	way := m.way(m.state, m.entity == "", e)
	if fresh := m.way("", true, e); way == nil || fresh != nil && len(fresh) < len(way) {
		way = fresh
		m.entity = ""
	}
	if way == nil {
		return false
	}
	if m.entity == "" {
		id, ok := entityID(m.service.Entity, m.count+1)
		if !ok {
			return false
		}
		m.count++
		m.entity, m.state = id, ""
	}
	for _, step := range way {
		body, ok := body(m.service, step, m.entity)
		if !ok {
			m.entity = ""
			return false
		}
		m.events = append(m.events, Event{Type: step.Name, Entity: m.entity, Body: body, Again: m.done[step.Name]})
		m.done[step.Name] = true
		if step.To != "" {
			m.state = step.To
		}
	}
	return true
}

// way is the shortest list of events that ends with goal, nil when there is none.
func (m *maker) way(state string, first bool, goal *schema.Event) []*schema.Event {
	type place struct {
		state string
		first bool
		way   []*schema.Event
	}
	queue := []place{{state, first, nil}}
	seen := map[string]bool{state: !first}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if m.fits(goal, at.state, at.first) {
			return append(slices.Clone(at.way), goal)
		}
		for _, e := range m.service.Events {
			if e.To == "" || seen[e.To] || !m.fits(e, at.state, at.first) {
				continue
			}
			seen[e.To] = true
			queue = append(queue, place{e.To, false, append(slices.Clone(at.way), e)})
		}
	}
	return nil
}

// fits reports whether the lifecycle takes an event.
func (m *maker) fits(e *schema.Event, state string, first bool) bool {
	switch {
	case len(m.service.Entity.States) == 0:
		return true
	case first:
		return e.FromNone
	case e.From == nil:
		return !e.FromNone
	}
	return slices.Contains(e.From, state)
}

func body(s *schema.Service, e *schema.Event, id string) ([]byte, bool) {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"type":%s,%s:%s`, quote(e.Name), quote(s.Entity.Key), quote(id))
	ok := members(&b, e.Fields, 0, false)
	b.WriteByte('}')
	return b.Bytes(), ok
}

// members writes the fields that must be sent.
func members(b *bytes.Buffer, fields []*schema.Field, n int, first bool) bool {
	for _, f := range fields {
		if f.Optional || f.Default != nil {
			continue
		}
		text, ok := fieldValue(f, n)
		if !ok {
			return false
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		fmt.Fprintf(b, "%s:%s", quote(f.Name), text)
	}
	return true
}

func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	return string(bytes.TrimSpace(b.Bytes()))
}

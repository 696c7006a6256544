package schema

import "fmt"

func (b *builder) eventTypes(n *node) {
	scope := fieldScope{what: "event", reserved: setOf(append(envelope, b.service.Entity.Key)...), why: "every event has a member of that name beside its fields"}
	for _, entry := range b.entries(n, "event") {
		e := &Event{Name: entry.key.text, Revision: 1}
		b.events[e.Name] = e
		b.eventAt[e], b.eventBody[e] = entry.key, entry.value
		b.service.Events = append(b.service.Events, e)
		e.Description, e.Deprecated = described(entry.value)
		if at := entry.value.get("revision"); at != nil {
			e.Revision = count(at)
		}
		fields := entry.value.get("fields")
		e.Fields = b.fields(fields, scope)
		if len(e.Fields) < len(fields.named()) {
			b.partial[e] = true
		}
	}
}

func (b *builder) eventNames() []string {
	names := make([]string, len(b.service.Events))
	for i, e := range b.service.Events {
		names[i] = e.Name
	}
	return names
}

// event finds an event that something refers to; nil after a report. By says
// what refers to it: `view "default" lists`.
func (b *builder) event(at *node, by string) *Event {
	if e := b.events[at.text]; e != nil {
		return e
	}
	b.add("unknown-event", at, fmt.Sprintf("%s the event %q, which the schema does not define", by, at.text), b.didYouMean(at.text, b.eventNames))
	return nil
}

// lifecycle reads from and to, and checks that the states can be entered at all.
func (b *builder) lifecycle() {
	states := b.service.Entity.States
	first := false
	for _, e := range b.service.Events {
		n := b.eventBody[e]
		from, to := n.get("from"), n.get("to")
		if states == nil {
			for _, key := range []string{"from", "to"} {
				if n.get(key) != nil {
					b.add("no-states", n.key(key), fmt.Sprintf("the event %q says %q, but the entity has no states", e.Name, key), "list them: entity: {states: [...]}")
				}
			}
			continue
		}
		if to != nil {
			e.To = b.state(to)
		}
		switch {
		case from == nil:
		case from.kind == stringNode:
			e.FromNone = true
			first = true
			if to == nil {
				b.add("from-none-to", n.key("from"), fmt.Sprintf("the event %q begins the history and does not say which state it leads to", e.Name), "add to: <state>")
			}
		default:
			for _, s := range from.items {
				e.From = append(e.From, b.state(s))
			}
		}
	}
	if states != nil && !first && len(b.service.Events) > 0 {
		b.add("no-first-event", b.root.get("entity").key("states"), "no event can be the first: with states, at least one event has from: none", "add from: none to the event that begins a history")
	}
}

func (b *builder) state(at *node) string {
	if !b.states[at.text] {
		b.add("unknown-state", at, fmt.Sprintf("the entity has no state %q", at.text), b.didYouMean(at.text, func() []string { return b.service.Entity.States }))
	}
	return at.text
}

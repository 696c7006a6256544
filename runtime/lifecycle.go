package es

import "slices"

// knowsState reports whether a state is one of the model's.
func (m *Model) knowsState(state string) bool {
	return state != "" && slices.Contains(m.States, state)
}

// stateAfter gives the entity's state after a stored event, from the state
// before it. The state that the event was stored with counts while the schema still knows
// it; otherwise the event's to; an event that says nothing changes nothing.
func (m *Model) stateAfter(before string, r *Recorded) string {
	if len(m.States) == 0 {
		return ""
	}
	if m.knowsState(r.State) {
		return r.State
	}
	if t := m.EventType(r.Type); t != nil && t.To != "" {
		return t.To
	}
	return before
}

// nextState gives the state that an event of type t leads to.
func (m *Model) nextState(current string, t *EventType) string {
	if t.To != "" {
		return t.To
	}
	return current
}

// standing is where an entity is before an append.
type standing struct {
	version int64
	state   string // "" without a lifecycle, and when the history gives none
}

// fits reports whether an event of type t may follow. An entity with a history
// that gives no state takes every event; an entity without a history takes only
// those that are declared for it.
func (m *Model) fits(at standing, t *EventType) bool {
	switch {
	case len(m.States) == 0:
		return true
	case at.version == 0:
		return t.FromNone
	case at.state == "":
		return true
	case t.FromNone:
		return false
	case t.From == nil:
		return true
	}
	return slices.Contains(t.From, at.state)
}

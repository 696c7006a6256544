package es

import "time"

// Event is one typed event of a service, as generated code declares it. The
// pointers that the decoders of a [Model] return and the values that users write
// both implement it.
type Event interface {
	// EventType is the event's name in the schema.
	EventType() string
	// EntityID is the id of the entity to whose history the event belongs.
	EntityID() string
	// AppendJSON appends the canonical JSON object of the event's own fields:
	// no type, no key of the entity, no envelope; absent fields left out.
	AppendJSON(dst []byte) []byte
}

// AppendGiven appends the fields of an event that were given a value, as a JSON object. Left out
// are zero times, dates and UUIDs, and what is nil or an empty enum although it has a
// default: no value of the schema looks like that, so who appends the event means the default.
func AppendGiven(dst []byte, event Event) []byte {
	if e, ok := event.(interface {
		AppendFields(dst []byte, given bool) []byte
	}); ok {
		return e.AppendFields(dst, true)
	}
	return event.AppendJSON(dst)
}

// Recorded is an event as it is stored: the envelope as values, the payload as
// one canonical JSON object that is handed on as it is.
type Recorded struct {
	EntityID string
	Version  int64 // from 1, without holes
	EventID  string
	Type     string
	Revision int       // of the event's shape, from 1
	Time     time.Time // when it was appended, UTC
	State    string    // of the entity after this event; "" without a lifecycle
	Digest   string    // of the content as it was sent, before defaults
	Payload  string

	CorrelationID string
	CausationID   string
	Actor         string // the caller's identity; never shown over HTTP
}

// Meta is what a fold or a consumer knows of an event beside its fields.
type Meta struct {
	EventID  string
	Type     string
	EntityID string
	Version  int64
	Time     time.Time
	State    string // of the entity after this event
	Key      string // of the record being folded into
	// Latest is true when no event folded into the record so far has a later
	// (Time, EntityID, Version); always in a view keyed by the entity.
	Latest        bool
	CorrelationID string
	CausationID   string
	Actor         string
}

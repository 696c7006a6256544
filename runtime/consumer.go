package es

import "context"

// Consumer describes one consumer of the user's.
type Consumer struct {
	Name   string
	Events []string // the types it handles; nil for a consumer of a view
	View   string   // the view whose changes it handles, else ""
	// Start makes the handler, once per process.
	Start func(ctx context.Context, service *Appender) (Handler, error)
}

// Handler is what generated code makes of the user's handler methods. A
// consumer of events gets events, a consumer of a view gets changes.
type Handler interface {
	HandleEvent(ctx context.Context, event Event, meta Meta) error
	HandleChange(ctx context.Context, change RecordChange) error
}

// RecordChange is one change of a view's record, as payloads; "" where there is no record.
type RecordChange struct {
	View       string
	Key        string
	Guard      int64 // of the record after the change
	Old, New   string
	Rebuilding bool // made while a rebuild fills the view
}

// Appender appends events to the service's own events table; consumers are handed one.
type Appender struct{}

// Append stores an event of this service. Within a handler it is idempotent: the
// event id derives from the consumer, the event that is handled, and the position of the
// append in the handler.
func (a *Appender) Append(ctx context.Context, event Event) (*Recorded, error) { return nil, nil }

package es

import (
	"errors"
	"time"
)

// ErrUnknownType is returned for a stored event whose type the model does not know.
var ErrUnknownType = errors.New("es: unknown event type")

// Submission is the body of a POST, decoded and valid, with defaults filled in.
type Submission struct {
	Event           Event
	Type            *EventType
	EntityID        string
	EventID         string // "" when the body has none
	ExpectedVersion *int64 // nil when the body has none
	CorrelationID   string
	CausationID     string
	Digest          string // of the content as sent
	Payload         string // canonical JSON of the fields, defaults applied
}

// Violation is one reason why a body is not a valid event.
type Violation struct {
	Pointer string // RFC 6901
	Code    string // a constraint keyword, "required", "type", ...
	Message string // without the value of a sensitive field
}

// InvalidError lists all violations of a body.
type InvalidError struct {
	Violations []Violation
}

func (e *InvalidError) Error() string { return "invalid event" }

// DecodeSubmission decodes and validates the body of a POST. now is the one reading of
// the clock of the request. The error is an *InvalidError.
func (m *Model) DecodeSubmission(body []byte, now time.Time) (*Submission, error) {
	return nil, errors.ErrUnsupported
}

// LoadEvent decodes a stored event: upcasts, defaults for what it lacks, no
// validation. It returns ErrUnknownType for a type that the model does not have.
func (m *Model) LoadEvent(r *Recorded) (Event, error) {
	return nil, errors.ErrUnsupported
}

// EventType returns the type of that name, or nil.
func (m *Model) EventType(name string) *EventType {
	for i := range m.Events {
		if m.Events[i].Name == name {
			return &m.Events[i]
		}
	}
	return nil
}

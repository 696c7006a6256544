package es

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
)

// Appender appends typed events to the service's own events table. Consumers
// are handed one. It is safe for concurrent use.
type Appender struct {
	writer *writer
}

// NewAppender returns an appender to a service's events.
func NewAppender(m *Model, events EventStore, o CommandOptions) *Appender {
	return &Appender{&writer{model: m, events: events, clock: o.Clock}}
}

// Append checks an event as one that came over HTTP and stores it. Of a field that has
// a default, a zero time, date or UUID, an empty enum and a nil list, map, bytes
// or json get it, see [AppendGiven]; "", 0 and false are values like any other.
//
// In a handler of a consumer it is idempotent: the event id derives from the
// consumer, from what is being handled, and from the append's position in the handler. When
// the handler runs again, what its first run stored is returned, whatever the second
// would have written. A handler must therefore append in the same order each time.
//
// The error is an [*InvalidError], a [*RefusedError] or an [*UnavailableError].
func (a *Appender) Append(ctx context.Context, event Event) (*Recorded, error) {
	now := a.writer.clock.now()
	c, handling := ctx.Value(causeKey{}).(cause)
	id := NewUUID(now).String()
	if handling {
		id = DeriveUUID(c.consumer, c.id, strconv.FormatInt(c.appended.Add(1), 10)).String()
	}
	s, err := a.writer.submissionOf(event, id, now)
	if err != nil {
		return nil, err
	}
	actor := ""
	if handling {
		actor = "consumer:" + c.consumer
		s.CausationID = c.causation
		s.CorrelationID = c.correlation
	}
	stored, _, err := a.writer.append(ctx, &submission{Submission: s, actor: actor, time: now})
	if refused, ok := errors.AsType[*RefusedError](err); ok && handling && refused.Stored != nil {
		return refused.Stored, nil
	}
	return stored, err
}

// cause is what a handler is handling: the origin of the ids of what it appends.
type cause struct {
	consumer    string
	id          string
	causation   string // the event's id; "" for a change of a view
	correlation string
	appended    *atomic.Int64
}

type causeKey struct{}

func withCause(ctx context.Context, c cause) context.Context {
	c.appended = new(atomic.Int64)
	return context.WithValue(ctx, causeKey{}, c)
}

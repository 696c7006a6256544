package es

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
)

// Appender appends events to the service's own events table. Consumers are
// handed one. It is safe for concurrent use.
type Appender struct {
	append func(ctx context.Context, s *Submission) (*Recorded, error)
	model  *Model
	clock  Clock
}

// cause is what a handler is handling: the origin of the ids of what it appends.
type cause struct {
	consumer    string
	id          string
	causation   string // event id
	correlation string
	appended    *atomic.Int64
}

type causeKey struct{}

func withCause(ctx context.Context, c cause) context.Context {
	c.appended = new(atomic.Int64)
	return context.WithValue(ctx, causeKey{}, c)
}

// identify gives a submission its event id and its place in the chain of
// causes. Without a handler around it, the id is new.
func identify(ctx context.Context, s *Submission) (actor string) {
	c, ok := ctx.Value(causeKey{}).(cause)
	if !ok {
		return ""
	}
	n := c.appended.Add(1)
	s.EventID = DeriveUUID(c.consumer, c.id, strconv.FormatInt(n, 10)).String()
	s.CausationID = c.causation
	s.CorrelationID = c.correlation
	if s.CorrelationID == "" {
		s.CorrelationID = c.causation
	}
	return "consumer:" + c.consumer
}

func isConflict(err error) bool { return errors.Is(err, ErrConflict) }

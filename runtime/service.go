package es

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Delete is returned by an aggregator to remove the record it folds into.
var Delete = errors.New("es: delete the record")

// Stores are the three kinds of store that a service works on.
type Stores struct {
	Events   EventStore
	Views    ViewStore
	Progress ProgressStore
}

// Clock tells the time; nil means time.Now.
type Clock func() time.Time

// ProjectorOptions are the knobs of a Projector.
type ProjectorOptions struct {
	// Deployment identifies the code that folds: an entity that was quarantined by
	// another deployment is tried again at its next event.
	Deployment string
	Clock      Clock
	Logger     *slog.Logger
}

// Projector folds events into all views of a model.
type Projector struct{}

// NewProjector returns a projector; it is safe for concurrent use, also beside
// other projectors on the same stores.
func NewProjector(m *Model, s Stores, o ProjectorOptions) *Projector { return &Projector{} }

// Report says what one batch took.
type Report struct {
	Records     int
	Folds       int
	Conflicts   int
	CaughtUp    int // events read from the table to close gaps
	Unknown     int // events of a type the model does not have
	Quarantined int
	Left        int // entities recorded for reconcile
}

// Project folds a batch of the events stream. Order, duplicates and gaps do not
// matter. retry is the index of the first record that must be delivered again
// after a transient failure, len(batch) when there is none; err then says why.
func (p *Projector) Project(ctx context.Context, batch []Recorded) (report Report, retry int, err error) {
	return Report{}, len(batch), nil
}

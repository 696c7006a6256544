package es

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// ProjectorOptions are the knobs of a Projector; the zero value serves.
type ProjectorOptions struct {
	// Deployment identifies the code that folds: an entity that was quarantined by
	// another deployment is tried again at its next event.
	Deployment string
	Clock      Clock
	Logger     *slog.Logger // a line per batch, and quarantines; nil is slog.Default
}

// Projector folds events into all views of a model. What it is handed is only a
// hint that something happened: duplicates, gaps and any order end in the same
// views, the fold of the whole history. It is safe for concurrent use, also beside
// other projectors on the same stores.
type Projector struct {
	model      *Model
	stores     Stores
	views      []*projected
	types      map[string]*eventType
	shared     int // views that are not keyed by the entity
	deployment string
	clock      Clock
	log        *slog.Logger

	// tables is held for reading from the load of rows to their last write, for
	// writing while a table is dropped: a row written on the strength of its guard
	// must not belong to a table that is gone.
	tables sync.RWMutex
}

// projected is a view with what the projector looks up for each event.
type projected struct {
	*View
	table  Table
	index  int // among the views
	shared int // among the views not keyed by the entity, else -1

	read  atomic.Int32 // who reads the revision
	turns turns
}

// eventType is what the projector asks of the type of an event.
type eventType struct {
	known bool // to the model
	views []*projected
	lists []bool // by projected.index
}

// unknownType is of events whose type neither the model nor a view has.
var unknownType = &eventType{}

func (t *eventType) listed(v *projected) bool { return v.index < len(t.lists) && t.lists[v.index] }

// NewProjector returns a projector of all views of a model.
func NewProjector(m *Model, s Stores, o ProjectorOptions) *Projector {
	p := &Projector{
		model: m, stores: s, deployment: o.Deployment, clock: o.Clock, log: o.Logger,
		types: map[string]*eventType{},
	}
	if p.deployment == "" {
		p.deployment = "unnamed" // an empty one would read as "not held"
	}
	if p.clock == nil {
		p.clock = time.Now
	}
	if p.log == nil {
		p.log = slog.Default()
	}
	for i := range m.Events {
		p.types[m.Events[i].Name] = &eventType{known: true, lists: make([]bool, len(m.Views))}
	}
	for i := range m.Views {
		v := &projected{View: &m.Views[i], index: i, shared: -1}
		v.table = Table{View: v.Name, Revision: v.Revision}
		v.turns.gate = newGate()
		if !v.KeyedByEntity() {
			v.shared, p.shared = p.shared, p.shared+1
		}
		for _, name := range v.Events {
			if t := p.types[name]; t != nil && !t.lists[i] {
				t.lists[i] = true
				t.views = append(t.views, v)
			}
		}
		p.views = append(p.views, v)
	}
	return p
}

// typeOf never returns nil.
func (p *Projector) typeOf(name string) *eventType {
	if t := p.types[name]; t != nil {
		return t
	}
	return unknownType
}

// Report says what one batch took.
type Report struct {
	Records     int // delivered
	Folds       int // events folded into records, and written
	Conflicts   int // writes that another writer forestalled
	CaughtUp    int // events read from the table to close gaps
	Unknown     int // events of a type the model does not have
	Ignored     int // records that are no event: without entity or version, or beyond the table's history
	Quarantined int // entities that were quarantined in a view, each view counted
	Left        int // entities recorded for reconcile, each view counted
	// Lag is the age of the oldest record delivered, when the batch was done.
	Lag time.Duration
	// Views are all views of the model, in its order.
	Views []ViewReport
}

// ViewReport is what a batch took of one view.
type ViewReport struct {
	View  string
	Folds int // as in Report
	// Lag is how long the oldest delivered event that was folded into the view had waited when the
	// batch was done; 0 without folds.
	Lag time.Duration
}

// Project folds a batch of the events stream. Order, duplicates and gaps do not
// matter. retry is the index of the first record that must be delivered again
// after a transient failure, len(batch) when there is none; err then says why.
// Records from retry on that were folded all the same are skipped when they come
// again. Until half of the time that ctx leaves has passed, gaps are closed from the
// table; entities with more to read than that are recorded for [Projector.Reconcile].
func (p *Projector) Project(ctx context.Context, batch []Recorded) (report Report, retry int, err error) {
	p.tables.RLock()
	defer p.tables.RUnlock()
	started := p.clock()
	w := &work{p: p, perStep: 1, report: Report{Records: len(batch)}, views: make([]viewWork, len(p.views))}
	histories := w.group(batch)
	sources := w.sources(histories)
	w.learn(ctx, sources)
	stop := spent(ctx, p.clock, started, 1, 2)
	for part := range w.parts(sources) {
		w.projectPart(ctx, histories, part, stop)
	}
	retry, err = firstFailure(sources, len(batch))
	now := p.clock()
	w.measure(batch, now)
	p.logBatch(ctx, &w.report, now.Sub(started), retry, err)
	return w.report, retry, err
}

func (w *work) projectPart(ctx context.Context, histories []*history, part []*source, stop func() bool) {
	leave, ok := w.takeTurns(ctx, part)
	if !ok {
		return
	}
	defer leave()
	w.rows = nil
	if w.load(ctx, part) {
		w.rounds(ctx, part)
		w.closeGaps(ctx, histories, part, stop)
	}
	w.finish(ctx, part)
}

// measure says how old what was delivered and folded is by now.
func (w *work) measure(batch []Recorded, now time.Time) {
	for i := range batch {
		w.report.Lag = max(w.report.Lag, now.Sub(batch[i].Time))
	}
	w.report.Views = make([]ViewReport, len(w.p.views))
	for i, v := range w.p.views {
		r := &w.report.Views[i]
		r.View = v.Name
		r.Folds = w.views[i].folds
		if oldest := w.views[i].oldest; !oldest.IsZero() {
			r.Lag = max(0, now.Sub(oldest))
		}
	}
}

// spent returns a function that tells when a share of the time until the deadline of ctx has
// passed; without a deadline it never does.
func spent(ctx context.Context, clock Clock, started time.Time, part, of time.Duration) func() bool {
	deadline, ok := ctx.Deadline()
	if !ok {
		return func() bool { return false }
	}
	most := deadline.Sub(started) / of * part
	return func() bool { return clock().Sub(started) >= most }
}

// firstFailure gives the lowest index of a record whose source failed for now.
func firstFailure(sources []*source, none int) (retry int, err error) {
	retry = none
	for _, s := range sources {
		if s.status == failed && (err == nil || s.first < retry) {
			retry, err = s.first, s.err
		}
	}
	return retry, err
}

func (p *Projector) logBatch(ctx context.Context, r *Report, took time.Duration, retry int, err error) {
	level, text := slog.LevelInfo, "projected"
	attrs := []slog.Attr{
		slog.Int("records", r.Records), slog.Int("folds", r.Folds), slog.Int("conflicts", r.Conflicts),
		slog.Int("caughtUp", r.CaughtUp), slog.Int("unknown", r.Unknown), slog.Int("ignored", r.Ignored),
		slog.Int("quarantined", r.Quarantined), slog.Int("left", r.Left),
		slog.Int64("lagMs", r.Lag.Milliseconds()), slog.Int64("tookMs", took.Milliseconds()),
	}
	if err != nil {
		level, text = slog.LevelWarn, "projected in part"
		if errors.Is(err, context.Canceled) { // the program is ending, and what is left comes again
			level = slog.LevelInfo
		}
		attrs = append(attrs, slog.Int("retry", retry), slog.String("error", err.Error()))
	}
	p.log.LogAttrs(ctx, level, text, attrs...)
}

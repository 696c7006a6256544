package es

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"strconv"
	"sync"
	"time"
)

// QueryOptions are the knobs of a Query; the zero value serves.
type QueryOptions struct {
	Clock  Clock
	Logger *slog.Logger // of trouble that an answer does not explain; nil is silent
}

// Query answers everything but POST /.
type Query struct {
	model  *Model
	stores Stores
	clock  Clock
	logger *slog.Logger
	views  map[string]*View

	mu     sync.Mutex
	active map[string]activeRevision // by view
}

// NewQuery returns the read side of a service.
func NewQuery(m *Model, s Stores, o QueryOptions) *Query {
	q := &Query{
		model: m, stores: s, clock: o.Clock, logger: logger(o.Logger),
		views: make(map[string]*View, len(m.Views)), active: map[string]activeRevision{},
	}
	for i := range m.Views {
		q.views[m.Views[i].Name] = &m.Views[i]
	}
	return q
}

// Handle answers a request; it is safe for concurrent use.
func (q *Query) Handle(ctx context.Context, r *Request) (answer *Response) {
	defer func() {
		if v := recover(); v != nil {
			q.logger.Error("panic", "requestId", r.ID, "stack", string(debug.Stack()))
			answer = internal().response(r)
		}
		if r.Method == "HEAD" {
			answer = withoutBody(answer)
		}
	}()
	answer, problem := q.route(ctx, r)
	if problem != nil {
		return problem.response(r)
	}
	return answer
}

// withoutBody answers HEAD: what GET answers, with the length of the body in its place.
func withoutBody(answer *Response) *Response {
	if answer.Status != 304 {
		answer.set("Content-Length", strconv.Itoa(len(answer.Body)))
	}
	answer.Body = nil
	return answer
}

// failed makes a problem of a store's failure: transient unless it says otherwise.
func (q *Query) failed(r *Request, err error) *problem {
	if errors.Is(err, ErrCursor) {
		return &problem{status: 400, code: codeCursor, detail: "start the list again without it"}
	}
	if e, ok := errors.AsType[*FoldError](err); ok {
		q.logger.Warn("fold failed", "requestId", r.ID, "view", e.View, "event", e.Type, "version", e.Version, "reason", e.Reason)
		return quarantined()
	}
	if errors.Is(err, ErrDamaged) { // asking again would not help
		q.logger.Error("store failed", "requestId", r.ID, "error", err)
		return internal()
	}
	q.logger.Warn("store failed", "requestId", r.ID, "error", err)
	return unavailable()
}

func quarantined() *problem {
	return &problem{
		status: 503, code: codeQuarantined, retryAfter: 60,
		detail: "an event of this entity cannot be folded into the view; without minVersion and version the last good state is answered",
	}
}

// jsonAnswer is a 200 with a JSON body that caches must ask about.
func jsonAnswer(body []byte) *Response {
	w := &Response{Status: 200, Header: make([]HeaderField, 0, 4), Body: body}
	w.set("Content-Type", "application/json")
	w.set("Cache-Control", "no-cache")
	return w
}

// activeRevision is what readers get of a view, as known a moment ago.
type activeRevision struct {
	revision int
	asked    time.Time
}

// fresh reports whether it need not be asked for again. A clock that was set back says nothing of how
// long ago that was.
func (a activeRevision) fresh(now time.Time) bool {
	return !now.Before(a.asked) && now.Sub(a.asked) < activeFor
}

const (
	// activeFor is how long a switch of revisions may go unnoticed.
	activeFor = 2 * time.Second
	// readFor is how long after a switch somebody may still be reading the older revision.
	readFor = 2 * activeFor
)

// readable is the table that readers of a view get now.
type readable struct {
	Table
	rebuilding bool            // an older revision, which stands still
	ctx        context.Context // for reading it, for as long as it cannot be dropped
	end        func()
}

// table is to be ended after it has been read.
func (q *Query) table(ctx context.Context, v *View) (readable, error) {
	now := q.clock.now()
	active, err := q.activeRevision(ctx, v, now)
	t := readable{Table: Table{View: v.Name, Revision: active.revision}, ctx: ctx, end: func() {}}
	if t.rebuilding = active.revision != v.Revision; t.rebuilding && err == nil {
		t.ctx, t.end = context.WithTimeout(ctx, readFor-now.Sub(active.asked))
	}
	return t, err
}

func (q *Query) activeRevision(ctx context.Context, v *View, now time.Time) (activeRevision, error) {
	if q.stores.Progress == nil {
		return activeRevision{revision: v.Revision}, nil
	}
	q.mu.Lock()
	known, ok := q.active[v.Name]
	q.mu.Unlock()
	if ok && known.fresh(now) {
		return known, nil
	}
	revision, _, err := activeOf(ctx, q.stores.Progress, v.Name)
	switch {
	case err != nil && ok && known.revision == v.Revision: // readers never get an older one again
		return known, nil
	case err != nil: // an older one may be gone by now, and a table that was emptied looks like no records
		return activeRevision{}, err
	}
	if revision < 1 || revision > v.Revision || !q.has(Table{View: v.Name, Revision: revision}) {
		revision = v.Revision
	}
	q.mu.Lock()
	known = activeRevision{revision: revision, asked: now}
	q.active[v.Name] = known
	q.mu.Unlock()
	return known, nil
}

// TableKnower is a [ViewStore] that knows which tables there are. Without it, every table is
// taken to be there.
type TableKnower interface {
	HasTable(t Table) bool
}

// has reports whether there is a table: one that is gone must not be read as if it were empty.
func (q *Query) has(t Table) bool {
	k, ok := q.stores.Views.(TableKnower)
	return !ok || k.HasTable(t)
}

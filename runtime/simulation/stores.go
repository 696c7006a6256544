package simulation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	es "github.com/esgen/esgen/runtime"
)

// access is one program's way to the database: what a client library is to a real one. A call
// reaches the database when do lets it.
type access struct {
	*database
	// do has run executed. What it is about, entities or keys, tells one call of a program
	// from another and finds it in the trace.
	do func(ctx context.Context, c calling, run func() error) error
	// page is how many heads a page has, headsPage if 0.
	page int
	// behind is by how many writes of a table an eventual read is behind.
	behind func(t *table) int
	// most is how many of the items that are asked for a page has.
	most func(limit int) int
	// reading is told which tables of views are read.
	reading func(es.Table)
}

// calling names a call.
type calling struct {
	name  string
	about string
	kind  kind
	store store
}

// store is a kind of tables, and the topic: what can be out of reach by itself.
type store string

const (
	inEvents   store = "events"
	inViews    store = "views"
	inProgress store = "progress"
	inTopic    store = "topic"
)

type kind int

const (
	reads kind = iota
	puts       // an event
	steps      // of a view
	notes      // an entry of the progress
)

// direct is an access without anything between: every call happens at once.
func direct(d *database) es.Stores {
	a := &access{
		database: d,
		do: func(ctx context.Context, _ calling, run func() error) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			if d.direct++; d.direct > mostDirect {
				return errEndless
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			return run()
		},
		behind:  func(*table) int { return 0 },
		most:    func(limit int) int { return limit },
		reading: func(es.Table) {},
	}
	return a.stores()
}

// mostDirect ends what goes on and on in a world at rest.
const mostDirect = 200_000

var errEndless = errors.New("simulation: this does not end")

func (a *access) stores() es.Stores { return es.Stores{Events: a, Views: a, Progress: a} }

func (a *access) Head(ctx context.Context, id string) (head *es.Recorded, err error) {
	err = a.do(ctx, calling{store: inEvents, name: "Head", about: id}, func() error { head = a.head(id); return nil })
	return answered(head, err)
}

func (a *access) Lookup(ctx context.Context, id, eventID string) (found *es.Recorded, err error) {
	err = a.do(ctx, calling{store: inEvents, name: "Lookup", about: id}, func() error { found = a.lookup(id, eventID); return nil })
	return answered(found, err)
}

func (a *access) Put(ctx context.Context, event *es.Recorded) (occupant *es.Recorded, err error) {
	r := *event
	err = a.do(ctx, calling{store: inEvents, name: "Put", about: r.EntityID, kind: puts}, func() (err error) {
		occupant, err = a.put(r)
		return err
	})
	return answered(occupant, err)
}

// answered is what a call answers: nothing when it failed, whatever was done.
func answered[T any](v T, err error) (T, error) {
	if err != nil {
		var none T
		return none, err
	}
	return v, nil
}

func (a *access) Read(ctx context.Context, id string, after int64, limit int) (events []es.Recorded, more bool, err error) {
	err = a.do(ctx, calling{store: inEvents, name: "Read", about: id}, func() error {
		events, more = a.read(id, after, a.most(limit))
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	return events, more, nil
}

// headsPage is short, so that the scan of a few entities has pages, too.
const headsPage = 4

func (a *access) Heads(ctx context.Context, segment, segments int, cursor string) (heads []es.EntityHead, next string, err error) {
	err = a.do(ctx, calling{store: inEvents, name: "Heads", about: fmt.Sprintf("%d/%d %s", segment, segments, cursor)}, func() (err error) {
		heads, next, err = a.heads(segment, segments, cursor, cmp.Or(a.page, headsPage))
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return heads, next, nil
}

func (a *access) Load(ctx context.Context, reads []es.ViewRead) (rows []es.ViewRows, err error) {
	var about []string
	for _, r := range reads {
		about = append(about, r.Table.View+":")
		about = append(append(about, r.Keys...), r.Markers...)
	}
	err = a.do(ctx, calling{store: inViews, name: "Load", about: strings.Join(about, " ")}, func() error { rows = a.load(reads); return nil })
	return answered(rows, err)
}

func (a *access) Write(ctx context.Context, step es.Step) error {
	step.Records, step.Markers = slices.Clone(step.Records), slices.Clone(step.Markers)
	about := []string{step.Table.View + ":"}
	for _, w := range step.Records {
		about = append(about, w.Item.Key)
	}
	for _, w := range step.Markers {
		about = append(about, w.Marker.EntityID)
	}
	return a.do(ctx, calling{store: inViews, name: "Write", about: strings.Join(about, " "), kind: steps}, func() error { return a.write(step) })
}

func (a *access) Get(ctx context.Context, name es.Table, key string, strong bool) (found *es.Item, err error) {
	err = a.do(ctx, calling{store: inViews, name: "Get", about: name.View + ": " + key}, func() error {
		a.reading(name)
		t := a.table(name)
		if found = t.item(key); !strong {
			found = t.before(key, t.writes-a.behind(t))
		}
		found = got(found)
		return nil
	})
	return answered(found, err)
}

func (a *access) List(ctx context.Context, name es.Table, page es.PageRequest) (p es.ItemPage, err error) {
	err = a.do(ctx, calling{store: inViews, name: "List", about: name.View + ":"}, func() (err error) {
		a.reading(name)
		page.Limit = a.most(page.Limit)
		p, err = a.list(name, page, a.behind(a.table(name)))
		return err
	})
	return answered(p, err)
}

func (a *access) Query(ctx context.Context, name es.Table, index, key string, desc bool, page es.PageRequest) (p es.ItemPage, err error) {
	err = a.do(ctx, calling{store: inViews, name: "Query", about: name.View + ": " + index}, func() (err error) {
		a.reading(name)
		page.Limit = a.most(page.Limit)
		p, err = a.query(name, index, key, desc, page, a.behind(a.table(name)))
		return err
	})
	return answered(p, err)
}

func (a *access) Drop(ctx context.Context, name es.Table) error {
	return a.do(ctx, calling{store: inViews, name: "Drop", about: name.View + ":", kind: notes}, func() error { a.drop(name); return nil })
}

func (a *access) Progress(ctx context.Context, part, id string) (e *es.Entry, err error) {
	err = a.do(ctx, calling{store: inProgress, name: "Progress", about: part + ": " + id}, func() error { e = a.entry(part, id); return nil })
	return answered(e, err)
}

func (a *access) ListProgress(ctx context.Context, part, after string, limit int) (entries []es.Entry, err error) {
	err = a.do(ctx, calling{store: inProgress, name: "ListProgress", about: part + ": " + after}, func() error {
		entries = a.listProgress(part, after, limit)
		return nil
	})
	return answered(entries, err)
}

func (a *access) PutProgress(ctx context.Context, was int64, e es.Entry) error {
	return a.do(ctx, calling{store: inProgress, name: "PutProgress", about: e.Part + ": " + e.ID, kind: notes}, func() error { return a.putProgress(was, e) })
}

func (a *access) DeleteProgress(ctx context.Context, part, id string) error {
	return a.do(ctx, calling{store: inProgress, name: "DeleteProgress", about: part + ": " + id, kind: notes}, func() error {
		delete(a.progress[part], id)
		return nil
	})
}

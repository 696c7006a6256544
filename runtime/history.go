package es

import (
	"context"
	"strconv"
)

// maxPage is where a page of a history ends, in bytes.
const maxPage = 1 << 20

// history answers a page of the events of one entity, oldest first, read strongly.
func (q *Query) history(ctx context.Context, r *Request, id string, inPath bool) (*Response, *problem) {
	ps, p := parseParameters(r.RawQuery, func(name string) bool {
		return name == "limit" || name == "cursor" || name == "id" && !inPath
	})
	if p != nil {
		return nil, p
	}
	if !inPath {
		var given bool
		if id, given = ps["id"]; !given {
			return nil, badParameter("the history of which entity? give its id: ?id=…")
		}
	}
	l := listing{kind: "events", key: id}
	w, p := q.window(l, ps)
	if p != nil {
		return nil, p
	}
	after := int64(0)
	if w.after != "" {
		var ok bool
		if after, ok = parseVersion(w.after); !ok {
			return nil, q.failed(r, ErrCursor)
		}
	}
	if !possibleID(id) {
		return nil, noHistory()
	}
	events, more, err := q.stores.Events.Read(ctx, id, after, w.limit)
	if err != nil {
		return nil, q.failed(r, err)
	}
	if len(events) == 0 && after == 0 {
		return nil, noHistory()
	}
	b, next := newPage(len(events)), ""
	for i := range events {
		if i > 0 && len(b.body) > maxPage {
			events, more = events[:i], true
			break
		}
		b.body = q.model.appendEvent(b.next(), &events[i], true)
	}
	if more && len(events) > 0 {
		next = strconv.FormatInt(events[len(events)-1].Version, 10)
	}
	return b.answer(l, next, ps), nil
}

func noHistory() *problem { return notFound("no entity has this id") }

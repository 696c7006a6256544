package es

import (
	"context"
	"sort"
)

// defaultPageSize is what a model without one gives.
const defaultPageSize = 10

// window is the part of a list that a request asks for.
type window struct {
	limit int
	after string // the store's position; "" from the start
}

// window reads limit and cursor.
func (q *Query) window(l listing, ps parameters) (w window, p *problem) {
	size := q.model.PageSize
	if size < 1 {
		size = defaultPageSize
	}
	if w.limit, p = ps.limit(min(size, 100)); p != nil {
		return w, p
	}
	if cursor, given := ps["cursor"]; given {
		position, ok := l.open(cursor)
		if !ok {
			return w, &problem{status: 400, code: codeCursor, detail: "start the list again without it"}
		}
		w.after = position
	}
	return w, nil
}

// list answers a page of a view, through an index when a parameter is one's name.
func (q *Query) list(ctx context.Context, r *Request, v *View, ps parameters) (*Response, *problem) {
	if p := ps.refuse("is for one record, not for a list", "minVersion", "version"); p != nil {
		return nil, p
	}
	x, p := chosenIndex(v, ps)
	if p != nil {
		return nil, p
	}
	table, err := q.table(ctx, v)
	if err != nil {
		return nil, q.failed(r, err)
	}
	defer table.end()
	l := listing{kind: "view", view: v.Name, revision: table.Revision}
	if x != nil {
		l.kind, l.index, l.key, l.desc = "index", x.index.Name, x.key, x.desc
	}
	w, p := q.window(l, ps)
	if p != nil {
		return nil, p
	}
	var page ItemPage
	request := PageRequest{Limit: w.limit, After: w.after}
	switch {
	case x == nil:
		page, err = q.stores.Views.List(table.ctx, table.Table, request)
	case x.key != "": // no record is in an index with an empty key
		page, err = q.stores.Views.Query(table.ctx, table.Table, x.index.Name, boundKey(x.key), x.desc, request)
	}
	if err != nil {
		return nil, q.failed(r, err)
	}
	b := newPage(len(page.Items))
	for i := range page.Items {
		item := &page.Items[i]
		b.body = appendRecord(b.next(), v, item.Payload, item.Version)
	}
	return b.answer(l, page.Next, ps), nil
}

// chosen is the index that a list goes through.
type chosen struct {
	index *Index
	key   string // canonical
	desc  bool
}

// chosenIndex finds the index that the parameters name, nil when they name none.
func chosenIndex(v *View, ps parameters) (*chosen, *problem) {
	var x *chosen
	for i := range v.Indexes {
		index := &v.Indexes[i]
		text, given := ps[index.Name]
		if !given {
			continue
		}
		if x != nil {
			return nil, badParameter("a list goes through one index, not through " + quoted(x.index.Name) + " and " + quoted(index.Name))
		}
		key, ok := index.ParseKey(text)
		if !ok {
			return nil, badParameter("the parameter " + quoted(index.Name) + " has a value that the index cannot have")
		}
		x = &chosen{index: index, key: key, desc: index.Desc}
	}
	order, given := ps["order"]
	switch {
	case !given:
	case x == nil:
		return nil, badParameter("order needs an index")
	case order == "asc" || order == "desc":
		x.desc = order == "desc"
	default:
		return nil, badParameter("order must be asc or desc")
	}
	return x, nil
}

// pageBody is the body of a page while it grows.
type pageBody struct {
	body  []byte
	count int
}

func newPage(items int) *pageBody {
	return &pageBody{body: append(make([]byte, 0, 64+256*items), `{"items":[`...)}
}

// next returns the body, ready for another item.
func (b *pageBody) next() []byte {
	if b.count++; b.count > 1 {
		b.body = append(b.body, ',')
	}
	return b.body
}

// answer closes the page. next is the store's position after it, "" at the end.
func (b *pageBody) answer(l listing, next string, ps parameters) *Response {
	b.body = append(b.body, ']')
	if next == "" {
		return jsonAnswer(append(b.body, '}'))
	}
	cursor := l.cursor(next)
	b.body = appendMember(b.body, "next", cursor)
	answer := jsonAnswer(append(b.body, '}'))
	answer.set("Link", nextLink(cursor, ps))
	return answer
}

// nextLink points at the next page, relative to the request's own address: a reference
// that is only a query keeps the path and replaces the query, so every other parameter
// comes along.
func nextLink(cursor string, ps parameters) string {
	link := "<?cursor=" + cursor
	names := make([]string, 0, len(ps))
	for name := range ps {
		if name != "cursor" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		link += "&" + escapeQuery(name) + "=" + escapeQuery(ps[name])
	}
	return link + `>; rel="next"`
}

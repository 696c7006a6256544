package es

import (
	"context"
	"strings"
	"unicode/utf8"
)

// defaultView is the name of the view that answers at /.
const defaultView = "default"

// eventsSegment is the first segment of a history's path; no view has that name.
const eventsSegment = "events"

// route finds what a path names. The first segment is a view's name if one is called
// that, "events", esgen's own if it starts with a hyphen, else the id of a record of the
// default view.
func (q *Query) route(ctx context.Context, r *Request) (*Response, *problem) {
	path := strings.TrimPrefix(r.Path, "/")
	if path == "" {
		return q.root(ctx, r)
	}
	first, id, below := strings.Cut(path, "/")
	if first == "" || below && (id == "" || strings.Contains(id, "/")) {
		return nil, notFound("no path has empty segments, or more than two")
	}
	if first[0] == '-' {
		return q.own(ctx, r, path)
	}
	if first == eventsSegment {
		return q.readable(r, func() (*Response, *problem) { return q.history(ctx, r, id, below) })
	}
	v, named := q.views[first]
	if !named {
		if below {
			return nil, notFound("no view has the name " + quoted(first))
		}
		v, id, below = q.views[defaultView], first, true
	}
	if v == nil {
		return nil, notFound("the service has no default view")
	}
	return q.readable(r, func() (*Response, *problem) { return q.view(ctx, r, v, id, below) })
}

// root answers / for everything that is no event.
func (q *Query) root(ctx context.Context, r *Request) (*Response, *problem) {
	v := q.views[defaultView]
	switch {
	case r.Method != "GET" && r.Method != "HEAD" && v == nil:
		return nil, notAllowed("POST")
	case r.Method != "GET" && r.Method != "HEAD":
		return nil, notAllowed("GET, HEAD, POST")
	case v == nil:
		return nil, notFound("the service has no default view")
	}
	return q.view(ctx, r, v, "", false)
}

// readable answers a path that takes GET and HEAD.
func (q *Query) readable(r *Request, answer func() (*Response, *problem)) (*Response, *problem) {
	if r.Method != "GET" && r.Method != "HEAD" {
		return nil, notAllowed("GET, HEAD")
	}
	return answer()
}

func notAllowed(allow string) *problem {
	return &problem{status: 405, code: codeMethod, allow: allow, detail: "this path takes " + allow}
}

// view answers a list of a view, or one record of it.
func (q *Query) view(ctx context.Context, r *Request, v *View, id string, inPath bool) (*Response, *problem) {
	ps, problem := parseParameters(r.RawQuery, func(name string) bool {
		switch name {
		case "minVersion", "version":
			return true
		case "id", "limit", "cursor", "order":
			return !inPath
		}
		return !inPath && v.index(name) != nil
	})
	if problem != nil {
		return nil, problem
	}
	if inPath {
		return q.record(ctx, r, v, id, ps)
	}
	if id, given := ps["id"]; given {
		for name := range ps {
			if name != "id" && name != "minVersion" && name != "version" {
				return nil, badParameter("the parameter " + quoted(name) + " has no meaning with id")
			}
		}
		return q.record(ctx, r, v, id, ps)
	}
	return q.list(ctx, r, v, ps)
}

// index returns a view's index of that name, or nil.
func (v *View) index(name string) *Index {
	for i := range v.Indexes {
		if v.Indexes[i].Name == name {
			return &v.Indexes[i]
		}
	}
	return nil
}

// own answers the paths that are esgen's.
func (q *Query) own(ctx context.Context, r *Request, path string) (*Response, *problem) {
	if path != "-/health" {
		return nil, notFound("no path of esgen's has this name")
	}
	return q.readable(r, func() (*Response, *problem) { return q.health(ctx, r) })
}

// health says whether the service reaches its store.
func (q *Query) health(ctx context.Context, r *Request) (*Response, *problem) {
	if _, problem := parseParameters(r.RawQuery, nil); problem != nil {
		return nil, problem
	}
	if q.stores.Progress != nil {
		if _, err := q.stores.Progress.Progress(ctx, "health", "health"); err != nil {
			return nil, q.failed(r, err)
		}
	}
	body := []byte(`{"status":"ok"`)
	body = appendMember(body, "service", q.model.Service)
	answer := &Response{Status: 200, Body: append(body, '}')}
	answer.set("Content-Type", "application/json")
	answer.set("Cache-Control", "no-store")
	return answer, nil
}

// maxID is the length of the longest id of an entity or key of a record, in code points.
const maxID = 256

// possibleID reports whether something may have this id; stores are not asked for others.
func possibleID(id string) bool {
	return id != "" && utf8.ValidString(id) && (len(id) <= maxID || utf8.RuneCountInString(id) <= maxID)
}

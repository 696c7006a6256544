package es

import (
	"context"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// found is a record as it will be answered; no payload: there is none.
type found struct {
	payload string
	version int64 // entity views: the last listed event folded
}

// record answers one record of a view.
func (q *Query) record(ctx context.Context, r *Request, v *View, id string, ps parameters) (*Response, *problem) {
	atLeast, atLeastGiven, p := ps.version("minVersion")
	if p != nil {
		return nil, p
	}
	asOf, asOfGiven, p := ps.version("version")
	if p != nil {
		return nil, p
	}
	if atLeastGiven && asOfGiven {
		return nil, badParameter("minVersion and version exclude each other")
	}
	if (atLeastGiven || asOfGiven) && !v.KeyedByEntity() {
		return nil, badParameter("minVersion and version are for views keyed by the entity")
	}
	id, possible := v.parseID(id)
	if !possible {
		return nil, noRecord(v)
	}
	var f found
	switch {
	case atLeastGiven:
		f, p = q.readAtLeast(ctx, r, v, id, atLeast)
	case asOfGiven:
		f, p = q.readAsOf(ctx, r, v, id, asOf)
	default:
		f, p = q.readStored(ctx, r, v, id)
	}
	switch {
	case p != nil:
		return nil, p
	case f.payload == "":
		return nil, noRecord(v)
	}
	body := appendRecord(make([]byte, 0, len(f.payload)+32), v, f.payload, f.version)
	return tagged(r, body), nil
}

// parseID returns the key of the record that a client asks for.
func (v *View) parseID(id string) (key string, possible bool) {
	if !possibleID(id) || v.ParseKey == nil {
		return id, possibleID(id)
	}
	return v.ParseKey(id)
}

func noRecord(v *View) *problem { return notFound("the view " + v.Name + " has no such record") }

// readStored reads a record as the projector left it.
func (q *Query) readStored(ctx context.Context, r *Request, v *View, id string) (found, *problem) {
	table, err := q.table(ctx, v)
	if err != nil {
		return found{}, q.failed(r, err)
	}
	defer table.end()
	item, err := q.stores.Views.Get(table.ctx, table.Table, id, false)
	switch {
	case err != nil:
		return found{}, q.failed(r, err)
	case item == nil:
		return found{}, nil
	}
	return found{payload: item.Payload, version: item.Version}, nil
}

// tagged answers a record with its ETag, or 304 when the client has it.
func tagged(r *Request, body []byte) *Response {
	tag := recordTag(body)
	if matches(r.header("If-None-Match"), tag) {
		answer := &Response{Status: 304}
		answer.set("ETag", tag)
		answer.set("Cache-Control", "no-cache")
		return answer
	}
	answer := jsonAnswer(body)
	answer.set("ETag", tag)
	return answer
}

// recordTag is a hash of the answer. The letter before it keeps a record's tag from
// ever being taken for a version, which is what If-Match on POST wants.
func recordTag(body []byte) string {
	b := append(make([]byte, 0, 20), '"', 'r')
	b = strconv.AppendUint(b, xxhash.Sum64(body), 36)
	return string(append(b, '"'))
}

// matches reports whether a list of entity tags holds one, compared weakly, as
// If-None-Match asks; * is every tag.
func matches(list, tag string) bool {
	for rest := list; rest != ""; {
		rest = strings.TrimLeft(rest, " \t,")
		if rest == "*" || strings.HasPrefix(rest, "* ") {
			return true
		}
		rest = strings.TrimPrefix(rest, "W/")
		if rest == "" || rest[0] != '"' {
			return false
		}
		end := strings.IndexByte(rest[1:], '"')
		if end < 0 {
			return false
		}
		if rest[:end+2] == tag {
			return true
		}
		rest = rest[end+2:]
	}
	return false
}

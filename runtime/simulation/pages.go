package simulation

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"

	es "github.com/esgen/esgen/runtime"
)

// listing is what a client was answered when it followed the pages of a list.
type listing struct {
	about  string // the entity of a history
	view   string // "" for a history
	index  string // "" for a list without one
	value  string // of the index
	known  int64  // the entity's version that was acknowledged before
	items  []Object
	whole  bool // to the end
	status int  // the last answer that was no page, 0 if there was none
	raw    string
}

// readHistory reads the events of an entity.
func (c *clients) readHistory(a *actor) {
	l := listing{about: c.entity(a.rand)}
	l.known = c.acked[l.about]
	c.follow(a, &l, "/events", url.Values{"id": {l.about}})
}

// readList reads a view, often through an index.
func (c *clients) readList(a *actor) {
	views := a.world.service.Model(1).Views
	v := &views[a.rand.IntN(len(views))]
	l := listing{view: v.Name}
	q := url.Values{}
	if len(v.Indexes) > 0 && a.chance(0.7) {
		index := v.Indexes[a.rand.IntN(len(v.Indexes))].Name
		if values := a.world.indexValues(v.Name, index); len(values) > 0 {
			l.index, l.value = index, values[a.rand.IntN(len(values))]
			q.Set(index, l.value)
		}
	}
	c.follow(a, &l, "/"+v.Name, q)
}

// indexValues are values of an index that records have now, whichever their revision.
func (w *world) indexValues(view, index string) (values []string) {
	for name := range w.db.tables {
		if name.View == view {
			for value := range w.db.places(name, index) {
				values = append(values, value)
			}
		}
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// follow reads pages until the end, or until an answer is none.
func (c *clients) follow(a *actor, l *listing, path string, q url.Values) {
	q.Set("limit", strconv.Itoa(1+a.rand.IntN(5)))
	for {
		r := &es.Request{Method: "GET", Path: path, RawQuery: q.Encode(), ID: "r"}
		a.world.trace.add(line{who: a.name, what: "GET", about: l.about, note: r.Path + "?" + r.RawQuery})
		got := a.request(r)
		a.world.trace.add(line{who: a.name, what: "answer", about: l.about, note: strconv.Itoa(got.status) + " " + got.raw})
		if got.status != 200 {
			l.status, l.raw = got.status, got.raw
			break
		}
		items, _ := got.body["items"].([]any)
		for _, item := range items {
			o, _ := item.(Object)
			l.items = append(l.items, o)
		}
		next, more := got.body["next"].(string)
		if l.whole = !more; l.whole {
			break
		}
		q.Set("cursor", next)
	}
	c.lists = append(c.lists, *l)
}

// judgeLists: pages hold what is so, or was so; a history is whole.
func (j *judge) judgeLists() {
	for i := range j.clients.lists {
		l := &j.clients.lists[i]
		if l.view == "" {
			j.judgeReadHistory(l)
		} else {
			j.judgeReadList(l)
		}
	}
}

// judgeReadHistory: the events from the first on, with all that were acknowledged before.
func (j *judge) judgeReadHistory(l *listing) {
	all := j.histories[l.about]
	for i, e := range l.items {
		delete(e, "meta")
		if i >= len(all) || !Same(all[i], e) {
			j.breach(l.about, "%s: event %d of its history was read as %v", l.about, i+1, e)
			return
		}
	}
	n := int64(len(l.items))
	switch {
	case l.whole && n < l.known, l.status == 404 && (n > 0 || l.known > 0):
		j.breach(l.about, "%s: its history was read up to version %d; %d was acknowledged before", l.about, n, l.known)
	case l.status != 0 && l.status != 404 && l.status != 503:
		j.breach(l.about, "%s: its history was answered with %d %s", l.about, l.status, l.raw)
	}
}

// judgeReadList: each record is one that there was, at the value that was asked for; none comes twice,
// but one that moves within an index.
func (j *judge) judgeReadList(l *listing) {
	if switched := l.status == 400 && parse(l.raw)["code"] == "cursor"; l.status != 0 && l.status != 503 && !switched {
		j.breach("", "a list of %s was answered with %d %s", l.view, l.status, l.raw)
	}
	views := j.service.Model(1).Views
	v := &views[slices.IndexFunc(views, func(v es.View) bool { return v.Name == l.view })]
	x := slices.IndexFunc(j.service.Indexes, func(x Index) bool { return x.View == l.view && x.Name == l.index })
	seen := map[string]bool{}
	for _, o := range l.items {
		key := textOf(o[v.KeyName])
		if key == "" || l.index == "" && seen[key] {
			j.breach(key, "a list of %s has the record %q of key %q, or has it twice", l.view, o, key)
		}
		seen[key] = true
		if x >= 0 && textOf(o[j.service.Indexes[x].Key]) != l.value {
			j.breach(key, "%s: the index %s of %s was read at %q and has %v", key, l.index, l.view, l.value, o)
		}
		if v.KeyedByEntity() && !j.wasSo(&get{view: l.view, entity: key, response: response{status: 200, body: o}}, 1, int64(len(j.histories[key]))) {
			j.breach(key, "%s: a list of %s has it as %v, and so it never was", key, l.view, o)
		}
	}
}

// textOf is a value as a parameter spells it.
func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return string(v)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

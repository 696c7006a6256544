package simulation

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// clients are all that clients have wanted and been told.
type clients struct {
	key      string // the entity's key, as events have it
	entities []string
	hot      int // so many entities at the beginning get most of the events
	intents  []*intent
	posts    []post
	gets     []get
	lists    []listing
	acked    map[string]int64 // the highest version that was acknowledged, by entity
}

// intent is an event that somebody wants stored once. Who sends it again sends it with its id.
type intent struct {
	entity  string
	eventID string // "" when the server is to make one
	event   Object // type and fields
}

// post is one request and its answer.
type post struct {
	intent       *intent
	client       string
	expected     *int64
	began, ended int   // in steps of the world
	known        int64 // the highest version that was acknowledged before it began
	response
}

// get is one read of a record.
type get struct {
	client       string
	view, entity string
	minVersion   *int64
	version      *int64
	began, ended int
	response
}

func newClients(w *world) *clients {
	r := w.rand
	c := &clients{key: w.service.Model(1).Key.Name, acked: map[string]int64{}, hot: 1 + r.IntN(2)}
	for i := range c.hot + r.IntN(7) {
		c.entities = append(c.entities, w.service.Entity(i))
	}
	for i := range 2 + r.IntN(4) {
		w.start(fmt.Sprintf("client-%d", i+1), client, func(a *actor) { c.live(a) })
	}
	if r.IntN(4) == 0 {
		w.start("reader", client, c.watch)
	}
	return c
}

// watch is the life of a client that reads and reads, also when the others have long done, and a revision
// is built, read and dropped.
func (c *clients) watch(a *actor) {
	for range 40 + a.rand.IntN(60) {
		switch a.rand.IntN(4) {
		case 0:
			c.readAtLeast(a)
		case 1:
			c.readList(a)
		default:
			c.readStored(a)
		}
		a.sleep(between(a.rand, 0, 5*time.Second))
	}
	if len(c.posts) > 0 && a.chance(0.5) {
		c.postOne(a) // the first event for a long time
	}
}

// live is the life of one client.
func (c *clients) live(a *actor) {
	for range 6 + a.rand.IntN(16) {
		switch n := a.rand.IntN(106); {
		case n < 55:
			c.postNew(a)
		case n < 72:
			c.postAgain(a)
		case n < 78:
			c.postOther(a)
		case n < 90:
			c.readAtLeast(a)
		case n < 94:
			c.readAsOf(a)
		case n < 100:
			c.readStored(a)
		case n < 103:
			c.readHistory(a)
		default:
			c.readList(a)
		}
		if a.chance(0.5) {
			a.sleep(between(a.rand, 0, 500*time.Millisecond))
		}
	}
}

func (c *clients) entity(r *rand.Rand) string {
	if r.IntN(10) < 6 {
		return c.entities[r.IntN(c.hot)]
	}
	return c.entities[r.IntN(len(c.entities))]
}

// postNew posts a new event, and another when it does not fit. Where entities do not live long,
// others begin.
func (c *clients) postNew(a *actor) {
	const tries, most = 4, 20
	for try := 0; try < tries && !c.postOne(a); try++ {
		if len(c.entities) < most && a.chance(0.1) {
			c.entities = append(c.entities, a.world.service.Entity(len(c.entities)))
		}
	}
}

// postOne reports false for an event that did not fit the entity's state.
func (c *clients) postOne(a *actor) (fitted bool) {
	in := &intent{entity: c.entity(a.rand)}
	in.event = a.world.service.Next(a.rand, in.entity)
	if a.chance(0.85) {
		in.eventID = fmt.Sprintf("id-%d", len(c.intents))
	}
	c.intents = append(c.intents, in)
	var expected *int64
	if a.chance(0.25) {
		v := max(0, c.acked[in.entity]+int64(a.rand.IntN(3))-1)
		expected = &v
	}
	p := c.send(a, in, expected)
	return p.text("code") != "state"
}

// recent is what somebody wanted not long ago, perhaps still wants.
func (c *clients) recent(a *actor) *intent {
	if len(c.intents) == 0 {
		return nil
	}
	in := c.intents[len(c.intents)-1-a.rand.IntN(min(len(c.intents), 8))]
	if in.eventID == "" {
		return nil
	}
	return in
}

// postAgain sends what another client sends, sent or will send again, with the same id.
func (c *clients) postAgain(a *actor) {
	if in := c.recent(a); in != nil {
		c.send(a, in, nil)
	}
}

// postOther uses an id for another event.
func (c *clients) postOther(a *actor) {
	in := c.recent(a)
	if in == nil {
		return
	}
	other := &intent{entity: in.entity, eventID: in.eventID, event: a.world.service.Next(a.rand, in.entity)}
	c.send(a, other, nil)
}

// send posts until there is an answer that says what happened, or the client gives up.
func (c *clients) send(a *actor, in *intent, expected *int64) (p post) {
	const tries = 5
	eventID := in.eventID
	for try := range tries {
		if try > 0 {
			a.sleep(between(a.rand, 0, 2*time.Second))
		}
		p = c.post(a, in, eventID, expected)
		switch {
		case p.status == 0 && eventID == "":
			return p // nobody knows the id
		case p.status == 503:
			if id, _ := p.body["eventId"].(string); id != "" {
				eventID = id
			}
		case p.status != 0:
			return p
		}
		if a.chance(0.2) {
			return p
		}
	}
	return p
}

func (c *clients) post(a *actor, in *intent, eventID string, expected *int64) post {
	body := maps.Clone(in.event)
	body[c.key] = in.entity
	r := &es.Request{Method: "POST", Path: "/", ID: "r", Actor: a.name}
	header := map[string]string{}
	if eventID != "" && a.chance(0.2) {
		header["Idempotency-Key"] = eventID
	} else if eventID != "" {
		body["eventId"] = eventID
	}
	if expected != nil && a.chance(0.5) {
		header["If-Match"] = fmt.Sprintf("%q", strconv.FormatInt(*expected, 10))
	} else if expected != nil {
		body["expectedVersion"] = *expected
	}
	r.Header = func(name string) string { return header[name] }
	r.Body, _ = json.Marshal(body)
	p := post{intent: &intent{in.entity, eventID, in.event}, client: a.name, expected: expected, began: a.world.steps, known: c.acked[in.entity]}
	a.world.trace.add(line{who: a.name, what: "POST", about: in.entity, note: string(r.Body)})
	p.response = a.request(r)
	p.ended = a.world.steps
	a.world.trace.add(line{who: a.name, what: "answer", about: in.entity, note: strconv.Itoa(p.status) + " " + p.raw})
	if p.status == 200 || p.status == 201 {
		c.acked[in.entity] = max(c.acked[in.entity], integer(p.body["version"]))
	}
	c.posts = append(c.posts, p)
	return p
}

func integer(v any) int64 {
	switch v := v.(type) {
	case json.Number:
		n, _ := v.Int64()
		return n
	case int:
		return int64(v)
	case int64:
		return v
	}
	return 0
}

// readable are the views of which clients read records: those keyed by the entity.
func (c *clients) readable(a *actor) string {
	var names []string
	for _, v := range a.world.service.Model(1).Views {
		if v.KeyedByEntity() {
			names = append(names, v.Name)
		}
	}
	return names[a.rand.IntN(len(names))]
}

// known is an entity of which something was acknowledged, "" if there is none.
func (c *clients) known(a *actor) string {
	ids := slices.Sorted(maps.Keys(c.acked))
	if len(ids) == 0 {
		return ""
	}
	return ids[a.rand.IntN(len(ids))]
}

// readAtLeast reads what was acknowledged, to whomever.
func (c *clients) readAtLeast(a *actor) {
	if id := c.known(a); id != "" {
		v := c.acked[id]
		if a.chance(0.3) {
			v = 1 + a.rand.Int64N(v)
		}
		c.read(a, get{entity: id, minVersion: &v})
	}
}

func (c *clients) readAsOf(a *actor) {
	if id := c.known(a); id != "" {
		v := 1 + a.rand.Int64N(c.acked[id])
		c.read(a, get{entity: id, version: &v})
	}
}

func (c *clients) readStored(a *actor) { c.read(a, get{entity: c.entity(a.rand)}) }

func (c *clients) read(a *actor, g get) {
	g.view = c.readable(a)
	q := url.Values{"id": {g.entity}}
	if g.minVersion != nil {
		q.Set("minVersion", strconv.FormatInt(*g.minVersion, 10))
	}
	if g.version != nil {
		q.Set("version", strconv.FormatInt(*g.version, 10))
	}
	r := &es.Request{Method: "GET", Path: "/" + g.view, RawQuery: q.Encode(), ID: "r"}
	g.client, g.began = a.name, a.world.steps
	a.world.trace.add(line{who: a.name, what: "GET", about: g.entity, note: r.Path + "?" + r.RawQuery})
	g.response = a.request(r)
	g.ended = a.world.steps
	a.world.trace.add(line{who: a.name, what: "answer", about: g.entity, note: strconv.Itoa(g.status) + " " + g.raw})
	c.gets = append(c.gets, g)
}

package simulation

import (
	"maps"
	"slices"

	es "github.com/esgen/esgen/runtime"
)

// judgePosts: what clients were told is so.
func (j *judge) judgePosts() {
	answers := map[string]string{} // by entity and event id
	for i := range j.clients.posts {
		p := &j.clients.posts[i]
		id := p.intent.entity
		switch p.status {
		case 200, 201:
			j.judgeAcknowledged(p)
			key := id + " " + p.text("eventId")
			if first, ok := answers[key]; ok && first != p.raw {
				j.breach(id, "%s: the event %q was answered as\n  %s\nand as\n  %s", id, p.text("eventId"), first, p.raw)
			}
			answers[key] = p.raw
		case 409, 412:
			j.judgeRefused(p)
		case 422:
			j.judgeReused(p)
		case 0, 503:
		default:
			j.breach(id, "%s: POST was answered with %d %s", id, p.status, p.raw)
		}
	}
	j.judgeInvented()
}

func (r *response) text(name string) string {
	text, _ := r.body[name].(string)
	return text
}

// stored is the event of an id in an entity's history.
func (j *judge) stored(id, eventID string) Object {
	for _, e := range j.histories[id] {
		if e["eventId"] == eventID {
			return e
		}
	}
	return nil
}

// judgeReused: an id was refused that is stored with other content.
func (j *judge) judgeReused(p *post) {
	id, eventID := p.intent.entity, p.intent.eventID
	if j.stored(id, eventID) == nil {
		j.breach(id, "%s: the event id %q was refused as used, and no event has it", id, eventID)
	}
	for i := range j.clients.posts {
		q := &j.clients.posts[i]
		if q.status/100 == 2 && q.intent.entity == id && q.intent.eventID == eventID && Same(q.intent.event, p.intent.event) {
			j.breach(id, "%s: the event %q was acknowledged, and refused as another than it is", id, eventID)
		}
	}
}

// contains reports whether an object has all members of another with the same values.
func contains(o, part Object) bool {
	for name, v := range part {
		if !Same(v, o[name]) && !sameUUID(v, o[name]) {
			return false
		}
	}
	return true
}

// sameUUID: either case is taken, the lower is kept.
func sameUUID(sent, stored any) bool {
	text, _ := sent.(string)
	u, err := es.ParseUUID(text)
	return err == nil && u.String() == stored
}

func (j *judge) judgeAcknowledged(p *post) {
	id := p.intent.entity
	version := integer(p.body["version"])
	if version < 1 || version > int64(len(j.histories[id])) {
		j.breach(id, "%s: version %d was acknowledged, the history ends at %d", id, version, len(j.histories[id]))
		return
	}
	stored := j.histories[id][version-1]
	if p.intent.eventID != "" && stored["eventId"] != p.intent.eventID {
		j.breach(id, "%s: the event %q was acknowledged as version %d, where %q is stored", id, p.intent.eventID, version, stored["eventId"])
	}
	if !contains(stored, p.intent.event) || !Same(stored, p.body) {
		j.breach(id, "%s: version %d was sent as\n  %v\nanswered as\n  %s\nand stored as\n  %v", id, version, p.intent.event, p.raw, stored)
	}
	if p.status == 201 && p.expected != nil && version != *p.expected+1 {
		j.breach(id, "%s: version %d was stored, version %d was expected before it", id, version, *p.expected)
	}
}

// judgeRefused: an event was refused at a version that the entity had meanwhile, and for a reason.
func (j *judge) judgeRefused(p *post) {
	id := p.intent.entity
	at := integer(p.body["currentVersion"])
	if at < p.known || at > int64(len(j.histories[id])) {
		j.breach(id, "%s: refused at version %d; %d was acknowledged before, and there are %d", id, at, p.known, len(j.histories[id]))
		return
	}
	switch p.text("code") {
	case "version":
		if p.expected == nil || *p.expected == at {
			j.breach(id, "%s: refused for its version, which is as expected: %s", id, p.raw)
		}
	case "state":
		m := j.service.Model(1)
		name, _ := p.intent.event["type"].(string)
		if state := j.stateAt(id, at); follows(m.EventType(name), at == 0, state) || p.text("currentState") != state {
			j.breach(id, "%s: a %s was refused at version %d, in state %q: %s", id, name, at, state, p.raw)
		}
	default:
		j.breach(id, "%s: refused with %d %s", id, p.status, p.raw)
	}
}

// judgeInvented: what is stored was sent; and of an event whose id the service made, without an answer to
// say so, there is not more than was sent.
func (j *judge) judgeInvented() {
	named, nameless := map[string]bool{}, map[string]int{}
	for i := range j.clients.posts {
		p := &j.clients.posts[i]
		switch id := p.intent.entity; {
		case p.intent.eventID != "":
			named[id+" "+p.intent.eventID] = true
		case p.text("eventId") != "":
			named[id+" "+p.text("eventId")] = true
		case p.status == 0:
			nameless[id]++
		}
	}
	for _, id := range slices.Sorted(maps.Keys(j.histories)) {
		for i, e := range j.histories[id] {
			if appendedBy(&j.db.events[id][i]) != "" {
				continue
			}
			eventID, _ := e["eventId"].(string)
			if !named[id+" "+eventID] {
				nameless[id]--
			}
			if nameless[id] < 0 || !j.wasSent(id, eventID, e) {
				j.breach(id, "%s: nobody sent %v", id, e)
			}
		}
	}
}

func (j *judge) wasSent(id, eventID string, e Object) bool {
	return slices.ContainsFunc(j.clients.posts, func(p post) bool {
		return p.intent.entity == id && (p.intent.eventID == eventID || p.intent.eventID == "") && contains(e, p.intent.event)
	})
}

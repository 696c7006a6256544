package simulation

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// judge compares a world that has come to rest with what was promised. It knows what is stored, what
// clients were told, and how the service's own fold makes views of histories.
type judge struct {
	*world
	histories map[string][]Object // as POST answers events
}

func (j *judge) judge() {
	j.current = nil
	for _, text := range j.db.misuse {
		j.breach("", "the stores were misused: %s", text)
	}
	j.gather()
	for _, id := range j.db.ids {
		j.judgeHistory(id)
	}
	j.judgePosts()
	if len(j.broken) > 0 {
		return // what follows stands on the histories
	}
	j.judgeGets()
	j.judgeLists()
	j.judgeConsumers()
	j.judgeViews()
}

// gather makes the histories of what is stored.
func (j *judge) gather() {
	j.histories = map[string][]Object{}
	for id, events := range j.db.events {
		for i := range events {
			j.histories[id] = append(j.histories[id], j.object(&events[i]))
		}
	}
}

func (j *judge) object(r *es.Recorded) Object {
	o := parse(r.Payload)
	if o == nil {
		o = Object{}
	}
	o["type"], o[j.clients.key], o["eventId"] = r.Type, r.EntityID, r.EventID
	o["version"] = json.Number(strconv.FormatInt(r.Version, 10))
	o["time"] = r.Time.Format(time.RFC3339Nano)
	return o
}

// judgeHistory: versions 1 to n without holes, every event once, states obeyed.
func (j *judge) judgeHistory(id string) {
	m := j.service.Model(1)
	seen := map[string]bool{}
	state := ""
	for i, r := range j.db.events[id] {
		if r.Version != int64(i)+1 {
			j.breach(id, "%s: version %d stands in place %d", id, r.Version, i+1)
		}
		if seen[r.EventID] {
			j.breach(id, "%s: the event %q is stored twice, the second time as version %d", id, r.EventID, r.Version)
		}
		seen[r.EventID] = true
		t := m.EventType(r.Type)
		if t == nil {
			j.breach(id, "%s: version %d is of the unknown type %q", id, r.Version, r.Type)
			continue
		}
		if len(m.States) == 0 {
			continue
		}
		if !follows(t, i == 0, state) {
			j.breach(id, "%s: version %d, a %s, does not fit the state %q", id, r.Version, r.Type, state)
		}
		if t.To != "" {
			state = t.To
		}
		if r.State != state {
			j.breach(id, "%s: version %d was stored with state %q, it is %q", id, r.Version, r.State, state)
		}
	}
}

// follows reports whether the lifecycle lets an event follow.
func follows(t *es.EventType, first bool, state string) bool {
	if first || t.FromNone {
		return first && t.FromNone
	}
	return t.From == nil || slices.Contains(t.From, state)
}

// stateAt is the state of an entity after a version.
func (j *judge) stateAt(id string, version int64) (state string) {
	m := j.service.Model(1)
	for _, r := range j.db.events[id][:version] {
		if t := m.EventType(r.Type); t != nil && t.To != "" {
			state = t.To
		}
	}
	return state
}

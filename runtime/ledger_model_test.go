package es_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// The ledger is a service made to be hard on the projector: folds that depend on the
// order, change what events refer to, delete, fail and panic; records that several
// entities feed, that an event moves between, that it fans out to.

// act is every event of the ledger; its type decides what it means.
type act struct {
	kind  string
	id    string
	Owner string
	From  string
	Keys  []string
	N     int64
}

func (e act) EventType() string { return e.kind }
func (e act) EntityID() string  { return e.id }

func (e act) AppendJSON(dst []byte) []byte {
	start := len(dst)
	dst = es.AppendString(append(dst, `,"owner":`...), e.Owner)
	dst = es.AppendString(append(dst, `,"from":`...), e.From)
	dst = append(dst, `,"keys":[`...)
	for i, k := range e.Keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = es.AppendString(dst, k)
	}
	dst = es.AppendInt(append(dst, `],"n":`...), e.N)
	return es.AppendObjectEnd(dst, start)
}

func (e *act) Decode(d *es.Decoder) {
	if !d.Object() {
		return
	}
	for d.Member() {
		switch d.Name() {
		case "owner":
			d.String(&e.Owner)
		case "from":
			d.String(&e.From)
		case "n":
			d.Int(&e.N)
		case "keys":
			if d.List() {
				e.Keys = es.NewList[string](d)
				for d.Element() {
					var k string
					d.String(&k)
					e.Keys = append(e.Keys, k)
				}
			}
		default:
			d.Unknown()
		}
	}
}

// diary is a record that shows the order of its events, one line each.
type diary struct {
	key  string
	Log  []string
	Seen []string // taken over from events, and changed
	// forgiving folds what the code of an older deployment could not.
	forgiving bool
}

var errRefused = errors.New("the diary refuses")

func (r *diary) Fold(event es.Event, meta es.Meta) error {
	e := event.(*act)
	if !meta.Latest {
		return errors.New("not the latest in a view keyed by the entity")
	}
	switch {
	case e.kind == "Closed":
		return es.Delete
	case e.kind == "Broken" && !r.forgiving:
		r.Log = append(r.Log, "spoiled")
		if e.N%2 == 0 {
			panic(e.Owner)
		}
		return fmt.Errorf("owner %s: %w", e.Owner, errRefused)
	case e.kind == "Opened":
		r.Seen = e.Keys
	case len(r.Seen) > 0:
		r.Seen[0] += "+" // an event that a fold keeps is the fold's own
	}
	r.Log = append(r.Log, fmt.Sprintf("%d %s %s %d", meta.Version, e.kind, meta.State, e.N))
	return nil
}

func (r *diary) AppendJSON(dst []byte) []byte {
	text, _ := json.Marshal(map[string]any{"key": r.key, "log": r.Log, "seen": r.Seen})
	return append(dst, text...)
}

func (r *diary) Load(payload string) error {
	return json.Unmarshal([]byte(payload), &struct {
		Log, Seen *[]string
	}{&r.Log, &r.Seen})
}

func (r *diary) AppendIndexEntries(dst []es.IndexEntry) []es.IndexEntry {
	return append(dst, es.IndexEntry{Index: "lines", Key: fmt.Sprint(len(r.Log))})
}

// purse is a record of one owner: moves, sums, deleted when it is empty.
type purse struct {
	key       string
	Count     int64
	Sum       int64
	forgiving bool
}

func (r *purse) Fold(event es.Event, _ es.Meta) error {
	e := event.(*act)
	if e.kind == "Broken" && !r.forgiving {
		r.Count = -1000
		return errRefused
	}
	if e.Owner == r.key {
		r.Count, r.Sum = r.Count+1, r.Sum+e.N
	}
	if e.From == r.key {
		r.Count, r.Sum = r.Count-1, r.Sum-e.N
	}
	if r.Count == 0 && r.Sum == 0 {
		return es.Delete
	}
	return nil
}

func (r *purse) AppendJSON(dst []byte) []byte {
	return fmt.Appendf(dst, `{"key":%q,"count":%d,"sum":%d}`, r.key, r.Count, r.Sum)
}

func (r *purse) Load(payload string) error {
	return json.Unmarshal([]byte(payload), &struct{ Count, Sum *int64 }{&r.Count, &r.Sum})
}

func (r *purse) AppendIndexEntries(dst []es.IndexEntry) []es.IndexEntry { return dst }

// board is a record that events fan out to: a sum, and the latest.
type board struct {
	key       string
	Sum       int64
	Last      string
	Tags      []string // of the latest event, changed by the next
	forgiving bool
}

func (r *board) Fold(event es.Event, meta es.Meta) error {
	e := event.(*act)
	if e.kind == "Broken" && !r.forgiving {
		return errRefused
	}
	r.Sum += e.N
	if len(r.Tags) > 0 {
		r.Tags[0] = "worn"
	}
	if meta.Latest {
		r.Last = fmt.Sprintf("%s %d", meta.EntityID, meta.Version)
		r.Tags = e.Keys
	}
	return nil
}

func (r *board) AppendJSON(dst []byte) []byte {
	return fmt.Appendf(dst, `{"key":%q,"sum":%d,"last":%q}`, r.key, r.Sum, r.Last)
}

func (r *board) Load(payload string) error {
	return json.Unmarshal([]byte(payload), &struct {
		Sum  *int64
		Last *string
	}{&r.Sum, &r.Last})
}

func (r *board) AppendIndexEntries(dst []es.IndexEntry) []es.IndexEntry { return dst }

var ledgerKinds = []string{"Opened", "Added", "Moved", "Closed", "Noted", "Broken"}

// ledgerModel is the ledger's model. The views of a forgiving one fold Broken events.
func ledgerModel(forgiving bool) *es.Model {
	m := &es.Model{Service: "ledger", Key: es.KeyRule{Name: "id"}, States: []string{"open", "shut"}}
	for _, kind := range ledgerKinds {
		t := es.EventType{Name: kind, Revision: 1, FromNone: true,
			New: func(id string) es.DecodableEvent { return &act{kind: kind, id: id} }}
		switch kind {
		case "Opened":
			t.To = "open"
		case "Closed":
			t.To = "shut"
		}
		m.Events = append(m.Events, t)
	}
	m.Views = []es.View{
		{Name: "diary", Revision: 1, KeyName: "id", Events: []string{"Opened", "Added", "Closed", "Broken"},
			Indexes: []es.Index{{Name: "lines", ParseKey: es.IntKey}},
			New:     func(key string) es.Record { return &diary{key: key, forgiving: forgiving} }},
		{Name: "chronicle", Revision: 3, KeyName: "id", Events: ledgerKinds,
			New: func(key string) es.Record { return &diary{key: key, forgiving: true} }},
		{Name: "purses", Revision: 1, KeyName: "owner", Events: []string{"Opened", "Added", "Moved", "Broken"},
			Keys: func(e es.Event) []string { return es.AppendKey(es.AppendKey(nil, e.(*act).Owner), e.(*act).From) },
			New:  func(key string) es.Record { return &purse{key: key, forgiving: forgiving} }},
		{Name: "boards", Revision: 1, KeyName: "board", Events: []string{"Opened", "Added", "Broken"},
			Keys: func(e es.Event) (keys []string) {
				for _, k := range e.(*act).Keys {
					keys = es.AppendKey(keys, k)
				}
				return keys
			},
			New: func(key string) es.Record { return &board{key: key, forgiving: forgiving} }},
	}
	return m
}

var ledgerEpoch = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// record makes the stored form of an act. Events of version v are stored with a state
// only when stated says so.
func record(id string, version int64, e act, state string) es.Recorded {
	e.id = id
	return es.Recorded{
		EntityID: id, Version: version, EventID: fmt.Sprintf("%s-%d", id, version), Type: e.kind, Revision: 1,
		Time: ledgerEpoch.Add(time.Duration(version) * time.Second), State: state, Payload: ledgerPayload(e),
	}
}

func ledgerPayload(e act) string {
	text, _ := json.Marshal(map[string]any{"owner": e.Owner, "from": e.From, "keys": append([]string{}, e.Keys...), "n": e.N})
	return strings.TrimSpace(string(text))
}

package simulation_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/simulation"
)

// The ledger is a service for simulations, as generated code and its user would write it: accounts that
// are opened, frozen, closed and opened again; entries that belong to one owner's record and
// move to another's, and fan out to those of their tags; an event that the first code cannot
// fold. What its records hold tells the order of the events of an account.

// entry is an event of the ledger, of any type.
type entry struct {
	kind, id    string
	Owner, From string
	Amount      int64
	Tags        []string
}

func (e *entry) EventType() string { return e.kind }
func (e *entry) EntityID() string  { return e.id }

func (e *entry) AppendJSON(dst []byte) []byte {
	start := len(dst)
	dst = es.AppendString(append(dst, `,"owner":`...), e.Owner)
	if e.From != "" {
		dst = es.AppendString(append(dst, `,"from":`...), e.From)
	}
	dst = es.AppendInt(append(dst, `,"amount":`...), e.Amount)
	if e.Tags != nil {
		dst = append(dst, `,"tags":`...)
		list := len(dst)
		for _, tag := range e.Tags {
			dst = es.AppendString(append(dst, ','), tag)
		}
		dst = es.AppendListEnd(dst, list)
	}
	return es.AppendObjectEnd(dst, start)
}

func (e *entry) Decode(d *es.Decoder) {
	if !d.Object() {
		return
	}
	for d.Member() {
		switch d.Name() {
		case "owner":
			d.String(&e.Owner)
		case "from":
			d.String(&e.From)
		case "amount":
			d.Int(&e.Amount)
		case "tags":
			if d.List() {
				e.Tags = es.NewList[string](d)
				for d.Element() {
					d.String(es.Append(&e.Tags))
				}
			}
		default:
			d.Unknown()
		}
	}
}

var errCannot = errors.New("the ledger cannot fold this")

// chain is a number that tells which events were folded, and in which order.
func chain(before int64, parts ...any) int64 {
	h := uint64(before)
	for _, c := range fmt.Sprint(parts...) {
		h = (h*1099511628211 + uint64(c)) % (1 << 50)
	}
	return int64(h)
}

// account is a record of a view keyed by the entity.
type account struct {
	key    string
	Chain  int64
	Events int64
	State  string
	Tags   []string
	broken bool // the code of the first deployment
}

func (r *account) Fold(event es.Event, meta es.Meta) error {
	e := event.(*entry)
	if e.kind == "Broken" && r.broken {
		r.Chain = -1
		if e.Amount%2 == 0 {
			panic(e.Owner)
		}
		return errCannot
	}
	if e.kind == "Closed" {
		return es.Delete
	}
	r.Events++
	r.State = meta.State
	r.Chain = chain(r.Chain, meta.Version, e.kind, meta.State, e.Owner, e.From, e.Amount, meta.EventID)
	if len(r.Tags) > 0 {
		r.Tags[0] += "+" // an event that a fold keeps is the fold's own
	}
	if e.Tags != nil {
		r.Tags = e.Tags
	}
	return nil
}

func (r *account) AppendJSON(dst []byte) []byte {
	start := len(dst)
	dst = es.AppendString(append(dst, `,"accountId":`...), r.key)
	dst = es.AppendInt(append(dst, `,"chain":`...), r.Chain)
	dst = es.AppendInt(append(dst, `,"events":`...), r.Events)
	dst = es.AppendString(append(dst, `,"state":`...), r.State)
	dst = append(dst, `,"tags":`...)
	list := len(dst)
	for _, tag := range r.Tags {
		dst = es.AppendString(append(dst, ','), tag)
	}
	dst = es.AppendListEnd(dst, list)
	return es.AppendObjectEnd(dst, start)
}

func (r *account) Decode(d *es.Decoder) {
	if !d.Object() {
		return
	}
	for d.Member() {
		switch d.Name() {
		case "chain":
			d.Int(&r.Chain)
		case "events":
			d.Int(&r.Events)
		case "state":
			d.String(&r.State)
		case "tags":
			if d.List() {
				r.Tags = es.NewList[string](d)
				for d.Element() {
					d.String(es.Append(&r.Tags))
				}
			}
		default:
			d.Unknown()
		}
	}
}

func (r *account) Load(payload string) error { return es.DecodeStored(payload, r) }

func (r *account) AppendIndexEntries(dst []es.IndexEntry) []es.IndexEntry {
	if r.State == "" {
		return dst
	}
	return append(dst, es.IndexEntry{Index: "state", Key: r.State, Sort: es.AppendSortInt(nil, r.Events)})
}

// purse is a record of an owner, or of a tag: sums, and what came last.
type purse struct {
	key    string
	member string // the name of its key
	Count  int64
	Sum    int64
	Last   string
	broken bool
}

func (r *purse) Fold(event es.Event, meta es.Meta) error {
	e := event.(*entry)
	if e.kind == "Broken" && r.broken {
		r.Count = -1000
		return errCannot
	}
	if r.member == "tag" {
		r.Count, r.Sum = r.Count+1, r.Sum+e.Amount
	} else {
		if e.Owner == r.key {
			r.Count, r.Sum = r.Count+1, r.Sum+e.Amount
		}
		if e.From == r.key {
			r.Count, r.Sum = r.Count-1, r.Sum-e.Amount
		}
		if r.Count == 0 && r.Sum == 0 {
			return es.Delete
		}
	}
	if meta.Latest && r.member == "tag" {
		r.Last = fmt.Sprint(meta.EntityID, " ", meta.Version)
	}
	return nil
}

func (r *purse) AppendJSON(dst []byte) []byte {
	start := len(dst)
	dst = append(append(append(dst, `,"`...), r.member...), `":`...)
	dst = es.AppendString(dst, r.key)
	dst = es.AppendInt(append(dst, `,"count":`...), r.Count)
	dst = es.AppendInt(append(dst, `,"sum":`...), r.Sum)
	dst = es.AppendString(append(dst, `,"last":`...), r.Last)
	return es.AppendObjectEnd(dst, start)
}

func (r *purse) Decode(d *es.Decoder) {
	if !d.Object() {
		return
	}
	for d.Member() {
		switch d.Name() {
		case "count":
			d.Int(&r.Count)
		case "sum":
			d.Int(&r.Sum)
		case "last":
			d.String(&r.Last)
		default:
			d.Unknown()
		}
	}
}

func (r *purse) Load(payload string) error { return es.DecodeStored(payload, r) }

func (r *purse) AppendIndexEntries(dst []es.IndexEntry) []es.IndexEntry {
	if r.member != "owner" {
		return dst
	}
	return append(dst, es.IndexEntry{Index: "count", Key: strconv.FormatInt(r.Count, 10), Sort: es.AppendSortInt(nil, r.Sum)})
}

// What the views list.
var (
	allKinds   = []string{"Opened", "Added", "Moved", "Noted", "Frozen", "Thawed", "Broken", "Closed", "Reopened"}
	mostKinds  = []string{"Opened", "Added", "Moved", "Frozen", "Thawed", "Broken", "Closed", "Reopened"}
	fewKinds   = []string{"Opened", "Moved", "Closed", "Reopened"}
	purseKinds = []string{"Opened", "Added", "Moved", "Broken"}
	tagKinds   = []string{"Opened", "Added", "Broken"}
)

func ledgerModel(deployment int) *es.Model {
	broken := deployment == 1
	m := &es.Model{Service: "ledger", Key: es.KeyRule{Name: "accountId", MinLength: 1, MaxLength: 256},
		States: []string{"open", "frozen", "closed"}, PageSize: 10}
	for _, kind := range allKinds {
		t := es.EventType{Name: kind, Revision: 1, New: func(id string) es.DecodableEvent { return &entry{kind: kind, id: id} }}
		switch kind {
		case "Opened":
			t.FromNone, t.To = true, "open"
		case "Added":
			t.From = []string{"open", "frozen"}
		case "Moved":
			t.From = []string{"open"}
		case "Frozen":
			t.From, t.To = []string{"open"}, "frozen"
		case "Thawed":
			t.From, t.To = []string{"frozen"}, "open"
		case "Closed":
			t.From, t.To = []string{"open", "frozen"}, "closed"
		case "Reopened":
			t.From, t.To = []string{"closed"}, "open"
		}
		m.Events = append(m.Events, t)
	}
	m.Views = []es.View{
		{Name: "default", Revision: 1, KeyName: "accountId", Events: mostKinds,
			Indexes: []es.Index{{Name: "state", ParseKey: es.StringKey}},
			New:     func(key string) es.Record { return &account{key: key, broken: broken} }},
		{Name: "moves", Revision: 1, KeyName: "accountId", Events: fewKinds,
			New: func(key string) es.Record { return &account{key: key} }},
		{Name: "owners", Revision: 1, KeyName: "owner", Events: purseKinds,
			Indexes: []es.Index{{Name: "count", Desc: true, ParseKey: es.IntKey}},
			Keys:    func(e es.Event) []string { return es.AppendKey(es.AppendKey(nil, e.(*entry).Owner), e.(*entry).From) },
			New:     func(key string) es.Record { return &purse{key: key, member: "owner", broken: broken} }},
		{Name: "tags", Revision: 1, KeyName: "tag", Events: tagKinds,
			Keys: func(e es.Event) (keys []string) {
				for _, tag := range e.(*entry).Tags {
					keys = es.AppendKey(keys, tag)
				}
				return keys
			},
			New: func(key string) es.Record { return &purse{key: key, member: "tag", broken: broken} }},
	}
	if deployment == 3 {
		m.Views[0].Revision, m.Views[2].Revision = 2, 2
	}
	m.Consumers = []es.Consumer{
		{Name: "echo", Events: []string{"Opened", "Moved", "Closed"}, Start: func(_ context.Context, service *es.Appender) (es.Handler, error) {
			return &echo{service}, nil
		}},
		{Name: "ears", Events: []string{"Added", "Noted"}, Start: func(context.Context, *es.Appender) (es.Handler, error) { return &echo{}, nil }},
		{Name: "owner-report", View: "owners", Start: func(context.Context, *es.Appender) (es.Handler, error) { return &echo{}, nil }},
	}
	return m
}

// echo is a handler that appends to another account what it hears of one.
type echo struct{ service *es.Appender }

func (h *echo) HandleEvent(ctx context.Context, event es.Event, meta es.Meta) error {
	if h.service == nil || strings.HasPrefix(meta.EntityID, "echo-") {
		return nil
	}
	account := "echo-" + meta.EntityID
	for _, kind := range []string{"Opened", "Noted"} {
		_, err := h.service.Append(ctx, &entry{kind: kind, id: account, Owner: "echo", Amount: meta.Version})
		if refused, ok := errors.AsType[*es.RefusedError](err); ok && refused.Code == "state" {
			continue // is open already
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (h *echo) HandleChange(context.Context, es.RecordChange) error { return nil }

var ledger = simulation.Service{
	Name:        "ledger",
	Model:       ledgerModel,
	Deployments: 3,
	Entity:      func(i int) string { return fmt.Sprintf("a%d", i) },
	Next:        nextEntry,
	Fold:        foldLedger,
	Fails:       ledgerFails,
	Indexes: []simulation.Index{
		{View: "default", Name: "state", Key: "state", Sort: "events"},
		{View: "owners", Name: "count", Key: "count", Sort: "sum"},
	},
}

var large = strings.Repeat("large ", 36<<10)

func nextEntry(r *rand.Rand, _ string) simulation.Object {
	kinds := []string{"Opened", "Opened", "Added", "Added", "Added", "Moved", "Moved", "Noted", "Frozen", "Thawed", "Broken", "Closed", "Reopened", "Reopened"}
	owners := []string{"ann", "bob", "cid", "", strings.Repeat("x", 257)}
	e := simulation.Object{"type": kinds[r.IntN(len(kinds))], "owner": owners[r.IntN(len(owners))], "amount": r.IntN(4)}
	if r.IntN(1000) == 0 {
		e["owner"] = large // a relay sends no more than a reference
	}
	if e["type"] == "Moved" || r.IntN(4) == 0 {
		e["from"] = []string{"ann", "bob", "cid"}[r.IntN(3)]
	}
	if r.IntN(2) == 0 {
		tags := []string{}
		for range r.IntN(4) {
			tags = append(tags, []string{"red", "blue", "", "red", "green"}[r.IntN(5)])
		}
		e["tags"] = tags
	}
	return e
}

// The fold of the histories, on plain maps.

func ledgerFails(deployment int, view string, e simulation.Object) bool {
	if deployment > 1 || e["type"] != "Broken" {
		return false
	}
	switch view {
	case "default":
		return true
	case "owners":
		return len(ownersOf(e)) > 0
	case "tags":
		return len(tagsOf(e)) > 0
	}
	return false
}

func textOf(v any) string {
	text, _ := v.(string)
	return text
}

func numberOf(v any) (n int64) {
	_, _ = fmt.Sscan(fmt.Sprint(v), &n)
	return n
}

func ownersOf(e simulation.Object) (owners []string) {
	for _, name := range []string{"owner", "from"} {
		if o := textOf(e[name]); o != "" && len(o) <= 256 && !slices.Contains(owners, o) {
			owners = append(owners, o)
		}
	}
	return owners
}

func tagsOf(e simulation.Object) (tags []string) {
	given, _ := e["tags"].([]any)
	for _, tag := range given {
		if textOf(tag) != "" && !slices.Contains(tags, textOf(tag)) {
			tags = append(tags, textOf(tag))
		}
	}
	return tags
}

var stateAfter = map[string]string{"Opened": "open", "Frozen": "frozen", "Thawed": "open", "Closed": "closed", "Reopened": "open"}

func foldLedger(histories map[string][]simulation.Object) map[string]map[string]simulation.Object {
	views := map[string]map[string]simulation.Object{"default": {}, "moves": {}, "owners": {}, "tags": {}}
	latest := map[string]simulation.Object{}
	for id, events := range histories {
		state := ""
		for _, e := range events {
			kind := textOf(e["type"])
			if to := stateAfter[kind]; to != "" {
				state = to
			}
			if slices.Contains(mostKinds, kind) {
				foldAccount(views["default"], id, state, e)
			}
			if slices.Contains(fewKinds, kind) {
				foldAccount(views["moves"], id, state, e)
			}
			if slices.Contains(purseKinds, kind) {
				for _, owner := range ownersOf(e) {
					if e["owner"] == owner {
						add(views["owners"], "owner", owner, 1, numberOf(e["amount"]))
					}
					if e["from"] == owner {
						add(views["owners"], "owner", owner, -1, -numberOf(e["amount"]))
					}
				}
			}
			if slices.Contains(tagKinds, kind) {
				for _, tag := range tagsOf(e) {
					add(views["tags"], "tag", tag, 1, numberOf(e["amount"]))
					if l := latest[tag]; l == nil || comesLater(e, l) {
						latest[tag] = e
						views["tags"][tag]["last"] = fmt.Sprint(id, " ", e["version"])
					}
				}
			}
		}
	}
	for owner, r := range views["owners"] {
		if numberOf(r["count"]) == 0 && numberOf(r["sum"]) == 0 {
			delete(views["owners"], owner)
		}
	}
	return views
}

func foldAccount(records map[string]simulation.Object, id, state string, e simulation.Object) {
	if e["type"] == "Closed" {
		delete(records, id)
		return
	}
	r := records[id]
	if r == nil {
		r = simulation.Object{"accountId": id, "chain": int64(0), "events": int64(0), "tags": []any{}}
		records[id] = r
	}
	r["events"] = r["events"].(int64) + 1
	r["state"] = state
	r["chain"] = chain(r["chain"].(int64), numberOf(e["version"]), e["type"], state, textOf(e["owner"]), textOf(e["from"]), numberOf(e["amount"]), e["eventId"])
	if tags := r["tags"].([]any); len(tags) > 0 {
		tags[0] = textOf(tags[0]) + "+"
	}
	if tags, ok := e["tags"].([]any); ok {
		r["tags"] = slices.Clone(tags)
	}
	r["version"] = e["version"]
}

func add(records map[string]simulation.Object, member, key string, count, amount int64) {
	r := records[key]
	if r == nil {
		r = simulation.Object{member: key, "count": int64(0), "sum": int64(0), "last": ""}
		records[key] = r
	}
	r["count"], r["sum"] = r["count"].(int64)+count, r["sum"].(int64)+amount
}

// comesLater compares time, entity and version. Times end in Z and have as many digits as they need.
func comesLater(a, b simulation.Object) bool {
	if ta, tb := timeOf(a), timeOf(b); !ta.Equal(tb) {
		return ta.After(tb)
	}
	if a["accountId"] != b["accountId"] {
		return textOf(a["accountId"]) > textOf(b["accountId"])
	}
	return numberOf(a["version"]) > numberOf(b["version"])
}

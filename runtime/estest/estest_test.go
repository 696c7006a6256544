package estest_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/estest"
)

// moved is an event of an account; where it goes and what it does to the view is
// up to its fields.
type moved struct {
	Account string
	To      string
	Amount  int64
	Note    *string
}

func (e moved) EventType() string { return "Moved" }
func (e moved) EntityID() string  { return e.Account }
func (e moved) AppendJSON(dst []byte) []byte {
	start := len(dst)
	dst = es.AppendString(append(dst, `,"to":`...), e.To)
	dst = es.AppendInt(append(dst, `,"amount":`...), e.Amount)
	if e.Note != nil {
		dst = es.AppendString(append(dst, `,"note":`...), *e.Note)
	}
	return es.AppendObjectEnd(dst, start)
}

func (e *moved) Decode(d *es.Decoder) {
	for ok := d.Object(); ok && d.Member(); {
		switch d.Name() {
		case "to":
			d.String(&e.To)
		case "amount":
			d.Int(&e.Amount)
		case "note":
			e.Note = new(string)
			d.String(e.Note)
		default:
			d.Unknown()
		}
	}
}

// closed is an event that the view does not list.
type closed struct{ Account string }

func (e closed) EventType() string            { return "Closed" }
func (e closed) EntityID() string             { return e.Account }
func (e closed) AppendJSON(dst []byte) []byte { return append(dst, "{}"...) }
func (e *closed) Decode(d *es.Decoder)        { d.Object(); d.Member() }

func eventTypes() []es.EventType {
	return []es.EventType{
		{Name: "Moved", Revision: 1, To: "moving", New: func(id string) es.DecodableEvent { return &moved{Account: id} }},
		{Name: "Closed", Revision: 1, To: "closed", New: func(id string) es.DecodableEvent { return &closed{Account: id} }},
	}
}

// View sums up what was moved. It forgets forgotten when it is stored, for the
// test of that mistake.
type View struct {
	To        string
	Sum       int64
	Last      string
	State     string
	forgotten bool
}

func (v *View) Fold(event es.Event, meta es.Meta) error {
	e := event.(*moved)
	if e.Note != nil {
		switch *e.Note {
		case "delete":
			return es.Delete
		case "fail":
			return errors.New("no such luck")
		case "panic":
			panic("at the disco")
		case "forget":
			v.forgotten = true
		case "overwrite":
			v.Last = fmt.Sprint(e.Amount)
		}
	}
	v.Sum += e.Amount
	if meta.Latest {
		v.Last = fmt.Sprintf("%s %d %s %s", meta.EntityID, meta.Version, meta.Time.Format("15:04"), meta.Actor)
	}
	v.State = meta.State
	return nil
}

func (v *View) AppendJSON(dst []byte) []byte {
	dst = es.AppendString(append(dst, `{"to":`...), v.To)
	dst = es.AppendInt(append(dst, `,"sum":`...), v.Sum)
	dst = es.AppendString(append(dst, `,"last":`...), v.Last)
	dst = es.AppendString(append(dst, `,"state":`...), v.State)
	if v.forgotten {
		dst = append(dst, `,"forgotten":true`...)
	}
	return append(dst, '}')
}

func (v *View) Load(payload string) error {
	*v = View{}
	return es.DecodeStored(payload, v)
}

func (v *View) Decode(d *es.Decoder) {
	for ok := d.Object(); ok && d.Member(); {
		switch d.Name() {
		case "to":
			d.String(&v.To)
		case "sum":
			d.Int(&v.Sum)
		case "last":
			d.String(&v.Last)
		case "state":
			d.String(&v.State)
		default:
			d.Unknown()
		}
	}
}

func (v *View) AppendIndexEntries(dst []es.IndexEntry) []es.IndexEntry { return dst }

func totals() es.View {
	return es.View{
		Name: "totals", Revision: 1, KeyName: "to", Events: []string{"Moved"}, EventTypes: eventTypes,
		Keys: func(e es.Event) []string { return es.AppendKey(nil, e.(*moved).To) },
		New:  func(key string) es.Record { return &View{To: key} },
	}
}

func accounts() es.View {
	v := totals()
	v.Name, v.Keys = "accounts", nil
	return v
}

func TestWant(t *testing.T) {
	estest.Given(t, accounts(), moved{Account: "a", Amount: 1}, closed{Account: "a"}, moved{Account: "a", Amount: 2}).
		Want(View{To: "a", Sum: 3, Last: "a 3 09:02 ", State: "moving"})
	estest.Given(t, accounts(), moved{Amount: 1}).
		Want(View{Sum: 1, Last: estest.DefaultEntity + " 1 09:00 ", State: "moving"})
	estest.Given(t, totals()).At(time.Date(2026, 1, 1, 23, 0, 0, 0, time.UTC)).By("ann").
		From("b", moved{To: "x", Amount: 5}, moved{To: "", Amount: 7}).
		From("a", moved{To: "x", Amount: 6}, moved{To: "y", Amount: 1}).
		Want(&View{To: "y", Sum: 1, Last: "a 2 23:03 ann", State: "moving"}, View{To: "x", Sum: 11, Last: "a 1 23:02 ann", State: "moving"})
}

func TestDeletedRecordsStartAgain(t *testing.T) {
	gone := moved{Account: "a", Note: new("delete")}
	estest.Given(t, accounts(), moved{Account: "a", Amount: 5}, gone).WantDeleted().WantDeleted("a").Want().
		And(moved{Account: "a", Amount: 2}).Want(View{Sum: 2, Last: "a 3 09:02 ", State: "moving"})
}

// TestDeletedRecordsRememberTheLatestEvent: what is folded after a deletion is not
// the latest for it.
func TestDeletedRecordsRememberTheLatestEvent(t *testing.T) {
	estest.Given(t, totals()).At(estest.Start.Add(time.Hour)).
		From("a", moved{To: "x", Note: new("delete")}).At(estest.Start).
		From("b", moved{To: "x", Amount: 1}).
		Want(View{To: "x", Sum: 1, State: "moving"})
}

func TestInAnyOrder(t *testing.T) {
	estest.Given(t, totals(), moved{Account: "a", To: "x", Amount: 1}, moved{Account: "a", To: "y", Amount: 2}).
		From("b", moved{To: "x", Amount: 3}, moved{To: "y", Amount: 4}).InAnyOrder().
		Want(View{To: "x", Sum: 4, Last: "b 1 09:02 ", State: "moving"}, View{To: "y", Sum: 6, Last: "b 2 09:03 ", State: "moving"})
}

func TestInAnyOrderOfManyEvents(t *testing.T) {
	s := estest.Given(t, totals())
	for _, id := range []string{"a", "b", "c", "d"} {
		s.From(id, slices.Repeat([]es.Event{moved{To: "x", Amount: 1}}, 5)...)
	}
	s.InAnyOrder().Want(View{Sum: 20, Last: "d 5 09:19 ", State: "moving"})
}

func TestWantError(t *testing.T) {
	fails := moved{Account: "a", Note: new("fail")}
	estest.Given(t, accounts(), moved{Account: "a"}, fails).WantError("no such", "luck")
	estest.Given(t, accounts(), moved{Account: "a", Note: new("panic")}).WantError("panic: at the disco")
}

// TestFailures are tests that have to fail, and say why.
func TestFailures(t *testing.T) {
	one := moved{Account: "a", To: "x", Amount: 1}
	for name, c := range map[string]struct {
		test func(t testing.TB)
		says []string
	}{
		"another value": {func(t testing.TB) { estest.Given(t, accounts(), one).Want(View{To: "a", Sum: 2, State: "moving"}) },
			[]string{`record "a"`, `-   "sum": 2`, `+   "sum": 1`, `    "to": "a"`}},
		"no record": {func(t testing.TB) { estest.Given(t, accounts()).Want(View{To: "a"}) }, []string{`no record "a"; there is none`}},
		"other records": {func(t testing.TB) { estest.Given(t, accounts(), one).Want(View{To: "b"}) },
			[]string{`no record "b"; there are 1: ["a"]`, "a record that is not wanted", `"sum": 1`}},
		"same key":    {func(t testing.TB) { estest.Given(t, accounts(), one).Want(View{To: "a"}, View{To: "a"}) }, []string{`two wanted records have the key "a"`}},
		"wrong type":  {func(t testing.TB) { estest.Given(t, accounts(), one).Want("a") }, []string{"Want takes values of type estest_test.View, not string"}},
		"nil":         {func(t testing.TB) { estest.Given(t, accounts(), one).Want(nil) }, []string{"not <nil>"}},
		"not deleted": {func(t testing.TB) { estest.Given(t, accounts(), one).WantDeleted() }, []string{`record "a" is not deleted`}},
		"fails": {func(t testing.TB) { estest.Given(t, accounts(), moved{Account: "a", Note: new("fail")}).Want(View{}) },
			[]string{`cannot fold Moved, version 1 of "a" at 2026-01-02T09:00:00Z: no such luck`}},
		"no error":    {func(t testing.TB) { estest.Given(t, accounts(), one).WantError() }, []string{"folds without an error"}},
		"other error": {func(t testing.TB) { estest.Given(t, accounts(), moved{Note: new("fail")}).WantError("fire") }, []string{`does not contain "fire"`}},
		"early error": {func(t testing.TB) {
			estest.Given(t, accounts(), moved{Account: "a", Note: new("fail")}, one).WantError()
		},
			[]string{"not the last event fails, but Moved, version 1"}},
		"nothing given": {func(t testing.TB) { estest.Given(t, accounts()).WantError() }, []string{"without an error"}},
		"unknown event": {func(t testing.TB) {
			v := accounts()
			v.EventTypes = func() []es.EventType { return nil }
			estest.Given(t, v, one)
		},
			[]string{`the service has no event "Moved"`}},
		"lost when stored": {func(t testing.TB) { estest.Given(t, accounts(), moved{Account: "a", Note: new("forget")}).Want(View{}) },
			[]string{`the record "a" changes when it is stored`, `-   "forgotten": true`}},
		"one entity": {func(t testing.TB) { estest.Given(t, totals(), one).InAnyOrder().WantDeleted("z") }, []string{"at least two entities"}},
		"order matters": {func(t testing.TB) {
			estest.Given(t, totals(), moved{Account: "a", To: "x", Amount: 1, Note: new("overwrite")}).
				At(estest.Start.Add(-time.Hour)).
				From("b", moved{To: "x", Amount: 2, Note: new("overwrite")}).InAnyOrder().WantDeleted("z")
		}, []string{"depends on the order of events", `-   "last": "2"`, `+   "last": "a 1 09:00 "`, `1. Moved, version 1 of "b"`}},
	} {
		t.Run(name, func(t *testing.T) {
			said := failing(t, c.test)
			for _, text := range c.says {
				if !strings.Contains(said, text) {
					t.Errorf("does not say %q but:\n%s", text, said)
				}
			}
		})
	}
}

// recorder is a testing.TB that keeps what it is told.
type recorder struct {
	testing.TB
	mu     sync.Mutex
	failed bool
	said   strings.Builder
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = true
	fmt.Fprintf(&r.said, format+"\n", args...)
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// failing runs a test that has to fail and returns what it says.
func failing(t *testing.T, test func(testing.TB)) string {
	t.Helper()
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(r)
	}()
	<-done
	if !r.failed {
		t.Error("does not fail")
	}
	return r.said.String()
}

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A service as it was first deployed. A ticket may be held, and be nudged.
const ticketsBefore = `esgen: 1
service: tickets
module: example.com/tickets
entity: {name: ticket, key: ticketId, states: [open, held, shut]}
types:
  Place: {fields: {x: int}}
events:
  TicketOpened:
    from: none
    to: open
    fields: {title: string, note: "string?", priority: int, gone: string, mood: {enum: [happy, sad]}, place: Place, places: "Place[]"}
  TicketMoved: {from: [open], fields: {to: string}}
  TicketHeld: {from: [open], to: held}
  TicketNudged: {fields: {n: int}}
  TicketShut: {from: [open, held], to: shut}
views:
  default:
    events: [TicketOpened, TicketMoved, TicketHeld, TicketNudged, TicketShut]
    fields: {title: string, priority: int}
`

// The same later: fields came, went and were renamed, bounds are tighter, an
// event and a state are gone.
const ticketsAfter = `esgen: 1
service: tickets
module: example.com/tickets
entity: {name: ticket, key: {name: ticketId, maxLength: 3}, states: [open, shut]}
types:
  Place: {fields: {x: {type: int, maximum: 0}, y: int, z: {type: int, default: 7}, at: {type: timestamp, default: now}, id: {type: uuid, default: new}}}
events:
  TicketOpened:
    from: none
    to: open
    fields:
      title: {type: string, maxLength: 2}
      note: {type: string, minLength: 1}
      priority: {type: int, maximum: 5}
      mood: {enum: [sad]}
      place: Place
      places: {type: "Place[]", maxItems: 1}
      owner: string
      weight: decimal
      urgent: bool
      tags: {type: "string[]", minItems: 1}
      extra: map<int>
      blob: bytes
      due: timestamp
      rank: {type: int, default: 3}
      labels: {type: "string[]", default: [a, b]}
      at: {type: timestamp, default: now}
      day: {type: date, default: now}
      ref: {type: uuid, default: new}
  TicketMoved: {from: [open], revision: 2, fields: {target: string}}
  TicketHeld: {from: [open]}
  TicketShut: {from: [open], to: shut}
views:
  default:
    revision: 2
    events: [TicketOpened, TicketMoved, TicketHeld, TicketShut]
    fields:
      title: string
      note: string
      priority: int
      mood: string
      place: Place
      places: Place[]
      owner: string
      weight: decimal
      urgent: bool
      tags: string[]
      extra: map<int>
      blob: bytes
      due: timestamp
      rank: int
      labels: string[]
      at: timestamp
      day: date
      ref: uuid
      target: string
      state: {enum: [open, shut]}
`

const ticketFolds = `package defaultview

import (
	"github.com/esgen/esgen/runtime"

	"example.com/tickets/events"
)

func onTicketOpened(view *View, e events.TicketOpened, meta es.Meta) error {
	view.Title, view.Note, view.Priority, view.Mood, view.Place, view.Places = e.Title, e.Note, e.Priority, e.Mood, e.Place, e.Places
	view.Owner, view.Weight, view.Urgent, view.Tags, view.Extra, view.Blob, view.Due = e.Owner, e.Weight, e.Urgent, e.Tags, e.Extra, e.Blob, e.Due
	view.Rank, view.Labels, view.At, view.Day, view.Ref = e.Rank, e.Labels, e.At, e.Day, e.Ref
	view.State = meta.State
	return nil
}

func onTicketMoved(view *View, e events.TicketMoved, meta es.Meta) error {
	view.Target, view.State = e.Target, meta.State
	return nil
}

func onTicketHeld(view *View, e events.TicketHeld, meta es.Meta) error {
	view.State = meta.State
	return nil
}

func onTicketShut(view *View, e events.TicketShut, meta es.Meta) error {
	view.State = meta.State
	return nil
}
`

const ticketUpcast = `package upcasts

import es "github.com/esgen/esgen/runtime"

func TicketMovedFrom1(fields es.Fields) error {
	fields["target"] = fields["to"]
	delete(fields, "to")
	return nil
}
`

// Constraints guard the door only: what an older schema let in is read for ever.
func TestContractEvolution(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs a service twice")
	}
	tool := buildTool(t)
	dir := filepath.Join(t.TempDir(), "tickets")
	before := filepath.Join(t.TempDir(), "before.yaml")
	write(t, before, ticketsBefore)
	run(t, ".", tool, "init", dir, "--from", before)
	store := filepath.Join(t.TempDir(), "store.db")
	base, kill := startProgram(t, buildProgram(t, dir), store)
	s := service{t, base}

	opened := s.stored(`{"type":"TicketOpened","ticketId":"long","title":"a title","priority":50,"gone":"x","mood":"happy","place":{"x":5},"places":[{"x":1},{"x":2}]}`)
	s.stored(`{"type":"TicketMoved","ticketId":"long","to":"attic"}`)
	s.stored(`{"type":"TicketNudged","ticketId":"long","n":1}`)
	s.stored(`{"type":"TicketHeld","ticketId":"long"}`)
	s.stored(strings.Replace(`{"type":"TicketOpened","ticketId":"ID","title":"t","priority":1,"gone":"x","mood":"sad","place":{"x":5},"places":[]}`, "ID", "shu", 1))
	s.stored(`{"type":"TicketShut","ticketId":"shu"}`)
	if a := s.post(`{"type":"TicketNudged","ticketId":"new","n":1}`); a.status != http.StatusConflict || string(a.members["code"]) != `"state"` {
		t.Errorf("an event without from is never first: %d %s", a.status, a.body)
	}
	if a := s.stored(`{"type":"TicketNudged","ticketId":"shu","n":1}`); string(a.members["version"]) != "3" {
		t.Errorf("an event without from fits every state: %s", a.body)
	}
	a := s.post(`{"type":"TicketMoved","ticketId":"shu","to":"x"}`)
	if a.status != http.StatusConflict || string(a.members["code"]) != `"state"` || string(a.members["currentVersion"]) != "3" || string(a.members["currentState"]) != `"shut"` {
		t.Errorf("an event that does not fit the state: %d %s", a.status, a.body)
	}
	s.stored(`{"type":"TicketOpened","ticketId":"hel","title":"t","priority":1,"gone":"x","mood":"sad","place":{"x":5},"places":[]}`)
	s.stored(`{"type":"TicketHeld","ticketId":"hel"}`)
	histories := map[string][]string{"long": s.get("/events/long").items(), "shu": s.get("/events/shu").items()}
	kill()

	write(t, filepath.Join(dir, "esgen.yaml"), ticketsAfter)
	run(t, dir, tool, "regenerate")
	removeStubs(t, filepath.Join(dir, "views", "defaultview"))
	write(t, filepath.Join(dir, "views", "defaultview", "folds.go"), ticketFolds)
	write(t, filepath.Join(dir, "upcasts", "ticket_moved_from1.go"), ticketUpcast)
	run(t, dir, "go", "vet", "./...")
	base, _ = startProgram(t, buildProgram(t, dir), store)

	t.Run("histories say what was posted", func(t *testing.T) {
		for id, want := range histories {
			if got := (service{t, base}).get("/events/" + id).items(); strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("%s: got %s\nwant %s", id, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
	})

	t.Run("a new revision is read when it is complete", func(t *testing.T) {
		s := service{t, base}
		if a := s.get("/default/long"); a.status != http.StatusOK || a.members["rank"] != nil {
			t.Errorf("before the rebuild: %d %s", a.status, a.body)
		}
		run(t, dir, tool, "rebuild", "default", "--store", store)
		eventually(t, func() error {
			if a := s.get("/default/long"); a.members["rank"] == nil {
				return fmt.Errorf("%d %s", a.status, a.body)
			}
			return nil
		})
	})

	now := string(opened.members["time"])
	var ref string
	want := func(version int, extra string) string {
		return `{"ticketId":"long","title":"a title","note":"","priority":50,"mood":"happy","place":{"x":5,"y":0,"z":7,"at":` + now + `,"id":*},` +
			`"places":[{"x":1,"y":0,"z":7,"at":` + now + `,"id":*},{"x":2,"y":0,"z":7,"at":` + now + `,"id":*}],` +
			`"owner":"","weight":0,"urgent":false,"tags":[],"extra":{},"blob":"","rank":3,"labels":["a","b"],"at":` + now + `,"day":` + now[:11] + `","ref":*,` + extra +
			`"version":` + fmt.Sprint(version) + `}`
	}
	for path, wanted := range map[string]string{
		"/default/long?minVersion=4": want(4, `"target":"attic","state":"open",`),
		"/default/long?minVersion=3": want(4, `"target":"attic","state":"open",`),
		"/default/long?version=1":    want(1, `"target":"","state":"open",`),
		"/default/long?version=2":    want(2, `"target":"attic","state":"open",`),
		"/default/long?version=3":    want(2, `"target":"attic","state":"open",`),
	} {
		t.Run(path, func(t *testing.T) {
			s := service{t, base}
			var a answer
			eventually(t, func() error {
				if a = s.get(path); a.status != http.StatusOK {
					return fmt.Errorf("%d %s", a.status, a.body)
				}
				return nil
			})
			got, ids := withoutIDs(t, a.body)
			if w := canonical(t, strings.ReplaceAll(wanted, "*", `"*"`)); got != w {
				t.Errorf("got  %s\nwant %s", got, w)
			}
			if all := strings.Join(ids, " "); len(ids) != 4 || ref != "" && all != ref {
				t.Errorf("the ids are %s, elsewhere %s: each is derived, the same at every reading", all, ref)
			} else {
				ref = all
			}
		})
	}

	t.Run("a state that is gone", func(t *testing.T) { // the last event left the ticket held; the tos that are left give open
		s := service{t, base}
		if a := s.post(`{"type":"TicketOpened","ticketId":"hel","title":"t","note":"n","priority":1,"mood":"sad","place":{"x":0,"y":1},"places":[],` +
			`"owner":"o","weight":1,"urgent":true,"tags":["t"],"extra":{},"blob":"","due":"2025-01-01T00:00:00Z"}`); a.status != http.StatusConflict || string(a.members["currentState"]) != `"open"` {
			t.Errorf("a second first event: %d %s", a.status, a.body)
		}
		s.stored(`{"type":"TicketShut","ticketId":"hel"}`)
		if a := s.post(`{"type":"TicketShut","ticketId":"hel"}`); string(a.members["currentState"]) != `"shut"` {
			t.Errorf("shut twice: %d %s", a.status, a.body)
		}
	})

	t.Run("what comes in is checked", func(t *testing.T) {
		s := service{t, base}
		if a := s.post(`{"type":"TicketHeld","ticketId":"long"}`); a.violations() != "/ticketId maxLength" {
			t.Errorf("got %d %s", a.status, a.body)
		}
		if a := s.post(`{"type":"TicketNudged","ticketId":"shu","n":1}`); a.violations() != "/type unknown-event" {
			t.Errorf("got %d %s", a.status, a.body)
		}
		if a := s.post(`{"type":"TicketMoved","ticketId":"shu","to":"x"}`); a.violations() != "/target required, /to unknown-field" {
			t.Errorf("got %d %s", a.status, a.body)
		}
	})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// canonical is a JSON text with its members sorted.
func canonical(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	out, _ := json.Marshal(v)
	return string(out)
}

// withoutIDs puts "*" in the place of the ids that a record was given by default.
func withoutIDs(t *testing.T, text string) (rest string, ids []string) {
	t.Helper()
	var v object
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	star := func(o any, name string) {
		if o, ok := o.(object); ok && o[name] != nil {
			ids = append(ids, fmt.Sprint(o[name]))
			o[name] = "*"
		}
	}
	star(v, "ref")
	star(v["place"], "id")
	if places, ok := v["places"].([]any); ok {
		for _, p := range places {
			star(p, "id")
		}
	}
	out, _ := json.Marshal(v)
	return string(out), ids
}

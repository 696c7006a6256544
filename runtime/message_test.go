package es_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
)

func TestMessagesComeBack(t *testing.T) {
	at := time.Date(2026, 2, 3, 4, 5, 6, 70, time.UTC)
	event := es.Recorded{
		EntityID: "a/b?c \u2028é\"", Version: 3, EventID: "e-1", Type: "OrderPlaced", Revision: 2, Time: at, State: "placed",
		Payload: `{"note":"\"é\n","n":1e3,"x":1.50}`, CorrelationID: "c", CausationID: "d", Actor: "someone",
	}
	change := es.RecordChange{View: "default", Key: "k", Guard: 4, Time: at, Old: `{"a":1}`, New: `{"a":2}`, Rebuilding: true}
	gone := es.RecordChange{View: "default", Key: "k", Guard: 5, Time: at, Old: `{"a":1}`}
	garbage := event
	garbage.Payload = `{"a":`
	for name, m := range map[string]*es.Message{
		"an event":               {Event: &event},
		"a bare event":           {Event: &es.Recorded{EntityID: "o", Version: 1, Time: at, Payload: "{}"}},
		"an event elsewhere":     {Event: &es.Recorded{EntityID: "o", Version: 1, Time: at}, Elsewhere: 1},
		"a change":               {Change: &change},
		"a removal":              {Change: &gone},
		"a change elsewhere":     {Change: &es.RecordChange{View: "v", Key: "k", Guard: 5, Time: at}, Elsewhere: 3},
		"a payload that is none": {Event: &garbage},
	} {
		text := m.AppendJSON(nil)
		if !json.Valid(text) {
			t.Errorf("%s: not JSON: %s", name, text)
		}
		got, err := es.ParseMessage(string(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !reflect.DeepEqual(got, m) {
			t.Errorf("%s: got  %+v\nwant %+v", name, got, m)
		}
	}
	if got := string((&es.Message{Event: &event, Elsewhere: 1}).AppendJSON(nil)); strings.Contains(got, "payload") {
		t.Errorf("a reference has the payload: %s", got)
	}
}

// TestMessagesAreTextThatQueuesTake: U+FFFE and U+FFFF are refused by SQS, which would have the relay
// try without end.
func TestMessagesAreTextThatQueuesTake(t *testing.T) {
	payload, err := json.Marshal(map[string]string{"a\uffff": "b\ufffe\ufffd", "raw": "\xff"})
	if err != nil {
		t.Fatal(err)
	}
	e := es.Recorded{EntityID: "o\uffff", Version: 1, Time: time.Unix(0, 0).UTC(), Payload: string(payload)}
	text := string((&es.Message{Event: &e}).AppendJSON([]byte("before ")))
	if strings.ContainsAny(text, "\uffff\ufffe") || !strings.HasPrefix(text, "before {") {
		t.Errorf("%q", text)
	}
	m, err := es.ParseMessage(strings.TrimPrefix(text, "before "))
	if err != nil {
		t.Fatal(err)
	}
	var got, want map[string]string
	if err := json.Unmarshal([]byte(m.Event.Payload), &got); err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal(payload, &want)
	if m.Event.EntityID != e.EntityID || !reflect.DeepEqual(got, want) {
		t.Errorf("%q, %q", m.Event.EntityID, m.Event.Payload)
	}
}

func TestWhatIsNoMessage(t *testing.T) {
	for _, text := range []string{
		``, `x`, `{}`, `{"esgen":1}`, `{"esgen":0,"id":"secret","version":1}`, `{"id":"secret","version":1}`, `{"esgen":1,"id":"secret","version":0}`,
		`{"esgen":1,"id":7,"version":1}`, `{"esgen":1,"view":"v"}`, `{"esgen":2,"id":"secret","version":1}`, `{"esgen":1,"id":"secret","version":"1"}`,
		`{"esgen":1,"id":"secret","version":1} x`, `{"esgen":1,"id":"secret","version":1,"time":"soon"}`, `[{"esgen":1}]`,
	} {
		m, err := es.ParseMessage(text)
		if err == nil {
			t.Errorf("%s: %+v", text, m)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error quotes it: %v", text, err)
		}
	}
	if _, err := es.ParseMessage(`{"esgen":1,"later":[{"x":1}],"id":"o","version":1}`); err != nil {
		t.Errorf("a member of a later esgen: %v", err)
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add(`{"esgen":1,"id":"o","version":1,"payload":{"a":1}}`)
	f.Add(`{"esgen":1,"view":"v","key":"k","old":"x","time":"2026-02-03T04:05:06Z"}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := es.ParseMessage(text)
		if err != nil {
			return
		}
		again, err := es.ParseMessage(string(m.AppendJSON(nil)))
		if err != nil || (again.Event == nil) != (m.Event == nil) || again.Elsewhere != max(m.Elsewhere, 0) {
			t.Errorf("%s: %+v, %v", text, again, err)
		}
	})
}

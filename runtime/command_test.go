package es_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
)

func TestPostAnswersWhatIsStored(t *testing.T) {
	s := newService(t, ordersModel())
	a := s.post(t, `{ "note":null, "total":10.50, "quantity":2.0, "type":"OrderPlaced", "customerId":"c\u0031",
		"orderId":"o-1", "eventId":"e1", "expectedVersion":0, "meta":{"correlationId":"k","causationId":"z"} }`)
	want := `{"type":"OrderPlaced","orderId":"o-1","customerId":"c1","currency":"EUR","quantity":2,"total":10.50,` +
		`"placedAt":"2026-01-02T03:04:05.000006Z","eventId":"e1","version":1,"time":"2026-01-02T03:04:05.000006Z",` +
		`"meta":{"correlationId":"k","causationId":"z"}}`
	if a.Status != 201 || string(a.Body) != want {
		t.Fatalf("%d %s\nwant 201 %s", a.Status, a.Body, want)
	}
	for name, want := range map[string]string{
		"Location": "/test/events/o-1", "ETag": `"1"`, "Content-Type": "application/json", "Idempotency-Replayed": "",
	} {
		if got := header(a, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if a := s.post(t, shipped("o-1")); a.Status != 201 || header(a, "ETag") != `"2"` {
		t.Fatalf("second event: %d %s", a.Status, a.Body)
	}
	stored := s.events(t, "o-1")
	if stored[0].Actor != "someone" || stored[0].State != "placed" || stored[1].State != "shipped" || stored[1].Revision != 2 {
		t.Errorf("stored: %+v", stored)
	}
}

func TestPostMakesAnEventID(t *testing.T) {
	s := newService(t, ordersModel())
	first, _ := object(t, s.post(t, placed("a")))["eventId"].(string)
	second, _ := object(t, s.post(t, placed("b")))["eventId"].(string)
	for _, id := range []string{first, second} {
		if u, err := es.ParseUUID(id); err != nil || u[6]>>4 != 7 || u.String() != id {
			t.Errorf("event id %q is no UUID of version 7", id)
		}
	}
	if first == second {
		t.Error("two events with one id")
	}
}

func TestPostLocation(t *testing.T) {
	for id, want := range map[string]string{
		"o-1":               "/test/events/o-1",
		"aZ09-._~:@+,=":     "/test/events/aZ09-._~:@+,=",
		".":                 "/test/events?id=.",
		"..":                "/test/events?id=..",
		"...":               "/test/events/...",
		"-a":                "/test/events/-a",
		"a/b":               "/test/events?id=a%2Fb",
		"é x":               "/test/events?id=%C3%A9%20x",
		"a\r\nSet-Cookie:b": "/test/events?id=a%0D%0ASet-Cookie%3Ab",
		"a&b=c#d?%00":       "/test/events?id=a%26b%3Dc%23d%3F%2500",
		"\u0000":            "/test/events?id=%00",
	} {
		t.Run(id, func(t *testing.T) {
			s := newService(t, ordersModel())
			a := s.post(t, placed(id))
			if got := header(a, "Location"); a.Status != 201 || got != want {
				t.Fatalf("%d %q, want %q: %s", a.Status, got, want, a.Body)
			}
			back := s.get(t, strings.TrimPrefix(want, "/test"))
			if back.Status != 200 || !strings.Contains(string(back.Body), string(a.Body)) {
				t.Errorf("following it: %d %s", back.Status, back.Body)
			}
		})
	}
}

func TestPostRefusesBeforeTheBodyIsRead(t *testing.T) {
	s := newService(t, ordersModel())
	for _, c := range []struct {
		name   string
		header map[string]string
		target string
		body   string
		status int
		code   string
	}{
		{"form", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, "/", placed("x"), 415, "unsupported-media-type"},
		{"text", map[string]string{"Content-Type": "text/json"}, "/", placed("x"), 415, "unsupported-media-type"},
		{"latin1", map[string]string{"Content-Type": "application/json; charset=latin1"}, "/", placed("x"), 415, "unsupported-media-type"},
		{"garbage", map[string]string{"Content-Type": "application/json;;=,"}, "/", placed("x"), 415, "unsupported-media-type"},
		{"large", nil, "/", strings.Repeat(" ", es.MaxBody+1), 413, "too-large"},
		{"weak tag", map[string]string{"If-Match": `W/"1"`}, "/", placed("x"), 400, "invalid"},
		{"any tag", map[string]string{"If-Match": "*"}, "/", placed("x"), 400, "invalid"},
		{"bare", map[string]string{"If-Match": "1"}, "/", placed("x"), 400, "invalid"},
		{"zeros", map[string]string{"If-Match": `"01"`}, "/", placed("x"), 400, "invalid"},
		{"sign", map[string]string{"If-Match": `"+1"`}, "/", placed("x"), 400, "invalid"},
		{"list", map[string]string{"If-Match": `"1", "2"`}, "/", placed("x"), 400, "invalid"},
		{"record's tag", map[string]string{"If-Match": `"r1a"`}, "/", placed("x"), 400, "invalid"},
		{"over 64 bits", map[string]string{"If-Match": `"99999999999999999999"`}, "/", placed("x"), 400, "invalid"},
		{"key with space", map[string]string{"Idempotency-Key": `a b`}, "/", placed("x"), 400, "invalid"},
		{"key empty in quotes", map[string]string{"Idempotency-Key": `""`}, "/", placed("x"), 400, "invalid"},
		{"long key", map[string]string{"Idempotency-Key": strings.Repeat("k", 129)}, "/", placed("x"), 400, "invalid"},
		{"key no ASCII", map[string]string{"Idempotency-Key": "é"}, "/", placed("x"), 400, "invalid"},
		{"key differs", map[string]string{"Idempotency-Key": "k"}, "/", placed("x", `"eventId":"other"`), 400, "invalid"},
		{"parameter", nil, "/?dry=1", placed("x"), 400, "parameter"},
		{"event id with space", nil, "/", placed("x", `"eventId":"a b"`), 400, "invalid"},
		{"event id no ASCII", nil, "/", placed("x", `"eventId":"é"`), 400, "invalid"},
		{"event id empty", nil, "/", placed("x", `"eventId":""`), 400, "invalid"},
		{"event id long", nil, "/", placed("x", `"eventId":"`+strings.Repeat("e", 129)+`"`), 400, "invalid"},
		{"id empty", nil, "/", placed(""), 400, "invalid"},
		{"id long", nil, "/", placed(strings.Repeat("i", 257)), 400, "invalid"},
		{"no JSON", nil, "/", `{"type"`, 400, "invalid"},
		{"empty", nil, "/", ``, 400, "invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantProblem(t, s.do(t.Context(), "POST", c.target, c.header, c.body), c.status, c.code)
		})
	}
	if stored := s.events(t, "x"); len(stored) != 0 {
		t.Errorf("stored: %+v", stored)
	}
}

func TestPostTakesEveryFormOfJSON(t *testing.T) {
	s := newService(t, ordersModel())
	for i, contentType := range []string{
		"", "application/json", "Application/JSON", "application/json; charset=utf-8", `application/json;charset="UTF-8"`,
		"application/cloudevents+json", "application/vnd.x.v1+json; charset=UTF-8",
	} {
		h := map[string]string{"Content-Type": contentType}
		if a := s.do(t.Context(), "POST", "/", h, placed("o"+strconv.Itoa(i))); a.Status != 201 {
			t.Errorf("%q: %d %s", contentType, a.Status, a.Body)
		}
	}
}

func TestPostListsEveryViolation(t *testing.T) {
	s := newService(t, ordersModel())
	a := s.post(t, `{"type":"OrderPlaced","orderId":"o","customerId":"","quantity":0,"nope":1}`)
	m := wantProblem(t, a, 400, "invalid")
	got := map[string]string{}
	violations, _ := m["errors"].([]any)
	for _, v := range violations {
		e := v.(map[string]any)
		got[e["pointer"].(string)] = e["code"].(string)
		if message, _ := e["message"].(string); message == "" {
			t.Errorf("violation without message: %v", e)
		}
	}
	for pointer, code := range map[string]string{
		"/customerId": "minLength", "/quantity": "minimum", "/nope": "unknown-field", "/total": "required",
	} {
		if got[pointer] != code {
			t.Errorf("%s: %q, want %q in %s", pointer, got[pointer], code, a.Body)
		}
	}
}

func TestIdempotency(t *testing.T) {
	s := newService(t, ordersModel())
	first := s.post(t, placed("o", `"eventId":"e1"`))
	again := func(t *testing.T, h map[string]string, body string) {
		t.Helper()
		a := s.do(t.Context(), "POST", "/", h, body)
		if a.Status != 200 || string(a.Body) != string(first.Body) || header(a, "Idempotency-Replayed") != "true" ||
			header(a, "ETag") != `"1"` || header(a, "Location") != "/test/events/o" {
			t.Errorf("%d %v %s\nwant 200 %s", a.Status, a.Header, a.Body, first.Body)
		}
	}
	s.mustPost(t, shipped("o"))
	again(t, nil, placed("o", `"eventId":"e1"`))
	again(t, map[string]string{"Idempotency-Key": "e1"}, placed("o"))
	again(t, map[string]string{"Idempotency-Key": `"e1"`}, placed("o", `"eventId":"e1"`))
	again(t, nil, placed("o", `"eventId":"e1"`, `"note":null`))
	again(t, nil, `{"eventId":"e1","total":1.050e1,"quantity":2.0,"customerId":"\u00631","orderId":"o","type":"OrderPlaced"}`)
	// what is no content: expectations that no longer hold, and meta
	again(t, map[string]string{"If-Match": `"7"`}, placed("o", `"eventId":"e1"`, `"expectedVersion":9`, `"meta":{"correlationId":"new"}`))

	for name, body := range map[string]string{
		"other value":           strings.Replace(placed("o", `"eventId":"e1"`), "10.50", "10.51", 1),
		"default spelled out":   placed("o", `"eventId":"e1"`, `"currency":"EUR"`),
		"optional value":        placed("o", `"eventId":"e1"`, `"note":""`),
		"other type":            noted("o", "x", `"eventId":"e1"`),
		"other content, stale":  strings.Replace(placed("o", `"eventId":"e1"`, `"expectedVersion":5`), "c1", "c2", 1),
		"other content, header": "",
	} {
		t.Run(name, func(t *testing.T) {
			h := map[string]string{}
			if body == "" {
				h, body = map[string]string{"Idempotency-Key": "e1"}, shipped("o")
			}
			m := wantProblem(t, s.do(t.Context(), "POST", "/", h, body), 422, "event-id-reused")
			if m["eventId"] != "e1" {
				t.Errorf("eventId %v", m["eventId"])
			}
		})
	}
	if n := len(s.events(t, "o")); n != 2 {
		t.Errorf("%d events, want 2", n)
	}
	// the same id is free for another entity
	s.mustPost(t, placed("o2", `"eventId":"e1"`))
}

func TestExpectations(t *testing.T) {
	s := newService(t, ordersModel())
	s.mustPost(t, placed("o", `"expectedVersion":0`), noted("o", "x", `"expectedVersion":1`))
	for _, c := range []struct {
		name, body string
		ifMatch    string
		status     int
		code       string
	}{
		{"behind", noted("o", "y", `"expectedVersion":1`), "", 409, "version"},
		{"ahead", noted("o", "y", `"expectedVersion":3`), "", 409, "version"},
		{"new", noted("o", "y", `"expectedVersion":0`), "", 409, "version"},
		{"header behind", noted("o", "y"), `"1"`, 412, "version"},
		{"both, body wrong", noted("o", "y", `"expectedVersion":1`), `"2"`, 409, "version"},
		{"both, header wrong", noted("o", "y", `"expectedVersion":2`), `"1"`, 412, "version"},
		{"state", placed("o"), "", 409, "state"},
		{"state at the right version", placed("o", `"expectedVersion":2`), "", 409, "state"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := wantProblem(t, s.do(t.Context(), "POST", "/", map[string]string{"If-Match": c.ifMatch}, c.body), c.status, c.code)
			if m["currentVersion"] != float64(2) || m["currentState"] != "placed" {
				t.Errorf("current: %v", m)
			}
		})
	}
	m := wantProblem(t, s.post(t, shipped("new")), 409, "state")
	if m["currentVersion"] != float64(0) || m["currentState"] != nil {
		t.Errorf("current of a new entity: %v", m)
	}
	if a := s.do(t.Context(), "POST", "/", map[string]string{"If-Match": `"2"`}, noted("o", "y", `"expectedVersion":2`)); a.Status != 201 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}

func TestLifecycle(t *testing.T) {
	s := newService(t, ordersModel())
	steps := []struct {
		body   string
		status int
	}{
		{noted("o", "too early"), 409}, // default from: every state, never first
		{shipped("o"), 409},
		{placed("o"), 201},
		{placed("o"), 409},
		{noted("o", "x"), 201}, // changes no state
		{shipped("o"), 201},
		{shipped("o"), 409},
		{`{"type":"OrderCancelled","orderId":"o"}`, 409},
		{noted("o", "y"), 201},
	}
	for i, step := range steps {
		if a := s.post(t, step.body); a.Status != step.status {
			t.Errorf("step %d: %d, want %d: %s", i, a.Status, step.status, a.Body)
		}
	}
	var states []string
	for _, r := range s.events(t, "o") {
		states = append(states, r.State)
	}
	if got := strings.Join(states, " "); got != "placed placed shipped shipped" {
		t.Errorf("states: %s", got)
	}
}

func TestLifecycleOfOlderHistories(t *testing.T) {
	order := func(version int64, eventType, state string) es.Recorded {
		return es.Recorded{EntityID: "o", Version: version, Type: eventType, State: state, Payload: "{}"}
	}
	for _, c := range []struct {
		name    string
		history []es.Recorded
		body    string
		status  int
		state   string
	}{
		{"no state: the tos give it", []es.Recorded{order(1, "OrderPlaced", ""), order(2, "OrderNoted", "")}, shipped("o"), 201, "shipped"},
		{"no state: the tos refuse", []es.Recorded{order(1, "OrderPlaced", ""), order(2, "OrderShipped", "")}, shipped("o"), 409, "shipped"},
		{"a state no longer known", []es.Recorded{order(1, "OrderPlaced", "open")}, shipped("o"), 201, "shipped"},
		{"a state no longer known refuses", []es.Recorded{order(1, "OrderPlaced", "open")}, placed("o"), 409, "placed"},
		{"nothing gives one: every event fits", []es.Recorded{order(1, "Ancient", "")}, shipped("o"), 201, "shipped"},
		{"nothing gives one: also a first one", []es.Recorded{order(1, "Ancient", "gone")}, placed("o"), 201, "placed"},
		{"nothing gives one: also one without to", []es.Recorded{order(1, "Ancient", "gone")}, noted("o", "x"), 201, ""},
		{"the last event's state counts", []es.Recorded{order(1, "OrderPlaced", ""), order(2, "Ancient", "shipped")}, shipped("o"), 409, "shipped"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newService(t, ordersModel())
			for _, r := range c.history {
				s.put(t, r)
			}
			a := s.post(t, c.body)
			if a.Status != c.status {
				t.Fatalf("%d, want %d: %s", a.Status, c.status, a.Body)
			}
			if a.Status == 409 {
				if got := object(t, a)["currentState"]; got != c.state {
					t.Errorf("current state %v, want %s", got, c.state)
				}
				return
			}
			all := s.events(t, "o")
			if got := all[len(all)-1].State; got != c.state {
				t.Errorf("stored state %q, want %q", got, c.state)
			}
		})
	}
}

func TestWithoutLifecycleEveryEventFits(t *testing.T) {
	m := ordersModel()
	m.States = nil
	s := newService(t, m)
	s.mustPost(t, shipped("o"), placed("o"), placed("o"))
	if state := s.events(t, "o")[0].State; state != "" {
		t.Errorf("state %q", state)
	}
}

func TestTimeHasNanoseconds(t *testing.T) {
	s := newService(t, ordersModel())
	s.now = time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.FixedZone("", 7200))
	first := object(t, s.post(t, placed("o", `"eventId":"e"`)))
	if first["time"] != "2026-01-02T01:04:05.123456789Z" || first["placedAt"] != first["time"] {
		t.Errorf("time %v, placedAt %v", first["time"], first["placedAt"])
	}
	if again := object(t, s.post(t, placed("o", `"eventId":"e"`))); again["time"] != first["time"] {
		t.Errorf("replayed: %v", again["time"])
	}
}

func TestCommandAnswersNothingElse(t *testing.T) {
	s := newService(t, ordersModel())
	r := &es.Request{Method: "PUT", Path: "/", ID: "request-1"}
	a := s.command.Handle(t.Context(), r)
	wantProblem(t, a, 405, "method-not-allowed")
	if header(a, "Allow") != "POST" {
		t.Errorf("Allow %q", header(a, "Allow"))
	}
	wantProblem(t, s.command.Handle(t.Context(), &es.Request{Method: "POST", Path: "/x", ID: "request-1"}), 404, "not-found")
}

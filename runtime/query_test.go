package es_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	es "github.com/esgen/esgen/runtime"
)

// items are the items of a page, each by one member.
func items(t testing.TB, a *es.Response, member string) (values []string) {
	t.Helper()
	if a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	var page struct {
		Items []map[string]any
	}
	if err := json.Unmarshal(a.Body, &page); err != nil || page.Items == nil {
		t.Fatalf("%s: %v", a.Body, err)
	}
	for _, item := range page.Items {
		values = append(values, fmt.Sprint(item[member]))
	}
	return values
}

// follow goes through a list by its Link headers and returns the pages.
func (s *service) follow(t testing.TB, target string) (pages []*es.Response) {
	t.Helper()
	base, err := url.Parse("http://host" + target)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		a := s.get(t, base.RequestURI())
		if a.Status != 200 {
			t.Fatalf("%s: %d %s", base, a.Status, a.Body)
		}
		pages = append(pages, a)
		link, next := header(a, "Link"), object(t, a)["next"]
		if (link == "") != (next == nil) {
			t.Fatalf("link %q, next %v", link, next)
		}
		if link == "" {
			return pages
		}
		m := regexp.MustCompile(`^<(\?cursor=([A-Za-z0-9_-]+)[^>]*)>; rel="next"$`).FindStringSubmatch(link)
		if m == nil || m[2] != next {
			t.Fatalf("link %q, next %v", link, next)
		}
		if base, err = base.Parse(m[1]); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("a list without end")
	return nil
}

func TestRoutes(t *testing.T) {
	s := newService(t, ordersModel())
	s.mustPost(t, placed("o-1"), placed("-x"), placed("events"), placed("default"), placed("a/b"), placed("é +"))
	s.project(t)
	record := func(id string) string { return `"orderId":` + quote(id) + `,` }
	for _, c := range []struct {
		method, target string
		status         int
		code           string // of a problem, or "" and
		body           string // a part of the answer
		allow          string
	}{
		{"GET", "/", 200, "", `{"items":[`, ""},
		{"GET", "", 200, "", `{"items":[`, ""},
		{"GET", "/default", 200, "", `{"items":[`, ""},
		{"GET", "/customer-summary", 200, "", `{"items":[{"customerId":"c1","orders":6,`, ""},
		{"GET", "/o-1", 200, "", record("o-1"), ""},
		{"GET", "/default/o-1", 200, "", record("o-1"), ""},
		{"GET", "/?id=o-1", 200, "", record("o-1"), ""},
		{"GET", "/default?id=o-1", 200, "", record("o-1"), ""},
		{"GET", "/customer-summary/c1", 200, "", `"customerId":"c1"`, ""},
		{"GET", "/customer-summary?id=c1", 200, "", `"customerId":"c1"`, ""},
		{"GET", "/default/-x", 200, "", record("-x"), ""},
		{"GET", "/default/default", 200, "", record("default"), ""},
		{"GET", "/default/events", 200, "", record("events"), ""},
		{"GET", "/default?id=a/b", 200, "", record("a/b"), ""},
		{"GET", "/default?id=a%2Fb", 200, "", record("a/b"), ""},
		{"GET", "/default?id=%C3%A9%20%2B", 200, "", record("é +"), ""},
		{"GET", "/%C3%A9%20%2B", 200, "", record("é +"), ""},
		{"GET", "/%C3%A9%20+", 200, "", record("é +"), ""},
		{"GET", "/events/o-1", 200, "", `"type":"OrderPlaced"`, ""},
		{"GET", "/events?id=a%2Fb", 200, "", `"type":"OrderPlaced"`, ""},
		{"GET", "/events/-x", 200, "", `"type":"OrderPlaced"`, ""},
		{"GET", "/events/events", 200, "", `"type":"OrderPlaced"`, ""},
		{"GET", "/-/health", 200, "", `"status":"ok"`, ""},

		{"GET", "/nobody", 404, "not-found", "", ""},
		{"GET", "/default/nobody", 404, "not-found", "", ""},
		{"GET", "/customer-summary/o-1", 404, "not-found", "", ""},
		{"GET", "/events/nobody", 404, "not-found", "", ""},
		{"GET", "/events?id=nobody", 404, "not-found", "", ""},
		{"GET", "/-x", 404, "not-found", "", ""},
		{"GET", "/-", 404, "not-found", "", ""},
		{"GET", "/-/", 404, "not-found", "", ""},
		{"GET", "/-/health/x", 404, "not-found", "", ""},
		{"GET", "/o-1/", 404, "not-found", "", ""},
		{"GET", "/default/", 404, "not-found", "", ""},
		{"GET", "/events/", 404, "not-found", "", ""},
		{"GET", "//", 404, "not-found", "", ""},
		{"GET", "//o-1", 404, "not-found", "", ""},
		{"GET", "/o-1/o-1", 404, "not-found", "", ""},
		{"GET", "/default/a/b", 404, "not-found", "", ""},
		{"GET", "/default//o-1", 404, "not-found", "", ""},
		{"GET", "/default?id=" + strings.Repeat("x", 257), 404, "not-found", "", ""},
		{"GET", "/events?id=%00", 404, "not-found", "", ""},
		{"GET", "/default?id=", 404, "not-found", "", ""},
		{"GET", "/events?id=", 404, "not-found", "", ""},

		{"POST", "/o-1", 405, "method-not-allowed", "", "GET, HEAD"},
		{"POST", "/default", 405, "method-not-allowed", "", "GET, HEAD"},
		{"DELETE", "/default/o-1", 405, "method-not-allowed", "", "GET, HEAD"},
		{"PUT", "/", 405, "method-not-allowed", "", "GET, HEAD, POST"},
		{"PATCH", "/events/o-1", 405, "method-not-allowed", "", "GET, HEAD"},
		{"POST", "/events", 405, "method-not-allowed", "", "GET, HEAD"},
		{"OPTIONS", "/customer-summary", 405, "method-not-allowed", "", "GET, HEAD"},
		{"POST", "/-/health", 405, "method-not-allowed", "", "GET, HEAD"},
		{"get", "/", 405, "method-not-allowed", "", "GET, HEAD, POST"},
		{"POST", "/a/b/c", 404, "not-found", "", ""},
	} {
		t.Run(c.method+" "+c.target, func(t *testing.T) {
			a := s.do(t.Context(), c.method, c.target, nil, "")
			if c.code != "" {
				wantProblem(t, a, c.status, c.code)
			} else if a.Status != c.status || !strings.Contains(string(a.Body), c.body) {
				t.Fatalf("%d %s, want %d with %s", a.Status, a.Body, c.status, c.body)
			}
			if got := header(a, "Allow"); got != c.allow {
				t.Errorf("Allow %q, want %q", got, c.allow)
			}
			if c.method != "GET" {
				return
			}
			h := s.do(t.Context(), "HEAD", c.target, nil, "")
			if h.Status != a.Status || len(h.Body) != 0 || header(h, "Content-Length") != fmt.Sprint(len(a.Body)) ||
				header(h, "Content-Type") != header(a, "Content-Type") || header(h, "ETag") != header(a, "ETag") {
				t.Errorf("HEAD: %d %v, GET: %d %v with %d bytes", h.Status, h.Header, a.Status, a.Header, len(a.Body))
			}
		})
	}
}

func TestWithoutDefaultView(t *testing.T) {
	m := ordersModel()
	m.Views = m.Views[1:]
	s := newService(t, m)
	for _, target := range []string{"/", "/o", "/default", "/default/o"} {
		wantProblem(t, s.get(t, target), 404, "not-found")
	}
	if a := s.get(t, "/customer-summary"); a.Status != 200 || string(a.Body) != `{"items":[]}` {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}

func TestParametersAreKnownAndGivenOnce(t *testing.T) {
	s := newService(t, ordersModel())
	s.mustPost(t, placed("o"))
	s.project(t)
	for _, target := range []string{
		"/?nope=1", "/?limit=1&limit=2", "/?limit=", "/?limit=0", "/?limit=101", "/?limit=-1", "/?limit=1.0", "/?limit=01",
		"/?limit=99999999999999999999", "/?%zz=1", "/?limit=%", "/?id=%ff", "/?%ff=1", "/?cursor=%ff", "/?order=asc", "/?status=placed&order=up",
		"/?status=placed&order=", "/?status=unknown", "/?status=placed&customer=c1", "/?status=placed&status=placed",
		"/?minVersion=1", "/?version=1", "/?status=placed&minVersion=1", "/?id=o&limit=1", "/?id=o&status=placed",
		"/?id=o&cursor=x", "/?id=o&order=asc", "/?id=o&minVersion=x", "/?id=o&minVersion=-1", "/?id=o&minVersion=1&version=1",
		"/o?id=o", "/o?limit=1", "/o?status=placed", "/o?nope", "/o?minVersion=", "/o?version=1x", "/o?version=%31&version=1",
		"/customer-summary?status=placed", "/customer-summary?minVersion=1", "/customer-summary/c1?minVersion=1",
		"/customer-summary/c1?version=1", "/customer-summary?id=c1&version=1",
		"/events", "/events?limit=1", "/events/o?id=o", "/events/o?order=asc", "/events/o?minVersion=1", "/events/o?limit=0",
		"/-/health?x=1",
	} {
		t.Run(target, func(t *testing.T) { wantProblem(t, s.get(t, target), 400, "parameter") })
	}
	for _, target := range []string{"/?limit=1", "/?limit=100", "/?", "/?&&limit=1&", "/?status=placed&order=asc", "/events/o?limit=1"} {
		if a := s.get(t, target); a.Status != 200 {
			t.Errorf("%s: %d %s", target, a.Status, a.Body)
		}
	}
}

func TestPages(t *testing.T) {
	s := newService(t, ordersModel())
	if a := s.get(t, "/"); a.Status != 200 || string(a.Body) != `{"items":[]}` || header(a, "Link") != "" {
		t.Fatalf("empty: %d %s", a.Status, a.Body)
	}
	var want []string
	for i := range 23 {
		id := fmt.Sprintf("o%02d", i)
		want = append(want, id)
		s.mustPost(t, placed(id))
	}
	s.mustPost(t, `{"type":"OrderCancelled","orderId":"o07","reason":"delete"}`, shipped("o08"))
	s.project(t)
	want = slices.Delete(want, 7, 8)
	for _, target := range []string{"/", "/default", "/?limit=1", "/?limit=11", "/?limit=22", "/?limit=100"} {
		pages := s.follow(t, target)
		var got []string
		for _, page := range pages {
			got = append(got, items(t, page, "orderId")...)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v", target, got)
		}
		if n := map[string]int{"/": 3, "/default": 3, "/?limit=1": 22, "/?limit=11": 2, "/?limit=22": 1, "/?limit=100": 1}[target]; len(pages) != n {
			t.Errorf("%s: %d pages, want %d", target, len(pages), n)
		}
	}
	if got := items(t, s.get(t, "/?status=shipped"), "version"); !slices.Equal(got, []string{"2"}) {
		t.Errorf("versions in a list: %v", got)
	}
	if got := items(t, s.get(t, "/customer-summary"), "version"); !slices.Equal(got, []string{"<nil>"}) {
		t.Errorf("version in a view that is not keyed by the entity: %v", got)
	}
}

func TestListEndsAPageAtItsSize(t *testing.T) {
	s := newService(t, ordersModel())
	large := quote(strings.Repeat("c", 150_000))
	for i := range 16 {
		s.mustPost(t, strings.Replace(placed(fmt.Sprint("o", i)), `"c1"`, large, 1))
	}
	s.project(t)
	for _, target := range []string{"/?limit=100", "/?status=placed&limit=100"} {
		pages, n := s.follow(t, target), 0
		for _, page := range pages {
			if len(page.Body) > 2<<20 {
				t.Errorf("a page of %d bytes", len(page.Body))
			}
			n += len(items(t, page, "orderId"))
		}
		if len(pages) < 2 || n != 16 {
			t.Errorf("%s: %d pages, %d records", target, len(pages), n)
		}
	}
}

func TestIndexes(t *testing.T) {
	s := newService(t, ordersModel())
	var ascending []string
	for i := range 12 {
		id := fmt.Sprintf("o%02d", (i*5)%12)
		ascending = append(ascending, id)
		s.mustPost(t, placed(id)) // placedAt rises with the clock
	}
	s.mustPost(t, shipped(ascending[3]))
	s.project(t)
	placedOnes := slices.Delete(slices.Clone(ascending), 3, 4)
	descending := slices.Clone(placedOnes)
	slices.Reverse(descending)
	for target, want := range map[string][]string{
		"/?status=placed":                     descending,
		"/?status=placed&order=desc&limit=3":  descending,
		"/?status=placed&order=asc&limit=5":   placedOnes,
		"/default?limit=1&status=shipped":     {ascending[3]},
		"/default?limit=1&status=cancelled":   nil,
		"/default?customer=nobody":            nil,
		"/default?customer=":                  nil,
		"/default?customer=%C3%A9%00%26+&a=b": nil,
	} {
		if strings.HasSuffix(target, "a=b") {
			target = strings.TrimSuffix(target, "&a=b")
		}
		var got []string
		for _, page := range s.follow(t, target) {
			got = append(got, items(t, page, "orderId")...)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", target, got, want)
		}
	}
}

func TestCursorsBelongToTheirList(t *testing.T) {
	s := newService(t, ordersModel())
	for i := range 4 {
		id := fmt.Sprint("o", i)
		s.mustPost(t, placed(id), noted(id, "x"), noted(id, "y"))
	}
	s.project(t)
	lists := []string{
		"/?limit=2", "/?status=placed&limit=2", "/?status=placed&order=asc&limit=2", "/?customer=c1&limit=2",
		"/events/o1?limit=2", "/events/o2?limit=2",
	}
	cursors := make([]string, len(lists))
	for i, list := range lists {
		cursors[i], _ = object(t, s.get(t, list))["next"].(string)
		if cursors[i] == "" {
			t.Fatalf("%s has no next page", list)
		}
	}
	for i, list := range lists {
		for j, cursor := range cursors {
			a := s.get(t, list+"&cursor="+cursor)
			if i == j {
				if a.Status != 200 || len(items(t, a, "version")) == 0 {
					t.Errorf("%s with its own cursor: %d %s", list, a.Status, a.Body)
				}
				continue
			}
			wantProblem(t, a, 400, "cursor")
		}
		for _, bad := range []string{"", "x", "AQ", "AAAAAAAAAAAAAAAA", cursors[i] + "A", cursors[i] + "=", cursors[i][1:], cursors[i][:len(cursors[i])-1],
			"%00", strings.Repeat("A", 20000)} {
			wantProblem(t, s.get(t, list+"&cursor="+bad), 400, "cursor")
		}
	}
	// equal lists by other addresses
	for list, i := range map[string]int{"/default?limit=1": 0, "/?order=desc&status=placed": 1, "/events?id=o1": 4} {
		if a := s.get(t, list+"&cursor="+cursors[i]); a.Status != 200 {
			t.Errorf("%s: %d %s", list, a.Status, a.Body)
		}
	}
	// the list of a view that has changed since is another one
	changed := ordersModel()
	changed.Views[0].Revision = 2
	if err := s.stores.Progress.PutProgress(t.Context(), -1, es.Entry{Part: es.PartActive, ID: "default", Guard: 9, Value: "2"}); err != nil {
		t.Fatal(err)
	}
	q := es.NewQuery(changed, s.stores, es.QueryOptions{Clock: s.tick})
	a := q.Handle(t.Context(), &es.Request{Method: "GET", Path: "/", RawQuery: "cursor=" + cursors[0], ID: "request-1"})
	wantProblem(t, a, 400, "cursor")
}

func TestHistory(t *testing.T) {
	s := newService(t, ordersModel())
	var answers []string
	for _, body := range []string{
		placed("o", `"meta":{"correlationId":"k"}`), noted("o", "x"), shipped("o", `"eventId":"e3"`), noted("o", "z"),
	} {
		answers = append(answers, string(s.post(t, body).Body))
	}
	// shipped is of revision 2, which only a history says
	answers[2] = strings.Replace(answers[2], `"version":3,`, `"version":3,"revision":2,`, 1)
	if a := s.get(t, "/events/o"); string(a.Body) != `{"items":[`+strings.Join(answers, ",")+`]}` {
		t.Errorf("history: %s\nwant %s", a.Body, answers)
	}
	if strings.Contains(string(s.get(t, "/events/o").Body), "someone") {
		t.Error("the history shows the actor")
	}
	var versions []string
	for _, page := range s.follow(t, "/events?id=o&limit=3") {
		versions = append(versions, items(t, page, "version")...)
	}
	if !slices.Equal(versions, []string{"1", "2", "3", "4"}) {
		t.Errorf("versions %v", versions)
	}
	if pages := s.follow(t, "/events/o?limit=2"); len(pages) != 2 {
		t.Errorf("%d pages of 2 for 4 events", len(pages))
	}
	// what is stored with a type that is not known any more is still history
	s.put(t, es.Recorded{EntityID: "old", Version: 1, Type: "Ancient", Payload: `{"a":1}`})
	if got := items(t, s.get(t, "/events/old"), "a"); !slices.Equal(got, []string{"1"}) {
		t.Errorf("ancient: %v", got)
	}
}

func TestHistoryEndsAPageAtItsSize(t *testing.T) {
	s := newService(t, ordersModel())
	s.mustPost(t, placed("o"))
	for range 8 {
		s.mustPost(t, noted("o", strings.Repeat("x", 300_000)))
	}
	pages := s.follow(t, "/events/o?limit=100")
	var versions []string
	for _, page := range pages {
		if len(page.Body) > 2<<20 {
			t.Errorf("a page of %d bytes", len(page.Body))
		}
		versions = append(versions, items(t, page, "version")...)
	}
	if len(pages) < 2 || len(versions) != 9 || versions[8] != "9" {
		t.Errorf("%d pages, versions %v", len(pages), versions)
	}
}

func TestRecord(t *testing.T) {
	s := newService(t, ordersModel())
	s.mustPost(t, placed("o"))
	wantProblem(t, s.get(t, "/o"), 404, "not-found") // POST does not say that views have it
	s.project(t)
	want := `{"orderId":"o","customerId":"c1","status":"placed","total":10.50,"placedAt":"2026-01-02T03:04:05.000006Z","version":1}`
	first := s.get(t, "/o")
	if string(first.Body) != want {
		t.Errorf("%s\nwant %s", first.Body, want)
	}
	tag := header(first, "ETag")
	if !regexp.MustCompile(`^"r[0-9a-z]+"$`).MatchString(tag) {
		t.Fatalf("ETag %q", tag)
	}
	for value, status := range map[string]int{
		tag: 304, "W/" + tag: 304, "*": 304, `"x", ` + tag: 304, `W/"x",W/` + tag + `, "y"`: 304, `"a,b",` + tag: 304,
		`"1"`: 200, "r1": 200, tag[1:]: 200, strings.Trim(tag, `"`): 200, "": 200, `"unclosed`: 200, ",,": 200,
	} {
		for _, method := range []string{"GET", "HEAD"} {
			a := s.do(t.Context(), method, "/o", map[string]string{"If-None-Match": value}, "")
			if a.Status != status || header(a, "ETag") != tag || status == 304 && (len(a.Body) > 0 || header(a, "Content-Length") != "") {
				t.Errorf("%s If-None-Match %s: %d %v", method, value, a.Status, a.Header)
			}
		}
	}
	s.mustPost(t, noted("o", "not listed"))
	s.project(t)
	if a := s.get(t, "/o"); string(a.Body) != want || header(a, "ETag") != tag {
		t.Errorf("after an event that the view does not list: %s", a.Body)
	}
	s.mustPost(t, shipped("o"))
	s.project(t)
	a := s.get(t, "/o")
	if m := object(t, a); m["version"] != float64(3) || m["status"] != "shipped" || header(a, "ETag") == tag {
		t.Errorf("%s", a.Body)
	}
	if other := s.get(t, "/default?id=o"); header(other, "ETag") != header(a, "ETag") {
		t.Error("one record with two tags")
	}
	wantProblem(t, s.do(t.Context(), "POST", "/", map[string]string{"If-Match": header(a, "ETag")}, noted("o", "x")), 400, "invalid")
}

func TestStoreFailuresAreTransient(t *testing.T) {
	s := newService(t, ordersModel())
	s.mustPost(t, placed("o"))
	s.faults.read = func() error { return fmt.Errorf("at table secret: %w", errTimeout) }
	s.faults.head = s.faults.read
	for _, target := range []string{"/events/o", "/o?minVersion=1", "/o?version=1"} {
		if m := wantProblem(t, s.get(t, target), 503, "unavailable"); strings.Contains(fmt.Sprint(m), "secret") {
			t.Errorf("%s: %v", target, m)
		}
	}
	s.faults.read = func() error { panic("secret") }
	if m := wantProblem(t, s.get(t, "/events/o"), 500, "internal"); strings.Contains(fmt.Sprint(m), "secret") {
		t.Errorf("%v", m)
	}
	if a := s.do(t.Context(), "HEAD", "/events/o", nil, ""); a.Status != 500 || len(a.Body) > 0 {
		t.Errorf("HEAD: %d %s", a.Status, a.Body)
	}
}

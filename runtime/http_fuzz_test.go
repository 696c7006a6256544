package es_test

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	es "github.com/esgen/esgen/runtime"
)

// checkAnswer is what holds for every answer to whatever request.
func checkAnswer(t *testing.T, r *es.Request, a *es.Response) {
	t.Helper()
	if a == nil || a.Status < 200 || a.Status >= 600 || a.Status == 500 || a.Status == 503 {
		t.Fatalf("%q %q %q: %+v", r.Method, r.Path, r.RawQuery, a)
	}
	for _, h := range a.Header {
		for i := range len(h.Value) {
			if h.Value[i] < ' ' || h.Value[i] > '~' {
				t.Fatalf("header %s: %q", h.Name, h.Value)
			}
		}
	}
	if !utf8.Valid(a.Body) {
		t.Fatalf("body %q", a.Body)
	}
	if len(a.Body) > 0 {
		object(t, a)
	}
}

func FuzzQuery(f *testing.F) {
	for _, target := range []string{
		"/", "/?limit=3", "/o1?minVersion=2", "/default/o1?version=1", "/events/o1", "/events?id=o1&limit=1", "/?status=placed&order=asc",
		"/-/health", "//", "/a/b/c", "/default?id=%00", "/%ff?x=%fe", "/?cursor=AQAAAAAAAAAAAA", "/?id=" + strings.Repeat("x", 300), "/?a=1;b=2", "/customer-summary?id=c1",
	} {
		f.Add("GET", target, `"x", W/"y"`)
	}
	f.Add("HEAD", "/o1", "*")
	f.Add("P\r\nX", "/o1\r\nX: y", `"`)
	s := newService(f, ordersModel())
	for _, id := range []string{"o1", "o2", "o3"} {
		s.mustPost(f, placed(id), noted(id, "x"))
	}
	s.project(f)
	f.Fuzz(func(t *testing.T, method, target, ifNoneMatch string) {
		path, query, _ := strings.Cut(target, "?")
		if decoded, err := url.PathUnescape(path); err == nil {
			path = decoded
		}
		r := &es.Request{Method: method, Path: path, RawQuery: query, ID: "r", Header: func(name string) string {
			if name == "If-None-Match" {
				return ifNoneMatch
			}
			return ""
		}}
		checkAnswer(t, r, s.query.Handle(t.Context(), r))
	})
}

// Cursors that are not ours answer 400 or, unchanged, the page they were made for.
func FuzzCursor(f *testing.F) {
	s := newService(f, ordersModel())
	for _, id := range []string{"o1", "o2", "o3"} {
		s.mustPost(f, placed(id), noted(id, "x"))
	}
	s.project(f)
	lists := []string{"limit=1", "limit=1&status=placed", "limit=1&customer=c1&order=desc"}
	genuine := map[string]bool{}
	for _, list := range lists {
		cursor, _ := object(f, s.get(f, "/?"+list))["next"].(string)
		for cursor != "" {
			genuine[cursor] = true
			f.Add(cursor)
			f.Add("\n" + cursor[:4] + "\r\n" + cursor[4:])
			cursor, _ = object(f, s.get(f, "/?"+list+"&cursor="+cursor))["next"].(string)
		}
	}
	f.Add("")
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, cursor string) {
		for _, list := range lists {
			r := &es.Request{Method: "GET", Path: "/", RawQuery: list + "&cursor=" + url.QueryEscape(cursor), ID: "r"}
			a := s.query.Handle(t.Context(), r)
			checkAnswer(t, r, a)
			if a.Status != 400 && !genuine[cursor] {
				t.Fatalf("%q: %d %s", cursor, a.Status, a.Body)
			}
		}
	})
}

func FuzzCommandHeaders(f *testing.F) {
	f.Add("application/json", `"k"`, `"1"`, "o")
	f.Add("", "", "", "\r\nX: y")
	f.Add("application/x+json; charset=\"", "\x00", `W/"1"`, "\xff")
	s := newService(f, ordersModel())
	f.Fuzz(func(t *testing.T, contentType, key, ifMatch, id string) {
		r := &es.Request{Method: "POST", Path: "/", ID: "r", Body: []byte(noted(id, "x")), Header: func(name string) string {
			return map[string]string{"Content-Type": contentType, "Idempotency-Key": key, "If-Match": ifMatch}[name]
		}}
		checkAnswer(t, r, s.command.Handle(t.Context(), r))
	})
}

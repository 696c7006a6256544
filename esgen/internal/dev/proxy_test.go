package dev_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/esgen/esgen/esgen/internal/dev"
)

// target is a service that answers with its name, the path and the query as they came.
func target(t *testing.T, name string) (*httptest.Server, *url.URL) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s?%s %s", name, r.Method, r.URL.EscapedPath(), r.URL.RawQuery, body)
	}))
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return s, u
}

func request(base, method, path, body string) (int, string, error) {
	req, err := http.NewRequest(method, base+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

func TestForwardsWhatCameAsItCame(t *testing.T) {
	_, u := target(t, "one")
	p := dev.NewProxy()
	p.Point(u)
	front := httptest.NewServer(p)
	defer front.Close()
	_, got, err := request(front.URL, "POST", "/a%2Fb%20c?x=1;y&z=%zz&cursor=a%3D", "body")
	if err != nil || got != "one POST /a%2Fb%20c?x=1;y&z=%zz&cursor=a%3D body" {
		t.Errorf("got %q, %v", got, err)
	}
}

// A server's request body must not be read once its answer has begun, and that may be as soon as all of it has been sent on.
func TestNothingIsReadBehindABody(t *testing.T) {
	_, u := target(t, "one")
	p := dev.NewProxy()
	p.Point(u)
	const text = "body"
	r := httptest.NewRequest("POST", "http://localhost/", io.MultiReader(strings.NewReader(text), iotest.ErrReader(http.ErrBodyReadAfterClose)))
	r.ContentLength = int64(len(text))
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	if got := w.Body.String(); got != "one POST /? body" {
		t.Errorf("got %q", got)
	}
}

// Clients that never stop asking see no failure while services come and go.
func TestNoRequestIsLostWhileServicesComeAndGo(t *testing.T) {
	p := dev.NewProxy()
	front := httptest.NewServer(p)
	defer front.Close()
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				status, got, err := request(front.URL, "POST", "/", fmt.Sprint(n))
				if err != nil || status != 200 || !strings.HasSuffix(got, fmt.Sprintf(" %d", n)) {
					t.Errorf("got %d %q, %v", status, got, err)
					return
				}
			}
		})
	}
	for i := range 20 {
		s, u := target(t, fmt.Sprint(i))
		p.Point(u)
		if _, _, err := request(front.URL, "GET", "/", ""); err != nil {
			t.Error(err)
		}
		p.Hold(context.Background()) // what is under way is answered first
		s.Close()
	}
	_, u := target(t, "last")
	p.Point(u)
	close(stop)
	clients.Wait()
}

func TestSaysWhyThereIsNoService(t *testing.T) {
	p := dev.NewProxy()
	front := httptest.NewServer(p)
	defer front.Close()
	p.Fail("the code does not compile")
	status, got, err := request(front.URL, "GET", "/", "")
	if err != nil || status != http.StatusServiceUnavailable || !strings.Contains(got, `"detail":"the code does not compile"`) {
		t.Errorf("got %d %s, %v", status, got, err)
	}
	_, u := target(t, "one")
	p.Point(u)
	if status, _, _ := request(front.URL, "GET", "/", ""); status != 200 {
		t.Errorf("got %d", status)
	}
}

// A page of another site that makes a browser on this machine ask must not get through.
func TestRefusesOtherHostsAndOrigins(t *testing.T) {
	_, u := target(t, "one")
	p := dev.NewProxy()
	p.Point(u)
	for _, c := range []struct {
		host, origin string
		want         int
	}{
		{"localhost:8080", "", 200}, {"127.0.0.1", "", 200}, {"[::1]:8080", "http://localhost:3000", 200},
		{"evil.example", "", 403}, {"localhost.evil.example:8080", "", 403}, {"", "", 403}, {"10.0.0.1:8080", "", 403},
		{"localhost:8080", "https://evil.example", 403}, {"localhost:8080", "null", 403}, {"localhost:8080", "://", 403},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = c.host
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("host %q, origin %q: %d, want %d", c.host, c.origin, w.Code, c.want)
		}
	}
}

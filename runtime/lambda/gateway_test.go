package lambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/lambda"
)

// httpEvent and restEvent are what the two gateways make of one request, to a stage "prod".
func httpEvent(t *testing.T, method, target, body string, headers object) string {
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	path, _, _ := strings.Cut(u.Path, "?")
	return jsonText(t, object{
		"version": "2.0", "routeKey": "$default", "rawPath": "/prod" + path, "rawQueryString": u.RawQuery, "headers": headers, "body": body, "isBase64Encoded": false,
		"requestContext": object{
			"stage": "prod", "apiId": "abc", "domainName": "abc.execute-api.eu-central-1.amazonaws.com", "requestId": "r-1",
			"http": object{"method": method, "path": "/prod" + path}, "authorizer": object{"iam": object{"userArn": "arn:ann"}},
		},
	})
}

func restEvent(t *testing.T, method, target, body string, headers object) string {
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	multi := object{}
	for name, value := range headers {
		multi[name] = []any{value}
	}
	e := object{
		"resource": "/{proxy+}", "path": u.EscapedPath(), "httpMethod": method, "headers": headers, "multiValueHeaders": multi, "body": body, "isBase64Encoded": false,
		"multiValueQueryStringParameters": u.Query(), "pathParameters": object{"proxy": strings.TrimPrefix(u.Path, "/")},
		"requestContext": object{"stage": "prod", "path": "/prod" + u.EscapedPath(), "requestId": "r-1", "identity": object{"userArn": "arn:ann"}},
	}
	if u.Path == "/" {
		e["resource"], e["pathParameters"] = "/", nil
	}
	return jsonText(t, e)
}

type answer struct {
	StatusCode        int
	Headers           map[string]string
	MultiValueHeaders map[string][]string
	Body              string
	IsBase64Encoded   bool
}

func ask(t *testing.T, h lambda.Handler, event string) answer {
	t.Helper()
	var a answer
	if err := json.Unmarshal([]byte(invoke(t, h, event)), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// TestRequestsThroughBothGateways posts events of entities with any ids, and reads them at the address
// that the answer gives.
func TestRequestsThroughBothGateways(t *testing.T) {
	for name, event := range map[string]func(t *testing.T, method, target, body string, headers object) string{"http": httpEvent, "rest": restEvent} {
		t.Run(name, func(t *testing.T) {
			n := newNotes(t)
			command := lambda.CommandHandler(n.model, n.stores.Events, n.options())
			query := lambda.QueryHandler(n.model, n.stores, n.options())
			for _, id := range []string{"plain-1", odd, "/", "?", "#", "%", "%2F", "+", " ", "é", "a,b", "..", "-x", "prod", "日本"} {
				body := jsonText(t, object{"type": "NoteTaken", "noteId": id, "text": "t \" \\ \U0001F600"})
				a := ask(t, command, event(t, "POST", "/", body, object{"content-type": "application/json", "idempotency-key": "k-1"}))
				if a.StatusCode != 201 || a.IsBase64Encoded || !strings.Contains(a.Body, `"eventId":"k-1"`) {
					t.Fatalf("%q: %+v", id, a)
				}
				location, ok := strings.CutPrefix(a.Headers["Location"], "/prod")
				if !ok {
					t.Fatalf("%q: location %q without the stage", id, a.Headers["Location"])
				}
				a = ask(t, query, event(t, "GET", location, "", nil))
				var page struct{ Items []object }
				if err := json.Unmarshal([]byte(a.Body), &page); err != nil || a.StatusCode != 200 || len(page.Items) != 1 || page.Items[0]["noteId"] != id {
					t.Errorf("%q at %s: %+v", id, location, a)
				}
				// The view has nothing of it yet; minVersion reads what it lacks.
				a = ask(t, query, event(t, "GET", "/default?minVersion=1&id="+url.QueryEscape(id), "", nil))
				var record object
				if err := json.Unmarshal([]byte(a.Body), &record); err != nil || a.StatusCode != 200 || record["noteId"] != id || record["text"] != "t \" \\ \U0001F600" {
					t.Errorf("%q: record %+v", id, a)
				}
			}
			for _, id := range []string{"a:@+,=~._-z", "x+y"} {
				n.take(id, "x")
				if a := ask(t, query, event(t, "GET", "/default/"+id+"?minVersion=1", "", nil)); a.StatusCode != 200 {
					t.Errorf("%q in the path: %+v", id, a)
				}
			}
			stored, _, err := n.stores.Events.Read(t.Context(), odd, 0, 1)
			if err != nil || len(stored) != 1 || stored[0].Actor != "arn:ann" {
				t.Errorf("stored %+v, %v", stored, err)
			}
			a := ask(t, query, event(t, "HEAD", "/-/health", "", nil))
			if a.StatusCode != 200 || a.Body != "" {
				t.Errorf("health: %+v", a)
			}
			a = ask(t, query, event(t, "DELETE", "/", "", nil))
			if a.StatusCode != 405 || a.Headers["Allow"] != "GET, HEAD, POST" || !strings.Contains(a.Body, `"requestId":"r-1"`) {
				t.Errorf("405: %+v", a)
			}
			if a := ask(t, command, event(t, "POST", "/", strings.Repeat(" ", es.MaxBody+1), object{"content-type": "application/json"})); a.StatusCode != 413 {
				t.Errorf("a large body: %+v", a)
			}
			n.quiet()
		})
	}
}

func TestAnswersOfBothFormats(t *testing.T) {
	a := &es.Response{Status: 200, Body: []byte("{\"a\":\"é\"}"), Header: []es.HeaderField{{Name: "Link", Value: "<1>"}, {Name: "ETag", Value: `"r1"`}, {Name: "link", Value: "<2>"}}}
	for f, want := range map[lambda.Format]string{
		lambda.Payload2: `{"statusCode":200,"headers":{"Link":"<1>, <2>","ETag":"\"r1\""},"body":"{\"a\":\"é\"}","isBase64Encoded":false}`,
		lambda.Payload1: `{"statusCode":200,"headers":{"ETag":"\"r1\""},"multiValueHeaders":{"Link":["<1>","<2>"]},"body":"{\"a\":\"é\"}","isBase64Encoded":false}`,
	} {
		if got := string(lambda.AppendAnswer(nil, a, f)); got != want || !json.Valid([]byte(got)) {
			t.Errorf("format %d: %s", f, got)
		}
	}
}

func TestOriginsOfARESTAPI(t *testing.T) {
	n := newNotes(t)
	for _, c := range []struct {
		origins       []string
		origin        string
		allowed, vary string
	}{
		{nil, "https://a.example", "", ""},
		{[]string{"https://a.example", "https://b.example"}, "https://b.example", "https://b.example", "Origin"},
		{[]string{"https://a.example"}, "https://evil.example", "", "Origin"},
		{[]string{"https://a.example"}, "", "", "Origin"},
		{[]string{"*"}, "https://a.example", "*", ""},
	} {
		o := n.options()
		o.Origins = c.origins
		a := ask(t, lambda.QueryHandler(n.model, n.stores, o), restEvent(t, "GET", "/", "", object{"origin": c.origin}))
		if a.StatusCode != 200 || a.Headers["Access-Control-Allow-Origin"] != c.allowed || a.Headers["Vary"] != c.vary {
			t.Errorf("%+v: %+v", c, a)
		}
	}
}

// slowStore answers when the time is over.
type slowStore struct{ es.EventStore }

func (slowStore) Head(ctx context.Context, _ string) (*es.Recorded, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestTheFunctionAnswersBeforeItIsKilled: what is cut off by Lambda has no problem and no event id.
func TestTheFunctionAnswersBeforeItIsKilled(t *testing.T) {
	n := newNotes(t)
	ctx := within(t, 400*time.Millisecond)
	h := lambda.CommandHandler(n.model, slowStore{n.stores.Events}, n.options())
	text, err := h.Invoke(ctx, []byte(httpEvent(t, "POST", "/", `{"type":"NoteTaken","noteId":"n","text":"secret"}`, nil)))
	if err != nil || ctx.Err() != nil {
		t.Fatalf("%v, %v", err, ctx.Err())
	}
	if !strings.Contains(string(text), `"statusCode":503`) || !strings.Contains(string(text), `eventId`) {
		t.Errorf("%s", text)
	}
	n.says("append failed")
}

// panicStore panics, as no store should.
type panicStore struct{ es.EventStore }

func (panicStore) Head(context.Context, string) (*es.Recorded, error) { panic("secret") }

func TestPanicsAreAnswered(t *testing.T) {
	n := newNotes(t)
	h := lambda.CommandHandler(n.model, panicStore{}, n.options())
	if a := ask(t, h, httpEvent(t, "POST", "/", `{"type":"NoteTaken","noteId":"n","text":"x"}`, nil)); a.StatusCode != 500 {
		t.Errorf("%+v", a)
	}
	if !strings.Contains(n.log.String(), "panic") {
		t.Errorf("logged %s", n.log.String())
	}
	if _, err := h.Invoke(t.Context(), []byte(`{"Records":[]}`)); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("what is no request: %v", err)
	}
}

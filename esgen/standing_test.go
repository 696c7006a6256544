package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/esgen/esgen/esgen/internal/up"
	"github.com/esgen/esgen/runtime/dynamo/dynamolocal"
)

// The standing tests run what the CDK app of a service synthesizes: the declared tables on Amazon's
// DynamoDB Local, the real functions behind the Lambda Runtime API, mappings, queues, topics and the
// gateway as the template has them. What the contract promises is then asked for over HTTP.

// api is one form of the API, and how many consumers the service has on its streams.
type api struct {
	gateway, auth string
	events, views int
}

func (a api) String() string { return fmt.Sprintf("%s-%s-%d", a.gateway, a.auth, a.events+a.views) }

// apis has each gateway, each auth, and zero, one, two and four consumers: direct on both streams,
// behind the relay of the events, behind that of a view.
var apis = []api{
	{"http", "iam", 1, 1},
	{"http", "jwt", 0, 0},
	{"http", "custom", 1, 0},
	{"http", "none", 4, 0},
	{"rest", "iam", 1, 3},
	{"rest", "custom", 0, 1},
	{"rest", "none", 2, 0},
	{"none", "none", 0, 0},
}

func TestStandingContract(t *testing.T) {
	for _, a := range apis {
		t.Run(a.String(), func(t *testing.T) {
			needsCDK(t)
			s := standOrders(t, a)
			c := contract{base: s.base, gateway: true, rest: a.gateway == "rest", signed: a.auth == "iam"}
			for _, test := range contractTests {
				t.Run(test.name, func(t *testing.T) { test.run(t, c) })
			}
			t.Run("refused", func(t *testing.T) { s.checkRefused(t) })
			t.Run("consumers", func(t *testing.T) { s.checkConsumers(t, c) })
			for _, denied := range s.stand.Denied() {
				t.Errorf("a function asked for what its role does not allow: %+v", denied)
			}
		})
	}
}

// standing is a service that is stood up, with a caller who may call it.
type standing struct {
	api    api
	stand  *up.Stand
	base   string // of the caller
	dir    string // of the service
	outbox string // where consumers leave what they have handled; with a file "broken" in it they fail
	// foreign are callers who must be refused, by what is wrong with them.
	foreign map[string]func(*http.Request, []byte) error
}

// standOrders stands the orders up with another API and other consumers; change is what else
// their user does to their folder.
func standOrders(t *testing.T, a api, change ...func(dir string)) *standing {
	t.Helper()
	s := &standing{api: a, outbox: t.TempDir()}
	dir := copyExample(t)
	s.dir = dir
	auth := a.auth
	var tokens *issuer
	if auth == "jwt" {
		tokens = newIssuer(t)
		auth = fmt.Sprintf("{jwt: {issuer: %q, audience: [orders]}}", tokens.url)
	}
	text, err := os.ReadFile(filepath.Join(dir, "esgen.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text = withSection(text, "consumers", a.consumers())
	text = withSection(text, "pipeline", "")
	section := fmt.Sprintf("api:\n  gateway: %s\n  pageSize: 10\n", a.gateway)
	if a.gateway != "none" {
		// The tests send more than the default lets through.
		section += fmt.Sprintf("  auth: %s\n  throttle: {rate: 10000, burst: 5000}\n  cors: {origins: [\"https://shop.example.com\"]}\n", auth)
	}
	text = withSection(text, "api", section)
	writeText(t, filepath.Join(dir, "esgen.yaml"), string(text))
	if err := os.RemoveAll(filepath.Join(dir, "consumers")); err != nil {
		t.Fatal(err)
	}
	if err := esgen("regenerate", dir); err != nil {
		t.Fatal(err)
	}
	s.fillIn(t, dir)
	for _, do := range change {
		do(dir)
	}
	var client *http.Client
	if tokens != nil {
		client = tokens.client
	}
	s.stand = standUp(t, dir, client)
	s.authorize(t, tokens)
	return s
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// withSection replaces a section of the schema's top level.
func withSection(text []byte, name, section string) []byte {
	var out []byte
	inside := false
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(line, []byte(name+":")) {
			inside = true
			continue
		}
		if inside && (line[0] == ' ' || line[0] == '\n') {
			continue
		}
		inside = false
		out = append(out, line...)
	}
	return append(out, section...)
}

// consumers are the schema's, named after their place.
func (a api) consumers() string {
	if a.events+a.views == 0 {
		return ""
	}
	text := "consumers:\n"
	for i := range a.events {
		text += fmt.Sprintf("  mailer-%d: {events: [%s]}\n", i+1, []string{"OrderShipped", "OrderPlaced, OrderShipped"}[i%2])
	}
	for i := range a.views {
		text += fmt.Sprintf("  watcher-%d: {view: default}\n", i+1)
	}
	return text
}

// fillIn writes what a user writes: handlers that leave a file for all that they handle, an
// authorizer, and where the outbox is.
func (s *standing) fillIn(t *testing.T, dir string) {
	t.Helper()
	var own strings.Builder
	for i := range s.api.events {
		methods := ""
		for _, e := range []string{"OrderPlaced", "OrderShipped"}[1-i%2:] {
			methods += fmt.Sprintf("\nfunc (h *Handler) On%s(ctx context.Context, event events.%s, meta es.Meta) error {\n\treturn h.leave(meta.EntityID, meta.Version)\n}\n", e, e)
		}
		imports := "\n\t\"example.com/orders/events\"\n\tes \"github.com/esgen/esgen/runtime\""
		s.handler(t, dir, fmt.Sprintf("mailer%d", i+1), imports, methods)
		fmt.Fprintf(&own, "\ts.Consumers.Mailer%d.Function.AddEnvironment(jsii.String(\"OUTBOX\"), jsii.String(%q), nil)\n", i+1, s.outbox)
	}
	for i := range s.api.views {
		s.handler(t, dir, fmt.Sprintf("watcher%d", i+1), "", "\nfunc (h *Handler) OnChange(ctx context.Context, change Change) error {\n"+
			"\tif change.Rebuilding || change.New == nil {\n\t\treturn nil\n\t}\n\treturn h.leave(change.New.OrderID, 0)\n}\n")
		fmt.Fprintf(&own, "\ts.Consumers.Watcher%d.Function.AddEnvironment(jsii.String(\"OUTBOX\"), jsii.String(%q), nil)\n", i+1, s.outbox)
	}
	if own.Len() > 0 {
		writeText(t, filepath.Join(dir, "infra", "own.go"), "package main\n\nimport \"github.com/aws/jsii-runtime-go\"\n\nfunc own(s *ServiceStack) {\n"+own.String()+"}\n")
	}
	if s.api.auth == "custom" {
		writeText(t, filepath.Join(dir, "authorizer", "authorize.go"), `package authorizer

import (
	"context"

	es "github.com/esgen/esgen/runtime"
)

func Authorize(ctx context.Context, request *es.Request) (actor string, allowed bool, err error) {
	return "ann", request.Header("Authorization") == "let me in", nil
}
`)
	}
}

func (s *standing) handler(t *testing.T, dir, pkg, imports, methods string) {
	t.Helper()
	writeText(t, filepath.Join(dir, "consumers", pkg, "handler.go"), `package `+pkg+`

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
`+imports+`
)

type Handler struct{}

func New(ctx context.Context, env Env) (*Handler, error) { return &Handler{}, nil }

func (h *Handler) leave(id string, version int64) error {
	if _, err := os.Stat(filepath.Join(os.Getenv("OUTBOX"), "broken")); err == nil {
		return errors.New("the outbox is broken")
	}
	name := fmt.Sprintf("`+pkg+` %x %d", sha256.Sum256([]byte(id)), version)
	return os.WriteFile(filepath.Join(os.Getenv("OUTBOX"), name), nil, 0o644)
}
`+methods)
}

// standUp synthesizes a service and stands it up until the test ends. client fetches keys of issuers, nil where there are none.
func standUp(t *testing.T, dir string, client *http.Client) *up.Stand {
	t.Helper()
	out := filepath.Join(t.TempDir(), "cdk.out")
	if err := synthesize(dir, out); err != nil {
		t.Fatal(err)
	}
	log := &standLog{}
	stand, err := up.Start(t.Context(), up.Options{Dir: out, Log: log.add, Client: client})
	if missing, ok := errors.AsType[*dynamolocal.MissingError](err); ok {
		t.Skipf("not run on DynamoDB Local: %v", missing)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stand.Close()
		if t.Failed() {
			t.Logf("the last lines of its functions:\n%s", log)
		}
	})
	return stand
}

// standLog keeps the last lines.
type standLog struct {
	mu    sync.Mutex
	lines []string
}

func (l *standLog) add(source, line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if strings.Contains(line, `"_aws"`) { // metrics
		return
	}
	l.lines = append(l.lines, source+": "+line)
	l.lines = l.lines[max(0, len(l.lines)-60):]
}

func (l *standLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// authorize makes the caller that the API takes, and those it must refuse.
func (s *standing) authorize(t *testing.T, tokens *issuer) {
	t.Helper()
	nothing := func(*http.Request, []byte) error { return nil }
	keys := aws.Credentials{AccessKeyID: s.stand.Credentials.AccessKeyID, SecretAccessKey: s.stand.Credentials.SecretAccessKey}
	allowed := nothing
	switch s.api.auth {
	case "iam":
		allowed = signedBy(keys, s.stand.Region)
		wrong, unknown := keys, keys
		wrong.SecretAccessKey += "x"
		unknown.AccessKeyID = "AKIAUNKNOWN000000000"
		s.foreign = map[string]func(*http.Request, []byte) error{
			"unsigned": nothing, "wrong secret": signedBy(wrong, s.stand.Region), "unknown key": signedBy(unknown, s.stand.Region),
			"another region": signedBy(keys, "eu-west-9"),
			"changed after it was signed": func(r *http.Request, body []byte) error {
				err := signedBy(keys, s.stand.Region)(r, append(body, ' '))
				return err
			},
		}
	case "jwt":
		bearer := func(claims map[string]any) func(*http.Request, []byte) error {
			return withHeader("Authorization", "Bearer "+tokens.token(t, tokens.key, claims))
		}
		allowed = bearer(map[string]any{"sub": "ann", "aud": "orders"})
		s.foreign = map[string]func(*http.Request, []byte) error{
			"no token": nothing, "another audience": bearer(map[string]any{"sub": "ann", "aud": "invoices"}),
			"expired":        bearer(map[string]any{"sub": "ann", "aud": "orders", "exp": time.Now().Add(-time.Hour).Unix()}),
			"another issuer": bearer(map[string]any{"sub": "ann", "aud": "orders", "iss": "https://others.example.com"}),
			"signed by others": withHeader("Authorization", "Bearer "+tokens.token(t, newIssuer(t).key,
				map[string]any{"sub": "ann", "aud": "orders"})),
			"no token at all": withHeader("Authorization", "Bearer x"),
		}
	case "custom":
		allowed = withHeader("Authorization", "let me in")
		s.foreign = map[string]func(*http.Request, []byte) error{"no header": nothing, "another word": withHeader("Authorization", "please")}
	}
	if s.api.gateway == "none" {
		s.base = callFunctions(t, s.stand)
		return
	}
	s.base = callThrough(t, s.stand.URL, allowed)
}

// callFunctions puts in front of a service without a gateway what its user may put there: it
// invokes the functions with payload 2.0.
func callFunctions(t *testing.T, stand *up.Stand) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		headers := map[string]string{}
		for name, values := range r.Header {
			headers[strings.ToLower(name)] = strings.Join(values, ",")
		}
		path := "/" + strings.TrimPrefix(r.URL.Path, "/")
		text, encoded := string(body), !utf8.Valid(body)
		if encoded {
			text = base64.StdEncoding.EncodeToString(body)
		}
		event, _ := json.Marshal(object{
			"version": "2.0", "rawPath": path, "rawQueryString": r.URL.RawQuery, "headers": headers,
			"requestContext":  object{"requestId": "r-1", "stage": "$default", "http": object{"method": r.Method, "path": path}},
			"isBase64Encoded": encoded, "body": text,
		})
		if len(event) > 6<<20 { // more than a function can be handed
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		function := "query"
		if r.Method == http.MethodPost && path == "/" {
			function = "command"
		}
		result, err := stand.Invoke(context.WithoutCancel(r.Context()), function, event)
		var answer struct {
			StatusCode        int                 `json:"statusCode"`
			Headers           map[string]string   `json:"headers"`
			MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
			Body              string              `json:"body"`
		}
		if err != nil || json.Unmarshal(result.Payload, &answer) != nil || answer.StatusCode == 0 {
			t.Errorf("%s %s: %v %.300s", r.Method, path, err, result.Payload)
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		for name, value := range answer.Headers {
			w.Header().Set(name, value)
		}
		for name, values := range answer.MultiValueHeaders {
			w.Header()[http.CanonicalHeaderKey(name)] = values
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = io.WriteString(w, answer.Body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// checkRefused: who must not call gets nothing, on no path, and stores nothing.
func (s *standing) checkRefused(t *testing.T) {
	for what, prepare := range s.foreign {
		c := contract{base: callThrough(t, s.stand.URL, prepare)}
		for _, a := range []reply{c.post(t, placed("refused", "")), c.get(t, "/"), c.get(t, "/events/refused"), c.get(t, "/-/health"), c.do(t, "PUT", "/", "{}")} {
			if a.status != 401 && a.status != 403 {
				t.Errorf("%s: %d %.200s", what, a.status, a.body)
			}
		}
		// A browser asks before it sends credentials.
		preflight := c.do(t, "OPTIONS", "/", "", "Origin", "https://shop.example.com", "Access-Control-Request-Method", "POST")
		if preflight.status/100 != 2 || preflight.header.Get("Access-Control-Allow-Origin") != "https://shop.example.com" {
			t.Errorf("%s: preflight %d %v", what, preflight.status, preflight.header)
		}
	}
	contract{base: s.base}.get(t, "/events/refused").want(t, 404, "not-found")
}

// checkConsumers: each consumer has handled all that concerns it, whatever it reads it from.
func (s *standing) checkConsumers(t *testing.T, c contract) {
	for i := range 12 {
		id := fmt.Sprintf("consumed %d/é", i)
		c.place(t, id, "")
		c.ship(t, id)
	}
	for i := range 12 {
		want := map[string][]int{}
		for n := range s.api.events {
			want[fmt.Sprintf("mailer%d", n+1)] = [][]int{{2}, {1, 2}}[n%2]
		}
		for n := range s.api.views {
			want[fmt.Sprintf("watcher%d", n+1)] = []int{0}
		}
		s.wantHandled(t, fmt.Sprintf("consumed %d/é", i), want)
	}
}

// handledFile is what a consumer leaves in the outbox for a version of an entity; a consumer of a
// view leaves version 0.
func handledFile(consumer, id string, version int) string {
	return fmt.Sprintf("%s %x %d", consumer, sha256.Sum256([]byte(id)), version)
}

// TestStandingServices posts random events to two services, kills the projector in the middle of
// its batches, and compares every record of every view with an independent fold.
func TestStandingServices(t *testing.T) {
	for _, d := range []domain{bank, ballot} {
		t.Run(d.name, func(t *testing.T) {
			needsCDK(t)
			path, err := tool()
			if err != nil {
				t.Fatal(err)
			}
			stand := standUp(t, makeService(t, path, d.name), nil)
			base := callThrough(t, stand.URL, signedBy(aws.Credentials{AccessKeyID: stand.Credentials.AccessKeyID, SecretAccessKey: stand.Credentials.SecretAccessKey}, stand.Region))
			var killed atomic.Int32
			stop := repeatedly(150*time.Millisecond, func() {
				n, err := stand.Kill("projector")
				if err != nil {
					t.Error(err)
				}
				killed.Add(int32(n))
			})
			// However fast the machine is, some batches must find their function dead.
			entities := post(t, d, base, 7, 200)
			for seed := uint64(100); killed.Load() < 3 && seed < 150; seed++ {
				entities = append(entities, post(t, d, base, seed, 20)...)
			}
			stop()
			if n := killed.Load(); n < 3 {
				t.Errorf("the projector was killed %d times, want 3", n)
			}
			entities = append(entities, post(t, d, base, 8, 40)...)
			histories := map[string][]object{}
			for _, e := range slices.Compact(entities) {
				histories[e] = pages(t, base+"/events?limit=17&id="+url.QueryEscape(e))
			}
			checkVersions(t, histories)
			want := d.fold(histories)
			eventually(t, func() error { return compareViews(t, d, base, want) })
			for _, x := range d.indexes {
				compareIndex(t, base, x, want[x.view])
			}
			for _, denied := range stand.Denied() {
				t.Errorf("a function asked for what its role does not allow: %+v", denied)
			}
		})
	}
}

// repeatedly calls do again and again until stop is called, which returns after the last call.
func repeatedly(pause time.Duration, do func()) (stop func()) {
	ending, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-ending:
				return
			case <-time.After(pause):
				do()
			}
		}
	}()
	return func() { close(ending); <-ended }
}

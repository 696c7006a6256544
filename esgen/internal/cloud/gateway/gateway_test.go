package gateway_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/esgen/esgen/esgen/internal/cloud/gateway"
	"github.com/esgen/esgen/esgen/internal/cloud/iam"
	"github.com/esgen/esgen/esgen/internal/cloud/lambda"
)

const (
	prefix     = "arn:aws:lambda:eu-north-1:123456789012:function:"
	command    = prefix + "command"
	query      = prefix + "query"
	authorizer = prefix + "authorizer"
)

// functions is an invoker whose functions are Go functions. It remembers the last event of each.
type functions struct {
	mu     sync.Mutex
	code   map[string]func(ctx context.Context, event []byte) (lambda.Result, error)
	events map[string]map[string]any
	calls  map[string]int
}

func (f *functions) Invoke(ctx context.Context, function string, payload []byte) (lambda.Result, error) {
	f.mu.Lock()
	var event map[string]any
	if err := json.Unmarshal(payload, &event); err != nil {
		panic(err)
	}
	f.events[function], f.calls[function] = event, f.calls[function]+1
	code := f.code[function]
	f.mu.Unlock()
	if code == nil {
		return lambda.Result{Payload: []byte(`{"statusCode":200,"body":"ok"}`)}, nil
	}
	return code(ctx, payload)
}

// answers has a function answer with a payload.
func (f *functions) answers(function, payload string) {
	f.does(function, func(context.Context, []byte) (lambda.Result, error) {
		return lambda.Result{Payload: []byte(payload)}, nil
	})
}

func (f *functions) does(function string, code func(context.Context, []byte) (lambda.Result, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.code[function] = code
}

// event is a member of the last event of a function, by its path.
func (f *functions) event(function string, path ...string) any {
	f.mu.Lock()
	defer f.mu.Unlock()
	var v any = f.events[function]
	for _, name := range path {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	return v
}

func (f *functions) called(function string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[function]
}

// world is what an API stands in.
type world struct {
	gateway.Options
	*functions
	clock time.Time
}

func newWorld() *world {
	w := &world{
		functions: &functions{code: map[string]func(context.Context, []byte) (lambda.Result, error){}, events: map[string]map[string]any{}, calls: map[string]int{}},
		clock:     time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC),
	}
	identities := &iam.Identities{}
	identities.Add(iam.Identity{Name: "caller", ARN: "arn:aws:iam::123456789012:user/caller", AccessKeyID: "AKC", SecretAccessKey: "secret", Policy: iam.Everything()})
	identities.Add(iam.Identity{Name: "reader", ARN: "arn:aws:iam::123456789012:user/reader", AccessKeyID: "AKR", SecretAccessKey: "secret",
		Policy: iam.Policy{{Actions: []string{"execute-api:Invoke"}, Resources: []string{"arn:aws:execute-api:*:*:api1/*/GET/*"}}}})
	permissions := &gateway.Permissions{}
	for _, f := range []string{command, query} {
		permissions.Grant(f, "arn:aws:execute-api:eu-north-1:123456789012:api1/*/*")
	}
	permissions.Grant(authorizer, "arn:aws:execute-api:eu-north-1:123456789012:api1/authorizers/au1")
	w.Options = gateway.Options{
		Region: "eu-north-1", Account: "123456789012", Functions: w.functions, Permissions: permissions, Identities: identities,
		Now: func() time.Time { return w.clock },
	}
	return w
}

func serve(t *testing.T, h http.Handler, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// http serves an HTTP API with the routes of a service.
func (w *world) http(t *testing.T, change func(*gateway.HTTPAPI)) string {
	t.Helper()
	api := gateway.HTTPAPI{ID: "api1", Stage: "$default", Routes: []gateway.Route{{Key: "$default", Function: query}, {Key: "POST /", Function: command}}}
	if change != nil {
		change(&api)
	}
	h, err := gateway.NewHTTP(w.Options, api)
	return serve(t, h, err)
}

// rest serves a REST API with the methods of a service.
func (w *world) rest(t *testing.T, change func(*gateway.RESTAPI)) string {
	t.Helper()
	api := gateway.RESTAPI{ID: "api1", Stage: "prod", DeploymentID: "d1", Methods: []gateway.Method{
		{Path: "/{proxy+}", ResourceID: "r2", HTTPMethod: "ANY", Function: query},
		{Path: "/", ResourceID: "r1", HTTPMethod: "ANY", Function: query},
		{Path: "/", ResourceID: "r1", HTTPMethod: "POST", Function: command},
	}}
	if change != nil {
		change(&api)
	}
	h, err := gateway.NewREST(w.Options, api)
	return serve(t, h, err) + "/prod"
}

// authorized gives every route or method an authorization.
func authorized(auth gateway.Authorization) (func(*gateway.HTTPAPI), func(*gateway.RESTAPI)) {
	return func(api *gateway.HTTPAPI) {
			for i := range api.Routes {
				api.Routes[i].Authorization = auth
			}
		}, func(api *gateway.RESTAPI) {
			for i := range api.Methods {
				api.Methods[i].Authorization = auth
			}
		}
}

type reply struct {
	status int
	header http.Header
	body   string
}

func send(t *testing.T, method, url, body string, change ...func(*http.Request)) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("User-Agent", "test")
	for _, c := range change {
		c(r)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return reply{answer.StatusCode, answer.Header, string(text)}
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Add(name, value) }
}

func signed(w *world, body, key, secret string, at time.Time) func(*http.Request) {
	return func(r *http.Request) {
		sum := sha256.Sum256([]byte(body))
		if err := v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: key, SecretAccessKey: secret}, r, hex.EncodeToString(sum[:]), "execute-api", "eu-north-1", at); err != nil {
			panic(err)
		}
	}
}

func (r reply) is(status int, body string) bool { return r.status == status && r.body == body }

func TestRoutesOfAnHTTPAPI(t *testing.T) {
	w := newWorld()
	url := w.http(t, func(api *gateway.HTTPAPI) {
		for _, key := range []string{"ANY /pets/{proxy+}", "GET /pets/{id}", "GET /pets/dog", "ANY /pets/{id}"} {
			api.Routes = append(api.Routes, gateway.Route{Key: key, Function: query})
		}
	})
	for _, row := range []struct{ method, path, route string }{
		{"POST", "/", "POST /"},
		{"POST", "", "POST /"},
		{"GET", "/", "$default"},
		{"POST", "/x", "$default"},
		{"GET", "/pets", "$default"},
		{"GET", "/pets/dog", "GET /pets/dog"},
		{"GET", "/pets/cat", "GET /pets/{id}"},
		{"PUT", "/pets/cat", "ANY /pets/{id}"},
		{"PUT", "/pets/dog", "ANY /pets/{id}"},
		{"GET", "/pets/dog/1/2", "ANY /pets/{proxy+}"},
	} {
		function := query
		if row.route == "POST /" {
			function = command
		}
		if r := send(t, row.method, url+row.path, ""); !r.is(200, "ok") || w.event(function, "routeKey") != row.route || w.event(function, "requestContext", "routeKey") != row.route {
			t.Errorf("%s %s: %v, taken by %v", row.method, row.path, r, w.event(function, "routeKey"))
		}
	}
	if got := w.event(query, "pathParameters", "proxy"); got != "dog/1/2" {
		t.Errorf("the greedy parameter is %v", got)
	}
	only := w.http(t, func(api *gateway.HTTPAPI) { api.Routes = api.Routes[1:] })
	if r := send(t, "GET", only+"/", ""); !r.is(404, `{"message":"Not Found"}`) {
		t.Errorf("no route: %v", r)
	}
	staged := w.http(t, func(api *gateway.HTTPAPI) { api.Stage = "v1" })
	if r := send(t, "POST", staged+"/v1/", "x"); !r.is(200, "ok") || w.event(command, "rawPath") != "/v1/" {
		t.Errorf("a stage: %v, path %v", r, w.event(command, "rawPath"))
	}
	if r := send(t, "GET", staged+"/v12", ""); r.status != 404 {
		t.Errorf("another stage: %v", r)
	}
}

func TestPayloadFormat2(t *testing.T) {
	w := newWorld()
	url := w.http(t, nil)
	send(t, "POST", url+"/?a=1&a=2&b=x%20y+z&c", `{"type":"X"}`, header("Content-Type", "application/json; charset=utf-8"), header("X-Two", "1"), header("X-Two", "2"), header("Cookie", "k=v; l=w"))
	event, _ := w.event(command).(map[string]any)
	host := strings.TrimPrefix(url, "http://")
	headers, _ := event["headers"].(map[string]any)
	for name, want := range map[string]any{
		"content-type": "application/json; charset=utf-8", "x-two": "1,2", "host": host, "user-agent": "test", "x-forwarded-for": "127.0.0.1",
		"x-forwarded-proto": "https", "content-length": "12", "cookie": nil, "connection": nil,
	} {
		if headers[name] != want {
			t.Errorf("header %s is %v, not %v", name, headers[name], want)
		}
	}
	delete(event, "headers")
	context, _ := event["requestContext"].(map[string]any)
	if id, _ := context["requestId"].(string); len(id) != 36 {
		t.Errorf("the request's id is %v", context["requestId"])
	}
	delete(context, "requestId")
	want := map[string]any{
		"version": "2.0", "routeKey": "POST /", "rawPath": "/", "rawQueryString": "a=1&a=2&b=x%20y+z&c", "cookies": []any{"k=v", "l=w"},
		"queryStringParameters": map[string]any{"a": "1,2", "b": "x y z", "c": ""}, "body": `{"type":"X"}`, "isBase64Encoded": false,
		"requestContext": map[string]any{
			"accountId": "123456789012", "apiId": "api1", "domainName": "api1.execute-api.eu-north-1.amazonaws.com", "domainPrefix": "api1",
			"http":     map[string]any{"method": "POST", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test"},
			"routeKey": "POST /", "stage": "$default", "time": "26/Nov/2026:12:00:00 +0000", "timeEpoch": 1.7956944e12,
		},
	}
	if !reflect.DeepEqual(event, want) {
		t.Errorf("the event is\n%v\nnot\n%v", event, want)
	}
	for _, row := range []struct {
		kind, body, want string
		encoded          bool
	}{
		{"text/plain", "hé", "hé", false},
		{"application/xml", "<a/>", "<a/>", false},
		{"application/problem+json", "{}", "e30=", true},
		{"application/octet-stream", "\xff\x00", "/wA=", true},
		{"application/json", "\xff", "/w==", true},
		{"", "a", "YQ==", true},
	} {
		send(t, "POST", url+"/", row.body, header("Content-Type", row.kind))
		if w.event(command, "body") != row.want || w.event(command, "isBase64Encoded") != row.encoded {
			t.Errorf("%q of type %q is %v, %v", row.body, row.kind, w.event(command, "body"), w.event(command, "isBase64Encoded"))
		}
	}
	send(t, "GET", url+"/", "")
	event, _ = w.event(query).(map[string]any)
	if _, there := event["body"]; there || event["isBase64Encoded"] != false || event["queryStringParameters"] != nil {
		t.Errorf("an event without a body is %v", event)
	}
}

// raw sends a request with its target as it stands; clients would clean it.
func raw(t *testing.T, url, target string) {
	t.Helper()
	host := strings.TrimPrefix(url, "http://")
	c, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := io.WriteString(c, "GET "+target+" HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != 200 {
		t.Errorf("%s answered %s, %v", target, answer.Status, err)
	}
}

func TestPathsAsGatewaysHandThemOver(t *testing.T) {
	w := newWorld()
	http, rest := w.http(t, nil), strings.TrimSuffix(w.rest(t, nil), "/prod")
	for _, row := range []struct{ target, http, rest string }{
		{"/a%2Fb", "/a/b", "/a%2Fb"},
		{"/a%3Fb", "/a", "/a%3Fb"},
		{"/a%3Fb?q=1", "/a", "/a%3Fb"},
		{"/a%23b", "/a#b", "/a%23b"},
		{"/a%25b", "/a%b", "/a%25b"},
		{"/a%252Fb", "/a%2Fb", "/a%252Fb"},
		{"/a+b", "/a+b", "/a+b"},
		{"/a%20b", "/a b", "/a%20b"},
		{"/%C3%A9", "/é", "/%C3%A9"},
		{"/a/../b", "/a/../b", "/a/../b"},
		{"//a", "//a", "//a"},
	} {
		raw(t, http, row.target)
		if got := w.event(query, "rawPath"); got != row.http || w.event(query, "requestContext", "http", "path") != got {
			t.Errorf("HTTP API, %s: %v", row.target, got)
		}
		raw(t, rest, "/prod"+row.target)
		if got := w.event(query, "path"); got != row.rest || w.event(query, "requestContext", "path") != "/prod"+row.rest {
			t.Errorf("REST API, %s: %v", row.target, got)
		}
	}
}

func TestPayloadFormat1(t *testing.T) {
	w := newWorld()
	url := w.rest(t, nil)
	send(t, "PUT", url+"/x/y?a=1&a=2&b=x%20y", "text\xff", header("X-Two", "1"), header("X-Two", "2"), header("Cookie", "k=v"))
	event, _ := w.event(query).(map[string]any)
	headers, _ := event["headers"].(map[string]any)
	multi, _ := event["multiValueHeaders"].(map[string]any)
	if headers["X-Two"] != "2" || !reflect.DeepEqual(multi["X-Two"], []any{"1", "2"}) || headers["Cookie"] != "k=v" || headers["Host"] == nil {
		t.Errorf("the headers are %v, %v", headers, multi)
	}
	context, _ := event["requestContext"].(map[string]any)
	for _, name := range []string{"requestId", "extendedRequestId"} {
		if context[name] == "" {
			t.Errorf("%s is missing", name)
		}
		delete(context, name)
	}
	delete(event, "headers")
	delete(event, "multiValueHeaders")
	want := map[string]any{
		"resource": "/{proxy+}", "path": "/x/y", "httpMethod": "PUT", "queryStringParameters": map[string]any{"a": "2", "b": "x y"},
		"multiValueQueryStringParameters": map[string]any{"a": []any{"1", "2"}, "b": []any{"x y"}},
		"pathParameters":                  map[string]any{"proxy": "x/y"}, "stageVariables": nil, "body": "text�", "isBase64Encoded": false,
		"requestContext": map[string]any{
			"resourceId": "r2", "resourcePath": "/{proxy+}", "httpMethod": "PUT", "requestTime": "26/Nov/2026:12:00:00 +0000", "path": "/prod/x/y",
			"accountId": "123456789012", "protocol": "HTTP/1.1", "stage": "prod", "domainPrefix": "api1", "requestTimeEpoch": 1.7956944e12,
			"domainName": "api1.execute-api.eu-north-1.amazonaws.com", "deploymentId": "d1", "apiId": "api1",
			"identity": map[string]any{
				"cognitoIdentityPoolId": nil, "accountId": nil, "cognitoIdentityId": nil, "caller": nil, "sourceIp": "127.0.0.1", "principalOrgId": nil, "accessKey": nil,
				"cognitoAuthenticationType": nil, "cognitoAuthenticationProvider": nil, "userArn": nil, "userAgent": "test", "user": nil,
			},
		},
	}
	if !reflect.DeepEqual(event, want) {
		t.Errorf("the event is\n%v\nnot\n%v", event, want)
	}
	send(t, "POST", url, "")
	event, _ = w.event(command).(map[string]any)
	if event["path"] != "/" || event["resource"] != "/" || event["body"] != nil || event["queryStringParameters"] != nil || event["pathParameters"] != nil {
		t.Errorf("a bare event is %v", event)
	}
	binary := w.rest(t, func(api *gateway.RESTAPI) { api.BinaryMediaTypes = []string{"image/*"} })
	send(t, "POST", binary, "\xff", header("Content-Type", "image/png"))
	if w.event(command, "body") != "/w==" || w.event(command, "isBase64Encoded") != true {
		t.Errorf("a binary body is %v", w.event(command, "body"))
	}
}

func TestWhatFunctionsAnswer(t *testing.T) {
	w := newWorld()
	http, rest := w.http(t, nil), w.rest(t, nil)
	const broken, malformed = `{"message":"Internal Server Error"}`, `{"message":"Internal server error"}`
	for _, row := range []struct {
		payload    string
		http, rest reply
	}{
		{`{"statusCode":201,"body":"x","headers":{"Location":"/events/1","X-N":5}}`, reply{status: 201, body: "x"}, reply{status: 201, body: "x"}},
		{`{"statusCode":200,"body":"eA==","isBase64Encoded":true}`, reply{status: 200, body: "x"}, reply{status: 200, body: "eA=="}},
		{`{"statusCode":204}`, reply{status: 204}, reply{status: 204}},
		{`{"statusCode":304,"headers":{"ETag":"\"r1\""}}`, reply{status: 304}, reply{status: 304}},
		{`{"hello":1}`, reply{status: 200, body: `{"hello":1}`}, reply{status: 502, body: malformed}},
		{`"text"`, reply{status: 200, body: `"text"`}, reply{status: 502, body: malformed}},
		{`garbage`, reply{status: 500, body: broken}, reply{status: 502, body: malformed}},
		{``, reply{status: 500, body: broken}, reply{status: 502, body: malformed}},
		{`{"statusCode":"x"}`, reply{status: 500, body: broken}, reply{status: 502, body: malformed}},
		{`{"statusCode":99}`, reply{status: 500, body: broken}, reply{status: 502, body: malformed}},
		{`{"statusCode":200,"body":{"a":1}}`, reply{status: 500, body: broken}, reply{status: 502, body: malformed}},
		{`{"statusCode":200,"headers":{"a b":"c"}}`, reply{status: 500, body: broken}, reply{status: 502, body: malformed}},
		{`{"statusCode":200,"headers":{"A":"b\r\nC: d"}}`, reply{status: 500, body: broken}, reply{status: 502, body: malformed}},
		{`{"statusCode":200,"headers":{"A":["b"]}}`, reply{status: 500, body: broken}, reply{status: 502, body: malformed}},
		{`{"statusCode":200,"body":"x","multiValueHeaders":{"Set-Cookie":["a=1","b=2"]}}`, reply{status: 200, body: "x"}, reply{status: 200, body: "x"}},
	} {
		w.answers(query, row.payload)
		if r := send(t, "GET", http, ""); !r.is(row.http.status, row.http.body) {
			t.Errorf("HTTP API, %s: %v", row.payload, r)
		}
		if r := send(t, "GET", rest, ""); !r.is(row.rest.status, row.rest.body) {
			t.Errorf("REST API, %s: %v", row.payload, r)
		}
	}
	w.answers(query, `{"statusCode":200,"body":"x","cookies":["a=1","b=2"],"headers":{"content-type":"application/problem+json"}}`)
	if r := send(t, "GET", http, ""); !reflect.DeepEqual(r.header.Values("Set-Cookie"), []string{"a=1", "b=2"}) || r.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("the headers are %v", r.header)
	}
	w.answers(query, `{"statusCode":401,"body":"x","headers":{"WWW-Authenticate":"Bearer","Location":"/x"}}`)
	if r := send(t, "GET", rest, ""); r.header.Get("X-Amzn-Remapped-Www-Authenticate") != "Bearer" || r.header.Get("Www-Authenticate") != "" || r.header.Get("Location") != "/x" {
		t.Errorf("the headers are %v", r.header)
	}
	w.answers(query, `{"statusCode":200,"body":"12345"}`)
	if r := send(t, "HEAD", http, ""); r.status != 200 || r.body != "" || r.header.Get("Content-Length") != "5" || w.event(query, "requestContext", "http", "method") != "HEAD" {
		t.Errorf("HEAD: %v", r)
	}
}

func TestFunctionsThatDoNotAnswer(t *testing.T) {
	w := newWorld()
	short := func(api *gateway.HTTPAPI) {
		for i := range api.Routes {
			api.Routes[i].Timeout = time.Millisecond
		}
	}
	shortREST := func(api *gateway.RESTAPI) {
		for i := range api.Methods {
			api.Methods[i].Timeout = time.Millisecond
		}
	}
	http, rest, slow, slowREST := w.http(t, nil), w.rest(t, nil), w.http(t, short), w.rest(t, shortREST)
	w.does(query, func(context.Context, []byte) (lambda.Result, error) {
		return lambda.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"secret"}`)}, nil
	})
	for url, want := range map[string]reply{http: {status: 500, body: `{"message":"Internal Server Error"}`}, rest: {status: 502, body: `{"message":"Internal server error"}`}} {
		if r := send(t, "GET", url, ""); !r.is(want.status, want.body) {
			t.Errorf("a function that fails: %v", r)
		}
	}
	w.does(query, func(context.Context, []byte) (lambda.Result, error) {
		return lambda.Result{}, &lambda.TooLargeError{Size: 1}
	})
	for url, want := range map[string]reply{http: {status: 500, body: `{"message":"Internal Server Error"}`}, rest: {status: 500, body: `{"message":"Internal server error"}`}} {
		if r := send(t, "GET", url, ""); !r.is(want.status, want.body) {
			t.Errorf("a function that cannot be invoked: %v", r)
		}
	}
	w.does(query, func(ctx context.Context, _ []byte) (lambda.Result, error) {
		<-ctx.Done()
		return lambda.Result{}, ctx.Err()
	})
	for url, want := range map[string]reply{slow: {status: 503, body: `{"message":"Service Unavailable"}`}, slowREST: {status: 504, body: `{"message":"Endpoint request timed out"}`}} {
		if r := send(t, "GET", url, ""); !r.is(want.status, want.body) {
			t.Errorf("a function that takes too long: %v", r)
		}
	}
}

func TestAGatewayNeedsPermissionToInvoke(t *testing.T) {
	for source, allowed := range map[string][2]bool{ // HTTP, REST
		"arn:aws:execute-api:eu-north-1:123456789012:api1/*/*":                   {true, true},
		"arn:aws:execute-api:eu-north-1:123456789012:api1/*/*/":                  {true, true},
		"arn:aws:execute-api:eu-north-1:123456789012:api1/$default/POST/":        {true, false},
		"arn:aws:execute-api:eu-north-1:123456789012:api1/prod/POST/":            {false, true},
		"arn:aws:execute-api:eu-north-1:123456789012:api1/test-invoke-stage/*/*": {false, false},
		"arn:aws:execute-api:eu-north-1:123456789012:api2/*/*":                   {false, false},
		"": {true, true},
	} {
		w := newWorld()
		w.Permissions = &gateway.Permissions{}
		w.Permissions.Grant(command, source)
		for i, url := range []string{w.http(t, nil), w.rest(t, nil)} {
			r := send(t, "POST", url+"/", "x")
			if (r.status == 200) != allowed[i] || r.status != 200 && (r.status != 500 || !strings.EqualFold(r.body, `{"message":"Internal Server Error"}`)) {
				t.Errorf("%s: %v", source, r)
			}
		}
	}
}

func TestLimits(t *testing.T) {
	w := newWorld()
	throttle := gateway.Throttle{Rate: 2, Burst: 3}
	http := w.http(t, func(api *gateway.HTTPAPI) { api.Throttle = throttle })
	rest := w.rest(t, func(api *gateway.RESTAPI) { api.Throttle = throttle })
	for url, tooLarge := range map[string]string{http: `{"message":"Request Entity Too Large"}`, rest: `{"message":"Request size exceeded 10485760 bytes"}`} {
		for i := range 4 {
			r := send(t, "GET", url, "")
			if (i < 3) != r.is(200, "ok") || i == 3 && !r.is(429, `{"message":"Too Many Requests"}`) {
				t.Errorf("request %d: %v", i, r)
			}
		}
		w.clock = w.clock.Add(500 * time.Millisecond)
		if r := send(t, "GET", url, ""); r.status != 200 {
			t.Errorf("half a second later: %v", r)
		}
		if r := send(t, "GET", url, ""); r.status != 429 {
			t.Errorf("at once: %v", r)
		}
		w.clock = w.clock.Add(time.Hour)
		if r := send(t, "POST", url+"/", strings.Repeat("x", 10<<20)); r.status != 200 {
			t.Errorf("10 MB: %v", r.status)
		}
		if r := send(t, "POST", url+"/", strings.Repeat("x", 10<<20+1)); !r.is(413, tooLarge) {
			t.Errorf("over 10 MB: %v", r)
		}
	}
}

func TestForeignHostsAreRefused(t *testing.T) {
	w := newWorld()
	for _, url := range []string{w.http(t, nil), w.rest(t, nil)} {
		for host, status := range map[string]int{"localhost:1": 200, "127.0.0.1": 200, "[::1]:8": 200, "evil.example": 403, "127.0.0.1.evil.example:80": 403} {
			if r := send(t, "GET", url, "", func(r *http.Request) { r.Host = host }); r.status != status {
				t.Errorf("%s: %v", host, r)
			}
		}
	}
}

func TestIAM(t *testing.T) {
	w := newWorld()
	onHTTP, onREST := authorized(gateway.Authorization{Kind: gateway.IAM})
	http, rest := w.http(t, onHTTP), w.rest(t, onREST)
	const body = `{"a":1}`
	for name, row := range map[string]struct {
		change func(*httpRequest)
		method string
		rest   string // part of the body, "" if allowed
	}{
		"signed":                  {signed(w, body, "AKC", "secret", w.clock), "POST", ""},
		"signed to read":          {signed(w, body, "AKR", "secret", w.clock), "GET", ""},
		"may only read":           {signed(w, body, "AKR", "secret", w.clock), "POST", "is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-north-1:123456789012:api1/prod/POST/"},
		"unsigned":                {func(*httpRequest) {}, "POST", `{"message":"Missing Authentication Token"}`},
		"wrong secret":            {signed(w, body, "AKC", "guess", w.clock), "POST", "does not match the signature you provided"},
		"unknown key":             {signed(w, body, "AKX", "secret", w.clock), "POST", `{"message":"The security token included in the request is invalid."}`},
		"six minutes old":         {signed(w, body, "AKC", "secret", w.clock.Add(-6*time.Minute)), "POST", "Signature expired"},
		"signed for another body": {signed(w, "{}", "AKC", "secret", w.clock), "POST", "does not match the signature you provided"},
		"a token":                 {header("Authorization", "Bearer x"), "POST", "Authorization header requires"},
	} {
		before := w.called(command) + w.called(query)
		onHTTP, onREST := send(t, row.method, http+"/", body, row.change), send(t, row.method, rest+"/", body, row.change)
		if row.rest == "" {
			if !onHTTP.is(200, "ok") || !onREST.is(200, "ok") {
				t.Errorf("%s: %v, %v", name, onHTTP, onREST)
			}
			continue
		}
		if !onHTTP.is(403, `{"message":"Forbidden"}`) || onREST.status != 403 || !strings.Contains(onREST.body, row.rest) || w.called(command)+w.called(query) != before {
			t.Errorf("%s: %v, %v", name, onHTTP, onREST)
		}
	}
	send(t, "POST", http+"/", body, signed(w, body, "AKC", "secret", w.clock))
	if w.event(command, "requestContext", "authorizer", "iam", "userArn") != "arn:aws:iam::123456789012:user/caller" || w.event(command, "requestContext", "authorizer", "iam", "accessKey") != "AKC" {
		t.Errorf("the caller is %v", w.event(command, "requestContext", "authorizer"))
	}
	send(t, "POST", rest+"/", body, signed(w, body, "AKC", "secret", w.clock))
	if w.event(command, "requestContext", "identity", "userArn") != "arn:aws:iam::123456789012:user/caller" {
		t.Errorf("the caller is %v", w.event(command, "requestContext", "identity"))
	}
}

// httpRequest has another name where a variable is called http.
type httpRequest = http.Request

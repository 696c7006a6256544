package gateway_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/esgen/esgen/esgen/internal/cloud/gateway"
	"github.com/esgen/esgen/esgen/internal/cloud/lambda"
)

func custom(ttl time.Duration, sources ...string) gateway.Authorization {
	return gateway.Authorization{Kind: gateway.Custom, Authorizer: &gateway.Authorizer{ID: "au1", Function: authorizer, TTL: ttl, IdentitySources: sources}}
}

func TestAnAuthorizerOfAnHTTPAPI(t *testing.T) {
	w := newWorld()
	auth, _ := authorized(custom(time.Minute, "$request.header.Authorization"))
	url := w.http(t, auth)
	if r := send(t, "POST", url+"/", "x"); !r.is(401, `{"message":"Unauthorized"}`) || w.called(authorizer) != 0 {
		t.Errorf("without an identity: %v, asked %d times", r, w.called(authorizer))
	}
	w.answers(authorizer, `{"isAuthorized":true,"context":{"actor":"ann","n":5}}`)
	token := header("Authorization", "ann's")
	if r := send(t, "POST", url+"/?a=1", "secret", token); !r.is(200, "ok") {
		t.Fatalf("allowed: %v", r)
	}
	if got := w.event(command, "requestContext", "authorizer", "lambda"); !reflect.DeepEqual(got, map[string]any{"actor": "ann", "n": 5.0}) {
		t.Errorf("the function is told %v", got)
	}
	event, _ := w.event(authorizer).(map[string]any)
	for name, want := range map[string]any{
		"version": "2.0", "type": "REQUEST", "routeArn": "arn:aws:execute-api:eu-north-1:123456789012:api1/$default/POST/", "identitySource": []any{"ann's"},
		"routeKey": "POST /", "rawPath": "/", "rawQueryString": "a=1", "body": nil, "isBase64Encoded": nil,
	} {
		if !reflect.DeepEqual(event[name], want) {
			t.Errorf("the authorizer is told %s %v", name, event[name])
		}
	}
	send(t, "GET", url+"/", "", token)
	if w.called(authorizer) != 1 {
		t.Errorf("asked %d times about one identity", w.called(authorizer))
	}
	w.clock = w.clock.Add(time.Minute)
	w.answers(authorizer, `{"isAuthorized":false}`)
	if r := send(t, "GET", url+"/", "", token); !r.is(403, `{"message":"Forbidden"}`) || w.called(authorizer) != 2 {
		t.Errorf("a minute later: %v, asked %d times", r, w.called(authorizer))
	}
	for i, payload := range []string{`{}`, `garbage`, `{"isAuthorized":"yes"}`} {
		w.answers(authorizer, payload)
		if r := send(t, "GET", url+"/", "", header("Authorization", fmt.Sprint(i))); !r.is(500, `{"message":"Internal Server Error"}`) {
			t.Errorf("%s: %v", payload, r)
		}
	}
	w.does(authorizer, func(context.Context, []byte) (lambda.Result, error) {
		return lambda.Result{FunctionError: "Unhandled", Payload: []byte(`{}`)}, nil
	})
	if r := send(t, "GET", url+"/", "", header("Authorization", "z")); r.status != 500 {
		t.Errorf("an authorizer that fails: %v", r)
	}
	uncached, _ := authorized(custom(0, "$request.querystring.token"))
	url = w.http(t, uncached)
	w.answers(authorizer, `{"isAuthorized":true}`)
	before := w.called(authorizer)
	for range 2 {
		if r := send(t, "GET", url+"/?token=x", ""); !r.is(200, "ok") {
			t.Errorf("by the query: %v", r)
		}
	}
	if w.called(authorizer) != before+2 {
		t.Error("an answer is kept that must not be")
	}
	w.Permissions = &gateway.Permissions{}
	url = w.http(t, uncached)
	if r := send(t, "GET", url+"/?token=x", ""); r.status != 500 {
		t.Errorf("without permission to ask the authorizer: %v", r)
	}
}

func TestAnAuthorizerOfARESTAPI(t *testing.T) {
	w := newWorld()
	_, auth := authorized(custom(time.Minute, "method.request.header.Authorization"))
	url := w.rest(t, auth)
	if r := send(t, "POST", url+"/", "x"); !r.is(401, `{"message":"Unauthorized"}`) || w.called(authorizer) != 0 {
		t.Errorf("without an identity: %v", r)
	}
	policy := func(effect, resource string) string {
		return `{"principalId":"ann","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"` + effect + `","Resource":"` + resource + `"}]},"context":{"actor":"Ann","n":5,"b":true}}`
	}
	const api = "arn:aws:execute-api:eu-north-1:123456789012:api1/prod/"
	w.answers(authorizer, policy("Allow", api+"POST/*"))
	if r := send(t, "POST", url+"/", "secret", header("Authorization", "a")); !r.is(200, "ok") {
		t.Fatalf("allowed: %v", r)
	}
	if got := w.event(command, "requestContext", "authorizer"); !reflect.DeepEqual(got, map[string]any{"principalId": "ann", "actor": "Ann", "n": "5", "b": "true", "integrationLatency": 0.0}) {
		t.Errorf("the function is told %v", got)
	}
	if w.event(authorizer, "type") != "REQUEST" || w.event(authorizer, "methodArn") != api+"POST/" || w.event(authorizer, "body") != nil || w.event(command, "methodArn") != nil {
		t.Errorf("the authorizer is told %v", w.event(authorizer))
	}
	// What was kept is a policy: it decides about other methods too.
	if r := send(t, "GET", url+"/x", "", header("Authorization", "a")); !r.is(403, `{"message":"User is not authorized to access this resource"}`) || w.called(authorizer) != 1 {
		t.Errorf("another method: %v, asked %d times", r, w.called(authorizer))
	}
	w.answers(authorizer, policy("Deny", "*"))
	if r := send(t, "GET", url+"/x", "", header("Authorization", "b")); r.status != 403 || !strings.Contains(r.body, "with an explicit deny") {
		t.Errorf("denied: %v", r)
	}
	w.does(authorizer, func(context.Context, []byte) (lambda.Result, error) {
		return lambda.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"Unauthorized"}`)}, nil
	})
	if r := send(t, "GET", url+"/x", "", header("Authorization", "c")); !r.is(401, `{"message":"Unauthorized"}`) {
		t.Errorf("an authorizer that says Unauthorized: %v", r)
	}
	for i, payload := range []string{`{}`, `{"principalId":"a"}`, `{"principalId":"a","policyDocument":{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]},"context":{"x":{}}}`} {
		w.answers(authorizer, payload)
		if r := send(t, "GET", url+"/x", "", header("Authorization", fmt.Sprint(i))); !r.is(500, `{"message":null}`) {
			t.Errorf("%s: %v", payload, r)
		}
	}
}

// issuer signs tokens.
type issuer struct {
	url     string
	key     *rsa.PrivateKey
	fetched int
}

func newIssuer(t *testing.T) *issuer {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key}
	m := http.NewServeMux()
	m.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"jwks_uri": i.url + "/keys"})
	})
	m.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		i.fetched++
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{
			map[string]string{"kty": "EC", "kid": "other"},
			map[string]string{"kty": "RSA", "kid": "k1", "n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes())},
		}})
	})
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	i.url = server.URL
	return i
}

func (i *issuer) token(header, claims map[string]any) string {
	part := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	signed := part(header) + "." + part(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func TestJWT(t *testing.T) {
	w := newWorld()
	i := newIssuer(t)
	auth := func(scopes ...string) func(*gateway.HTTPAPI) {
		change, _ := authorized(gateway.Authorization{Kind: gateway.JWT, Scopes: scopes, Authorizer: &gateway.Authorizer{
			ID: "au1", IdentitySources: []string{"$request.header.Authorization"}, Issuer: i.url, Audience: []string{"orders", "other"}}})
		return change
	}
	url, scoped := w.http(t, auth()), w.http(t, auth("write", "admin"))
	now := w.clock.Unix()
	head := map[string]any{"alg": "RS256", "kid": "k1"}
	claims := func(change map[string]any) map[string]any {
		c := map[string]any{"iss": i.url, "aud": "orders", "sub": "ann", "exp": now + 60, "iat": now, "roles": []string{"a", "b"}, "ok": true}
		for name, v := range change {
			if c[name] = v; v == nil {
				delete(c, name)
			}
		}
		return c
	}
	good := i.token(head, claims(nil))
	parts := strings.Split(good, ".")
	for name, row := range map[string]struct {
		token string
		ok    bool
	}{
		"good":                         {"Bearer " + good, true},
		"bare":                         {good, true},
		"a list of audiences":          {i.token(head, claims(map[string]any{"aud": []string{"x", "other"}})), true},
		"a client":                     {i.token(head, claims(map[string]any{"aud": nil, "client_id": "orders"})), true},
		"for others":                   {i.token(head, claims(map[string]any{"aud": "shop"})), false},
		"for others, a client of ours": {i.token(head, claims(map[string]any{"aud": "shop", "client_id": "orders"})), false},
		"of another issuer":            {i.token(head, claims(map[string]any{"iss": "https://evil.example"})), false},
		"expired":                      {i.token(head, claims(map[string]any{"exp": now})), false},
		"without an end":               {i.token(head, claims(map[string]any{"exp": nil})), false},
		"an end that is no number":     {i.token(head, claims(map[string]any{"exp": "9999999999"})), false},
		"not yet":                      {i.token(head, claims(map[string]any{"nbf": now + 1})), false},
		"issued later":                 {i.token(head, claims(map[string]any{"iat": now + 1})), false},
		"without algorithm":            {i.token(map[string]any{"alg": "none", "kid": "k1"}, claims(nil)), false},
		"a secret's algorithm":         {i.token(map[string]any{"alg": "HS256", "kid": "k1"}, claims(nil)), false},
		"an unknown key":               {i.token(map[string]any{"alg": "RS256", "kid": "k9"}, claims(nil)), false},
		"changed":                      {parts[0] + "." + strings.Split(i.token(head, claims(map[string]any{"sub": "eve"})), ".")[1] + "." + parts[2], false},
		"unsigned":                     {parts[0] + "." + parts[1] + ".", false},
		"garbage":                      {"x.y.z", false},
	} {
		r := send(t, "POST", url+"/", "x", header("Authorization", row.token))
		if row.ok != r.is(200, "ok") || !row.ok && (!r.is(401, `{"message":"Unauthorized"}`) || !strings.Contains(r.header.Get("Www-Authenticate"), `error="invalid_token"`)) {
			t.Errorf("%s: %v", name, r)
		}
	}
	if r := send(t, "POST", url+"/", "x"); !r.is(401, `{"message":"Unauthorized"}`) {
		t.Errorf("without a token: %v", r)
	}
	send(t, "POST", url+"/", "x", header("Authorization", good))
	want := map[string]any{"scopes": nil, "claims": map[string]any{"iss": i.url, "aud": "orders", "sub": "ann", "exp": fmt.Sprint(now + 60), "iat": fmt.Sprint(now), "roles": "[a b]", "ok": "true"}}
	if got := w.event(command, "requestContext", "authorizer", "jwt"); !reflect.DeepEqual(got, want) {
		t.Errorf("the function is told %v", got)
	}
	if i.fetched > 2 {
		t.Errorf("the keys were fetched %d times", i.fetched)
	}
	for scope, status := range map[any]int{"read": 403, "read write": 200, nil: 403} {
		if r := send(t, "POST", scoped+"/", "x", header("Authorization", i.token(head, claims(map[string]any{"scope": scope})))); r.status != status {
			t.Errorf("scope %v: %v", scope, r)
		}
	}
}

func TestCORSOfAnHTTPAPI(t *testing.T) {
	w := newWorld()
	url := w.http(t, func(api *gateway.HTTPAPI) {
		for i := range api.Routes {
			api.Routes[i].Authorization = gateway.Authorization{Kind: gateway.IAM}
		}
		api.Routes = append(api.Routes, gateway.Route{Key: "OPTIONS /{proxy+}", Function: query}, gateway.Route{Key: "OPTIONS /", Function: query})
		api.CORS = &gateway.CORS{Origins: []string{"https://shop.example.com"}, Methods: []string{"GET", "POST"}, Headers: []string{"Authorization", "Content-Type"}, Expose: []string{"etag"}, MaxAge: 300}
	})
	ask := []func(*http.Request){header("Origin", "https://shop.example.com"), header("Access-Control-Request-Method", "POST")}
	for _, path := range []string{"/", "/a/b"} {
		r := send(t, "OPTIONS", url+path, "", ask...)
		if r.status != 204 || r.header.Get("Access-Control-Allow-Origin") != "https://shop.example.com" || r.header.Get("Access-Control-Allow-Methods") != "GET,POST" ||
			r.header.Get("Access-Control-Allow-Headers") != "authorization,content-type" || r.header.Get("Access-Control-Max-Age") != "300" || w.called(query) != 0 {
			t.Errorf("%s: %v", path, r)
		}
	}
	if r := send(t, "OPTIONS", url+"/a", "", header("Origin", "https://evil.example"), ask[1]); r.status != 204 || r.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("another origin: %v", r)
	}
	w.answers(query, `{"statusCode":200,"body":"ok","headers":{"Access-Control-Allow-Origin":"*"}}`)
	sign := signed(w, "", "AKC", "secret", w.clock)
	if r := send(t, "GET", url+"/a", "", sign, header("Origin", "https://shop.example.com")); r.status != 200 || r.header.Get("Access-Control-Allow-Origin") != "https://shop.example.com" || r.header.Get("Access-Control-Expose-Headers") != "etag" {
		t.Errorf("a request: %v", r)
	}
	if r := send(t, "GET", url+"/a", "", sign); r.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("without an origin: %v", r)
	}
	if r := send(t, "GET", url+"/a", "", header("Origin", "https://shop.example.com")); r.status != 403 || r.header.Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("a refusal: %v", r)
	}
	// Without routes of its own a preflight request meets $default, and so its authorizer.
	closed := w.http(t, func(api *gateway.HTTPAPI) {
		api.Routes[0].Authorization = gateway.Authorization{Kind: gateway.IAM}
		api.CORS = &gateway.CORS{Origins: []string{"*"}}
	})
	if r := send(t, "OPTIONS", closed+"/a", "", ask...); r.status != 403 {
		t.Errorf("a preflight request at an authorizer: %v", r)
	}
}

func TestPreflightAndResponsesOfARESTAPI(t *testing.T) {
	w := newWorld()
	url := w.rest(t, func(api *gateway.RESTAPI) {
		for i := range api.Methods {
			api.Methods[i].Authorization = gateway.Authorization{Kind: gateway.IAM}
		}
		api.Methods = append(api.Methods, gateway.Method{Path: "/{proxy+}", HTTPMethod: "OPTIONS", Mock: &gateway.Mock{
			Status: 204, Headers: map[string]string{"Access-Control-Allow-Origin": "https://a.example", "Access-Control-Allow-Methods": "GET"}, Origins: []string{"https://b.example"}}})
		api.Responses = []gateway.GatewayResponse{
			{Type: "DEFAULT_4XX", Headers: map[string]string{"Access-Control-Allow-Origin": "https://a.example"}},
			{Type: "UNAUTHORIZED", Status: 418},
			{Type: "MISSING_AUTHENTICATION_TOKEN", Status: 404, Template: `{"code":"$context.error.responseType","detail":$context.error.messageString}`},
		}
	})
	for origin, want := range map[string]string{"https://a.example": "https://a.example", "https://b.example": "https://b.example", "https://c.example": "https://a.example"} {
		if r := send(t, "OPTIONS", url+"/x", "", header("Origin", origin)); r.status != 204 || r.header.Get("Access-Control-Allow-Origin") != want || r.header.Get("Access-Control-Allow-Methods") != "GET" {
			t.Errorf("%s: %v", origin, r)
		}
	}
	if r := send(t, "GET", url+"/x", ""); !r.is(404, `{"code":"MISSING_AUTHENTICATION_TOKEN","detail":"Missing Authentication Token"}`) {
		t.Errorf("unsigned: %v", r)
	}
	if r := send(t, "GET", url+"/x", "", signed(w, "", "AKX", "secret", w.clock)); r.status != 403 || r.header.Get("Access-Control-Allow-Origin") != "https://a.example" {
		t.Errorf("an unknown key: %v", r)
	}
	if err := gateway.CheckTemplate(`{"x":$input.body}`); err == nil {
		t.Error("a template that is not filled in passes")
	}
	open := w.rest(t, func(api *gateway.RESTAPI) { api.Methods = api.Methods[2:] })
	if r := send(t, "GET", open+"/x", ""); !r.is(403, `{"message":"Missing Authentication Token"}`) {
		t.Errorf("no method: %v", r)
	}
	if r := send(t, "POST", strings.TrimSuffix(open, "/prod")+"/dev/", ""); !r.is(403, `{"message":"Forbidden"}`) {
		t.Errorf("another stage: %v", r)
	}
}

func TestAPIsThatCannotBeServed(t *testing.T) {
	w := newWorld()
	for want, auth := range map[string]gateway.Authorization{
		"its authorizer is missing": {Kind: gateway.JWT},
		"no kind of authorization":  {Kind: "COGNITO"},
		"$context.path":             custom(0, "$context.path"),
	} {
		if _, err := gateway.NewHTTP(w.Options, gateway.HTTPAPI{Routes: []gateway.Route{{Key: "GET /", Authorization: auth}}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("wanted %q, got %v", want, err)
		}
	}
	for _, key := range []string{"GET", "GET x", "GET /{proxy+}/x", ""} {
		if _, err := gateway.NewHTTP(w.Options, gateway.HTTPAPI{Routes: []gateway.Route{{Key: key}}}); err == nil {
			t.Errorf("the route %q is served", key)
		}
	}
}

package lambda_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/esgen/esgen/runtime/lambda"
)

const odd = `a/b?c#d%e+f gé`

// TestPaths has paths as the gateways hand them over. An HTTP API has decoded them, and cut them at
// what was an encoded question mark; a REST API has not.
func TestPaths(t *testing.T) {
	v2 := func(rawPath string, context object) object {
		context["http"] = object{"method": "GET"}
		return object{"version": "2.0", "rawPath": rawPath, "rawQueryString": "a=%20", "requestContext": context}
	}
	own, custom := "abc.execute-api.eu-central-1.amazonaws.com", "shop.example.com"
	rest := func(path, contextPath, proxy string) object {
		e := object{"resource": "/{proxy+}", "path": path, "httpMethod": "GET", "pathParameters": object{"proxy": proxy}, "requestContext": object{"path": contextPath, "stage": "prod"}}
		if proxy == "" {
			e["resource"], e["pathParameters"] = "/", nil
		}
		return e
	}
	for name, c := range map[string]struct {
		event      object
		path, base string
	}{
		"http":                          {v2("/default/x", object{"stage": "$default", "domainName": own, "apiId": "abc"}), "/default/x", ""},
		"http, decoded already":         {v2("/a%20b é+/c", object{"stage": "$default"}), "/a%20b é+/c", ""},
		"http, a stage":                 {v2("/prod/x/y", object{"stage": "prod", "domainName": own, "apiId": "abc"}), "/x/y", "/prod"},
		"http, the root of a stage":     {v2("/prod", object{"stage": "prod", "domainName": own, "apiId": "abc"}), "/", "/prod"},
		"http, the root with a slash":   {v2("/prod/", object{"stage": "prod", "domainName": own, "apiId": "abc"}), "/", "/prod"},
		"http, an id like the stage":    {v2("/prod/prod", object{"stage": "prod", "domainName": own, "apiId": "abc"}), "/prod", "/prod"},
		"http, a longer name":           {v2("/production", object{"stage": "prod", "domainName": own, "apiId": "abc"}), "/production", ""},
		"http, a custom domain":         {v2("/prod/x", object{"stage": "prod", "domainName": custom, "apiId": "abc"}), "/x", ""},
		"http, payload 1.0":             {object{"version": "1.0", "path": "/prod/a%20b", "httpMethod": "GET", "requestContext": object{"stage": "prod"}}, "/a%20b", "/prod"},
		"a function's own address":      {v2("/a%20b", object{"stage": "$default", "domainName": "x.lambda-url.eu-central-1.on.aws"}), "/a b", ""},
		"no gateway":                    {v2("/x", object{}), "/x", ""},
		"rest":                          {rest("/x", "/prod/x", "x"), "/x", "/prod"},
		"rest, not decoded yet":         {rest("/a%2520b%2Fc%C3%A9+%3F", "/prod/a%2520b%2Fc%C3%A9+%3F", "a%20b/cé+?"), "/a%20b/cé+?", "/prod"},
		"rest, not to be decoded":       {rest("/a%zz", "/prod/a%zz", "a%zz"), "/a%zz", "/prod"},
		"rest, the root":                {rest("/", "/prod/", ""), "/", "/prod"},
		"rest, the root without slash":  {rest("/", "/prod", ""), "/", "/prod"},
		"rest, a custom domain":         {rest("/x/y", "/x/y", "x/y"), "/x/y", ""},
		"rest, mapped":                  {rest("/shop/orders/x/y", "/shop/orders/x/y", "x/y"), "/x/y", "/shop/orders"},
		"rest, mapped, encoded":         {rest("/shop/a%20b/c%2F", "/shop/a%20b/c%2F", "a b/c/"), "/a b/c/", "/shop"},
		"rest, mapped, the proxy as is": {rest("/shop/a%20b", "/shop/a%20b", "a%20b"), "/a b", "/shop"},
		"rest, mapped, a slash behind":  {rest("/shop/x/", "/shop/x/", "x"), "/x/", "/shop"},
		"rest, mapped, the root":        {rest("/shop", "/shop", ""), "/", "/shop"},
		"rest, mapped, an id like it":   {rest("/shop/shop", "/shop/shop", "shop"), "/shop", "/shop"},
	} {
		r, _, err := lambda.ReadRequest([]byte(jsonText(t, c.event)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if r.Path != c.path || r.Base != c.base || r.Method != "GET" {
			t.Errorf("%s: %s %q below %q; want %q below %q", name, r.Method, r.Path, r.Base, c.path, c.base)
		}
	}
}

func TestQueries(t *testing.T) {
	want := url.Values{"id": {odd, "b"}, "=&": {""}}
	rest := object{"path": "/", "resource": "/", "httpMethod": "GET", "multiValueQueryStringParameters": want, "queryStringParameters": object{"id": "b", "=&": ""}}
	http := object{"version": "2.0", "rawPath": "/", "rawQueryString": want.Encode(), "queryStringParameters": object{"id": "b"}, "requestContext": object{"http": object{"method": "GET"}}}
	for name, event := range map[string]object{"rest": rest, "http": http} {
		r, _, err := lambda.ReadRequest([]byte(jsonText(t, event)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := url.ParseQuery(r.RawQuery)
		if err != nil || jsonText(t, got) != jsonText(t, want) {
			t.Errorf("%s: %s, %v", name, r.RawQuery, err)
		}
	}
}

func TestHeadersAndBodies(t *testing.T) {
	body := "{\"a\":\"é\\n\U0001F600\"}"
	http := object{
		"version": "2.0", "rawPath": "/", "requestContext": object{"http": object{"method": "POST"}, "requestId": "r-1"}, "body": body,
		"headers": object{"content-type": "application/json", "if-none-match": `"a", "b"`},
	}
	rest := object{
		"path": "/", "resource": "/", "httpMethod": "POST", "body": base64.StdEncoding.EncodeToString([]byte(body)), "isBase64Encoded": true,
		"headers":           object{"Content-Type": "application/json", "If-None-Match": `"b"`},
		"multiValueHeaders": object{"Content-Type": []string{"application/json"}, "If-None-Match": []string{`"a"`, `"b"`}},
		"requestContext":    object{"requestId": "r-1"},
	}
	single := object{"path": "/", "resource": "/", "httpMethod": "POST", "body": body, "headers": object{"CONTENT-TYPE": "application/json", "if-none-match": `"a", "b"`}, "multiValueHeaders": nil, "requestContext": object{"requestId": "r-1"}}
	for name, event := range map[string]object{"http": http, "rest": rest, "no lines": single} {
		r, f, err := lambda.ReadRequest([]byte(jsonText(t, event)))
		if err != nil {
			t.Fatal(err)
		}
		if (f == lambda.Payload2) != (name == "http") || r.ID != "r-1" || string(r.Body) != body || r.Method != "POST" {
			t.Errorf("%s: format %d, request %q, body %q", name, f, r.ID, r.Body)
		}
		if got := r.Header("content-TYPE"); got != "application/json" {
			t.Errorf("%s: content type %q", name, got)
		}
		if got := r.Header("If-None-Match"); got != `"a", "b"` {
			t.Errorf("%s: lines of one name: %q", name, got)
		}
		if got := r.Header("If-Match"); got != "" {
			t.Errorf("%s: a header from nowhere: %q", name, got)
		}
	}
}

func TestActors(t *testing.T) {
	for want, context := range map[string]string{
		"arn:aws:iam::1:user/ann": `"authorizer":{"iam":{"accessKey":"x","userArn":"arn:aws:iam::1:user/ann","cognitoIdentity":null}}`,
		"sub-1":                   `"authorizer":{"jwt":{"claims":{"iss":"x","sub":"sub-1","scope":["a"]},"scopes":null}}`,
		"ann of ours":             `"authorizer":{"lambda":{"actor":"ann of ours","other":1}}`,
		"arn:aws:iam::1:role/r":   `"identity":{"sourceIp":"x","userArn":"arn:aws:iam::1:role/r","user":null}`,
		"ann of rest":             `"authorizer":{"principalId":"p","actor":"ann of rest","integrationLatency":3}`,
		"p":                       `"authorizer":{"principalId":"p"}`,
		"sub-2":                   `"authorizer":{"claims":{"sub":"sub-2"}}`,
		"":                        `"authorizer":{"principalId":"unnamed","actor":""},"identity":{"userArn":null}`,
	} {
		event := `{"path":"/","httpMethod":"GET","resource":"/","requestContext":{` + context + `}}`
		r, _, err := lambda.ReadRequest([]byte(event))
		if err != nil || r.Actor != want {
			t.Errorf("%s: %v, actor %q, want %q", context, err, r.Actor, want)
		}
	}
	if r, _, err := lambda.ReadRequest([]byte(`{"path":"/","httpMethod":"GET","resource":"/","requestContext":{"authorizer":null,"identity":{"userArn":7}}}`)); err != nil || r.Actor != "" {
		t.Errorf("nobody: %q, %v", r.Actor, err)
	}
}

func TestWhatIsNoRequest(t *testing.T) {
	for _, event := range []string{
		``, `null`, `[]`, `{}`, `"secret"`, `{"path":"/secret"}`, `{"httpMethod":"GET"}`, `{"path":"/","httpMethod":"GET","headers":{"a":"secret`,
		`{"path":"/","httpMethod":"GET","resource":"/","body":"secret!","isBase64Encoded":true}`, `{"path":"/","httpMethod":"GET","resource":"/"} secret`,
	} {
		r, _, err := lambda.ReadRequest([]byte(event))
		if err == nil {
			t.Errorf("%s: %+v", event, r)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error quotes it: %v", event, err)
		}
	}
}

func FuzzReadRequest(f *testing.F) {
	f.Add(`{"version":"2.0","rawPath":"/p/x","rawQueryString":"a","headers":{"a":"b"},"body":"{}","requestContext":{"stage":"p","http":{"method":"GET"},"authorizer":{"lambda":{"actor":"x"}}}}`)
	f.Add(`{"resource":"/{proxy+}","path":"/b/a%20","httpMethod":"GET","multiValueHeaders":{"a":["b"]},"multiValueQueryStringParameters":{"a":["b"]},"pathParameters":{"proxy":"a "},"requestContext":{"path":"/b/a%20"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		r, format, err := lambda.ReadRequest([]byte(text))
		if err != nil {
			return
		}
		if r.Path == "" || r.Method == "" || format != lambda.Payload1 && format != lambda.Payload2 {
			t.Errorf("%s: %+v", text, r)
		}
		_ = r.Header("a")
		if json.Valid([]byte(text)) && format == lambda.Payload1 {
			if _, err := url.ParseQuery(r.RawQuery); err != nil {
				t.Errorf("%s: query %q", text, r.RawQuery)
			}
		}
	})
}

package lambda_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/lambda"
)

func TestAuthorizer(t *testing.T) {
	n := newNotes(t)
	var asked *es.Request
	h := lambda.AuthorizerHandler(func(_ context.Context, r *es.Request) (string, bool, error) {
		asked = r
		switch r.Header("authorization") {
		case "Bearer ann":
			return `ann "of" ours`, true, nil
		case "Bearer nobody":
			return "", true, nil
		case "Bearer error":
			return "ann", true, errors.New("the database is away")
		case "Bearer panic":
			panic("secret")
		}
		return "not ann", false, nil
	}, n.options())
	const arn = "arn:aws:execute-api:eu-central-1:1:abc/prod/GET/a/b"
	http := func(token string) string {
		return jsonText(t, object{"version": "2.0", "type": "REQUEST", "routeArn": arn, "rawPath": "/prod/a b", "rawQueryString": "x=1", "headers": object{"authorization": token},
			"requestContext": object{"stage": "prod", "http": object{"method": "GET"}, "requestId": "r-1"}})
	}
	rest := func(token string) string {
		return jsonText(t, object{"type": "REQUEST", "methodArn": arn, "resource": "/{proxy+}", "path": "/a%20b", "httpMethod": "GET", "headers": object{"Authorization": token},
			"multiValueQueryStringParameters": object{"x": []string{"1"}}, "pathParameters": object{"proxy": "a b"},
			"requestContext": object{"path": "/prod/a%20b", "requestId": "r-1", "identity": object{"userArn": "arn:x"}}})
	}
	token := func(token string) string {
		return jsonText(t, object{"type": "TOKEN", "methodArn": arn, "authorizationToken": token})
	}
	policy := func(effect, principal, actor string) string {
		return `{"principalId":` + jsonText(t, principal) + `,"policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"` +
			effect + `","Resource":"arn:aws:execute-api:eu-central-1:1:abc/prod/*"}]},"context":{"actor":` + jsonText(t, actor) + `}}`
	}
	for _, c := range []struct{ event, want string }{
		{http("Bearer ann"), `{"isAuthorized":true,"context":{"actor":"ann \"of\" ours"}}`},
		{http("Bearer eve"), `{"isAuthorized":false,"context":{"actor":""}}`},
		{http("Bearer nobody"), `{"isAuthorized":true,"context":{"actor":""}}`},
		{rest("Bearer ann"), policy("Allow", `ann "of" ours`, `ann "of" ours`)},
		{rest("Bearer eve"), policy("Deny", "unnamed", "")},
		{rest("Bearer nobody"), policy("Allow", "unnamed", "")},
		{token("Bearer ann"), policy("Allow", `ann "of" ours`, `ann "of" ours`)},
		{token(""), policy("Deny", "unnamed", "")},
	} {
		asked = nil
		if got := invoke(t, h, c.event); got != c.want {
			t.Errorf("%s: %s\nwant %s", c.event, got, c.want)
		}
		if asked == nil || asked.Method != "GET" || asked.Actor != "" || len(asked.Body) > 0 {
			t.Errorf("%s: asked %+v", c.event, asked)
		} else if want := map[bool]string{true: "/a/b", false: "/a b"}[strings.Contains(c.event, "TOKEN")]; asked.Path != want {
			t.Errorf("%s: asked for %q", c.event, asked.Path)
		}
	}
	n.quiet()
	for event, says := range map[string]string{http("Bearer error"): "the database is away", rest("Bearer error"): "the database is away", http("Bearer panic"): "panic"} {
		answer, err := h.Invoke(t.Context(), []byte(event))
		if err == nil || answer != nil {
			t.Errorf("%s: %s", event, answer)
		}
		if log := n.log.String(); !strings.Contains(log, says) || strings.Contains(log, "Bearer") || strings.Contains(log, `"secret"`) {
			t.Errorf("logged %s", log)
		}
		n.log.Reset()
	}
	for _, event := range []string{`{}`, ``, `{"type":"REQUEST"}`, `{"type":"TOKEN","methodArn":"x"}`, `{"type":"REQUEST","path":"/","resource":"/","httpMethod":"GET"}`} {
		if answer, err := h.Invoke(t.Context(), []byte(event)); err == nil {
			t.Errorf("%s: %s", event, answer)
		}
	}
}

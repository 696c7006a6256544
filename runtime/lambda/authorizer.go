package lambda

import (
	"context"
	"errors"
	"strings"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/scan"
)

// AuthorizeFunc decides whether a caller may send a request, which has no body. The actor is who
// the caller is: it is stored with events. An error is answered as 500 and lets nobody in.
type AuthorizeFunc func(ctx context.Context, request *es.Request) (actor string, allowed bool, err error)

// Authorizer runs the function that a gateway asks about each request.
func Authorizer(authorize AuthorizeFunc) {
	run(func(p *program) (Handler, error) { return AuthorizerHandler(authorize, p.Options), nil })
}

// AuthorizerHandler answers an HTTP API that takes simple responses, in payload format 2.0, and
// everything else with a policy: a REST API that asks about requests or tokens. The policy is for
// the stage, so that a gateway may keep it for other requests of the same caller.
func AuthorizerHandler(authorize AuthorizeFunc, o Options) Handler {
	o.defaults()
	return o.guarded(func(ctx context.Context, event []byte) ([]byte, error) {
		r, arn, err := readAuthorization(event)
		if err != nil {
			return nil, err
		}
		actor, allowed, err := authorize(ctx, r)
		if err != nil {
			o.Logger.ErrorContext(ctx, "authorizing failed", "requestId", r.ID, "error", err.Error())
			return nil, errAuthorizing
		}
		if !allowed {
			actor = ""
		}
		if arn == "" {
			return appendDecision(nil, actor, allowed), nil
		}
		return appendPolicy(nil, actor, allowed, arn), nil
	})
}

var (
	errAuthorizing = errors.New("lambda: authorizing failed; the function's log says why")
	errNoAuthorize = errors.New("lambda: what the function was invoked with is no question of an API Gateway's authorizer")
)

// readAuthorization reads what a gateway asks; arn is that of the method where it wants a policy.
func readAuthorization(event []byte) (r *es.Request, arn string, err error) {
	var token, kind string
	s := scan.Scanner{Text: string(event)}
	m := s.Members()
	for m.Next() {
		to := map[string]*string{"type": &kind, "authorizationToken": &token, "methodArn": &arn}[m.Name]
		ok := false
		if to != nil && s.Space() == '"' {
			*to, ok = s.String()
		} else {
			ok = s.Skip()
		}
		if !ok {
			return nil, "", errNoAuthorize
		}
	}
	if !m.Whole() || kind == "" {
		return nil, "", errNoAuthorize
	}
	if kind == "TOKEN" {
		return tokenRequest(token, arn)
	}
	r, format, err := ReadRequest(event)
	if err != nil || format == Payload1 && arn == "" {
		return nil, "", errNoAuthorize
	}
	r.Actor = ""
	return r, arn, nil
}

// tokenRequest is the request of an authorizer that is told the token and little else: the method's
// ARN ends in api/stage/METHOD/path.
func tokenRequest(token, arn string) (*es.Request, string, error) {
	parts := strings.SplitN(arn, "/", 4)
	if len(parts) < 3 {
		return nil, "", errNoAuthorize
	}
	path := "/"
	if len(parts) == 4 {
		path += parts[3]
	}
	return &es.Request{Method: parts[2], Path: path, Header: func(name string) string {
		if strings.EqualFold(name, "Authorization") {
			return token
		}
		return ""
	}}, arn, nil
}

func appendDecision(dst []byte, actor string, allowed bool) []byte {
	dst = append(dst, `{"isAuthorized":`...)
	if allowed {
		dst = append(dst, `true`...)
	} else {
		dst = append(dst, `false`...)
	}
	return append(appendActor(dst, actor), '}')
}

func appendActor(dst []byte, actor string) []byte {
	dst = append(dst, `,"context":{"actor":`...)
	return append(es.AppendString(dst, actor), '}')
}

// appendPolicy appends a policy for all methods and paths of the stage.
func appendPolicy(dst []byte, actor string, allowed bool, arn string) []byte {
	effect := "Deny"
	if allowed {
		effect = "Allow"
	}
	stage := arn
	if parts := strings.SplitN(arn, "/", 3); len(parts) == 3 {
		stage = parts[0] + "/" + parts[1] + "/*"
	}
	principal := actor
	if principal == "" {
		principal = "unnamed" // it must not be empty; the actor is what counts
	}
	dst = append(dst, `{"principalId":`...)
	dst = es.AppendString(dst, principal)
	dst = append(dst, `,"policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"`...)
	dst = append(dst, effect...)
	dst = append(dst, `","Resource":`...)
	dst = es.AppendString(dst, stage)
	dst = append(dst, `}]}`...)
	return append(appendActor(dst, actor), '}')
}

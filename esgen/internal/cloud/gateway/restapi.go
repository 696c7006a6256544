package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/esgen/esgen/esgen/internal/cloud/iam"
)

// restTimeout is how long a REST API waits for a function at most.
const restTimeout = 29 * time.Second

// RESTAPI is a REST API with one deployed stage.
type RESTAPI struct {
	ID, Stage, DeploymentID string
	StageVariables          map[string]string
	Throttle                Throttle
	BinaryMediaTypes        []string
	Methods                 []Method
	Responses               []GatewayResponse
}

// Method is one method of a resource. It has a function or a mock.
type Method struct {
	Path, ResourceID string // "/{proxy+}"
	HTTPMethod       string // "ANY" is every
	Function         string // ARN
	Mock             *Mock
	Timeout          time.Duration
	Authorization    Authorization
}

// Mock is an integration that answers by itself, as CDK makes it for preflight requests.
type Mock struct {
	Status  int
	Headers map[string]string
	// Origins are, beside the one in Headers, those that are answered with themselves in
	// Access-Control-Allow-Origin.
	Origins []string
}

type restAPI struct {
	RESTAPI
	Options
	methods []restMethod
	bucket  *bucket
}

type restMethod struct {
	Method
	pattern pattern
}

// NewREST serves a REST API, under a path that begins with its stage.
func NewREST(o Options, api RESTAPI) (http.Handler, error) {
	a := &restAPI{RESTAPI: api, Options: o, bucket: newBucket(api.Throttle)}
	for _, m := range api.Methods {
		if m.Timeout <= 0 || m.Timeout > restTimeout {
			m.Timeout = restTimeout
		}
		p, err := parsePattern(m.HTTPMethod, m.Path)
		if err != nil {
			return nil, err
		}
		switch m.Authorization.Kind {
		case "", None, IAM:
		case Custom:
			if _, err := m.Authorization.Authorizer.ready(true); err != nil {
				return nil, fmt.Errorf("%s %s: %w", m.HTTPMethod, m.Path, err)
			}
		default:
			return nil, fmt.Errorf("%s %s: REST APIs have no authorization of kind %s", m.HTTPMethod, m.Path, m.Authorization.Kind)
		}
		a.methods = append(a.methods, restMethod{m, p})
	}
	slices.SortStableFunc(a.methods, func(x, y restMethod) int { return x.pattern.before(y.pattern) })
	return a, nil
}

// ServeHTTP answers a request.
func (a *restAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req, err := a.receive(w, r)
	w.Header().Set("X-Amzn-Requestid", req.id)
	w.Header().Set("X-Amz-Apigw-Id", req.id[:8]+"=")
	path, staged := a.stagePath(r.URL)
	switch {
	case !isHere(r.Host) || !staged:
		a.refuse(w, req, responseOf("ACCESS_DENIED", "Forbidden"))
		return
	case errors.Is(err, errTooLarge):
		a.refuse(w, req, responseOf("REQUEST_TOO_LARGE", fmt.Sprintf("Request size exceeded %d bytes", maxBody)))
		return
	case err != nil:
		return // the client is gone
	}
	m, parameters := a.method(r.Method, path)
	if m == nil {
		a.refuse(w, req, responseOf("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token"))
		return
	}
	if !a.bucket.take(req.at) {
		a.refuse(w, req, responseOf("THROTTLED", "Too Many Requests"))
		return
	}
	event := a.event(req, path, m, parameters)
	if refused := a.authorize(req, m, event, path); refused != nil {
		a.refuse(w, req, refused)
		return
	}
	if m.Mock != nil {
		m.Mock.serve(w, r)
		return
	}
	a.integrate(w, req, m, event)
}

// stagePath takes the stage off a path, which stays as the client has encoded it.
func (a *restAPI) stagePath(u *url.URL) (string, bool) {
	rest, ok := strings.CutPrefix(u.EscapedPath(), "/"+a.Stage)
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	return "/" + strings.TrimPrefix(rest, "/"), true
}

func (a *restAPI) method(method, path string) (*restMethod, map[string]string) {
	segments := segmentsOf(path)
	for i := range a.methods {
		p := a.methods[i].pattern
		if p.method != method && p.method != anyMethod {
			continue
		}
		if parameters, ok := p.match(segments); ok {
			return &a.methods[i], parameters
		}
	}
	return nil, nil
}

func (a *restAPI) integrate(w http.ResponseWriter, r *request, m *restMethod, event *event1) {
	event.withBody(r, a.BinaryMediaTypes)
	source := a.arn(a.ID, a.Stage+"/"+m.HTTPMethod+m.Path)
	if m.HTTPMethod == anyMethod {
		source = a.arn(a.ID, a.Stage+"/"+r.Method+m.Path)
	}
	payload, err := a.invoke(r.Context(), m.Function, source, event, m.Timeout)
	switch {
	case r.Context().Err() != nil:
		return
	case errors.Is(err, errTimeout):
		a.refuse(w, r, responseOf("INTEGRATION_TIMEOUT", "Endpoint request timed out"))
		return
	case errors.Is(err, errFailed):
		a.refuse(w, r, &response{kind: "DEFAULT_5XX", status: http.StatusBadGateway, text: internal})
		return
	case err != nil:
		a.refuse(w, r, responseOf("API_CONFIGURATION_ERROR", internal))
		return
	}
	answer, err := answer1(payload, len(a.BinaryMediaTypes) > 0)
	if err != nil {
		a.refuse(w, r, &response{kind: "DEFAULT_5XX", status: http.StatusBadGateway, text: internal})
		return
	}
	answer.write(w)
}

// serve answers a preflight request.
func (m *Mock) serve(w http.ResponseWriter, r *http.Request) {
	for name, value := range m.Headers {
		w.Header().Set(name, value)
	}
	if origin := r.Header.Get("Origin"); slices.Contains(m.Origins, origin) {
		w.Header().Set("Access-Control-Allow-Origin", origin)
	}
	w.WriteHeader(m.Status)
}

// authorize decides whether a request goes on, and tells the event of the caller.
func (a *restAPI) authorize(r *request, m *restMethod, event *event1, path string) *response {
	arn := a.arn(a.ID, a.Stage+"/"+r.Method+path)
	switch m.Authorization.Kind {
	case IAM:
		return a.checkSignature(r, event, arn)
	case Custom:
		return a.askFunction(r, m.Authorization.Authorizer, event, arn)
	}
	return nil
}

func (a *restAPI) checkSignature(r *request, event *event1, arn string) *response {
	id, err := a.Identities.Verify(r.Request, r.body, "execute-api", a.Region, a.now())
	switch {
	case errors.Is(err, iam.ErrUnsigned):
		return responseOf("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
	case errors.Is(err, iam.ErrUnknownKey):
		return responseOf("ACCESS_DENIED", "The security token included in the request is invalid.")
	case errors.Is(err, iam.ErrOutdated):
		return responseOf("INVALID_SIGNATURE", "Signature expired: "+r.Header.Get("X-Amz-Date")+" is not within 5 min. of "+a.now().UTC().Format("20060102T150405Z"))
	case errors.Is(err, iam.ErrNotSignature):
		return responseOf("INVALID_SIGNATURE", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	case err != nil:
		return responseOf("INVALID_SIGNATURE", "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter.")
	case !id.Policy.Allows("execute-api:Invoke", arn):
		return responseOf("ACCESS_DENIED", "User: "+id.ARN+" is not authorized to perform: execute-api:Invoke on resource: "+arn)
	}
	caller := callerID(id)
	in := &event.Context.Identity
	in.AccountID, in.Caller, in.AccessKey, in.UserARN, in.User = &a.Account, &caller, &id.AccessKeyID, &id.ARN, &caller
	return nil
}

// askFunction has an authorizer's function decide, with a policy.
func (a *restAPI) askFunction(r *request, au *Authorizer, event *event1, arn string) *response {
	values, ok := au.identity(r, true)
	if !ok {
		return responseOf("UNAUTHORIZED", "Unauthorized")
	}
	kept, found := au.cache.find(values, a.now())
	if !found {
		var refused *response
		if kept, refused = a.policyOf(r.Context(), au, event, arn); refused != nil {
			return refused
		}
		au.cache.keep(values, kept, au.TTL, a.now())
	}
	if !kept.policy.Allows("execute-api:Invoke", arn) {
		text := "User is not authorized to access this resource"
		if slices.ContainsFunc(kept.policy, func(s iam.Statement) bool { return s.Deny }) {
			text += " with an explicit deny in an identity-based policy"
		}
		return responseOf("ACCESS_DENIED", text)
	}
	context := map[string]any{"principalId": kept.principal, "integrationLatency": 0}
	for name, v := range kept.context {
		context[name] = v
	}
	event.Context.Authorizer = context
	return nil
}

// policyOf asks the authorizer's function.
func (a *restAPI) policyOf(ctx context.Context, au *Authorizer, event *event1, arn string) (verdict, *response) {
	ask := struct {
		*event1
		Body            *string `json:"body,omitempty"` // an authorizer never sees it
		IsBase64Encoded bool    `json:"isBase64Encoded,omitempty"`
	}{event1: event}
	event.Type, event.MethodARN = "REQUEST", arn
	payload, err := a.invoke(ctx, au.Function, a.arn(a.ID, "authorizers/"+au.ID), ask, restTimeout)
	event.Type, event.MethodARN = "", ""
	if errors.Is(err, errFailed) {
		var failure struct{ ErrorMessage string }
		if json.Unmarshal(payload, &failure) == nil && failure.ErrorMessage == "Unauthorized" {
			return verdict{}, responseOf("UNAUTHORIZED", "Unauthorized")
		}
	}
	if err != nil {
		return verdict{}, responseOf("AUTHORIZER_FAILURE", "")
	}
	kept, ok := policyResponse(payload)
	if !ok {
		return verdict{}, responseOf("AUTHORIZER_CONFIGURATION_ERROR", "")
	}
	return kept, nil
}

// policyResponse reads {"principalId": …, "policyDocument": …, "context": …}. What is in the
// context reaches the function as texts.
func policyResponse(payload []byte) (verdict, bool) {
	var answer struct {
		PrincipalID    string          `json:"principalId"`
		PolicyDocument json.RawMessage `json:"policyDocument"`
		Context        map[string]any  `json:"context"`
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	if d.Decode(&answer) != nil || answer.PrincipalID == "" {
		return verdict{}, false
	}
	policy, err := iam.Parse(answer.PolicyDocument)
	if err != nil {
		return verdict{}, false
	}
	kept := verdict{policy: policy, principal: answer.PrincipalID, context: map[string]any{}}
	for name, v := range answer.Context {
		text, ok := scalarText(v)
		if !ok {
			return verdict{}, false // no objects, no lists
		}
		kept.context[name] = text
	}
	return kept, true
}

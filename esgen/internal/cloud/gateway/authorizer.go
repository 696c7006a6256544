package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/esgen/esgen/esgen/internal/cloud/iam"
)

// Kinds of authorization.
const (
	None   = "NONE"
	IAM    = "AWS_IAM"
	Custom = "CUSTOM"
	JWT    = "JWT"
)

// Authorization says who may use a route.
type Authorization struct {
	Kind       string      // "" is None
	Authorizer *Authorizer // of Custom and JWT
	Scopes     []string    // of JWT: a token has one of them, if there are any
}

// Authorizer decides who may use routes.
type Authorizer struct {
	ID string
	// IdentitySources are where the caller's identity is: "$request.header.Authorization" or
	// "$request.querystring.token", in REST APIs "method.request…". Without them a request is
	// refused at once.
	IdentitySources []string

	Function string        // ARN, of Custom
	TTL      time.Duration // how long its answers are kept; 0 keeps none

	Issuer   string   // of JWT
	Audience []string // likewise

	cache *verdicts
}

// refusal is why a request goes no further.
type refusal struct {
	status int
	text   string
}

var (
	unauthorized = &refusal{http.StatusUnauthorized, "Unauthorized"}
	forbidden    = &refusal{http.StatusForbidden, "Forbidden"}
	broken       = &refusal{http.StatusInternalServerError, "Internal Server Error"}
)

// check decides whether a request goes on, and what its function is told of the caller. The ARN
// is the request's.
type check func(w http.ResponseWriter, r *request, event *event2, arn string) (map[string]any, *refusal)

// check makes the check of a route of an HTTP API.
func (a *httpAPI) check(auth Authorization) (check, error) {
	switch auth.Kind {
	case "", None:
		return func(http.ResponseWriter, *request, *event2, string) (map[string]any, *refusal) { return nil, nil }, nil
	case IAM:
		return a.checkSignature, nil
	case Custom:
		au, err := auth.Authorizer.ready(false)
		if err != nil {
			return nil, err
		}
		return func(_ http.ResponseWriter, r *request, event *event2, arn string) (map[string]any, *refusal) {
			return a.askFunction(au, r, event, arn)
		}, nil
	case JWT:
		au, err := auth.Authorizer.ready(false)
		if err != nil {
			return nil, err
		}
		keys := newKeys(a.Client, au.Issuer)
		return func(w http.ResponseWriter, r *request, _ *event2, _ string) (map[string]any, *refusal) {
			return a.checkToken(w, r, au, auth.Scopes, keys)
		}, nil
	}
	return nil, fmt.Errorf("no kind of authorization is called %s", auth.Kind)
}

// ready checks an authorizer's sources.
func (au *Authorizer) ready(rest bool) (*Authorizer, error) {
	if au == nil {
		return nil, errors.New("its authorizer is missing")
	}
	for _, source := range au.IdentitySources {
		if _, _, ok := parseSource(source, rest); !ok {
			return nil, fmt.Errorf("the identity source %s is not supported here", source)
		}
	}
	if au.cache == nil {
		au.cache = &verdicts{kept: map[string]verdict{}}
	}
	return au, nil
}

// parseSource takes an identity source apart.
func parseSource(source string, rest bool) (in, name string, ok bool) {
	prefix := "$request."
	if rest {
		prefix = "method.request."
	}
	after, ok := strings.CutPrefix(source, prefix)
	in, name, named := strings.Cut(after, ".")
	return in, name, ok && named && (in == "header" || in == "querystring")
}

// identity is the values of the identity sources; ok is false if one is missing.
func (au *Authorizer) identity(r *request, rest bool) (values []string, ok bool) {
	var query map[string][]string
	for _, source := range au.IdentitySources {
		in, name, _ := parseSource(source, rest)
		value := ""
		if in == "header" {
			value = strings.Join(r.Header.Values(name), ",")
		} else {
			if query == nil {
				query = queryPairs(r.URL.RawQuery)
			}
			value = strings.Join(query[name], ",")
		}
		if value == "" {
			return nil, false
		}
		values = append(values, value)
	}
	return values, true
}

func (a *httpAPI) checkSignature(_ http.ResponseWriter, r *request, _ *event2, arn string) (map[string]any, *refusal) {
	id, err := a.Identities.Verify(r.Request, r.body, "execute-api", a.Region, a.now())
	if err != nil || !id.Policy.Allows("execute-api:Invoke", arn) {
		return nil, forbidden
	}
	return map[string]any{"iam": map[string]any{
		"accessKey": id.AccessKeyID, "accountId": a.Account, "callerId": callerID(id), "cognitoIdentity": nil,
		"principalOrgId": nil, "userArn": id.ARN, "userId": callerID(id),
	}}, nil
}

// callerID is the unique id that IAM gives an identity.
func callerID(id iam.Identity) string { return "AIDA" + id.AccessKeyID }

// askFunction has an authorizer's function decide, with a simple response.
func (a *httpAPI) askFunction(au *Authorizer, r *request, event *event2, arn string) (map[string]any, *refusal) {
	values, ok := au.identity(r, false)
	if !ok {
		return nil, unauthorized
	}
	kept, found := au.cache.find(values, a.now())
	if !found {
		ask := *event
		ask.Type, ask.RouteARN, ask.IdentitySource = "REQUEST", arn, values
		payload, err := a.invoke(r.Context(), au.Function, a.arn(a.ID, "authorizers/"+au.ID), ask, httpTimeout)
		if err != nil {
			return nil, broken
		}
		kept, ok = simpleResponse(payload)
		if !ok {
			return nil, broken
		}
		au.cache.keep(values, kept, au.TTL, a.now())
	}
	if !kept.allowed {
		return nil, forbidden
	}
	return map[string]any{"lambda": kept.context}, nil
}

// simpleResponse reads {"isAuthorized": …, "context": {…}}.
func simpleResponse(payload []byte) (verdict, bool) {
	var answer struct {
		IsAuthorized *bool          `json:"isAuthorized"`
		Context      map[string]any `json:"context"`
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	if d.Decode(&answer) != nil || answer.IsAuthorized == nil {
		return verdict{}, false
	}
	return verdict{allowed: *answer.IsAuthorized, context: answer.Context}, true
}

// verdict is what an authorizer's function has decided.
type verdict struct {
	allowed   bool // simple
	policy    iam.Policy
	principal string
	context   map[string]any
	until     time.Time
}

// verdicts are kept by identity.
type verdicts struct {
	mu   sync.Mutex
	kept map[string]verdict
}

// maxVerdicts bounds the memory that callers can make an authorizer take.
const maxVerdicts = 10_000

func (v *verdicts) find(identity []string, now time.Time) (verdict, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	kept, ok := v.kept[strings.Join(identity, "\x00")]
	return kept, ok && now.Before(kept.until)
}

// keep remembers a verdict. Without an identity there is nothing to find it by.
func (v *verdicts) keep(identity []string, kept verdict, ttl time.Duration, now time.Time) {
	if ttl <= 0 || len(identity) == 0 {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.kept) >= maxVerdicts {
		clear(v.kept)
	}
	kept.until = now.Add(ttl)
	v.kept[strings.Join(identity, "\x00")] = kept
}

// checkToken checks a JWT.
func (a *httpAPI) checkToken(w http.ResponseWriter, r *request, au *Authorizer, scopes []string, keys *keys) (map[string]any, *refusal) {
	values, ok := au.identity(r, false)
	if !ok || len(values) == 0 {
		w.Header().Set("Www-Authenticate", "Bearer")
		return nil, unauthorized
	}
	text := values[0]
	if kind, token, ok := strings.Cut(text, " "); ok && strings.EqualFold(kind, "Bearer") {
		text = token
	}
	claims, err := keys.verify(r.Context(), text, a.now())
	if err == nil {
		err = checkClaims(claims, au, a.now())
	}
	if err != nil {
		w.Header().Set("Www-Authenticate", fmt.Sprintf("Bearer scope=%q error=\"invalid_token\" error_description=%q", strings.Join(scopes, " "), err.Error()))
		return nil, unauthorized
	}
	var held any // null without scopes on the route
	if len(scopes) > 0 {
		mine := scopesOf(claims)
		if !slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(mine, s) }) {
			w.Header().Set("Www-Authenticate", fmt.Sprintf("Bearer scope=%q error=\"insufficient_scope\"", strings.Join(scopes, " ")))
			return nil, forbidden
		}
		held = mine
	}
	return map[string]any{"jwt": map[string]any{"claims": claimTexts(claims), "scopes": held}}, nil
}

package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// httpTimeout is how long an HTTP API waits for a function at most.
const httpTimeout = 30 * time.Second

// HTTPAPI is an HTTP API with one stage.
type HTTPAPI struct {
	ID             string
	Stage          string // "$default" has no place in the path
	StageVariables map[string]string
	CORS           *CORS
	Throttle       Throttle
	Routes         []Route
}

// Route is one of an HTTP API.
type Route struct {
	Key           string // "POST /", "$default"
	Function      string // ARN
	Timeout       time.Duration
	Authorization Authorization
}

type httpAPI struct {
	HTTPAPI
	Options
	routes   []httpRoute // the first that fits is taken
	fallback *httpRoute
	bucket   *bucket
}

type httpRoute struct {
	Route
	pattern pattern
	check   check
}

// defaultRoute takes what no other route does.
const defaultRoute = "$default"

// NewHTTP serves an HTTP API.
func NewHTTP(o Options, api HTTPAPI) (http.Handler, error) {
	a := &httpAPI{HTTPAPI: api, Options: o, bucket: newBucket(api.Throttle)}
	for _, r := range api.Routes {
		if r.Timeout <= 0 || r.Timeout > httpTimeout {
			r.Timeout = httpTimeout
		}
		hr := httpRoute{Route: r}
		var err error
		if hr.check, err = a.check(r.Authorization); err != nil {
			return nil, fmt.Errorf("route %s: %w", r.Key, err)
		}
		if r.Key == defaultRoute {
			a.fallback = &hr
			continue
		}
		method, path, _ := strings.Cut(r.Key, " ")
		if hr.pattern, err = parsePattern(method, path); err != nil {
			return nil, err
		}
		a.routes = append(a.routes, hr)
	}
	slices.SortStableFunc(a.routes, func(x, y httpRoute) int { return x.pattern.before(y.pattern) })
	return a, nil
}

// ServeHTTP answers a request.
func (a *httpAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req, err := a.receive(w, r)
	w.Header().Set("Apigw-Requestid", req.id)
	switch {
	case !isHere(r.Host):
		a.refuse(w, req, http.StatusForbidden, "Forbidden")
		return
	case errors.Is(err, errTooLarge):
		a.refuse(w, req, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		return
	case err != nil:
		return // the client is gone
	}
	path, ok := a.stagePath(decodedPath(r))
	if !ok {
		a.refuse(w, req, http.StatusNotFound, "Not Found")
		return
	}
	route, parameters := a.route(r.Method, path)
	if route == nil {
		if a.CORS != nil && isPreflight(r) {
			a.CORS.preflight(w, r)
			return
		}
		a.refuse(w, req, http.StatusNotFound, "Not Found")
		return
	}
	a.serve(w, req, route, parameters)
}

// stagePath takes the stage off a path.
func (a *httpAPI) stagePath(path string) (string, bool) {
	if a.Stage == defaultRoute {
		return path, true
	}
	rest, ok := strings.CutPrefix(path, "/"+a.Stage)
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	return "/" + strings.TrimPrefix(rest, "/"), true
}

func (a *httpAPI) route(method, path string) (*httpRoute, map[string]string) {
	segments := segmentsOf(path)
	for i := range a.routes {
		p := a.routes[i].pattern
		if p.method != method && p.method != anyMethod {
			continue
		}
		if parameters, ok := p.match(segments); ok {
			return &a.routes[i], parameters
		}
	}
	return a.fallback, nil
}

func (a *httpAPI) serve(w http.ResponseWriter, r *request, route *httpRoute, parameters map[string]string) {
	if !a.bucket.take(r.at) {
		a.refuse(w, r, http.StatusTooManyRequests, "Too Many Requests")
		return
	}
	event := a.event(r, decodedPath(r.Request), route.Key, parameters)
	authorizer, refusal := route.check(w, r, event, a.source(r, route, true))
	if refusal != nil {
		a.refuse(w, r, refusal.status, refusal.text)
		return
	}
	// A preflight request is the gateway's own to answer, but the route that it meets decides
	// first who may ask.
	if a.CORS != nil && isPreflight(r.Request) {
		a.CORS.preflight(w, r.Request)
		return
	}
	event.Context.Authorizer = authorizer
	event.withBody(r)
	payload, err := a.invoke(r.Context(), route.Function, a.source(r, route, false), event, route.Timeout)
	if err != nil {
		if r.Context().Err() != nil {
			return
		}
		status, text := http.StatusInternalServerError, "Internal Server Error"
		if errors.Is(err, errTimeout) {
			status, text = http.StatusServiceUnavailable, "Service Unavailable"
		}
		a.refuse(w, r, status, text)
		return
	}
	answer, err := answer2(payload)
	if err != nil {
		a.refuse(w, r, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	if a.CORS != nil {
		a.CORS.decorate(r.Request, answer.header)
	}
	answer.write(w)
}

// source is the ARN of a route: of the request itself for policies that say who may call, of the
// route as declared for the function's policy.
func (a *httpAPI) source(r *request, route *httpRoute, request bool) string {
	switch {
	case request:
		return a.arn(a.ID, a.Stage+"/"+r.Method+decodedPath(r.Request))
	case route.Key == defaultRoute:
		return a.arn(a.ID, a.Stage+"/"+defaultRoute)
	}
	return a.arn(a.ID, a.Stage+"/"+r.Method+route.pattern.path)
}

// refuse answers by itself.
func (a *httpAPI) refuse(w http.ResponseWriter, r *request, status int, text string) {
	if a.CORS != nil {
		a.CORS.decorate(r.Request, w.Header())
	}
	w.Header().Set("Content-Type", "application/json")
	(&answer{status: status, body: message(text)}).write(w)
}

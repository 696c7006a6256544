package up

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/esgen/esgen/esgen/internal/assembly"
	"github.com/esgen/esgen/esgen/internal/cloud/gateway"
)

// api is an API that is being put together of its resources.
type api struct {
	id     string
	server *server
	staged bool

	http         *gateway.HTTPAPI
	integrations map[string]integration

	rest  *gateway.RESTAPI
	paths map[string]string // of resources, by id

	authorizers map[string]*gateway.Authorizer
}

// newAPI takes an address; the first API has the port that was asked for.
func (s *Stand) newAPI() (*api, error) {
	port := 0
	if len(s.apis) == 0 {
		port = s.options.Port
	}
	srv, err := s.listen(port)
	if err != nil {
		return nil, err
	}
	a := &api{id: strings.ToLower(randomID())[:10], server: srv, integrations: map[string]integration{}, paths: map[string]string{}, authorizers: map[string]*gateway.Authorizer{}}
	s.apis[a.id] = a
	return a, nil
}

func (s *Stand) api(id string) (*api, error) {
	if a := s.apis[id]; a != nil {
		return a, nil
	}
	return nil, fmt.Errorf("no API here is %s", id)
}

// prefix is what paths begin with.
func (a *api) prefix() string {
	if a.rest != nil {
		return "/" + a.rest.Stage
	}
	if a.http.Stage != "$default" {
		return "/" + a.http.Stage
	}
	return ""
}

// serve begins to answer.
func (a *api) serve(s *Stand) error {
	if !a.staged {
		return fmt.Errorf("the API %s has no stage", a.id)
	}
	o := gateway.Options{Region: s.Region, Account: s.Account, Functions: s.host, Permissions: s.permissions, Identities: s.identities, Client: s.options.Client}
	var h http.Handler
	var err error
	if a.rest != nil {
		h, err = gateway.NewREST(o, *a.rest)
	} else {
		h, err = gateway.NewHTTP(o, *a.http)
	}
	if err != nil {
		return err
	}
	a.server.handle(h)
	return nil
}

// functionIn is the ARN of the function in the URI of an integration or an authorizer:
// "arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations".
func functionIn(uri string) (string, bool) {
	_, rest, ok := strings.Cut(uri, ":lambda:path/2015-03-31/functions/")
	if !ok {
		return uri, strings.Contains(uri, ":lambda:") && strings.Contains(uri, ":function:")
	}
	return strings.CutSuffix(rest, "/invocations")
}

// throttle takes the two bounds.
func throttle(p *assembly.Reader) gateway.Throttle {
	return gateway.Throttle{Rate: p.Float("ThrottlingRateLimit", 0), Burst: p.Int("ThrottlingBurstLimit", 0)}
}

// textsOf takes an object of texts, nil when it is empty.
func textsOf(p *assembly.Reader, name string) map[string]string {
	if texts := p.Texts(name); len(texts) > 0 {
		return texts
	}
	return nil
}

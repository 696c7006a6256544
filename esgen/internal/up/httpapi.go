package up

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/esgen/esgen/esgen/internal/assembly"
	"github.com/esgen/esgen/esgen/internal/cloud/gateway"
)

// integration is the function behind routes.
type integration struct {
	function string
	timeout  time.Duration
}

func makeHTTPAPI(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	p.Choice("ProtocolType", "HTTP")
	config := gateway.HTTPAPI{}
	if p.Has("CorsConfiguration") {
		c := p.Object("CorsConfiguration")
		config.CORS = &gateway.CORS{
			Origins: c.Strings("AllowOrigins"), Methods: c.Strings("AllowMethods"), Headers: c.Strings("AllowHeaders"), Expose: c.Strings("ExposeHeaders"),
			MaxAge: c.Int("MaxAge", 0), Credentials: c.Bool("AllowCredentials", false),
		}
	}
	p.Ignore("Description", "IpAddressType", "Name", "Tags")
	return func(context.Context) error {
		a, err := s.newAPI()
		if err != nil {
			return err
		}
		config.ID = a.id
		a.http = &config
		r.Created(a.id, map[string]any{"ApiId": a.id, "ApiEndpoint": a.server.url})
		return nil
	}
}

func makeHTTPIntegration(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	id, uri := p.Needed("ApiId"), p.Needed("IntegrationUri")
	p.Choice("IntegrationType", "AWS_PROXY")
	p.Choice("PayloadFormatVersion", "2.0")
	timeout := time.Duration(p.Int("TimeoutInMillis", 0)) * time.Millisecond
	p.Ignore("Description", "IntegrationMethod")
	return func(context.Context) error {
		a, err := s.api(id)
		if err != nil {
			return err
		}
		function, ok := functionIn(uri)
		if !ok {
			return fmt.Errorf("the integration's URI names no function: %s", uri)
		}
		made := strings.ToLower(randomID())
		a.integrations[made] = integration{function, timeout}
		r.Created(made, map[string]any{"IntegrationId": made})
		return nil
	}
}

func makeHTTPAuthorizer(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	id := p.Needed("ApiId")
	au := &gateway.Authorizer{IdentitySources: p.Strings("IdentitySource")}
	p.Ignore("Name")
	uri := ""
	if p.Choice("AuthorizerType", "REQUEST", "JWT") == "JWT" {
		jwt := p.Object("JwtConfiguration")
		au.Issuer, au.Audience = jwt.Needed("Issuer"), jwt.Strings("Audience")
	} else {
		uri = p.Needed("AuthorizerUri")
		p.Choice("AuthorizerPayloadFormatVersion", "2.0")
		if !p.Bool("EnableSimpleResponses", false) {
			p.Refuse("EnableSimpleResponses", "only simple responses are understood here")
		}
		au.TTL = seconds(p.Int("AuthorizerResultTtlInSeconds", 0))
	}
	return func(context.Context) error {
		a, err := s.api(id)
		if err != nil {
			return err
		}
		if uri != "" {
			var ok bool
			if au.Function, ok = functionIn(uri); !ok {
				return fmt.Errorf("the authorizer's URI names no function: %s", uri)
			}
		}
		au.ID = strings.ToLower(randomID())[:6]
		a.authorizers[au.ID] = au
		r.Created(au.ID, map[string]any{"AuthorizerId": au.ID})
		return nil
	}
}

func makeHTTPRoute(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	id, target, authorizer := p.Needed("ApiId"), p.Needed("Target"), p.String("AuthorizerId")
	route := gateway.Route{Key: p.Needed("RouteKey"), Authorization: gateway.Authorization{
		Kind: p.Choice("AuthorizationType", gateway.None, gateway.IAM, gateway.Custom, gateway.JWT), Scopes: p.Strings("AuthorizationScopes")}}
	if p.Bool("ApiKeyRequired", false) {
		p.Refuse("ApiKeyRequired", "API keys are not supported here")
	}
	p.Ignore("OperationName")
	return func(context.Context) error {
		a, err := s.api(id)
		if err != nil {
			return err
		}
		to, ok := a.integrations[strings.TrimPrefix(target, "integrations/")]
		if !ok {
			return fmt.Errorf("the API has no %s", target)
		}
		route.Function, route.Timeout = to.function, to.timeout
		if authorizer != "" {
			if route.Authorization.Authorizer = a.authorizers[authorizer]; route.Authorization.Authorizer == nil {
				return fmt.Errorf("the API has no authorizer %s", authorizer)
			}
		}
		a.http.Routes = append(a.http.Routes, route)
		r.Created(strings.ToLower(randomID())[:7], nil)
		return nil
	}
}

func makeHTTPStage(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	id, name, variables := p.Needed("ApiId"), p.Needed("StageName"), textsOf(p, "StageVariables")
	settings := p.Object("DefaultRouteSettings")
	limit := throttle(settings)
	settings.Ignore("DetailedMetricsEnabled")
	if !p.Bool("AutoDeploy", false) {
		p.Refuse("AutoDeploy", "only stages that are deployed by themselves are supported here")
	}
	p.Ignore("AccessLogSettings", "Description", "Tags")
	return func(context.Context) error {
		a, err := s.api(id)
		if err != nil {
			return err
		}
		if a.staged {
			return fmt.Errorf("a second stage of an API: here it has one")
		}
		a.http.Stage, a.http.StageVariables, a.http.Throttle, a.staged = name, variables, limit, true
		r.Created(name, nil)
		return nil
	}
}

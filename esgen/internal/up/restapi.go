package up

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/esgen/esgen/esgen/internal/assembly"
	"github.com/esgen/esgen/esgen/internal/cloud/gateway"
)

func makeRESTAPI(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	config := gateway.RESTAPI{BinaryMediaTypes: p.Strings("BinaryMediaTypes")}
	p.Ignore("Description", "EndpointConfiguration", "Name", "Tags")
	return func(context.Context) error {
		a, err := s.newAPI()
		if err != nil {
			return err
		}
		config.ID = a.id
		a.rest = &config
		root := strings.ToLower(randomID())[:10]
		a.paths[root] = "/"
		r.Created(a.id, map[string]any{"RestApiId": a.id, "RootResourceId": root})
		return nil
	}
}

func makeRESTResource(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	id, parent, part := p.Needed("RestApiId"), p.Needed("ParentId"), p.Needed("PathPart")
	return func(context.Context) error {
		a, err := s.api(id)
		if err != nil {
			return err
		}
		above, ok := a.paths[parent]
		if !ok {
			return fmt.Errorf("the API has no resource %s", parent)
		}
		made := strings.ToLower(randomID())[:6]
		a.paths[made] = strings.TrimSuffix(above, "/") + "/" + part
		r.Created(made, map[string]any{"ResourceId": made})
		return nil
	}
}

func makeRESTMethod(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	id, authorizer := p.Needed("RestApiId"), p.String("AuthorizerId")
	m := gateway.Method{
		ResourceID: p.Needed("ResourceId"), HTTPMethod: p.Needed("HttpMethod"),
		Authorization: gateway.Authorization{Kind: p.Choice("AuthorizationType", gateway.None, gateway.IAM, gateway.Custom)},
	}
	if p.Bool("ApiKeyRequired", false) {
		p.Refuse("ApiKeyRequired", "API keys are not supported here")
	}
	p.Ignore("MethodResponses", "OperationName")
	in := p.Object("Integration")
	uri := ""
	if in.Choice("Type", "AWS_PROXY", "MOCK") == "MOCK" {
		m.Mock = mock(in)
	} else {
		uri = in.Needed("Uri")
		in.Choice("IntegrationHttpMethod", "POST")
		m.Timeout = time.Duration(in.Int("TimeoutInMillis", 0)) * time.Millisecond
		in.Ignore("CacheNamespace")
	}
	return func(context.Context) error {
		a, err := s.api(id)
		if err != nil {
			return err
		}
		var ok bool
		if m.Path, ok = a.paths[m.ResourceID]; !ok {
			return fmt.Errorf("the API has no resource %s", m.ResourceID)
		}
		if uri != "" {
			if m.Function, ok = functionIn(uri); !ok {
				return fmt.Errorf("the integration's URI names no function: %s", uri)
			}
		}
		if authorizer != "" {
			if m.Authorization.Authorizer = a.authorizers[authorizer]; m.Authorization.Authorizer == nil {
				return fmt.Errorf("the API has no authorizer %s", authorizer)
			}
		}
		a.rest.Methods = append(a.rest.Methods, m)
		r.Created(strings.ToLower(randomID())[:6], nil)
		return nil
	}
}

// mock takes the integration that CDK makes for preflight requests.
func mock(p *assembly.Reader) *gateway.Mock {
	p.Ignore("RequestTemplates", "PassthroughBehavior") // they only say which of the responses it is
	m := &gateway.Mock{Headers: map[string]string{}}
	responses := p.Objects("IntegrationResponses")
	if len(responses) != 1 {
		p.Refuse("IntegrationResponses", "there are %d: only the one of a preflight request is supported here", len(responses))
		return m
	}
	response := responses[0]
	status, err := strconv.Atoi(response.Needed("StatusCode"))
	if err != nil || status < 200 || status > 599 {
		response.Refuse("StatusCode", "it is no status")
	}
	m.Status = status
	for name, value := range response.Texts("ResponseParameters") {
		header, ok := strings.CutPrefix(name, "method.response.header.")
		text, quoted := unquote(value)
		if !ok || !quoted {
			response.Refuse("ResponseParameters", "%s: only headers with fixed values are supported here", name)
		}
		m.Headers[header] = text
	}
	for kind, template := range response.Texts("ResponseTemplates") {
		if m.Origins = originsIn(template); m.Origins == nil && strings.TrimSpace(template) != "" {
			response.Refuse("ResponseTemplates", "the template of %s is not one of a preflight request", kind)
		}
	}
	return m
}

// unquote takes the single quotes off a fixed value.
func unquote(s string) (string, bool) {
	if len(s) < 2 || s[0] != '\'' || s[len(s)-1] != '\'' {
		return "", false
	}
	return s[1 : len(s)-1], true
}

var (
	space  = regexp.MustCompile(`\s+`)
	origin = regexp.MustCompile(`^\$origin == "([^"]*)"$`)
)

// originsIn reads the template with which CDK answers further origins; nil if it is another one.
func originsIn(template string) []string {
	const before = `#set($origin = $input.params().header.get("Origin")) #if($origin == "") #set($origin = $input.params().header.get("origin")) #end #if(`
	const after = `) #set($context.responseOverride.header.Access-Control-Allow-Origin = $origin) #end`
	text := strings.TrimSpace(space.ReplaceAllString(template, " "))
	text, begins := strings.CutPrefix(text, before)
	text, ends := strings.CutSuffix(text, after)
	if !begins || !ends {
		return nil
	}
	var origins []string
	for _, condition := range strings.Split(text, " || ") {
		found := origin.FindStringSubmatch(condition)
		if found == nil {
			return nil
		}
		origins = append(origins, found[1])
	}
	return origins
}

func makeRESTAuthorizer(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	id, uri := p.Needed("RestApiId"), p.Needed("AuthorizerUri")
	p.Choice("Type", "REQUEST")
	au := &gateway.Authorizer{TTL: seconds(p.Int("AuthorizerResultTtlInSeconds", 300))}
	for source := range strings.SplitSeq(p.String("IdentitySource"), ",") {
		if source = strings.TrimSpace(source); source != "" {
			au.IdentitySources = append(au.IdentitySources, source)
		}
	}
	p.Ignore("Name")
	return func(context.Context) error {
		a, err := s.api(id)
		if err != nil {
			return err
		}
		var ok bool
		if au.Function, ok = functionIn(uri); !ok {
			return fmt.Errorf("the authorizer's URI names no function: %s", uri)
		}
		au.ID = strings.ToLower(randomID())[:6]
		a.authorizers[au.ID] = au
		r.Created(au.ID, map[string]any{"AuthorizerId": au.ID})
		return nil
	}
}

func makeGatewayResponse(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	id := p.Needed("RestApiId")
	g := gateway.GatewayResponse{Type: p.Needed("ResponseType"), Status: p.Int("StatusCode", 0), Headers: map[string]string{}}
	for name, value := range p.Texts("ResponseParameters") {
		header, ok := strings.CutPrefix(name, "gatewayresponse.header.")
		text, quoted := unquote(value)
		if !ok || !quoted {
			p.Refuse("ResponseParameters", "%s: only headers with fixed values are supported here", name)
		}
		g.Headers[header] = text
	}
	for kind, template := range p.Texts("ResponseTemplates") {
		if kind != "application/json" {
			p.Refuse("ResponseTemplates", "only application/json is supported here, not %s", kind)
		}
		if err := gateway.CheckTemplate(template); err != nil {
			p.Refuse("ResponseTemplates", "%v", err)
		}
		g.Template = template
	}
	return func(context.Context) error {
		a, err := s.api(id)
		if err != nil {
			return err
		}
		a.rest.Responses = append(a.rest.Responses, g)
		r.Created(s.physical(r, 100), nil)
		return nil
	}
}

func makeDeployment(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	id := p.Needed("RestApiId")
	p.Ignore("Description")
	return func(context.Context) error {
		a, err := s.api(id)
		if err != nil {
			return err
		}
		a.rest.DeploymentID = strings.ToLower(randomID())[:6]
		r.Created(a.rest.DeploymentID, map[string]any{"DeploymentId": a.rest.DeploymentID})
		return nil
	}
}

func makeRESTStage(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	id, name, variables := p.Needed("RestApiId"), p.Needed("StageName"), textsOf(p, "Variables")
	p.Ignore("AccessLogSetting", "DeploymentId", "Description", "Tags", "TracingEnabled")
	var limit gateway.Throttle
	for _, settings := range p.Objects("MethodSettings") {
		settings.Choice("HttpMethod", "*")
		settings.Choice("ResourcePath", "/*")
		limit = throttle(settings)
		settings.Ignore("DataTraceEnabled", "LoggingLevel", "MetricsEnabled")
	}
	return func(context.Context) error {
		a, err := s.api(id)
		if err != nil {
			return err
		}
		if a.staged {
			return fmt.Errorf("a second stage of an API: here it has one")
		}
		a.rest.Stage, a.rest.StageVariables, a.rest.Throttle, a.staged = name, variables, limit, true
		r.Created(name, nil)
		return nil
	}
}

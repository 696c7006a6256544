package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// route is where a request goes and who may send it.
type route struct {
	function string // "" for the gateway itself
	auth     string
}

// checkAPI: every route has the authorizer that the schema asks for, but for preflights. Those are
// requests of browsers without credentials, and the only ones that nobody has to be known for.
func checkAPI(t testing.TB, v variant, s *stage) {
	auth := map[string]string{"iam": "AWS_IAM", "jwt": "JWT", "custom": "CUSTOM", "none": "NONE"}[v.auth]
	want := map[string]route{}
	var got map[string]route
	switch v.gateway {
	case "http":
		want["POST /"], want["$default"] = route{"command", auth}, route{"query", auth}
		if v.cors && v.auth != "none" {
			want["OPTIONS /"], want["OPTIONS /{proxy+}"] = route{"query", "NONE"}, route{"query", "NONE"}
		}
		got = s.httpRoutes(t)
		checkHTTPStage(t, s)
		checkHTTPAuthorizer(t, v, s)
	case "rest":
		want["POST /"], want["ANY /"], want["ANY /{proxy+}"] = route{"command", auth}, route{"query", auth}, route{"query", auth}
		if v.cors {
			want["OPTIONS /"], want["OPTIONS /{proxy+}"] = route{"", "NONE"}, route{"", "NONE"}
		}
		got = s.restMethods(t)
		checkRESTStage(t, s)
		checkRESTAuthorizer(t, v, s)
	case "none":
		for id, r := range s.resources {
			if strings.HasPrefix(r.Type, "AWS::ApiGateway") || r.Type == "AWS::Lambda::Permission" || r.Type == "AWS::Lambda::Url" {
				t.Errorf("%s is there without a gateway", id)
			}
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("routes %v, want %v", got, want)
	}
	checkInvokers(t, v, s)
}

func (s *stage) nameOf(t testing.TB, function string) string {
	t.Helper()
	for name, id := range s.functions(t) {
		if id == function {
			return name
		}
	}
	return "unknown function " + function
}

// httpRoutes are the routes of an HTTP API.
func (s *stage) httpRoutes(t testing.TB) map[string]route {
	all := map[string]route{}
	for _, id := range s.of("AWS::ApiGatewayV2::Route") {
		integration := s.resources[referred(strings.TrimPrefix(s.property(id, "Target"), "integrations/"))].Properties
		if integration["IntegrationType"] != "AWS_PROXY" || integration["PayloadFormatVersion"] != "2.0" {
			t.Errorf("%s hands on %v", id, integration)
		}
		r := route{function: s.nameOf(t, referred(s.text(integration["IntegrationUri"]))), auth: s.property(id, "AuthorizationType")}
		if (r.auth == "JWT" || r.auth == "CUSTOM") && s.resources[referred(s.property(id, "AuthorizerId"))].Type != "AWS::ApiGatewayV2::Authorizer" {
			t.Errorf("%s has no authorizer", id)
		}
		all[s.property(id, "RouteKey")] = r
	}
	return all
}

// restMethods are the methods of a REST API.
func (s *stage) restMethods(t testing.TB) map[string]route {
	all := map[string]route{}
	for _, id := range s.of("AWS::ApiGateway::Method") {
		r := route{auth: s.property(id, "AuthorizationType")}
		if kind := s.property(id, "Integration", "Type"); kind == "AWS_PROXY" {
			_, uri, _ := strings.Cut(s.property(id, "Integration", "Uri"), "/functions/")
			r.function = s.nameOf(t, referred(strings.TrimSuffix(uri, "/invocations")))
		} else if kind != "MOCK" {
			t.Errorf("%s hands on to %s", id, kind)
		}
		if r.auth == "CUSTOM" && s.resources[referred(s.property(id, "AuthorizerId"))].Type != "AWS::ApiGateway::Authorizer" {
			t.Errorf("%s has no authorizer", id)
		}
		path := "/"
		if resource := referred(s.property(id, "ResourceId")); s.resources[resource].Type == "AWS::ApiGateway::Resource" {
			path += s.property(resource, "PathPart")
		}
		all[s.property(id, "HttpMethod")+" "+path] = r
	}
	return all
}

func checkHTTPStage(t testing.TB, s *stage) {
	stages := s.of("AWS::ApiGatewayV2::Stage")
	if len(stages) != 1 {
		t.Fatalf("the stages %v", stages)
	}
	p := s.resources[stages[0]].Properties
	if p["StageName"] != "$default" || p["AutoDeploy"] != true {
		t.Errorf("%v is not deployed at the root by itself", p)
	}
	settings := p["DefaultRouteSettings"]
	if at(settings, "ThrottlingRateLimit") != 70.0 || at(settings, "ThrottlingBurstLimit") != 140.0 || p["RouteSettings"] != nil {
		t.Errorf("the throttle is %v, want that of the schema on all routes", settings)
	}
	checkAccessLog(t, s, p["AccessLogSettings"])
}

func checkRESTStage(t testing.TB, s *stage) {
	stages := s.of("AWS::ApiGateway::Stage")
	if len(stages) != 1 {
		t.Fatalf("the stages %v", stages)
	}
	p := s.resources[stages[0]].Properties
	settings := p["MethodSettings"]
	if at(settings, "ThrottlingRateLimit") != 70.0 || at(settings, "ThrottlingBurstLimit") != 140.0 ||
		at(settings, "ResourcePath") != "/*" || at(settings, "HttpMethod") != "*" {
		t.Errorf("the throttle is %v, want that of the schema on all methods", settings)
	}
	// These would write whole requests and responses into logs.
	if at(settings, "DataTraceEnabled") == true || at(settings, "LoggingLevel") == "INFO" {
		t.Errorf("the stage logs payloads: %v", settings)
	}
	checkAccessLog(t, s, p["AccessLogSetting"])
}

// checkAccessLog: one JSON object a request, without what callers sent.
func checkAccessLog(t testing.TB, s *stage, settings any) {
	t.Helper()
	checkLogs(t, s, "the API", s.text(at(settings, "DestinationArn")), "JSON")
	format := map[string]string{}
	if err := json.Unmarshal([]byte(text(at(settings, "Format"))), &format); err != nil {
		t.Errorf("the access log is not JSON: %v", err)
	}
	for name, value := range format {
		for _, sent := range []string{"querystring", "header", "body", "claims", "authorizer.principalId", "authorizer.actor", "$input"} {
			if strings.Contains(strings.ToLower(value), strings.ToLower(sent)) {
				t.Errorf("the access log has %s: %s", name, value)
			}
		}
	}
	for _, needed := range []string{"$context.requestId", "$context.status", "$context.path"} {
		if !slices.Contains(slices.Collect(maps.Values(format)), needed) {
			t.Errorf("the access log lacks %s", needed)
		}
	}
}

func checkHTTPAuthorizer(t testing.TB, v variant, s *stage) {
	authorizers := s.of("AWS::ApiGatewayV2::Authorizer")
	if want := map[string]int{"jwt": 1, "custom": 1}[v.auth]; len(authorizers) != want {
		t.Fatalf("the authorizers %v, want %d", authorizers, want)
	}
	for _, id := range authorizers {
		p := s.resources[id].Properties
		switch v.auth {
		case "jwt":
			audience := s.texts(at(p["JwtConfiguration"], "Audience"))
			if p["AuthorizerType"] != "JWT" || at(p["JwtConfiguration"], "Issuer") != "https://issuer.example.com" ||
				!slices.Equal(audience, []string{"shop", "shop-admin"}) || !slices.Equal(s.texts(p["IdentitySource"]), []string{"$request.header.Authorization"}) {
				t.Errorf("tokens are checked by %v", p)
			}
		case "custom":
			// A kept answer would be given to other callers too: there is nothing to tell them apart by.
			if p["AuthorizerType"] != "REQUEST" || p["AuthorizerPayloadFormatVersion"] != "2.0" || p["EnableSimpleResponses"] != true ||
				p["AuthorizerResultTtlInSeconds"] != 0.0 || !strings.Contains(s.text(p["AuthorizerUri"]), s.functions(t)["authorizer"]) {
				t.Errorf("callers are known by %v", p)
			}
		}
	}
}

func checkRESTAuthorizer(t testing.TB, v variant, s *stage) {
	authorizers := s.of("AWS::ApiGateway::Authorizer")
	if want := map[string]int{"custom": 1}[v.auth]; len(authorizers) != want {
		t.Fatalf("the authorizers %v, want %d", authorizers, want)
	}
	for _, id := range authorizers {
		p := s.resources[id].Properties
		if p["Type"] != "REQUEST" || p["AuthorizerResultTtlInSeconds"] != 0.0 || !slices.Contains(references(p["AuthorizerUri"]), s.functions(t)["authorizer"]) {
			t.Errorf("callers are known by %v", p)
		}
	}
}

// checkInvokers: the gateway may invoke the functions that it hands requests to, from this API, and
// nobody else may invoke anything.
func checkInvokers(t testing.TB, v variant, s *stage) {
	invoked := map[string]bool{}
	apis := slices.Concat(s.of("AWS::ApiGatewayV2::Api"), s.of("AWS::ApiGateway::RestApi"))
	for _, id := range s.of("AWS::Lambda::Permission") {
		p := s.resources[id].Properties
		invoked[s.nameOf(t, referred(s.text(p["FunctionName"])))] = true
		source := s.text(p["SourceArn"])
		if p["Action"] != "lambda:InvokeFunction" || p["Principal"] != "apigateway.amazonaws.com" || !strings.Contains(source, ":${"+apis[0]+"}/") {
			t.Errorf("%s lets in %v from %q", id, p["Principal"], source)
		}
	}
	var want []string
	if v.gateway != "none" {
		want = []string{"command", "query"}
	}
	if v.auth == "custom" {
		want = append([]string{"authorizer"}, want...)
	}
	if got := slices.Sorted(maps.Keys(invoked)); !slices.Equal(got, want) {
		t.Errorf("the gateway may invoke %v, want %v", got, want)
	}
}

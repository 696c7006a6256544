package gateway

import (
	"encoding/base64"
	"mime"
	"net/http"
	"strings"
)

// event1 is the payload format 1.0 as REST APIs make it. What is not there is null.
type event1 struct {
	Type            string              `json:"type,omitempty"`      // of an authorizer's
	MethodARN       string              `json:"methodArn,omitempty"` // likewise
	Resource        string              `json:"resource"`
	Path            string              `json:"path"`
	HTTPMethod      string              `json:"httpMethod"`
	Headers         map[string]string   `json:"headers"`
	MultiHeaders    map[string][]string `json:"multiValueHeaders"`
	Query           map[string]string   `json:"queryStringParameters"`
	MultiQuery      map[string][]string `json:"multiValueQueryStringParameters"`
	PathParameters  map[string]string   `json:"pathParameters"`
	StageVariables  map[string]string   `json:"stageVariables"`
	Context         context1            `json:"requestContext"`
	Body            *string             `json:"body"`
	IsBase64Encoded bool                `json:"isBase64Encoded"`
}

type context1 struct {
	ResourceID        string         `json:"resourceId"`
	Authorizer        map[string]any `json:"authorizer,omitempty"`
	ResourcePath      string         `json:"resourcePath"`
	HTTPMethod        string         `json:"httpMethod"`
	ExtendedRequestID string         `json:"extendedRequestId"`
	RequestTime       string         `json:"requestTime"`
	Path              string         `json:"path"`
	AccountID         string         `json:"accountId"`
	Protocol          string         `json:"protocol"`
	Stage             string         `json:"stage"`
	DomainPrefix      string         `json:"domainPrefix"`
	RequestTimeEpoch  int64          `json:"requestTimeEpoch"`
	RequestID         string         `json:"requestId"`
	Identity          identity1      `json:"identity"`
	DomainName        string         `json:"domainName"`
	DeploymentID      string         `json:"deploymentId"`
	APIID             string         `json:"apiId"`
}

type identity1 struct {
	CognitoIdentityPoolID         *string `json:"cognitoIdentityPoolId"`
	AccountID                     *string `json:"accountId"`
	CognitoIdentityID             *string `json:"cognitoIdentityId"`
	Caller                        *string `json:"caller"`
	SourceIP                      string  `json:"sourceIp"`
	PrincipalOrgID                *string `json:"principalOrgId"`
	AccessKey                     *string `json:"accessKey"`
	CognitoAuthenticationType     *string `json:"cognitoAuthenticationType"`
	CognitoAuthenticationProvider *string `json:"cognitoAuthenticationProvider"`
	UserARN                       *string `json:"userArn"`
	UserAgent                     string  `json:"userAgent"`
	User                          *string `json:"user"`
}

// event is a request in the format 1.0, without its body. The path is as the client sent it,
// without the stage.
func (a *restAPI) event(r *request, path string, m *restMethod, parameters map[string]string) *event1 {
	e := &event1{
		Resource: m.Path, Path: path, HTTPMethod: r.Method, Headers: map[string]string{}, MultiHeaders: map[string][]string{},
		PathParameters: parameters, StageVariables: a.StageVariables,
		Context: context1{
			ResourceID: m.ResourceID, ResourcePath: m.Path, HTTPMethod: r.Method, ExtendedRequestID: r.id[:8] + "=", RequestTime: r.clockTime(),
			Path: "/" + a.Stage + path, AccountID: a.Account, Protocol: r.Proto, Stage: a.Stage, DomainPrefix: a.ID, RequestTimeEpoch: r.at.UnixMilli(),
			RequestID: r.id, DomainName: a.domain(a.ID), DeploymentID: a.DeploymentID, APIID: a.ID,
			Identity: identity1{SourceIP: r.sourceIP(), UserAgent: r.UserAgent()},
		},
	}
	r.eachHeader(func(name string, values []string) {
		e.Headers[name] = values[len(values)-1]
		e.MultiHeaders[name] = values
	})
	if query := queryPairs(r.URL.RawQuery); len(query) > 0 {
		e.MultiQuery, e.Query = query, map[string]string{}
		for name, values := range query {
			e.Query[name] = values[len(values)-1]
		}
	}
	return e
}

// withBody adds the body: in base64 for the API's binary media types, else as text, in which
// bytes that are no UTF-8 are lost.
func (e *event1) withBody(r *request, binary []string) {
	if len(r.body) == 0 {
		return
	}
	text := strings.ToValidUTF8(string(r.body), "�")
	if isBinary(r.Header.Get("Content-Type"), binary) {
		e.IsBase64Encoded = true
		text = base64.StdEncoding.EncodeToString(r.body)
	}
	e.Body = &text
}

func isBinary(contentType string, binary []string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil && kind == "" {
		kind = "application/json" // so REST APIs take a body without a type
	}
	for _, b := range binary {
		main, _, _ := strings.Cut(b, "/")
		if b == "*/*" || strings.EqualFold(b, kind) || b == main+"/*" && strings.HasPrefix(kind, main+"/") {
			return true
		}
	}
	return false
}

// answer1 reads what a function answers in the format 1.0. Base64 is decoded only if the client
// may get binary types at all.
func answer1(payload []byte, binary bool) (*answer, error) {
	value, err := decode(payload)
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errGarbage
	}
	for name := range object {
		switch name {
		case "statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded":
		default:
			return nil, errGarbage // REST APIs refuse members that they do not know
		}
	}
	if !binary {
		object["isBase64Encoded"] = false
	}
	a, err := structured(object)
	if err != nil {
		return nil, err
	}
	multi, ok := object["multiValueHeaders"].(map[string]any)
	if !ok && object["multiValueHeaders"] != nil {
		return nil, errGarbage
	}
	for name, v := range multi {
		values, ok := v.([]any)
		if !ok {
			return nil, errGarbage
		}
		a.header.Del(name)
		for _, v := range values {
			text, ok := scalarText(v)
			if !ok || !isHeader(name, text) {
				return nil, errGarbage
			}
			a.header.Add(name, text)
		}
	}
	remap(a.header)
	if a.header.Get("Content-Type") == "" {
		a.header.Set("Content-Type", "application/json")
	}
	return a, nil
}

// remapped are headers that REST APIs do not hand on under their own name.
var remapped = []string{"Www-Authenticate", "Date", "Server", "Authorization", "Host"}

func remap(h http.Header) {
	for _, name := range remapped {
		if values := h.Values(name); len(values) > 0 {
			h["X-Amzn-Remapped-"+name] = values
			h.Del(name)
		}
	}
}

package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// GatewayResponse is how a REST API answers by itself, where it is told so.
type GatewayResponse struct {
	Type     string            // "MISSING_AUTHENTICATION_TOKEN", "DEFAULT_4XX"
	Status   int               // 0 is the type's own
	Headers  map[string]string // what is in "gatewayresponse.header.…", without its quotes
	Template string            // of application/json; "" is Amazon's
}

// response is an answer of a REST API by itself.
type response struct {
	kind   string
	status int
	text   string // "" is null
}

const internal = "Internal server error"

// statuses are those of the types of responses.
var statuses = map[string]int{
	"ACCESS_DENIED": 403, "API_CONFIGURATION_ERROR": 500, "AUTHORIZER_CONFIGURATION_ERROR": 500, "AUTHORIZER_FAILURE": 500,
	"EXPIRED_TOKEN": 403, "INTEGRATION_TIMEOUT": 504, "INVALID_SIGNATURE": 403, "MISSING_AUTHENTICATION_TOKEN": 403,
	"REQUEST_TOO_LARGE": 413, "THROTTLED": 429, "UNAUTHORIZED": 401,
}

func responseOf(kind, text string) *response { return &response{kind, statuses[kind], text} }

// CheckTemplate refuses what a template asks for and is not filled in here.
func CheckTemplate(template string) error {
	if left := fill(template, &response{}, ""); strings.Contains(left, "$") {
		return fmt.Errorf("the template uses %q, which is not supported here", left[strings.Index(left, "$"):])
	}
	return nil
}

func fill(template string, r *response, id string) string {
	quoted := []byte("null")
	if r.text != "" {
		var err error
		if quoted, err = json.Marshal(r.text); err != nil {
			panic(err) // a text
		}
	}
	return strings.NewReplacer(
		"$context.error.messageString", string(quoted), "$context.error.message", r.text, "$context.error.responseType", r.kind,
		"$context.requestId", id, "$context.status", strconv.Itoa(r.status),
	).Replace(template)
}

// refuse answers by itself.
func (a *restAPI) refuse(w http.ResponseWriter, r *request, is *response) {
	said := a.custom(is)
	template := said.Template
	if template == "" {
		template = `{"message":$context.error.messageString}`
	}
	if said.Status != 0 {
		is.status = said.Status
	}
	for name, value := range said.Headers {
		w.Header().Set(name, value)
	}
	w.Header().Set("X-Amzn-Errortype", errorType(is.kind))
	w.Header().Set("Content-Type", "application/json")
	(&answer{status: is.status, body: []byte(fill(template, is, r.id))}).write(w)
}

// custom is what the API is told about the type, or else about all of its class.
func (a *restAPI) custom(is *response) GatewayResponse {
	class := "DEFAULT_4XX"
	if is.status >= http.StatusInternalServerError {
		class = "DEFAULT_5XX"
	}
	var of GatewayResponse
	for _, g := range a.Responses {
		if g.Type == is.kind {
			return g
		}
		if g.Type == class {
			of = g
		}
	}
	return of
}

// errorType is the exception that SDKs take an answer for.
func errorType(kind string) string {
	switch kind {
	case "MISSING_AUTHENTICATION_TOKEN":
		return "MissingAuthenticationTokenException"
	case "INVALID_SIGNATURE":
		return "InvalidSignatureException"
	case "ACCESS_DENIED":
		return "AccessDeniedException"
	case "UNAUTHORIZED":
		return "UnauthorizedException"
	case "THROTTLED":
		return "TooManyRequestsException"
	case "REQUEST_TOO_LARGE":
		return "RequestTooLargeException"
	case "AUTHORIZER_CONFIGURATION_ERROR", "AUTHORIZER_FAILURE":
		return "AuthorizerConfigurationException"
	}
	return "InternalServerErrorException"
}

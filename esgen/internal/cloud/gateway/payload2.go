package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// event2 is the payload format 2.0. Of an authorizer's the body is left out and Type and the rest
// are set.
type event2 struct {
	Version         string            `json:"version"`
	Type            string            `json:"type,omitempty"`
	RouteARN        string            `json:"routeArn,omitempty"`
	IdentitySource  []string          `json:"identitySource,omitempty"`
	RouteKey        string            `json:"routeKey"`
	RawPath         string            `json:"rawPath"`
	RawQueryString  string            `json:"rawQueryString"`
	Cookies         []string          `json:"cookies,omitempty"`
	Headers         map[string]string `json:"headers"`
	Query           map[string]string `json:"queryStringParameters,omitempty"`
	Context         context2          `json:"requestContext"`
	PathParameters  map[string]string `json:"pathParameters,omitempty"`
	StageVariables  map[string]string `json:"stageVariables,omitempty"`
	Body            *string           `json:"body,omitempty"`
	IsBase64Encoded *bool             `json:"isBase64Encoded,omitempty"`
}

type context2 struct {
	AccountID    string         `json:"accountId"`
	APIID        string         `json:"apiId"`
	Authorizer   map[string]any `json:"authorizer,omitempty"`
	DomainName   string         `json:"domainName"`
	DomainPrefix string         `json:"domainPrefix"`
	HTTP         contextHTTP    `json:"http"`
	RequestID    string         `json:"requestId"`
	RouteKey     string         `json:"routeKey"`
	Stage        string         `json:"stage"`
	Time         string         `json:"time"`
	TimeEpoch    int64          `json:"timeEpoch"`
}

type contextHTTP struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// decodedPath is a path as HTTP APIs hand it over: decoded, and cut at a decoded "?".
func decodedPath(r *http.Request) string {
	path := r.URL.Path
	if path == "" {
		path = "/"
	}
	path, _, _ = strings.Cut(path, "?")
	return path
}

// event is a request in the format 2.0, without its body.
func (a *httpAPI) event(r *request, path, routeKey string, parameters map[string]string) *event2 {
	e := &event2{
		Version: "2.0", RouteKey: routeKey, RawPath: path, RawQueryString: r.URL.RawQuery,
		Headers: map[string]string{}, Query: joinedQuery(r.URL.RawQuery), PathParameters: parameters, StageVariables: a.StageVariables,
		Context: context2{
			AccountID: a.Account, APIID: a.ID, DomainName: a.domain(a.ID), DomainPrefix: a.ID,
			HTTP:      contextHTTP{Method: r.Method, Path: path, Protocol: r.Proto, SourceIP: r.sourceIP(), UserAgent: r.UserAgent()},
			RequestID: r.id, RouteKey: routeKey, Stage: a.Stage, Time: r.clockTime(), TimeEpoch: r.at.UnixMilli(),
		},
	}
	r.eachHeader(func(name string, values []string) {
		if name == "Cookie" {
			for _, value := range values {
				for cookie := range strings.SplitSeq(value, ";") {
					e.Cookies = append(e.Cookies, strings.TrimSpace(cookie))
				}
			}
			return
		}
		e.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	})
	return e
}

// withBody adds the body of a request: as text if its type says that it is text, else in base64.
func (e *event2) withBody(r *request) {
	encoded := false
	e.IsBase64Encoded = &encoded
	if len(r.body) == 0 {
		return
	}
	text := string(r.body)
	if !isText(r.Header) || !utf8.Valid(r.body) {
		encoded = true
		text = base64.StdEncoding.EncodeToString(r.body)
	}
	e.Body = &text
}

// isText reports whether an HTTP API takes a body for text.
func isText(h http.Header) bool {
	if h.Get("Content-Encoding") != "" {
		return false
	}
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil && kind == "" {
		return false
	}
	switch kind {
	case "application/json", "application/javascript", "application/xml":
		return true
	}
	return strings.HasPrefix(kind, "text/")
}

// joinedQuery are a query's decoded parameters; values of one name are joined by commas.
func joinedQuery(raw string) map[string]string {
	all := queryPairs(raw)
	if len(all) == 0 {
		return nil
	}
	joined := map[string]string{}
	for name, values := range all {
		joined[name] = strings.Join(values, ",")
	}
	return joined
}

// queryPairs decodes a query; what does not decode stays as it is.
func queryPairs(raw string) map[string][]string {
	all := map[string][]string{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, value = unescaped(name), unescaped(value)
		all[name] = append(all[name], value)
	}
	return all
}

func unescaped(s string) string {
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return s
}

var errGarbage = errors.New("the function's answer is not one that the gateway understands")

// answer2 reads what a function answers in the format 2.0. JSON without a statusCode is itself
// the body.
func answer2(payload []byte) (*answer, error) {
	value, err := decode(payload)
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if _, structured := object["statusCode"]; !ok || !structured {
		return &answer{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json"}}, body: payload}, nil
	}
	a, err := structured(object)
	if err != nil {
		return nil, err
	}
	cookies, ok := object["cookies"].([]any)
	if !ok && object["cookies"] != nil {
		return nil, errGarbage
	}
	for _, c := range cookies {
		text, ok := c.(string)
		if !ok {
			return nil, errGarbage
		}
		a.header.Add("Set-Cookie", text)
	}
	if a.header.Get("Content-Type") == "" {
		a.header.Set("Content-Type", "text/plain;charset=UTF-8")
	}
	return a, nil
}

// decode reads one JSON value.
func decode(payload []byte) (any, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	if err := d.Decode(&v); err != nil || d.More() {
		return nil, errGarbage
	}
	return v, nil
}

// structured reads the members that both formats have.
func structured(object map[string]any) (*answer, error) {
	a := &answer{header: http.Header{}}
	n, ok := object["statusCode"].(json.Number)
	if !ok {
		return nil, errGarbage
	}
	status, err := n.Int64()
	if err != nil || status < 200 || status > 599 {
		return nil, errGarbage
	}
	a.status = int(status)
	headers, ok := object["headers"].(map[string]any)
	if !ok && object["headers"] != nil {
		return nil, errGarbage
	}
	for name, v := range headers {
		text, ok := scalarText(v)
		if !ok || !isHeader(name, text) {
			return nil, errGarbage
		}
		a.header.Set(name, text)
	}
	body, ok := object["body"].(string)
	if !ok && object["body"] != nil {
		return nil, errGarbage
	}
	a.body = []byte(body)
	if object["isBase64Encoded"] == true {
		if a.body, err = base64.StdEncoding.DecodeString(body); err != nil {
			return nil, errGarbage
		}
	}
	return a, nil
}

// isHeader reports whether a name and a value can be a header at all.
func isHeader(name, value string) bool {
	if name == "" || strings.ContainsAny(value, "\r\n\x00") {
		return false
	}
	for _, c := range []byte(name) {
		if c <= ' ' || c >= 0x7f || strings.ContainsRune("\"(),/:;<=>?@[\\]{}", rune(c)) {
			return false
		}
	}
	return true
}

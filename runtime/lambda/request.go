package lambda

import (
	"cmp"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/scan"
)

// Format is how a gateway hands over requests and takes answers.
type Format int

// An HTTP API uses the second, a REST API the first.
const (
	Payload1 Format = 1
	Payload2 Format = 2
)

var errNoRequest = errors.New("lambda: what the function was invoked with is no request of an API Gateway, payload format 1.0 or 2.0")

// ReadRequest reads the event that a gateway hands to a function. The request may share memory
// with it. The error quotes nothing of the event.
//
// An HTTP API hands over the path decoded, and cut at what was a "?" in it, with the stage in
// front. A REST API hands it over as it was sent, without the stage; below a custom domain with
// what the domain maps in front. What is answered as an address begins with either. The address of
// a function of its own hands it over as it was sent.
func ReadRequest(event []byte) (*es.Request, Format, error) {
	e := gatewayEvent{s: scan.Scanner{Text: string(event)}}
	if !e.read() || !e.s.End() {
		return nil, 0, errNoRequest
	}
	format := e.format()
	r := &es.Request{Method: e.method, ID: e.requestID, Actor: e.actor(), Header: e.header}
	switch {
	case format == Payload2:
		r.Path, r.Base = e.cutStage(e.rawPath)
		r.RawQuery = e.rawQuery
		if strings.Contains(e.domain, ".lambda-url.") {
			r.Path = decoded(r.Path)
		}
	case e.version != "":
		r.Path, r.Base = e.cutStage(e.path)
		r.RawQuery = e.query.String()
	case e.path != "":
		r.Path, r.Base = e.cutBase()
		r.RawQuery = e.query.String()
	}
	if r.Method == "" || r.Path == "" {
		return nil, 0, errNoRequest
	}
	if !e.encoded {
		r.Body = []byte(e.body)
		return r, format, nil
	}
	body, err := base64.StdEncoding.DecodeString(e.body)
	if err != nil {
		return nil, 0, errNoRequest
	}
	r.Body = body
	return r, format, nil
}

// gatewayEvent is what is looked at of a request's event.
type gatewayEvent struct {
	s       scan.Scanner
	version string // "1.0", "2.0"; none in a REST API's

	method, path, rawPath, rawQuery, body string
	encoded                               bool
	resource, proxy                       string // of a REST API: the resource's path, what {proxy+} stands for
	headers, multiHeaders                 []es.HeaderField
	query                                 queryText

	requestID, stage, domain, apiID, contextPath, contextMethod string
	arn, subject, said, principal                               string // the caller, by kind of authorizer
	hasSaid                                                     bool
}

func (e *gatewayEvent) format() Format {
	if e.version == "2.0" || e.version == "" && e.rawPath != "" {
		return Payload2
	}
	return Payload1
}

func (e *gatewayEvent) read() bool {
	m := e.s.Members()
	for m.Next() {
		if !e.member(m.Name) {
			return false
		}
	}
	if e.method == "" {
		e.method = e.contextMethod
	}
	return m.Whole()
}

func (e *gatewayEvent) member(name string) bool {
	switch name {
	case "version":
		return e.text(&e.version)
	case "rawPath":
		return e.text(&e.rawPath)
	case "rawQueryString":
		return e.text(&e.rawQuery)
	case "httpMethod":
		return e.text(&e.method)
	case "path":
		return e.text(&e.path)
	case "resource":
		return e.text(&e.resource)
	case "headers":
		return e.fields(func(name string) bool { return e.headerField(&e.headers, name) })
	case "multiValueHeaders":
		return e.fields(func(name string) bool {
			return e.values(func() bool { return e.headerField(&e.multiHeaders, name) })
		})
	case "multiValueQueryStringParameters":
		return e.fields(func(name string) bool {
			return e.values(func() bool { return e.parameter(name) })
		})
	case "pathParameters":
		return e.fields(func(name string) bool {
			if name == "proxy" {
				return e.text(&e.proxy)
			}
			return e.s.Skip()
		})
	case "body":
		return e.text(&e.body)
	case "isBase64Encoded":
		e.encoded = e.s.Space() == 't'
		return e.s.Skip()
	case "requestContext":
		return e.fields(e.context)
	}
	return e.s.Skip()
}

// context reads a member of requestContext.
func (e *gatewayEvent) context(name string) bool {
	switch name {
	case "requestId":
		return e.text(&e.requestID)
	case "stage":
		return e.text(&e.stage)
	case "domainName":
		return e.text(&e.domain)
	case "apiId":
		return e.text(&e.apiID)
	case "path":
		return e.text(&e.contextPath)
	case "http":
		return e.fields(func(name string) bool {
			if name == "method" {
				return e.text(&e.contextMethod)
			}
			return e.s.Skip()
		})
	case "identity":
		return e.fields(e.userARN)
	case "authorizer":
		return e.fields(e.authorizer)
	}
	return e.s.Skip()
}

// authorizer reads what the gateway's authorizer says of the caller.
func (e *gatewayEvent) authorizer(name string) bool {
	switch name {
	case "iam":
		return e.fields(e.userARN)
	case "jwt":
		return e.fields(func(name string) bool {
			if name == "claims" {
				return e.fields(e.claim)
			}
			return e.s.Skip()
		})
	case "claims":
		return e.fields(e.claim)
	case "lambda":
		return e.fields(e.saidBy)
	case "principalId":
		return e.text(&e.principal)
	}
	return e.saidBy(name)
}

func (e *gatewayEvent) userARN(name string) bool {
	if name == "userArn" {
		return e.text(&e.arn)
	}
	return e.s.Skip()
}

func (e *gatewayEvent) claim(name string) bool {
	if name == "sub" {
		return e.text(&e.subject)
	}
	return e.s.Skip()
}

// saidBy reads what a function of the user's says.
func (e *gatewayEvent) saidBy(name string) bool {
	if name != "actor" {
		return e.s.Skip()
	}
	e.hasSaid = e.s.Space() == '"'
	return e.text(&e.said)
}

// actor is the caller, as the kind of authorizer that was asked names him.
func (e *gatewayEvent) actor() string {
	switch {
	case e.hasSaid:
		return e.said
	case e.subject != "":
		return e.subject
	case e.arn != "":
		return e.arn
	}
	return e.principal
}

// text reads a string; null and whatever else is none.
func (e *gatewayEvent) text(to *string) (ok bool) {
	if e.s.Space() != '"' {
		return e.s.Skip()
	}
	*to, ok = e.s.String()
	return ok
}

// fields reads an object, each member by a function; null and whatever else has none.
func (e *gatewayEvent) fields(read func(name string) bool) bool {
	if e.s.Space() != '{' {
		return e.s.Skip()
	}
	m := e.s.Members()
	for m.Next() {
		if !read(m.Name) {
			return false
		}
	}
	return m.Whole()
}

// values reads a list likewise.
func (e *gatewayEvent) values(read func() bool) bool {
	if e.s.Space() != '[' {
		return e.s.Skip()
	}
	l := e.s.Elements()
	for l.Next() {
		if !read() {
			return false
		}
	}
	return l.Whole()
}

func (e *gatewayEvent) headerField(to *[]es.HeaderField, name string) bool {
	field := es.HeaderField{Name: name}
	if !e.text(&field.Value) {
		return false
	}
	if *to == nil {
		const usual = 24
		*to = make([]es.HeaderField, 0, usual)
	}
	*to = append(*to, field)
	return true
}

// header is the value of a header, whatever the case of its name; lines of the same name are one,
// with commas between them.
func (e *gatewayEvent) header(name string) string {
	fields := e.multiHeaders
	if fields == nil {
		fields = e.headers
	}
	value, found := "", false
	for i := range fields {
		if f := &fields[i]; len(f.Name) == len(name) && strings.EqualFold(f.Name, name) {
			if found {
				value += ", " + f.Value
				continue
			}
			value, found = f.Value, true
		}
	}
	return value
}

// queryText is a query put together again from parameters that a gateway has decoded.
type queryText struct{ strings.Builder }

func (e *gatewayEvent) parameter(name string) bool {
	var value string
	if !e.text(&value) {
		return false
	}
	if e.query.Len() > 0 {
		e.query.WriteByte('&')
	}
	e.query.WriteString(url.QueryEscape(name))
	e.query.WriteByte('=')
	e.query.WriteString(url.QueryEscape(value))
	return true
}

// cutStage cuts the stage off the path of an HTTP API, which always begins with it unless it is
// the default. A custom domain's addresses do not have it; what they have instead is not told.
func (e *gatewayEvent) cutStage(path string) (rest, base string) {
	if e.stage == "" || e.stage == "$default" {
		return path, ""
	}
	stage := "/" + e.stage
	if rest, base = strings.TrimPrefix(path, stage), stage; len(rest) == len(path) || rest != "" && rest[0] != '/' {
		return path, ""
	}
	if !e.ownDomain() {
		base = ""
	}
	if rest == "" {
		rest = "/"
	}
	return rest, base
}

// ownDomain reports whether the gateway was reached by the address that every API has.
func (e *gatewayEvent) ownDomain() bool {
	return e.domain == "" || strings.HasPrefix(e.domain, e.apiID+".execute-api.")
}

// cutBase decodes the path of a REST API's request and cuts off what a custom domain maps.
func (e *gatewayEvent) cutBase() (path, base string) {
	raw := e.path
	if e.resource == "/" {
		return "/", strings.TrimSuffix(cmp.Or(e.contextPath, raw), "/")
	}
	if stage, ok := strings.CutSuffix(e.contextPath, raw); ok && stage != "" {
		return decoded(raw), stage
	}
	own := e.ownPath(raw)
	return decoded(raw[own:]), raw[:own]
}

// ownPath is where in the path as it was sent the resource's own begins: behind it stands what
// {proxy+} stands for.
func (e *gatewayEvent) ownPath(raw string) int {
	for i := range len(raw) {
		if raw[i] != '/' {
			continue
		}
		if rest := strings.TrimSuffix(raw[i+1:], "/"); rest == e.proxy || decoded(rest) == e.proxy {
			return i
		}
	}
	return 0
}

// decoded decodes a path once. One that cannot be stays as it is: nothing is there.
func decoded(path string) string {
	if strings.IndexByte(path, '%') < 0 {
		return path
	}
	text, err := url.PathUnescape(path)
	if err != nil {
		return path
	}
	return text
}

package main

import (
	"encoding/json"
	"errors"

	"github.com/aws/aws-lambda-go/events"

	"github.com/esgen/esgen/bench/sample"
	"github.com/esgen/esgen/runtime/scan"
)

const (
	rowEventType = "events.APIGatewayV2HTTPRequest by encoding/json"
	rowNeeded    = "a struct of the needed members by encoding/json"
	rowScan      = "esgen: scanned"
)

// envelopeSuite measures the reading of what an HTTP API hands to a function.
func envelopeSuite() (*suite, error) {
	text, err := proxyEvent()
	if err != nil {
		return nil, err
	}
	if got, ok := scanEnvelope(string(text)); !ok || got.method != "POST" || got.body != sample.Body || got.headers[0] != "application/json" {
		return nil, errors.New("the proxy event was not read as it was written")
	}
	return &suite{
		title: "Envelope: the proxy event round the same event",
		rows: []row{
			{name: rowEventType, run: func() error {
				var e events.APIGatewayV2HTTPRequest
				err := json.Unmarshal(text, &e)
				sink = e.Body
				return err
			}},
			{name: rowNeeded, run: func() error {
				var e neededEnvelope
				err := json.Unmarshal(text, &e)
				sink = e.Body
				return err
			}},
			{name: rowScan, run: func() error {
				e, ok := scanEnvelope(string(text))
				sink = e.body
				if !ok {
					return errors.New("not an envelope")
				}
				return nil
			}},
		},
		goals: []goal{{id: "G4", says: "of the event type", row: rowScan, against: rowEventType, limit: 0.18}},
	}, nil
}

func proxyEvent() ([]byte, error) {
	e := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "POST /", RawPath: "/", RawQueryString: "",
		Headers: map[string]string{
			"accept": "*/*", "accept-encoding": "gzip, deflate, br", "content-length": "555", "content-type": "application/json",
			"host": "abcdefghij.execute-api.eu-central-1.amazonaws.com", "user-agent": "curl/8.7.1",
			"idempotency-key": eventID, "x-amzn-trace-id": "Root=1-65e1a2b3-0123456789abcdef01234567",
			"x-forwarded-for": "198.51.100.17", "x-forwarded-port": "443", "x-forwarded-proto": "https",
			"authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260301/eu-central-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date",
		},
		Body: sample.Body,
	}
	c := &e.RequestContext
	c.RouteKey, c.AccountID, c.Stage, c.RequestID, c.APIID = "POST /", "123456789012", "$default", "JKJaXmPLvHcESHA=", "abcdefghij"
	c.DomainName, c.DomainPrefix, c.Time, c.TimeEpoch = "abcdefghij.execute-api.eu-central-1.amazonaws.com", "abcdefghij", "01/Mar/2026:10:15:31 +0000", 1772360131000
	c.HTTP = events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: "POST", Path: "/", Protocol: "HTTP/1.1", SourceIP: "198.51.100.17", UserAgent: "curl/8.7.1"}
	return json.Marshal(e)
}

// neededEnvelope has the members that a command function looks at.
type neededEnvelope struct {
	RawPath        string            `json:"rawPath"`
	RawQueryString string            `json:"rawQueryString"`
	Headers        map[string]string `json:"headers"`
	Body           string            `json:"body"`
	Base64         bool              `json:"isBase64Encoded"`
	Context        struct {
		RequestID string `json:"requestId"`
		HTTP      struct {
			Method string `json:"method"`
		} `json:"http"`
	} `json:"requestContext"`
}

// envelope is the same, read by the scanner: the few headers that are looked at have a place each.
type envelope struct {
	path, query, body, requestID, method string
	base64                               bool
	headers                              [4]string // content-type, if-match, idempotency-key, if-none-match
}

func scanEnvelope(text string) (e envelope, ok bool) {
	s := scan.Scanner{Text: text}
	return e, members(&s, func(name string) bool {
		switch name {
		case "rawPath":
			return text1(&s, &e.path)
		case "rawQueryString":
			return text1(&s, &e.query)
		case "body":
			return text1(&s, &e.body)
		case "headers":
			return members(&s, func(name string) bool { return e.header(&s, name) })
		case "isBase64Encoded":
			e.base64 = s.Space() == 't'
			return s.Skip()
		case "requestContext":
			return members(&s, func(name string) bool { return e.context(&s, name) })
		}
		return s.Skip()
	})
}

func (e *envelope) header(s *scan.Scanner, name string) bool {
	switch name {
	case "content-type":
		return text1(s, &e.headers[0])
	case "if-match":
		return text1(s, &e.headers[1])
	case "idempotency-key":
		return text1(s, &e.headers[2])
	case "if-none-match":
		return text1(s, &e.headers[3])
	}
	return s.Skip()
}

func (e *envelope) context(s *scan.Scanner, name string) bool {
	switch name {
	case "requestId":
		return text1(s, &e.requestID)
	case "http":
		return members(s, func(name string) bool {
			if name == "method" {
				return text1(s, &e.method)
			}
			return s.Skip()
		})
	}
	return s.Skip()
}

// text1 reads a string.
func text1(s *scan.Scanner, v *string) (ok bool) {
	s.Space()
	*v, ok = s.String()
	return ok
}

// members reads an object, each member's value by a function.
func members(s *scan.Scanner, value func(name string) bool) bool {
	if s.Space() != '{' {
		return false
	}
	s.Pos++
	if s.Space() == '}' {
		s.Pos++
		return true
	}
	for {
		s.Space()
		name, ok := s.String()
		if !ok || s.Space() != ':' {
			return false
		}
		s.Pos++
		if !value(name) {
			return false
		}
		c := s.Space()
		s.Pos++
		if c != ',' {
			return c == '}'
		}
	}
}

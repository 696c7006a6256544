package main

import (
	"encoding/json"
	"errors"

	"github.com/aws/aws-lambda-go/events"

	"github.com/esgen/esgen/bench/plain"
	"github.com/esgen/esgen/runtime/lambda"
)

const (
	rowEventType = "events.APIGatewayV2HTTPRequest by encoding/json"
	rowNeeded    = "a struct of the needed members by encoding/json"
	rowRequest   = "esgen: ReadRequest"
)

// envelopeSuite measures the reading of what an HTTP API hands to a function.
func envelopeSuite() (*suite, error) {
	text, err := proxyEvent()
	if err != nil {
		return nil, err
	}
	r, format, err := lambda.ReadRequest(text)
	if err != nil {
		return nil, err
	}
	if format != lambda.Payload2 || r.Method != "POST" || string(r.Body) != plain.Body || r.Header("Content-Type") != "application/json" {
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
			{name: rowRequest, run: func() error {
				r, _, err := lambda.ReadRequest(text)
				sink = r
				return err
			}},
		},
		goals: []goal{{id: "G4", says: "of the event type", row: rowRequest, against: rowEventType, limit: 0.18}},
	}, nil
}

func proxyEvent() ([]byte, error) {
	e := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "POST /", RawPath: "/", RawQueryString: "",
		Headers: map[string]string{
			"accept": "*/*", "accept-encoding": "gzip, deflate, br", "content-length": "555", "content-type": "application/json",
			"host": "abcdefghij.execute-api.eu-central-1.amazonaws.com", "user-agent": "curl/8.7.1",
			"idempotency-key": plain.EventID, "x-amzn-trace-id": "Root=1-65e1a2b3-0123456789abcdef01234567",
			"x-forwarded-for": "198.51.100.17", "x-forwarded-port": "443", "x-forwarded-proto": "https",
			"authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260301/eu-central-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date",
		},
		Body: plain.Body,
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

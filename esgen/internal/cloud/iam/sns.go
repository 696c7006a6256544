package iam

import (
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// SNS enforces policies in front of SNS.
type SNS struct{ proxy }

// NewSNS forwards to a handler that is the service.
func NewSNS(o Options, service http.Handler) *SNS {
	s := &SNS{}
	s.Options, s.forward, s.fail, s.accesses = o, service, failXML, topic
	return s
}

// failXML is an error of a service that speaks the AWS query protocol.
func failXML(w http.ResponseWriter, status int, code, message string) {
	if code == "AccessDeniedException" {
		status, code = http.StatusForbidden, "AuthorizationError"
	}
	type problem struct {
		Type, Code, Message string
	}
	text, err := xml.Marshal(struct {
		XMLName   xml.Name `xml:"http://sns.amazonaws.com/doc/2010-03-31/ ErrorResponse"`
		Error     problem
		RequestID string `xml:"RequestId"`
	}{Error: problem{"Sender", code, message}, RequestID: "00000000-0000-4000-8000-000000000000"})
	if err != nil {
		panic(err) // texts
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// topic is what a request to SNS would do. Several messages at once need the permission to
// publish one.
func topic(_ *http.Request, body []byte) (string, []Access, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("Action") == "" {
		return "", nil, errors.New("the request names no operation of SNS")
	}
	action := form.Get("Action")
	arn := form.Get("TopicArn")
	if arn == "" {
		if arn = form.Get("TargetArn"); arn == "" {
			arn = "*"
		}
	}
	return action, []Access{{"sns:" + strings.TrimSuffix(action, "Batch"), arn}}, nil
}

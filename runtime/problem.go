package es

import "strconv"

// Codes of problems, part of the contract with clients.
const (
	codeInvalid     = "invalid"
	codeParameter   = "parameter"
	codeCursor      = "cursor"
	codeNotFound    = "not-found"
	codeMethod      = "method-not-allowed"
	codeMediaType   = "unsupported-media-type"
	codeTooLarge    = "too-large"
	codeReused      = "event-id-reused"
	codeVersion     = "version"
	codeState       = "state"
	codeEntityFull  = "entity-full"
	codeQuarantined = "quarantined"
	codeRebuilding  = "rebuilding"
	codeBehind      = "behind"
	codeUnavailable = "unavailable"
	codeInternal    = "internal"
)

// titles say what a code means, the same words every time.
var titles = map[string]string{
	codeInvalid:     "The request is not valid",
	codeParameter:   "A parameter is not valid",
	codeCursor:      "The cursor is not one of this list",
	codeNotFound:    "There is nothing here",
	codeMethod:      "The method is not allowed here",
	codeMediaType:   "The body must be JSON",
	codeTooLarge:    "The event is too large",
	codeReused:      "The event id was used before with other content",
	codeVersion:     "The entity is at another version",
	codeState:       "The event does not fit the entity's state",
	codeEntityFull:  "The entity's history is full",
	codeQuarantined: "The record waits for its view's code to be fixed",
	codeRebuilding:  "The view is being rebuilt",
	codeBehind:      "The view is too far behind",
	codeUnavailable: "The service cannot answer now",
	codeInternal:    "Something went wrong inside",
}

// problem is an error as it is answered: application/problem+json, RFC 9457.
// It never carries what a store or the user's code said.
type problem struct {
	status     int
	code       string
	detail     string
	errors     []Violation
	eventID    string
	current    *standing // currentVersion, currentState
	retryAfter int       // seconds; 0: no header
	allow      string
}

// problemType is the URI of a problem's type: its code in a namespace that
// resolves to nothing, since no service promises to host documents about itself.
const problemType = "urn:esgen:problem:"

// response renders the problem for a request.
func (p *problem) response(r *Request) *Response {
	b := make([]byte, 0, 256+96*len(p.errors))
	b = append(b, `{"type":`...)
	b = AppendString(b, problemType+p.code)
	b = appendMember(b, "title", titles[p.code])
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(p.status), 10)
	if p.detail != "" {
		b = appendMember(b, "detail", p.detail)
	}
	b = appendMember(b, "code", p.code)
	b = appendMember(b, "requestId", r.ID)
	if len(p.errors) > 0 {
		b = appendViolations(b, p.errors)
	}
	if p.eventID != "" {
		b = appendMember(b, "eventId", p.eventID)
	}
	if p.current != nil {
		b = append(b, `,"currentVersion":`...)
		b = strconv.AppendInt(b, p.current.version, 10)
		if p.current.state != "" {
			b = appendMember(b, "currentState", p.current.state)
		}
	}
	b = append(b, '}')
	w := &Response{Status: p.status, Body: b}
	w.set("Content-Type", "application/problem+json")
	w.set("Cache-Control", "no-store")
	if p.allow != "" {
		w.set("Allow", p.allow)
	}
	if p.retryAfter > 0 {
		w.set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	return w
}

func appendViolations(b []byte, violations []Violation) []byte {
	b = append(b, `,"errors":[`...)
	for i, v := range violations {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"pointer":`...)
		b = AppendString(b, v.Pointer)
		b = appendMember(b, "code", v.Code)
		b = appendMember(b, "message", v.Message)
		b = append(b, '}')
	}
	return append(b, ']')
}

func notFound(detail string) *problem {
	return &problem{status: 404, code: codeNotFound, detail: detail}
}

func badParameter(detail string) *problem {
	return &problem{status: 400, code: codeParameter, detail: detail}
}

func unavailable() *problem {
	return &problem{status: 503, code: codeUnavailable, detail: "try again", retryAfter: 1}
}

func internal() *problem {
	return &problem{status: 500, code: codeInternal, detail: "the request failed inside the service; its id finds it in the logs"}
}

// set adds a header line.
func (w *Response) set(name, value string) {
	w.Header = append(w.Header, HeaderField{Name: name, Value: value})
}

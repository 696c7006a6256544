package es

import (
	"context"
	"errors"
	"log/slog"
	"mime"
	"runtime/debug"
	"strconv"
	"strings"
)

// MaxBody is how many bytes the body of a request may have.
const MaxBody = 1 << 20

// CommandOptions are the knobs of a Command; the zero value serves.
type CommandOptions struct {
	Clock  Clock
	Logger *slog.Logger // of trouble that an answer does not explain; nil is silent
}

// Command takes events over HTTP: POST /.
type Command struct {
	writer *writer
	logger *slog.Logger
}

// NewCommand returns the write side of a service.
func NewCommand(m *Model, events EventStore, o CommandOptions) *Command {
	return &Command{writer: &writer{model: m, events: events, clock: o.Clock}, logger: logger(o.Logger)}
}

func logger(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}

// Handle answers POST /; it is safe for concurrent use.
func (c *Command) Handle(ctx context.Context, r *Request) (answer *Response) {
	p := &posting{command: c, request: r}
	defer func() {
		if v := recover(); v != nil {
			c.logger.Error("panic", "requestId", r.ID, "stack", string(debug.Stack()))
			problem := internal()
			problem.eventID = p.eventID
			answer = problem.response(r)
		}
	}()
	answer, problem := p.handle(ctx)
	if problem != nil {
		return problem.response(r)
	}
	return answer
}

// posting is one POST on its way.
type posting struct {
	command *Command
	request *Request
	eventID string // once it is fixed
}

func (p *posting) handle(ctx context.Context) (*Response, *problem) {
	r := p.request
	if problem := postable(r); problem != nil {
		return nil, problem
	}
	headerID, ifMatch, problem := conditions(r)
	if problem != nil {
		return nil, problem
	}
	w := p.command.writer
	now := w.clock.now()
	s, err := w.model.DecodeSubmission(r.Body, now)
	if err != nil {
		return nil, p.invalid(err)
	}
	switch {
	case s.EventID == "":
		s.EventID = headerID
	case headerID != "" && headerID != s.EventID:
		return nil, invalid("the header Idempotency-Key differs from the body's eventId")
	}
	if s.EventID == "" {
		s.EventID = NewUUID(now).String()
	}
	p.eventID = s.EventID
	stored, replayed, err := w.append(ctx, &submission{Submission: s, ifMatch: ifMatch, actor: r.Actor, time: now})
	if err != nil {
		return nil, p.refused(err)
	}
	return w.model.posted(r, stored, replayed), nil
}

// postable checks what can be said before the body is read.
func postable(r *Request) *problem {
	if path := r.Path; path != "/" && path != "" {
		return notFound("events are posted to /")
	}
	if r.Method != "POST" {
		return &problem{status: 405, code: codeMethod, allow: "POST", detail: "events are posted"}
	}
	if _, problem := parseParameters(r.RawQuery, nil); problem != nil {
		return problem
	}
	if !isJSON(r.header("Content-Type")) {
		return &problem{status: 415, code: codeMediaType, detail: "send application/json in UTF-8"}
	}
	if len(r.Body) > MaxBody {
		return &problem{status: 413, code: codeTooLarge, detail: "a body has at most 1 MB"}
	}
	return nil
}

// header returns a header of the request, "" when there is none.
func (r *Request) header(name string) string {
	if r.Header == nil {
		return ""
	}
	return r.Header(name)
}

// isJSON reports whether a content type is JSON in UTF-8; a request may leave it out.
func isJSON(contentType string) bool {
	if contentType == "" || contentType == "application/json" {
		return true
	}
	mediaType, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || mediaType != "application/json" &&
		(!strings.HasPrefix(mediaType, "application/") || !strings.HasSuffix(mediaType, "+json")) {
		return false
	}
	charset, given := parameters["charset"]
	return !given || strings.EqualFold(charset, "utf-8")
}

// conditions reads the headers that are about the event: the id that a client gave it, ""
// if none, and the version that it expects.
func conditions(r *Request) (eventID string, ifMatch *int64, p *problem) {
	if key := r.header("Idempotency-Key"); key != "" {
		eventID = key
		if n := len(key); n >= 2 && key[0] == '"' && key[n-1] == '"' {
			eventID = key[1 : n-1]
		}
		if !validEventID(eventID) {
			return "", nil, invalid("the header Idempotency-Key must be 1 to 128 printable ASCII characters without spaces")
		}
	}
	if tag := r.header("If-Match"); tag != "" {
		version, ok := parseVersionTag(tag)
		if !ok {
			return "", nil, invalid(`the header If-Match must be the ETag of a POST, a version in quotes: "3"`)
		}
		ifMatch = &version
	}
	return eventID, ifMatch, nil
}

func validEventID(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return false
		}
	}
	return true
}

// parseVersionTag reads the ETag of a POST: digits in double quotes, without
// leading zeros.
func parseVersionTag(tag string) (int64, bool) {
	if len(tag) < 3 || tag[0] != '"' || tag[len(tag)-1] != '"' {
		return 0, false
	}
	return parseVersion(tag[1 : len(tag)-1])
}

// parseVersion reads a version or 0: digits only, without leading zeros.
func parseVersion(text string) (int64, bool) {
	if text == "" || len(text) > 1 && text[0] == '0' {
		return 0, false
	}
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// posted answers for an event that is stored.
func (m *Model) posted(r *Request, stored *Recorded, replayed bool) *Response {
	answer := &Response{Status: 201, Header: make([]HeaderField, 0, 5)}
	answer.Body = m.appendEvent(make([]byte, 0, len(stored.Payload)+256), stored, false)
	answer.set("Content-Type", "application/json")
	answer.set("Location", historyPath(r.Base, stored.EntityID))
	answer.set("ETag", `"`+strconv.FormatInt(stored.Version, 10)+`"`)
	answer.set("Cache-Control", "no-store")
	if replayed {
		answer.Status = 200
		answer.set("Idempotency-Replayed", "true")
	}
	return answer
}

func invalid(detail string) *problem {
	return &problem{status: 400, code: codeInvalid, detail: detail}
}

func (p *posting) invalid(err error) *problem {
	if e, ok := errors.AsType[*InvalidError](err); ok {
		problem := invalid("the event has one violation")
		if n := len(e.Violations); n != 1 {
			problem.detail = "the event has " + strconv.Itoa(n) + " violations"
		}
		if e.More {
			problem.detail = "the event has more than " + strconv.Itoa(len(e.Violations)) + " violations: those after them are not listed"
		}
		problem.errors = e.Violations
		return problem
	}
	p.command.logger.Error("decoding failed", "requestId", p.request.ID, "error", err)
	return internal()
}

// refused says why an event was not stored, or may not have been.
func (p *posting) refused(err error) *problem {
	e, ok := errors.AsType[*RefusedError](err)
	if !ok {
		p.command.logger.Warn("append failed", "requestId", p.request.ID, "eventId", p.eventID, "error", err)
		problem := unavailable()
		problem.detail = "the event may or may not be stored; send it again with the same eventId"
		if errors.Is(err, ErrDamaged) { // sending it again would not help
			problem = internal()
		}
		problem.eventID = p.eventID
		return problem
	}
	problem := &problem{
		status: refusedStatus(e), code: e.Code, detail: e.Error(), eventID: e.EventID,
		current: &standing{version: e.CurrentVersion, state: e.CurrentState},
	}
	switch e.Code {
	case codeReused, codeTooLarge:
		problem.current = nil
	}
	return problem
}

func refusedStatus(e *RefusedError) int {
	switch e.Code {
	case codeReused:
		return 422
	case codeTooLarge:
		return 413
	case codeEntityFull:
		return 507
	case codeVersion:
		if e.ifMatch {
			return 412
		}
	}
	return 409
}

package es

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/esgen/esgen/runtime/scan"
)

// messageFormat is the number of the form of messages. A program reads all up to its own.
const messageFormat = 1

// Message is what a relay sends to the queues of consumers: an event, a change of a view's record,
// or a reference to one that is too large for a queue. As JSON an event is
//
//	{"esgen":1,"id":"o-1","version":3,"eventId":"…","type":"OrderShipped","revision":1,
//	 "time":"2026-02-03T04:05:06Z","state":"shipped","payload":{"carrier":"…"}}
//
// with correlationId, causationId and actor where it has them, and a change is
//
//	{"esgen":1,"view":"default","key":"o-1","guard":4,"time":"…","rebuilding":true,"old":{…},"new":{…}}
//
// without the members that do not apply. Exactly one of Event and Change is set.
type Message struct {
	// Event has no digest.
	Event  *Recorded
	Change *RecordChange
	// Elsewhere says that the message has no payloads. An event is then to be read from the
	// events table. Of a change the JSON of the whole message was stored in so many parts, from 1.
	Elsewhere int
}

// AppendJSON appends the message as it is sent. It is text that queues take: valid UTF-8 without
// U+FFFE and U+FFFF, which Amazon's queues refuse.
func (m *Message) AppendJSON(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, `{"esgen":`...)
	dst = strconv.AppendInt(dst, messageFormat, 10)
	if m.Event != nil {
		dst = m.appendEvent(dst)
	} else if m.Change != nil {
		dst = m.appendChange(dst)
	}
	if m.Elsewhere > 0 {
		dst = append(dst, `,"elsewhere":`...)
		dst = strconv.AppendInt(dst, int64(m.Elsewhere), 10)
	}
	return escapeNonCharacters(append(dst, '}'), start)
}

func (m *Message) appendEvent(dst []byte) []byte {
	e := m.Event
	dst = appendMember(dst, "id", e.EntityID)
	dst = append(dst, `,"version":`...)
	dst = strconv.AppendInt(dst, e.Version, 10)
	dst = appendMember(dst, "eventId", e.EventID)
	dst = appendMember(dst, "type", e.Type)
	dst = append(dst, `,"revision":`...)
	dst = strconv.AppendInt(dst, int64(e.Revision), 10)
	dst = appendInstant(dst, e.Time)
	dst = appendGiven(dst, "state", e.State)
	dst = appendGiven(dst, "correlationId", e.CorrelationID)
	dst = appendGiven(dst, "causationId", e.CausationID)
	dst = appendGiven(dst, "actor", e.Actor)
	if m.Elsewhere == 0 {
		dst = appendPayload(dst, "payload", e.Payload)
	}
	return dst
}

func (m *Message) appendChange(dst []byte) []byte {
	c := m.Change
	dst = appendMember(dst, "view", c.View)
	dst = appendMember(dst, "key", c.Key)
	dst = append(dst, `,"guard":`...)
	dst = strconv.AppendInt(dst, c.Guard, 10)
	dst = appendInstant(dst, c.Time)
	if c.Rebuilding {
		dst = append(dst, `,"rebuilding":true`...)
	}
	if m.Elsewhere == 0 {
		dst = appendPayload(dst, "old", c.Old)
		dst = appendPayload(dst, "new", c.New)
	}
	return dst
}

// appendGiven appends a member unless its value is "".
func appendGiven(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return appendMember(dst, name, value)
}

func appendInstant(dst []byte, t time.Time) []byte {
	dst = append(dst, `,"time":"`...)
	dst = t.UTC().AppendFormat(dst, time.RFC3339Nano)
	return append(dst, '"')
}

// appendPayload appends a payload as the JSON that it is. One that is no JSON, which none of ours
// is, goes as a string: whoever reads it decides what to make of it.
func appendPayload(dst []byte, name, payload string) []byte {
	if payload == "" {
		return dst
	}
	start := len(dst)
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':')
	s := scan.Scanner{Text: payload}
	if s.Space() == '{' {
		whole, ok := appendCompact(dst, &s, 0)
		if ok && s.End() {
			return whole
		}
	}
	return appendMember(dst[:start], name, payload)
}

// escapeNonCharacters spells U+FFFE and U+FFFF as escapes. In JSON they stand in strings only.
func escapeNonCharacters(dst []byte, start int) []byte {
	if !bytes.Contains(dst[start:], []byte("\uffff")) && !bytes.Contains(dst[start:], []byte("\ufffe")) {
		return dst
	}
	text := bytes.ReplaceAll(dst[start:], []byte("\uffff"), []byte(`\uffff`))
	return append(dst[:start], bytes.ReplaceAll(text, []byte("\ufffe"), []byte(`\ufffe`))...)
}

var errNoMessage = errors.New("es: what the queue delivered is no message of a relay of this service")

// ParseMessage reads what AppendJSON wrote. Members that it does not know are passed over. The
// error quotes nothing of the text, which the message's strings may share memory with.
func ParseMessage(text string) (*Message, error) {
	p := messageReader{s: scan.Scanner{Text: text}}
	p.read()
	switch {
	case p.failed || !p.s.End():
		return nil, errNoMessage
	case p.format < 1:
		return nil, errNoMessage
	case p.format > messageFormat:
		return nil, fmt.Errorf("es: a message of form %d, this program reads 1 to %d: deploy the consumer with the relay's esgen", p.format, messageFormat)
	}
	m := &Message{Elsewhere: int(p.elsewhere)}
	switch {
	case p.event.EntityID != "" && p.event.Version >= 1 && p.change.View == "":
		m.Event = &p.event
		m.Event.Time = p.time
		m.Event.Revision = int(p.revision)
	case p.change.View != "" && p.change.Key != "":
		m.Change = &p.change
		m.Change.Time = p.time
	default:
		return nil, errNoMessage
	}
	return m, nil
}

// messageReader reads the members of both kinds of message.
type messageReader struct {
	s                           scan.Scanner
	failed                      bool
	format, elsewhere, revision int64
	time                        time.Time
	event                       Recorded
	change                      RecordChange
}

func (p *messageReader) read() {
	m := p.s.Members()
	for !p.failed && m.Next() {
		p.member(m.Name)
	}
	p.failed = p.failed || !m.Whole()
}

func (p *messageReader) member(name string) {
	switch name {
	case "esgen":
		p.format = p.number()
	case "elsewhere":
		p.elsewhere = p.number()
	case "id":
		p.event.EntityID = p.text()
	case "version":
		p.event.Version = p.number()
	case "eventId":
		p.event.EventID = p.text()
	case "type":
		p.event.Type = p.text()
	case "revision":
		p.revision = p.number()
	case "time":
		t, err := time.Parse(time.RFC3339Nano, p.text())
		p.failed = p.failed || err != nil
		p.time = t.UTC()
	case "state":
		p.event.State = p.text()
	case "correlationId":
		p.event.CorrelationID = p.text()
	case "causationId":
		p.event.CausationID = p.text()
	case "actor":
		p.event.Actor = p.text()
	case "payload":
		p.event.Payload = p.payload()
	case "view":
		p.change.View = p.text()
	case "key":
		p.change.Key = p.text()
	case "guard":
		p.change.Guard = p.number()
	case "rebuilding":
		p.change.Rebuilding = p.raw() == "true"
	case "old":
		p.change.Old = p.payload()
	case "new":
		p.change.New = p.payload()
	default:
		p.raw()
	}
}

func (p *messageReader) text() string {
	text, ok := p.s.String()
	p.failed = p.failed || !ok
	return text
}

func (p *messageReader) number() int64 {
	n, err := strconv.ParseInt(p.raw(), 10, 64)
	p.failed = p.failed || err != nil
	return n
}

func (p *messageReader) raw() string {
	start := p.s.Pos
	if !p.s.Skip() {
		p.failed = true
		return ""
	}
	return p.s.Text[start:p.s.Pos]
}

func (p *messageReader) payload() string {
	if p.s.Space() == '"' {
		return p.text()
	}
	return p.raw()
}

package es

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/esgen/esgen/runtime/scan"
)

// Submission is the body of a POST, decoded and valid, with defaults filled in.
type Submission struct {
	Event           Event
	Type            *EventType
	EntityID        string
	EventID         string // "" when the body has none
	ExpectedVersion *int64 // nil when the body has none
	CorrelationID   string
	CausationID     string
	Digest          string // of the content as sent
	Payload         string // canonical JSON of the fields, defaults applied
}

// DecodeSubmission decodes and validates the body of a POST. now is the one reading of
// the clock of the request. The error is an *InvalidError. Strings of the event share
// memory with a copy of the body. It is safe for concurrent use.
func (m *Model) DecodeSubmission(body []byte, now time.Time) (*Submission, error) {
	text := string(body)
	d := newDecoder(text)
	defer d.release()
	env := &d.envelope
	env.rule = &m.Key
	d.now, d.sums = now, true
	eventType, entityID := head(text, m.Key.Name)
	var event DecodableEvent
	t := m.EventType(eventType)
	if d.checkText() {
		env.isObject = d.s.Space() == '{'
		if t != nil {
			event = t.New(entityID)
			event.Decode(d)
		} else if d.Object() {
			for d.Member() { // what belongs to no known type cannot be judged
				d.skip()
			}
		}
		d.finish(env, t)
	}
	if len(d.violations) > 0 {
		return nil, d.err()
	}
	s := &Submission{
		Event: event, Type: t, EntityID: entityID, EventID: env.eventID,
		CorrelationID: env.correlationID, CausationID: env.causationID,
	}
	if env.hasVersion {
		version := env.expectedVersion
		s.ExpectedVersion = &version
	}
	buffer := event.AppendJSON(d.buffer[:0])
	size := len(buffer)
	buffer = appendDigest(buffer, t.Name, d.digest)
	d.buffer = buffer
	both := string(buffer) // one allocation for the two
	s.Payload, s.Digest = both[:size], both[size:]
	return s, nil
}

// checkText refuses what no reading will make an event of.
func (d *Decoder) checkText() bool {
	switch {
	case len(d.s.Text) >= 3 && d.s.Text[:3] == "\ufeff":
		d.failSyntax("is not JSON: it starts with a byte order mark")
	case !isASCII(d.s.Text) && !utf8.ValidString(d.s.Text):
		d.failSyntax("is not JSON: it is not UTF-8")
	case d.s.Space() == 0 && d.s.Pos == len(d.s.Text):
		d.failSyntax("is empty: send a JSON object")
	}
	return !d.failed
}

// isASCII reports whether a text has no byte beyond ASCII: most need no other look.
func isASCII(text string) bool {
	var all uint64
	for ; len(text) >= 32; text = text[32:] {
		all |= load64(text) | load64(text[8:]) | load64(text[16:]) | load64(text[24:])
	}
	for i := range len(text) {
		all |= uint64(text[i])
	}
	return all&0x8080808080808080 == 0
}

// finish checks what can only be said at the end of the body.
func (d *Decoder) finish(env *envelope, t *EventType) {
	if d.failed {
		return
	}
	if d.depth != 0 || !d.s.End() {
		d.malformed("the end of the text")
		return
	}
	if !env.isObject {
		return // and that has been said
	}
	switch {
	case !env.hasType:
		d.violateMember("type", "required", "is required")
	case t == nil && env.typeIsText:
		d.violateMember("type", "unknown-event", "must be the name of an event of this service")
	}
	if !env.hasKey {
		d.violateMember(env.rule.Name, "required", "is required")
	}
}

// head finds the event's type and the entity's id in a body, wherever they stand,
// usually at its beginning. It leaves what is wrong with the body to the decoder.
func head(text, key string) (eventType, entityID string) {
	s := scan.Scanner{Text: text}
	if s.Space() != '{' {
		return "", ""
	}
	hasType, hasKey := false, false
	for !hasType || !hasKey {
		s.Pos++ // the brace or a comma
		s.Space()
		name, ok := s.String()
		if !ok || s.Space() != ':' {
			return eventType, entityID
		}
		s.Pos++
		c := s.Space()
		switch {
		case c == '"' && name == "type" && !hasType:
			eventType, ok = s.String()
			hasType = true
		case c == '"' && name == key && !hasKey:
			entityID, ok = s.String()
			hasKey = true
		default:
			ok = s.Skip()
		}
		if !ok || s.Space() != ',' {
			return eventType, entityID
		}
	}
	return eventType, entityID
}

// envelope takes the members of a body that are not the event's own.
type envelope struct {
	rule            *KeyRule
	isObject        bool
	hasType         bool
	typeIsText      bool
	hasKey          bool
	hasVersion      bool
	eventID         string
	expectedVersion int64
	correlationID   string
	causationID     string
}

const maxEventID = 128

// take reads the member's value if it belongs to the envelope.
func (e *envelope) take(d *Decoder, name string) bool {
	switch name {
	case "type":
		e.hasType = true
		_, e.typeIsText = d.string("must be a string")
	case e.rule.Name:
		e.hasKey = true
		e.takeKey(d)
	case "eventId":
		e.takeEventID(d)
	case "expectedVersion":
		e.takeExpectedVersion(d)
	case "meta":
		e.takeMeta(d)
	default:
		return false
	}
	return true
}

func (e *envelope) takeKey(d *Decoder) {
	if _, ok := d.string("must be a string"); !ok {
		return
	}
	d.MinLength(max(e.rule.MinLength, 1))
	longest := e.rule.MaxLength
	if longest == 0 {
		longest = maxKeyLength
	}
	d.MaxLength(min(longest, maxKeyLength))
	if e.rule.Pattern != "" {
		if re := compiled(e.rule.Pattern); re != nil {
			d.Pattern(re)
		}
	}
}

// patterns keeps the compiled patterns of entities' keys: one a service.
var patterns sync.Map

func compiled(pattern string) *regexp.Regexp {
	if re, ok := patterns.Load(pattern); ok {
		return re.(*regexp.Regexp)
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil // the schema was not checked: there is no rule to keep
	}
	patterns.Store(pattern, re)
	return re
}

func (e *envelope) takeEventID(d *Decoder) {
	if d.Null() || !d.String(&e.eventID) {
		return
	}
	d.MinLength(1)
	d.MaxLength(maxEventID)
	for i := 0; i < len(e.eventID); i++ {
		if c := e.eventID[i]; c <= ' ' || c > '~' {
			d.violate("pattern", "must be printable ASCII without spaces")
			return
		}
	}
}

func (e *envelope) takeExpectedVersion(d *Decoder) {
	if !d.Null() && d.Int(&e.expectedVersion) {
		e.hasVersion = true
		d.MinInt(0)
	}
}

func (e *envelope) takeMeta(d *Decoder) {
	if d.Null() || !d.Object() {
		return
	}
	for d.Member() {
		switch d.Name() {
		case "correlationId":
			e.takeTrace(d, &e.correlationID)
		case "causationId":
			e.takeTrace(d, &e.causationID)
		default:
			d.Unknown()
		}
	}
}

// maxTrace bounds correlationId and causationId, in characters: they are stored with
// every event and handed on, often into headers and logs.
const maxTrace = 256

func (e *envelope) takeTrace(d *Decoder, to *string) {
	if d.Null() || !d.String(to) {
		return
	}
	d.MinLength(1)
	d.MaxLength(maxTrace)
	if strings.ContainsFunc(*to, unicode.IsControl) {
		d.violate("pattern", "must have no control characters")
	}
}

// decoders are used again and again: each has room for the deepest text.
var decoders = sync.Pool{New: func() any { return new(Decoder) }}

// maxBuffer is what a pooled decoder may keep of the memory it wrote payloads in.
const maxBuffer = 64 << 10

// newDecoder returns a decoder for a text, to be released.
func newDecoder(text string) *Decoder {
	d := decoders.Get().(*Decoder)
	d.s = scan.Scanner{Text: text}
	return d
}

// release gives a decoder back, without a hold on any text.
func (d *Decoder) release() {
	clear(d.room[:d.depth])
	d.depth = 0
	hashes, buffer := d.hashes[:0], d.buffer[:0]
	if cap(buffer) > maxBuffer {
		buffer = nil
	}
	d.s, d.hashes, d.buffer = scan.Scanner{}, hashes, buffer
	d.stored, d.sums, d.failed, d.more, d.absent = false, false, false, false, false
	d.from, d.to, d.unescaped, d.length = 0, 0, "", 0
	d.number, d.digest = scan.Number{}, 0
	if d.envelope.rule != nil { // of a request: what is stored leaves it as it was
		d.envelope = envelope{}
	}
	d.recorded, d.now = nil, time.Time{}
	d.violations, d.pointerBytes = nil, 0
	decoders.Put(d)
}

// where names an event in an error, without a value of its fields.
func (r *Recorded) where() string {
	return r.Type + " " + strconv.FormatInt(r.Version, 10) + " of " + strconv.Quote(r.EntityID)
}

package dynamo

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/scan"
)

// StreamBatch is what a function gets of a table's stream, read from the JSON that Lambda
// hands it. What the batch holds does not share memory with that text.
type StreamBatch[T any] struct {
	Values []T
	// Sequences are the sequence numbers of the records of Values.
	Sequences []string
	// Skipped are those of records that are nothing of ours: other attributes, attributes of
	// other types, a format of a later esgen. No delivery would make more of them.
	Skipped []string
}

// Records is how many records were delivered.
func (b *StreamBatch[T]) Records() int { return len(b.Values) + len(b.Skipped) }

// DecodeEvents reads a batch of the stream of an events table. Only insertions count: an event
// never changes. The error says that the text is no batch at all; it quotes nothing of it.
func DecodeEvents(batch []byte) (*StreamBatch[es.Recorded], error) {
	return decodeStream(batch, (*streamRecord).event)
}

// DecodeChanges reads a batch of the stream of a table of a view, as DecodeEvents does.
// Removals are skipped: only what drops a table removes items. The time of a change is in whole
// milliseconds; DynamoDB gives whole seconds.
func DecodeChanges(view string, batch []byte) (*StreamBatch[es.RecordChange], error) {
	return decodeStream(batch, func(r *streamRecord) (es.RecordChange, bool) {
		c, ok := r.change()
		c.View = view
		return c, ok
	})
}

var errNoBatch = errors.New("dynamo: what was delivered is no batch of stream records: is the function's source a stream?")

// decodeStream reads all records; of gives the value of one, and its sequence number memory of its
// own, or reports that it has none.
func decodeStream[T any](batch []byte, of func(*streamRecord) (T, bool)) (*StreamBatch[T], error) {
	text := string(batch)
	const usual, smallest = 100, 512 // records in a batch, bytes in a record
	n := min(usual, len(text)/smallest+1)
	b := &StreamBatch[T]{Values: make([]T, 0, n), Sequences: make([]string, 0, n)}
	s := scan.Scanner{Text: text}
	found := false
	var r streamRecord
	m := s.Members()
	for m.Next() {
		if m.Name != "Records" {
			if !s.Skip() {
				return nil, errNoBatch
			}
			continue
		}
		found = true
		e := s.Elements()
		for e.Next() {
			r = streamRecord{}
			if !r.read(&s) {
				return nil, errNoBatch
			}
			value, ok := of(&r)
			if !ok || r.foreign {
				b.Skipped = append(b.Skipped, strings.Clone(r.sequence))
				continue
			}
			b.Values, b.Sequences = append(b.Values, value), append(b.Sequences, r.sequence)
		}
		if !e.Whole() {
			return nil, errNoBatch
		}
	}
	if !m.Whole() || !found || !s.End() {
		return nil, errNoBatch
	}
	return b, nil
}

// streamRecord is one record of a stream. Its texts may be pieces of the batch.
type streamRecord struct {
	name     string // INSERT, MODIFY, REMOVE
	sequence string
	created  float64 // seconds
	now, was image
	foreign  bool // something has another type than we know
}

// image is what we look at of an item. Absent attributes are zero values.
type image struct {
	there bool // the record has the image

	id, eventID, kind, state, digest, payload string
	correlationID, causationID, actor, time   string
	key                                       string
	version, format, revision, guard          int64
	rebuild                                   bool
	escaped                                   bool // the text that was read last
	ownsPayload                               bool // it had escapes, and so has memory of its own

	name    string // of the attribute that is read
	foreign string // name of an attribute that has another type than we know
}

// read reads the record at the scanner's position; false: the text is not JSON.
func (r *streamRecord) read(s *scan.Scanner) bool {
	if s.Space() != '{' {
		r.foreign = true
		return s.Skip()
	}
	m := s.Members()
	for m.Next() {
		ok := false
		switch m.Name {
		case "eventName":
			ok = r.text(s, &r.name)
		case "dynamodb":
			ok = r.readChange(s)
		default:
			ok = s.Skip()
		}
		if !ok {
			return false
		}
	}
	return m.Whole()
}

func (r *streamRecord) readChange(s *scan.Scanner) bool {
	if s.Space() != '{' {
		r.foreign = true
		return s.Skip()
	}
	m := s.Members()
	for m.Next() {
		ok := false
		switch m.Name {
		case "NewImage":
			ok = r.now.read(s)
		case "OldImage":
			ok = r.was.read(s)
		case "SequenceNumber":
			ok = r.text(s, &r.sequence)
		case "ApproximateCreationDateTime":
			ok = r.number(s, &r.created)
		default:
			ok = s.Skip()
		}
		if !ok {
			return false
		}
	}
	return m.Whole()
}

// text reads a string; anything else makes the record foreign.
func (r *streamRecord) text(s *scan.Scanner, to *string) (ok bool) {
	if s.Space() != '"' {
		r.foreign = true
		return s.Skip()
	}
	*to, ok = s.String()
	return ok
}

// number reads a number likewise.
func (r *streamRecord) number(s *scan.Scanner, to *float64) bool {
	s.Space()
	start := s.Pos
	if !s.Skip() {
		return false
	}
	n, err := strconv.ParseFloat(s.Text[start:s.Pos], 64)
	if err != nil || !(0 <= n && n < 1e12) {
		r.foreign = true
		return true
	}
	*to = n
	return true
}

// read reads an image: an object of attributes.
func (i *image) read(s *scan.Scanner) bool {
	if s.Space() != '{' { // null: there is none
		return s.Skip()
	}
	i.there = true
	m := s.Members()
	for m.Next() {
		if i.name = m.Name; !i.attribute(s, m.Name) {
			return false
		}
	}
	return m.Whole()
}

func (i *image) attribute(s *scan.Scanner, name string) bool {
	switch name {
	case attrID:
		return i.text(s, &i.id)
	case attrVersion:
		return i.number(s, &i.version)
	case attrEventID:
		return i.text(s, &i.eventID)
	case attrFormat:
		return i.number(s, &i.format)
	case attrType:
		return i.text(s, &i.kind)
	case attrRevision:
		return i.number(s, &i.revision)
	case attrTime:
		return i.text(s, &i.time)
	case attrState:
		return i.text(s, &i.state)
	case attrDigest:
		return i.text(s, &i.digest)
	case attrPayload:
		ok := i.text(s, &i.payload)
		i.ownsPayload = i.escaped
		return ok
	case attrCorrelationID:
		return i.text(s, &i.correlationID)
	case attrCausationID:
		return i.text(s, &i.causationID)
	case attrActor:
		return i.text(s, &i.actor)
	case attrKey:
		return i.text(s, &i.key)
	case attrGuard:
		return i.number(s, &i.guard)
	case attrRebuild:
		value, ok := i.value(s, "BOOL")
		i.rebuild = value == "true"
		return ok
	}
	return s.Skip()
}

func (i *image) text(s *scan.Scanner, to *string) (ok bool) {
	*to, ok = i.value(s, "S")
	return ok
}

func (i *image) number(s *scan.Scanner, to *int64) bool {
	text, ok := i.value(s, "N")
	if text == "" {
		return ok
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		i.foreign = i.name
	}
	*to = n
	return ok
}

// value reads the value of an attribute, such as {"S":"text"} or {"BOOL":true}. One of another
// type is none, and makes the image foreign.
func (i *image) value(s *scan.Scanner, kind string) (text string, ok bool) {
	if s.Space() != '{' {
		i.foreign = i.name
		return "", s.Skip()
	}
	m := s.Members()
	right := false
	for m.Next() {
		if m.Name == kind && !right {
			right = true
			text, ok = i.scalar(s, kind)
		} else {
			i.foreign = i.name
			ok = s.Skip()
		}
		if !ok {
			return "", false
		}
	}
	if !right {
		i.foreign = i.name
	}
	return text, m.Whole()
}

func (i *image) scalar(s *scan.Scanner, kind string) (string, bool) {
	c, start := s.Space(), s.Pos
	if c == '"' && kind != "BOOL" {
		text, ok := s.String()
		i.escaped = s.Pos-start > len(text)+len(`""`)
		return text, ok
	}
	if !s.Skip() {
		return "", false
	}
	text := s.Text[start:s.Pos]
	if kind != "BOOL" || text != "true" && text != "false" {
		i.foreign = i.name
		return "", true
	}
	return text, true
}

// event is the event that the record inserted.
func (r *streamRecord) event() (e es.Recorded, ok bool) {
	if r.name != "INSERT" || !r.now.there {
		return e, false
	}
	e, r.sequence, ok = r.now.event(r.sequence)
	return e, ok
}

// event is the event that the image is, in memory of its own; own is the other text, with memory
// shared with that of the event.
func (i *image) event(other string) (e es.Recorded, own string, ok bool) {
	if i.foreign != "" || i.format < 1 || i.format > eventFormat || i.id == "" || i.version < 1 {
		return e, other, false
	}
	e = es.Recorded{Version: i.version, Revision: int(i.revision), Payload: i.ownPayload()}
	if i.time != "" {
		t, err := time.Parse(time.RFC3339Nano, i.time)
		if err != nil {
			i.foreign = attrTime
			return e, other, false
		}
		e.Time = t.UTC()
	}
	// The short texts share one piece of memory, so that who keeps one does not keep the batch.
	all := i.id + i.eventID + i.kind + i.state + i.digest + i.correlationID + i.causationID + i.actor + other
	cut := func(text string) (own string) {
		own, all = all[:len(text)], all[len(text):]
		return own
	}
	e.EntityID, e.EventID, e.Type, e.State = cut(i.id), cut(i.eventID), cut(i.kind), cut(i.state)
	e.Digest, e.CorrelationID, e.CausationID, e.Actor = cut(i.digest), cut(i.correlationID), cut(i.causationID), cut(i.actor)
	return e, all, true
}

// change is the change of a record of a view.
func (r *streamRecord) change() (c es.RecordChange, ok bool) {
	i := &r.now
	if r.name != "INSERT" && r.name != "MODIFY" || !i.there || i.foreign != "" || r.was.foreign != "" || i.key == "" {
		return c, false
	}
	r.sequence = strings.Clone(r.sequence)
	return es.RecordChange{
		Key: strings.Clone(i.key), Guard: i.guard, Time: time.UnixMilli(int64(math.Round(r.created * 1000))).UTC(),
		Old: r.was.ownPayload(), New: i.ownPayload(), Rebuilding: i.rebuild,
	}, true
}

// ownPayload is the payload in memory of its own. A JSON object has quotes, which are escaped
// in the text of a batch, so that it nearly always is so already.
func (i *image) ownPayload() string {
	if i.ownsPayload {
		return i.payload
	}
	return strings.Clone(i.payload)
}

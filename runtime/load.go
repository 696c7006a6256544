package es

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/esgen/esgen/runtime/scan"
)

// ErrUnknownType is returned for a stored event whose type the model does not know.
var ErrUnknownType = errors.New("es: unknown event type")

// Fields are the members of an older event while upcasts rewrite them: raw JSON by name. An
// empty text is an absent member.
type Fields map[string]string

// LoadEvent decodes a stored event: upcasts, defaults for what it lacks, no
// validation. It returns [ErrUnknownType] for a type that the model does not have, and an
// error without values for a payload that is not of the fields' types.
//
// Strings of the event share memory with r.Payload. A store that cuts payloads out of larger
// texts, and a reader that keeps single strings for long, clones them (strings.Clone).
func (m *Model) LoadEvent(r *Recorded) (Event, error) {
	t := m.EventType(r.Type)
	if t == nil {
		return nil, ErrUnknownType
	}
	payload := r.Payload
	if revision := max(r.Revision, 1); revision < t.Revision {
		var err error
		if payload, err = t.upcast(payload, revision); err != nil {
			return nil, fmt.Errorf("es: upcasting %s: %w", r.where(), err)
		}
	}
	event := t.New(r.EntityID)
	d := newDecoder(payload)
	d.stored, d.now, d.recorded = true, r.Time, r
	event.Decode(d)
	err := d.storedErr()
	d.release()
	if err != nil {
		return nil, fmt.Errorf("es: stored event %s: %w", r.where(), err)
	}
	return event, nil
}

// DecodeStored reads a stored text, such as a view's record, without validating
// it: unknown members are ignored, absent ones get their literal default or the zero
// value. Now is the zero time and NewUUID the zero UUID. Strings may share memory
// with text.
func DecodeStored(text string, v interface{ Decode(*Decoder) }) error {
	d := newDecoder(text)
	d.stored = true
	v.Decode(d)
	err := d.storedErr()
	d.release()
	if err != nil {
		return fmt.Errorf("es: stored text: %w", err)
	}
	return nil
}

// DecodeChecked reads a JSON text as the fields of a request are read, with every
// check, and without an envelope. now is what Now gives. The error is an *InvalidError.
func DecodeChecked(text string, v interface{ Decode(*Decoder) }, now time.Time) error {
	d := newDecoder(text)
	defer d.release()
	d.now = now
	if d.checkText() {
		v.Decode(d)
		if !d.failed && (d.depth != 0 || !d.s.End()) {
			d.malformed("the end of the text")
		}
	}
	return d.err()
}

// storedErr ends the reading of a stored text.
func (d *Decoder) storedErr() error {
	if !d.failed && (d.depth != 0 || !d.s.End()) {
		d.malformed("the end of the text")
	}
	if len(d.violations) == 0 {
		return nil
	}
	v := d.violations[0]
	return errors.New(v.Pointer + " " + v.Message)
}

// upcast rewrites a payload of an older revision step by step. A panic in the
// user's function is an error.
func (t *EventType) upcast(payload string, revision int) (text string, err error) {
	defer func() {
		if recover() != nil {
			text, err = "", fmt.Errorf("the function from revision %d panicked", revision)
		}
	}()
	fields, err := splitFields(payload)
	if err != nil {
		return "", err
	}
	for ; revision < t.Revision; revision++ {
		if revision > len(t.Upcasts) || t.Upcasts[revision-1] == nil {
			return "", fmt.Errorf("there is no function from revision %d", revision)
		}
		if err := t.Upcasts[revision-1](fields); err != nil {
			return "", fmt.Errorf("from revision %d: %w", revision, err)
		}
	}
	return joinFields(fields)
}

func splitFields(payload string) (Fields, error) {
	s := scan.Scanner{Text: payload}
	fields := Fields{}
	if s.Space() != '{' {
		return nil, errors.New("the payload is not an object")
	}
	for {
		s.Pos++
		if s.Space() == '}' && len(fields) == 0 {
			return fields, nil
		}
		name, ok := s.String()
		if !ok || s.Space() != ':' {
			return nil, errors.New("the payload is not JSON")
		}
		s.Pos++
		s.Space()
		start := s.Pos
		if !s.Skip() {
			return nil, errors.New("the payload is not JSON")
		}
		fields[name] = payload[start:s.Pos]
		switch s.Space() {
		case '}':
			return fields, nil
		case ',':
		default:
			return nil, errors.New("the payload is not JSON")
		}
	}
}

func joinFields(fields Fields) (string, error) {
	dst := []byte{}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if fields[name] == "" {
			continue
		}
		dst = append(AppendString(append(dst, ','), name), ':')
		s := scan.Scanner{Text: fields[name]}
		var ok bool
		if dst, ok = appendCompact(dst, &s, 0); !ok || !s.End() {
			return "", fmt.Errorf("the field %q does not hold a JSON text", name)
		}
	}
	return string(AppendObjectEnd(dst, 0)), nil
}

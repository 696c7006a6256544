// Package notes is a small service as generated code and its user would write it, for the
// tests of the programs that run one.
package notes

import (
	"context"
	"errors"

	es "github.com/esgen/esgen/runtime"
)

// Written is an event: a note was written, or written anew.
type Written struct {
	NoteID string
	Text   string
	Tag    string
}

// EventType implements es.Event.
func (e Written) EventType() string { return "Written" }

// EntityID implements es.Event.
func (e Written) EntityID() string { return e.NoteID }

// AppendJSON implements es.Event.
func (e Written) AppendJSON(dst []byte) []byte {
	start := len(dst)
	dst = es.AppendString(append(dst, `,"text":`...), e.Text)
	if e.Tag != "" {
		dst = es.AppendString(append(dst, `,"tag":`...), e.Tag)
	}
	return es.AppendObjectEnd(dst, start)
}

// Decode implements es.DecodableEvent.
func (e *Written) Decode(d *es.Decoder) {
	if !d.Object() {
		return
	}
	seen := false
	for d.Member() {
		switch d.Name() {
		case "text":
			seen = true
			d.String(&e.Text)
		case "tag":
			if !d.Null() {
				d.String(&e.Tag)
			}
		default:
			d.Unknown()
		}
	}
	if !seen {
		d.Missing("text")
	}
}

// Note is a record of the view default.
type Note struct {
	NoteID string
	Text   string
	Edits  int64

	failOn string
}

// Fold implements es.Record.
func (v *Note) Fold(event es.Event, meta es.Meta) error {
	if e, ok := event.(*Written); ok {
		if v.failOn != "" && e.Text == v.failOn {
			return errors.New("this text cannot be folded")
		}
		v.Text = e.Text
		v.Edits++
	}
	return nil
}

// AppendJSON implements es.Record.
func (v *Note) AppendJSON(dst []byte) []byte {
	start := len(dst)
	dst = es.AppendString(append(dst, `,"noteId":`...), v.NoteID)
	dst = es.AppendString(append(dst, `,"text":`...), v.Text)
	dst = es.AppendInt(append(dst, `,"edits":`...), v.Edits)
	return es.AppendObjectEnd(dst, start)
}

// Decode reads what AppendJSON wrote.
func (v *Note) Decode(d *es.Decoder) {
	if !d.Object() {
		return
	}
	for d.Member() {
		switch d.Name() {
		case "noteId":
			d.String(&v.NoteID)
		case "text":
			d.String(&v.Text)
		case "edits":
			d.Int(&v.Edits)
		default:
			d.Unknown()
		}
	}
}

// Load implements es.Record.
func (v *Note) Load(payload string) error { return es.DecodeStored(payload, v) }

// AppendIndexEntries implements es.Record.
func (v *Note) AppendIndexEntries(dst []es.IndexEntry) []es.IndexEntry { return dst }

// Tag is a record of the view tags.
type Tag struct {
	Tag   string
	Notes int64
}

// Fold implements es.Record.
func (v *Tag) Fold(event es.Event, meta es.Meta) error {
	v.Notes++
	return nil
}

// AppendJSON implements es.Record.
func (v *Tag) AppendJSON(dst []byte) []byte {
	start := len(dst)
	dst = es.AppendString(append(dst, `,"tag":`...), v.Tag)
	dst = es.AppendInt(append(dst, `,"notes":`...), v.Notes)
	return es.AppendObjectEnd(dst, start)
}

// Decode reads what AppendJSON wrote.
func (v *Tag) Decode(d *es.Decoder) {
	if !d.Object() {
		return
	}
	for d.Member() {
		switch d.Name() {
		case "tag":
			d.String(&v.Tag)
		case "notes":
			d.Int(&v.Notes)
		default:
			d.Unknown()
		}
	}
}

// Load implements es.Record.
func (v *Tag) Load(payload string) error { return es.DecodeStored(payload, v) }

// AppendIndexEntries implements es.Record.
func (v *Tag) AppendIndexEntries(dst []es.IndexEntry) []es.IndexEntry { return dst }

// Model is the service: notes, with the views default (keyed by the note) and tags. The
// view default fails to fold the text failOn.
func Model(failOn string, consumers ...es.Consumer) *es.Model {
	return &es.Model{
		Service:   "notes",
		Key:       es.KeyRule{Name: "noteId", MinLength: 1, MaxLength: 256},
		PageSize:  10,
		Consumers: consumers,
		Events: []es.EventType{{
			Name: "Written", Revision: 1,
			New: func(id string) es.DecodableEvent { return &Written{NoteID: id} },
		}},
		Views: []es.View{
			{
				Name: "default", Revision: 1, KeyName: "noteId", Events: []string{"Written"},
				New: func(key string) es.Record { return &Note{NoteID: key, failOn: failOn} },
			},
			{
				Name: "tags", Revision: 1, KeyName: "tag", Events: []string{"Written"},
				Keys: func(e es.Event) []string {
					if w, ok := e.(*Written); ok {
						return es.AppendKey(nil, w.Tag)
					}
					return nil
				},
				New: func(key string) es.Record { return &Tag{Tag: key} },
			},
		},
	}
}

// Handler is a consumer made of two functions.
type Handler struct {
	Event  func(event es.Event, meta es.Meta) error
	Change func(change es.RecordChange) error
}

// HandleEvent implements es.Handler.
func (h Handler) HandleEvent(ctx context.Context, event es.Event, meta es.Meta) error {
	return h.Event(event, meta)
}

// HandleChange implements es.Handler.
func (h Handler) HandleChange(ctx context.Context, change es.RecordChange) error {
	return h.Change(change)
}

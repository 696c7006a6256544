package lambda_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/bolt"
	"github.com/esgen/esgen/runtime/lambda"
)

// A small service as generated code and a user would write it: notes that are taken.

type noteTaken struct{ NoteID, Text string }

func (e noteTaken) EventType() string { return "NoteTaken" }
func (e noteTaken) EntityID() string  { return e.NoteID }
func (e noteTaken) AppendJSON(dst []byte) []byte {
	start := len(dst)
	return es.AppendObjectEnd(es.AppendString(append(dst, `,"text":`...), e.Text), start)
}

func (e *noteTaken) Decode(d *es.Decoder) {
	if !d.Object() {
		return
	}
	for d.Member() {
		if d.Name() == "text" {
			d.String(&e.Text)
		} else {
			d.Unknown()
		}
	}
}

// note is a record of the view default; the text "bad" is a bug of its fold.
type note struct{ ID, Text string }

func (n *note) Fold(event es.Event, _ es.Meta) error {
	text := event.(*noteTaken).Text
	if text == "bad" {
		panic("secret of the user's code")
	}
	n.Text = text
	return nil
}

func (n *note) AppendJSON(dst []byte) []byte {
	start := len(dst)
	dst = es.AppendString(append(dst, `,"noteId":`...), n.ID)
	return es.AppendObjectEnd(es.AppendString(append(dst, `,"text":`...), n.Text), start)
}

func (n *note) Decode(d *es.Decoder) {
	if !d.Object() {
		return
	}
	for d.Member() {
		switch d.Name() {
		case "noteId":
			d.String(&n.ID)
		case "text":
			d.String(&n.Text)
		default:
			d.Unknown()
		}
	}
}

func (n *note) Load(payload string) error                              { return es.DecodeStored(payload, n) }
func (n *note) AppendIndexEntries(dst []es.IndexEntry) []es.IndexEntry { return dst }

func notesModel() *es.Model {
	types := []es.EventType{{Name: "NoteTaken", Revision: 1, New: func(id string) es.DecodableEvent { return &noteTaken{NoteID: id} }}}
	return &es.Model{
		Service: "notes", Key: es.KeyRule{Name: "noteId", MinLength: 1, MaxLength: 256}, Events: types, PageSize: 10,
		Views: []es.View{{
			Name: "default", Revision: 1, KeyName: "noteId", Events: []string{"NoteTaken"},
			New: func(key string) es.Record { return &note{ID: key} },
		}},
	}
}

// notes is the service on an embedded store, with what its functions write.
type notes struct {
	t            *testing.T
	model        *es.Model
	stores       es.Stores
	log, metrics bytes.Buffer
}

func newNotes(t *testing.T) *notes {
	store, err := bolt.Open(filepath.Join(t.TempDir(), "store.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return &notes{t: t, model: notesModel(), stores: store.Stores()}
}

func (n *notes) options() lambda.Options {
	return lambda.Options{
		Logger: slog.New(slog.NewJSONHandler(&n.log, &slog.HandlerOptions{Level: slog.LevelWarn})), Metrics: &n.metrics, Function: "notes-dev-function",
	}
}

// take stores a note as the service itself does.
func (n *notes) take(id, text string) es.Recorded {
	n.t.Helper()
	r, err := es.NewAppender(n.model, n.stores.Events, es.CommandOptions{}).Append(n.t.Context(), noteTaken{NoteID: id, Text: text})
	if err != nil {
		n.t.Fatal(err)
	}
	return *r
}

// line is the one line of metrics that was written since the last.
func (n *notes) line() map[string]any {
	n.t.Helper()
	text := n.metrics.String()
	n.metrics.Reset()
	var line map[string]any
	if strings.Count(text, "\n") != 1 || json.Unmarshal([]byte(text), &line) != nil {
		n.t.Fatalf("want one line of metrics: %q", text)
	}
	return line
}

// quiet checks that nothing was logged.
func (n *notes) quiet() {
	n.t.Helper()
	if n.log.Len() > 0 {
		n.t.Errorf("logged: %s", n.log.String())
	}
}

// says checks that something was logged, and never the text of a note.
func (n *notes) says(words string) {
	n.t.Helper()
	if text := n.log.String(); !strings.Contains(text, words) || strings.Contains(text, "secret") {
		n.t.Errorf("logged: %s; want %q and no secret", text, words)
	}
	n.log.Reset()
}

func invoke(t *testing.T, h lambda.Handler, event string) string {
	t.Helper()
	answer, err := h.Invoke(t.Context(), []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(answer) {
		t.Fatalf("not JSON: %s", answer)
	}
	return string(answer)
}

func jsonText(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

type object = map[string]any

// streamOf is a batch of the stream of events; sequence numbers count from 1.
func streamOf(t *testing.T, events ...es.Recorded) string {
	t.Helper()
	var records []any
	for i, e := range events {
		item := object{
			"_id": object{"S": e.EntityID}, "_version": object{"N": strconv.FormatInt(e.Version, 10)}, "_eventId": object{"S": e.EventID},
			"_format": object{"N": "1"}, "_type": object{"S": e.Type}, "_revision": object{"N": strconv.Itoa(e.Revision)},
			"_time": object{"S": e.Time.Format(time.RFC3339Nano)}, "_payload": object{"S": e.Payload}, "_digest": object{"S": e.Digest},
		}
		records = append(records, streamRecord(i, "INSERT", object{"NewImage": item}))
	}
	return jsonText(t, object{"Records": records})
}

func streamRecord(i int, name string, change object) object {
	change["SequenceNumber"] = strconv.Itoa(i + 1)
	return object{"eventID": strconv.Itoa(i), "eventName": name, "eventSource": "aws:dynamodb", "awsRegion": "eu-central-1", "dynamodb": change}
}

// viewStreamOf is a batch of the stream of a view.
func viewStreamOf(t *testing.T, changes ...es.RecordChange) string {
	t.Helper()
	var records []any
	image := func(key, payload string, guard int64) object {
		i := object{"_key": object{"S": key}, "_guard": object{"N": strconv.FormatInt(guard, 10)}}
		if payload != "" {
			i["_payload"] = object{"S": payload}
		}
		return i
	}
	for i, c := range changes {
		change := object{"NewImage": image(c.Key, c.New, c.Guard), "ApproximateCreationDateTime": c.Time.Unix()}
		if c.Old != "" {
			change["OldImage"] = image(c.Key, c.Old, c.Guard-1)
		}
		records = append(records, streamRecord(i, "MODIFY", change))
	}
	return jsonText(t, object{"Records": records})
}

// within is a context whose deadline is a function's.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

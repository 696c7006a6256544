package es_test

import (
	"context"
	"fmt"
	"testing"

	es "github.com/esgen/esgen/runtime"
)

// blackHole is a view store in which nothing is and every write succeeds.
type blackHole struct{ es.ViewStore }

func (blackHole) Load(_ context.Context, reads []es.ViewRead) ([]es.ViewRows, error) {
	return make([]es.ViewRows, len(reads)), nil
}

func (blackHole) Write(context.Context, es.Step) error { return nil }

// tally is a record that is cheap to fold, so that what is measured is the projector.
type tally struct {
	key      string
	sum, num int64
}

func (r *tally) Fold(event es.Event, _ es.Meta) error {
	r.sum += event.(*amount).N
	r.num++
	return nil
}

func (r *tally) AppendJSON(dst []byte) []byte {
	dst = es.AppendInt(append(dst, `{"sum":`...), r.sum)
	return append(dst, '}')
}
func (r *tally) Load(string) error                                      { return nil }
func (r *tally) AppendIndexEntries(dst []es.IndexEntry) []es.IndexEntry { return dst }

type amount struct {
	id string
	N  int64
}

func (e *amount) EventType() string            { return "Amount" }
func (e *amount) EntityID() string             { return e.id }
func (e *amount) AppendJSON(dst []byte) []byte { return dst }
func (e *amount) Decode(d *es.Decoder) {
	if !d.Object() {
		return
	}
	for d.Member() {
		if d.Name() == "n" {
			d.Int(&e.N)
		} else {
			d.Unknown()
		}
	}
}

func tallyModel() *es.Model {
	return &es.Model{
		Events: []es.EventType{{Name: "Amount", Revision: 1, New: func(id string) es.DecodableEvent { return &amount{id: id} }}},
		Views:  []es.View{{Name: "tally", Revision: 1, Events: []string{"Amount"}, New: func(key string) es.Record { return &tally{key: key} }}},
	}
}

// BenchmarkProject folds 100,000 events of 1,000 entities, as a stream brings them.
func BenchmarkProject(b *testing.B) {
	const entities, each = 1000, 100
	var batch []es.Recorded
	for v := range each {
		for e := range entities {
			batch = append(batch, es.Recorded{EntityID: fmt.Sprintf("e%d", e), Version: int64(v + 1), Type: "Amount", Revision: 1, Payload: `{"n":12345}`})
		}
	}
	p := es.NewProjector(tallyModel(), es.Stores{Views: blackHole{}}, es.ProjectorOptions{Logger: quiet()})
	b.ReportAllocs()
	for b.Loop() {
		if r, _, err := p.Project(b.Context(), batch); err != nil || r.Folds != entities*each {
			b.Fatal(r, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(batch)), "ns/event")
}

func BenchmarkDecode(b *testing.B) {
	m := tallyModel()
	r := es.Recorded{EntityID: "e", Version: 1, Type: "Amount", Revision: 1, Payload: `{"n":12345}`}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.LoadEvent(&r); err != nil {
			b.Fatal(err)
		}
	}
}

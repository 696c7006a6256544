package local

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/notes"
)

// A handler that never returns does not keep the program from ending, and is handed its event again.
func TestStopLeavesADeafHandler(t *testing.T) {
	entered, release := make(chan struct{}, 1), make(chan struct{})
	defer close(release)
	deaf := es.Consumer{Name: "deaf", Events: []string{"Written"}, Start: func(context.Context, *es.Appender) (es.Handler, error) {
		return notes.Handler{Event: func(es.Event, es.Meta) error {
			entered <- struct{}{}
			<-release
			return nil
		}}, nil
	}}
	path := filepath.Join(t.TempDir(), "store.db")
	for run := range 2 {
		m := notes.Model("", deaf)
		store, err := OpenStore(m, path, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		p, err := start(t.Context(), m, store, &options{store: path, deployment: "d"}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if run == 0 {
			event := &es.Recorded{EntityID: "n", Version: 1, EventID: "e", Type: "Written", Revision: 1, Time: time.Now().Add(time.Hour), Payload: `{"text":"t"}`}
			if _, err := store.Put(t.Context(), event); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case <-entered:
		case <-time.After(30 * time.Second):
			t.Fatal("the handler was not called")
		}
		p.stop(time.Millisecond)
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

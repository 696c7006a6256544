package simulation

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	es "github.com/esgen/esgen/runtime"
)

// happened counts what a run comes to, beside the faults: a simulation in which something never happens
// says nothing of it.
type happened struct {
	mu     sync.Mutex
	counts map[string]int
}

func (h *happened) add(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counts[what]++
}

// model is the service as a deployment has it, its folds counted.
func (w *world) model(deployment int) *es.Model {
	m := w.service.Model(deployment)
	for i := range m.Views {
		start := m.Views[i].New
		m.Views[i].New = func(key string) es.Record { return &counted{start(key), w.happened} }
	}
	return m
}

// counted is a record of the service.
type counted struct {
	es.Record
	happened *happened
}

func (c *counted) Fold(event es.Event, meta es.Meta) (err error) {
	returned := false
	defer func() {
		switch {
		case !returned:
			c.happened.add("folds that panicked")
		case errors.Is(err, es.Delete):
			c.happened.add("records deleted by a fold")
		case err != nil:
			c.happened.add("folds that failed")
		}
	}()
	err = c.Record.Fold(event, meta)
	returned = true
	return err
}

// answers counts what clients were answered.
func (w *world) answers() {
	for i := range w.clients.posts {
		w.happened.add("POST " + answerName(w.clients.posts[i].status))
	}
	for i := range w.clients.gets {
		kind := "GET "
		if w.clients.gets[i].minVersion != nil {
			kind = "GET with minVersion "
		}
		w.happened.add(kind + answerName(w.clients.gets[i].status))
	}
}

func answerName(status int) string {
	if status == 0 {
		return "without an answer"
	}
	return fmt.Sprint("answered ", status)
}

func (w *world) entered(e *es.Entry) {
	if strings.HasPrefix(e.Part, "quarantine/") && e.Value != "" {
		w.happened.add("entries of the quarantine")
	}
}

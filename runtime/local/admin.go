package local

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// Status is what /-/status answers, and operations show.
type Status struct {
	Service string          `json:"service"`
	Store   string          `json:"store"`
	URL     string          `json:"url,omitempty"` // of the program that has the store open, if one has
	Events  uint64          `json:"events"`        // in the store
	Waiting uint64          `json:"waiting"`       // not yet handed to the views
	Views   []es.ViewStatus `json:"views"`
	// Consumers say how many events or changes wait for each.
	Consumers []ConsumerStatus `json:"consumers"`
}

// ConsumerStatus is how far a consumer is.
type ConsumerStatus struct {
	Name    string `json:"name"`
	Waiting uint64 `json:"waiting"`
}

// Quarantine is what /-/quarantine answers.
type Quarantine struct {
	Items []es.Quarantined `json:"items"`
	// More says that there are others than these.
	More bool `json:"more,omitempty"`
}

// maxQuarantine bounds an answer.
const maxQuarantine = 1000

// admin answers the paths under /-/ that are for operations.
func (p *program) admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /-/status", func(w http.ResponseWriter, r *http.Request) {
		status, err := p.ops.Status(r.Context())
		status.URL = "http://" + r.Host
		writeJSON(w, status, err)
	})
	mux.HandleFunc("GET /-/quarantine", func(w http.ResponseWriter, r *http.Request) {
		list, err := p.ops.Quarantine(r.Context(), r.URL.Query().Get("view"))
		writeJSON(w, list, err)
	})
	mux.HandleFunc("POST /-/quarantine/retry", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		healing, err := p.ops.Retry(r.Context(), q.Get("view"), q.Get("entity"))
		writeJSON(w, healing, err)
	})
	mux.HandleFunc("POST /-/reconcile", func(w http.ResponseWriter, r *http.Request) {
		healing, err := p.ops.Reconcile(r.Context())
		writeJSON(w, healing, err)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Healing takes as long as there is work; a writer without deadlines serves too.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
		mux.ServeHTTP(w, r)
	})
}

// Failure is how an operation's error is answered.
type Failure struct {
	Code  string `json:"code"` // "unknown-view", "not-quarantined" or "failed"
	Error string `json:"error"`
}

func writeJSON(w http.ResponseWriter, v any, err error) {
	status := http.StatusOK
	switch {
	case errors.Is(err, es.ErrUnknownView):
		status, v = http.StatusNotFound, Failure{"unknown-view", err.Error()}
	case errors.Is(err, es.ErrNotQuarantined):
		status, v = http.StatusNotFound, Failure{"not-quarantined", err.Error()}
	case err != nil:
		status, v = http.StatusInternalServerError, Failure{"failed", err.Error()}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone if this fails
}

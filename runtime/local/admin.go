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

// adminRoute is one path under /-/.
type adminRoute struct {
	method string
	serve  func(r *http.Request) (answer any, err error)
}

// admin returns the paths under /-/ that are for operations.
func (p *program) admin() map[string]adminRoute {
	return map[string]adminRoute{
		"/-/status": {http.MethodGet, func(r *http.Request) (any, error) {
			status, err := p.ops.Status(r.Context())
			status.URL = "http://" + r.Host
			return status, err
		}},
		"/-/quarantine": {http.MethodGet, func(r *http.Request) (any, error) {
			return p.ops.Quarantine(r.Context(), r.URL.Query().Get("view"))
		}},
		"/-/quarantine/retry": {http.MethodPost, func(r *http.Request) (any, error) {
			q := r.URL.Query()
			return p.ops.Retry(r.Context(), q.Get("view"), q.Get("entity"))
		}},
		"/-/reconcile": {http.MethodPost, func(r *http.Request) (any, error) {
			return p.ops.Reconcile(r.Context())
		}},
	}
}

func (a adminRoute) answer(w http.ResponseWriter, r *http.Request, id string) {
	if r.Method != a.method && (r.Method != http.MethodHead || a.method != http.MethodGet) {
		w.Header().Set("Allow", a.method)
		refuse(w, id, http.StatusMethodNotAllowed, "method-not-allowed", "this path takes "+a.method)
		return
	}
	// Healing takes as long as there is work; a writer that has no deadline serves too.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	v, err := a.serve(r)
	writeJSON(w, v, err)
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

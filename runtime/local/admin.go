package local

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
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
			q := r.URL.Query()
			entities, _ := strconv.Atoi(q.Get("entities")) // none without a number
			return p.ops.Reconcile(r.Context(), es.ReconcileOptions{Full: q.Get("full") == "true", Entities: entities})
		}},
		"/-/drop-old": {http.MethodPost, func(r *http.Request) (any, error) {
			return p.ops.DropOld(r.Context(), r.URL.Query().Get("view"))
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
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // it would end the request's context
	_ = control.SetWriteDeadline(time.Time{})
	v, err := a.serve(r)
	writeJSON(w, v, err)
}

// Failure is how an operation's error is answered.
type Failure struct {
	Code  string `json:"code"` // "unknown-view", "not-quarantined", "still-needed", "rebuilding" or "failed"
	Error string `json:"error"`
}

func failureOf(err error) (status int, f Failure) {
	f.Error = err.Error()
	switch {
	case errors.Is(err, es.ErrUnknownView):
		status, f.Code = http.StatusNotFound, "unknown-view"
	case errors.Is(err, es.ErrNotQuarantined):
		status, f.Code = http.StatusNotFound, "not-quarantined"
	case errors.Is(err, es.ErrStillNeeded):
		status, f.Code = http.StatusConflict, "still-needed"
	case errors.Is(err, ErrRebuilding):
		status, f.Code = http.StatusConflict, "rebuilding"
	default:
		status, f.Code = http.StatusInternalServerError, "failed"
	}
	return status, f
}

func writeJSON(w http.ResponseWriter, v any, err error) {
	status := http.StatusOK
	if err != nil {
		var failure Failure
		status, failure = failureOf(err)
		v = failure
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone if this fails
}

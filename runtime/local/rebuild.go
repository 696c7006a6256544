package local

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	es "github.com/esgen/esgen/runtime"
)

const rebuildPath = "/-/rebuild"

// RebuildLine is one line of what /-/rebuild answers: how far it is, and last how it ended.
type RebuildLine struct {
	Progress *es.RebuildStatus `json:"progress,omitempty"`
	Done     *es.Rebuilt       `json:"done,omitempty"`
	Failure  *Failure          `json:"failure,omitempty"`
}

// RebuildQuery writes the options of a rebuild as the parameters of /-/rebuild.
func RebuildQuery(view string, o es.RebuildOptions) url.Values {
	q := url.Values{"view": {view}}
	if o.Rate > 0 {
		q.Set("rate", strconv.FormatFloat(o.Rate, 'g', -1, 64))
	}
	if o.Parallel > 0 {
		q.Set("parallel", strconv.Itoa(o.Parallel))
	}
	if o.Accept {
		q.Set("accept", "true")
	}
	return q
}

func parseRebuild(q url.Values) (view string, o es.RebuildOptions, err error) {
	if text := q.Get("rate"); text != "" {
		if o.Rate, err = strconv.ParseFloat(text, 64); err != nil || !(o.Rate > 0) {
			return "", o, fmt.Errorf("rate=%s: a number of events a second, above 0", text)
		}
	}
	if text := q.Get("parallel"); text != "" {
		if o.Parallel, err = strconv.Atoi(text); err != nil || o.Parallel < 1 {
			return "", o, fmt.Errorf("parallel=%s: a number above 0", text)
		}
	}
	o.Accept = q.Get("accept") == "true"
	return q.Get("view"), o, nil
}

// rebuild answers as it goes on. A client that hangs up stops it; the next one goes on from there.
func (h *handler) rebuild(w http.ResponseWriter, r *http.Request, id string) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, id, http.StatusMethodNotAllowed, "method-not-allowed", "this path takes POST")
		return
	}
	view, o, err := parseRebuild(r.URL.Query())
	if err != nil {
		refuse(w, id, http.StatusBadRequest, "parameter", err.Error())
		return
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // it would end the request's context; a connection without one serves too
	_ = control.SetWriteDeadline(time.Time{})
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	lines := json.NewEncoder(w)
	say := func(line RebuildLine) {
		_ = lines.Encode(line) // the client is gone if this fails, and the context done
		_ = control.Flush()
	}
	o.Progress = func(s es.RebuildStatus) { say(RebuildLine{Progress: &s}) }
	done, err := h.ops.Rebuild(r.Context(), view, o)
	if err != nil {
		status, failure := failureOf(err)
		if done.Segments == 0 { // nothing has been said yet
			w.WriteHeader(status)
		}
		say(RebuildLine{Failure: &failure})
		return
	}
	say(RebuildLine{Done: &done})
}

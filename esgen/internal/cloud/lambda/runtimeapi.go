package lambda

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// runtimeAPI is the Lambda Runtime API of one process, version 2018-06-01.
func (p *process) runtimeAPI() http.Handler {
	const root = "/2018-06-01/runtime/"
	m := http.NewServeMux()
	m.HandleFunc("GET "+root+"invocation/next", p.next)
	m.HandleFunc("POST "+root+"invocation/{id}/response", p.response)
	m.HandleFunc("POST "+root+"invocation/{id}/error", p.error)
	m.HandleFunc("POST "+root+"init/error", p.initError)
	return m
}

// next hands out an invocation; it waits for one as long as it takes.
func (p *process) next(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	unanswered := p.current != nil
	if !unanswered && !p.asked {
		p.asked = true
		close(p.started)
	}
	p.mu.Unlock()
	if unanswered {
		apiError(w, http.StatusForbidden, "InvalidStateTransition", "the invocation before is not answered")
		return
	}
	var in *invocation
	select {
	case in = <-p.work:
	case <-r.Context().Done():
		return
	case <-p.gone:
		return
	}
	p.mu.Lock()
	p.current = in
	p.mu.Unlock()
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Lambda-Runtime-Aws-Request-Id", in.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(in.deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", p.function.host.ARN(p.function.Name))
	h.Set("Lambda-Runtime-Trace-Id", "Root=1-00000000-"+in.id[24:]+in.id[:8]+";Sampled=0")
	h.Set("Content-Length", strconv.Itoa(len(in.payload)))
	_, _ = w.Write(in.payload) // if it is gone the invocation fails with it
}

func (p *process) response(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxResponse+1))
	if err != nil {
		return // the process is gone
	}
	if len(body) > maxResponse {
		message := "Response payload size exceeded maximum allowed payload size (" + strconv.Itoa(maxResponse) + " bytes)."
		p.answer(w, r, failure("Function.ResponseSizeTooLarge", message), http.StatusRequestEntityTooLarge)
		return
	}
	p.answer(w, r, Result{Payload: body}, http.StatusAccepted)
}

func (p *process) error(w http.ResponseWriter, r *http.Request) {
	p.answer(w, r, reported(r), http.StatusAccepted)
}

// reported is the error in a request's body.
func reported(r *http.Request) Result {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxResponse+1))
	if err != nil || len(body) > maxResponse || !json.Valid(body) {
		return failure("Runtime.UnknownReason", "the function failed and did not say why")
	}
	return Result{Payload: body, FunctionError: unhandled}
}

// answer ends the current invocation.
func (p *process) answer(w http.ResponseWriter, r *http.Request, result Result, status int) {
	p.mu.Lock()
	in := p.current
	if in == nil || in.id != r.PathValue("id") {
		p.mu.Unlock()
		apiError(w, http.StatusBadRequest, "InvalidRequestID", "no such invocation is under way")
		return
	}
	p.current = nil
	p.mu.Unlock()
	if status == http.StatusRequestEntityTooLarge {
		apiError(w, status, "RequestEntityTooLarge", "the response is too large")
	} else {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"status":"OK"}`)
	}
	// A process that ends right after this has its answer on the way, so that it is not taken
	// for a crash.
	_ = http.NewResponseController(w).Flush()
	in.result <- result
}

// initError is said by a function that cannot begin; it then ends.
func (p *process) initError(w http.ResponseWriter, r *http.Request) {
	result := reported(r)
	p.mu.Lock()
	p.initErr = &result
	p.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}

func apiError(w http.ResponseWriter, status int, kind, message string) {
	text, err := json.Marshal(map[string]string{"errorType": kind, "errorMessage": message})
	if err != nil {
		panic(errors.New("two texts do not marshal"))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

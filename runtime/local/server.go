package local

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// handler adapts net/http to the service. It routes by itself: a ServeMux would clean
// paths and redirect, which no gateway does.
type handler struct {
	command *es.Command
	query   *es.Query
	admin   map[string]adminRoute
	ops     *Operations
}

func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// maxDrain is how much of a body that is too large is read and dropped: a client that is
// still sending when the connection closes gets a broken pipe in place of its 413.
const maxDrain = 64 << 20

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := es.NewUUID(time.Now()).String()
	w.Header().Set("X-Request-Id", id)
	if reason := foreign(r); reason != "" {
		refuse(w, id, http.StatusForbidden, "foreign", reason)
		return
	}
	path := "/" + strings.TrimPrefix(r.URL.Path, "/")
	if route, ok := h.admin[path]; ok {
		route.answer(w, r, id)
		return
	}
	if path == rebuildPath {
		h.rebuild(w, r, id)
		return
	}
	request := &es.Request{
		Method:   r.Method,
		Path:     path,
		RawQuery: r.URL.RawQuery,
		Header:   headers(r),
		Actor:    "local",
		ID:       id,
	}
	if r.Method != http.MethodPost {
		answer(w, h.query.Handle(r.Context(), request))
		return
	}
	// One byte over the bound is enough for the command to refuse the body.
	body, err := io.ReadAll(io.LimitReader(r.Body, es.MaxBody+1))
	if err == nil && len(body) > es.MaxBody {
		_, _ = io.CopyN(io.Discard, r.Body, maxDrain) // the answer is the same however it ends
	}
	if err != nil {
		w.Header().Set("Connection", "close")
		status := http.StatusBadRequest
		if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
			status = http.StatusRequestTimeout
		}
		refuse(w, id, status, "body", "the body did not arrive")
		return
	}
	request.Body = body
	if path == "/" {
		// A client that hangs up does not stop an append half-way.
		answer(w, h.command.Handle(context.WithoutCancel(r.Context()), request))
		return
	}
	answer(w, h.query.Handle(r.Context(), request))
}

// headers gives a header's lines as one, as gateways do.
func headers(r *http.Request) func(string) string {
	return func(name string) string {
		if strings.EqualFold(name, "Host") {
			return r.Host
		}
		return strings.Join(r.Header.Values(name), ",")
	}
}

func answer(w http.ResponseWriter, a *es.Response) {
	if a == nil {
		a = &es.Response{Status: http.StatusInternalServerError}
	}
	for _, h := range a.Header {
		w.Header().Add(h.Name, h.Value)
	}
	if len(a.Body) > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	}
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // the client is gone if this fails
}

// foreign says why a request is not from this machine's own user, "" if it may be. Any site
// that the user visits can have the browser send requests here: under a name of its
// own that it points at this machine (Host), or across origins (Origin).
func foreign(r *http.Request) string {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if !isLoopback(host) {
		return "this server answers to localhost, 127.0.0.1 and [::1] only, not to the host of this request"
	}
	for _, origin := range r.Header.Values("Origin") {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || !isLoopback(u.Hostname()) {
			return "this server takes no requests from pages of other hosts"
		}
	}
	return ""
}

// refuse answers a problem that the service itself never sees.
func refuse(w http.ResponseWriter, id string, status int, code, detail string) {
	body, _ := json.Marshal(struct {
		Type      string `json:"type"`
		Title     string `json:"title"`
		Status    int    `json:"status"`
		Detail    string `json:"detail"`
		Code      string `json:"code"`
		RequestID string `json:"requestId"`
	}{"urn:esgen:problem:" + code, http.StatusText(status), status, detail, code, id})
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

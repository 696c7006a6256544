package dev

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// holdFor is how long a request waits for a service that is being restarted.
const holdFor = 30 * time.Second

// Proxy owns the port of the service while the program behind it comes and
// goes. Requests that arrive in between wait. It is safe for concurrent use.
type Proxy struct {
	server http.Handler

	mu      sync.Mutex
	target  *url.URL      // nil while requests wait
	changed chan struct{} // closed when target or failure changes
	failure string        // why there is no service, "" while one is expected
	active  int           // requests at the target
	idle    chan struct{} // closed when active falls to 0; nil when nobody waits for it
}

// NewProxy returns a proxy whose requests wait for the first target.
func NewProxy() *Proxy {
	p := &Proxy{changed: make(chan struct{})}
	p.server = &httputil.ReverseProxy{
		// The target is chosen when the request is sent. The query goes on as it came:
		// what is wrong with it is for the service to say.
		Rewrite:      func(r *httputil.ProxyRequest) { r.Out.URL.RawQuery = r.In.URL.RawQuery },
		Transport:    &forwarder{proxy: p, base: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}},
		ErrorHandler: unavailable,
		ErrorLog:     log.New(io.Discard, "", 0),
	}
	return p
}

// ServeHTTP forwards one request. What does not come from this machine by its
// own name is refused: a page of another origin must not reach the service.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !loopbackHost(r.Host) || slices.ContainsFunc(r.Header.Values("Origin"), func(o string) bool { return !loopbackOrigin(o) }) {
		problem(w, http.StatusForbidden, "foreign", "the service under development answers only to localhost, and to no pages of other hosts")
		return
	}
	// A client that hangs up, or only closes its own side, does not stop a request that is on
	// its way to the service; it stops one that waits.
	ctx, done := context.WithCancel(context.WithValue(context.WithoutCancel(r.Context()), clientContext{}, r.Context()))
	defer done()
	p.server.ServeHTTP(w, r.WithContext(ctx))
}

// clientContext is the key of the context that ends with the client's connection.
type clientContext struct{}

// client returns the context that ends when a request's client is gone.
func client(ctx context.Context) context.Context {
	if c, ok := ctx.Value(clientContext{}).(context.Context); ok {
		return c
	}
	return ctx
}

// Hold lets new requests wait, and returns when those at the target have been
// answered or ctx ends.
func (p *Proxy) Hold(ctx context.Context) {
	p.mu.Lock()
	p.set(nil, "")
	if p.active == 0 {
		p.mu.Unlock()
		return
	}
	idle := make(chan struct{})
	p.idle = idle
	p.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
	}
}

// Point sends requests, also those that wait, to a target.
func (p *Proxy) Point(target *url.URL) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.set(target, "")
}

// Fail answers requests with 503 and the reason until there is a target.
func (p *Proxy) Fail(why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.set(nil, why)
}

// set is called with the lock held.
func (p *Proxy) set(target *url.URL, failure string) {
	p.target, p.failure = target, failure
	close(p.changed)
	p.changed = make(chan struct{})
}

// failed is the error of a request when there is no service and none is coming.
type failed string

func (f failed) Error() string { return string(f) }

// errBody is the error of a request whose body did not arrive.
var errBody = errors.New("the body did not arrive")

var errHeld = errors.New("the service is being restarted")

// acquire waits for a target other than avoid; each success needs a release.
func (p *Proxy) acquire(ctx context.Context, avoid *url.URL) (*url.URL, error) {
	timeout := time.NewTimer(holdFor)
	defer timeout.Stop()
	for {
		p.mu.Lock()
		target, why, changed := p.target, p.failure, p.changed
		if target != nil && target != avoid {
			p.active++
			p.mu.Unlock()
			return target, nil
		}
		p.mu.Unlock()
		if why != "" {
			return nil, failed(why)
		}
		select {
		case <-changed:
		case <-timeout.C:
			return nil, errHeld
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (p *Proxy) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active--
	if p.active == 0 && p.idle != nil {
		close(p.idle)
		p.idle = nil
	}
}

// forwarder sends a request to whatever the target is at that moment.
type forwarder struct {
	proxy *Proxy
	base  http.RoundTripper
}

func (f *forwarder) RoundTrip(r *http.Request) (*http.Response, error) {
	var avoid *url.URL
	var body *keepOpen
	if r.Body != nil {
		body = &keepOpen{body: r.Body, left: r.ContentLength}
	}
	for {
		target, err := f.proxy.acquire(client(r.Context()), avoid)
		if err != nil {
			return nil, err
		}
		out := r.Clone(r.Context())
		out.URL.Scheme, out.URL.Host = target.Scheme, target.Host
		if body != nil {
			out.Body = body
		}
		resp, err := f.base.RoundTrip(out)
		if err == nil {
			resp.Body = &releasing{ReadCloser: resp.Body, release: f.proxy.release}
			return resp, nil
		}
		f.proxy.release()
		if body != nil && body.broken.Load() {
			return nil, errBody
		}
		// Nothing was sent if there was no connection: the program has just ended,
		// and the next one may have the request.
		var op *net.OpError
		if !errors.As(err, &op) || op.Op != "dial" {
			return nil, err
		}
		avoid = target
	}
}

// keepOpen keeps a request's body for another try, and remembers that it broke off. It ends by itself when
// all is read that was announced: the transport looks for more behind that, which fails when the answer has already
// begun, and then the transport breaks off the answer.
type keepOpen struct {
	body   io.Reader
	left   int64 // of what was announced; negative when nothing was
	broken atomic.Bool
}

func (k *keepOpen) Read(p []byte) (int, error) {
	if k.left == 0 {
		return 0, io.EOF
	}
	n, err := k.body.Read(p)
	if err != nil && err != io.EOF {
		k.broken.Store(true)
	}
	if k.left > 0 {
		k.left -= int64(n)
	}
	return n, err
}

func (*keepOpen) Close() error { return nil }

// releasing counts a request as under way until its answer has been read.
type releasing struct {
	io.ReadCloser
	once    sync.Once
	release func()
}

func (r *releasing) Close() error {
	r.once.Do(r.release)
	return r.ReadCloser.Close()
}

func unavailable(w http.ResponseWriter, r *http.Request, err error) {
	// Whoever may still read an answer must not take an empty one for a success.
	if errors.Is(err, errBody) {
		w.Header().Set("Connection", "close")
		problem(w, http.StatusBadRequest, "body", "the body did not arrive")
		return
	}
	w.Header().Set("Retry-After", "1")
	var why failed
	switch {
	case errors.As(err, &why):
		problem(w, http.StatusServiceUnavailable, "unavailable", string(why))
	case errors.Is(err, errHeld), errors.Is(err, context.Canceled):
		problem(w, http.StatusServiceUnavailable, "unavailable", "the service is still being restarted")
	default:
		problem(w, http.StatusServiceUnavailable, "unavailable", "the service ended while it worked on this request; an event may or may not be stored")
	}
}

func problem(w http.ResponseWriter, status int, code, detail string) {
	id := rand.Text()
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("X-Request-Id", id)
	w.WriteHeader(status)
	// A failed write has no one left to tell.
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": "urn:esgen:problem:" + code, "title": http.StatusText(status), "status": status, "code": code, "detail": detail, "requestId": id,
	})
}

func loopbackHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func loopbackOrigin(origin string) bool {
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && loopbackHost(u.Host)
}

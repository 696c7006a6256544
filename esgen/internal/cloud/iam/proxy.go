package iam

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
)

// Options of proxies. All but Fault are needed.
type Options struct {
	Region, Account string
	Identities      *Identities
	Denials         *Denials
}

// maxRequest is above what DynamoDB takes: 16 MB.
const maxRequest = 17 << 20

// proxy enforces policies in front of one service.
type proxy struct {
	Options
	fault atomic.Pointer[func(Call) Fault]
	// forward passes a request on; its body is there as bytes.
	forward http.Handler
	// accesses says what a request would do.
	accesses func(r *http.Request, body []byte) (action string, all []Access, err error)
	// fail answers with an error as the service does.
	fail func(w http.ResponseWriter, status int, code, message string)
}

// SetFault has each request asked for its fault before it is forwarded; nil ends that. The
// function is called from several goroutines.
func (p *proxy) SetFault(fault func(Call) Fault) {
	if fault == nil {
		p.fault.Store(nil)
		return
	}
	p.fault.Store(&fault)
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		p.fail(w, http.StatusRequestEntityTooLarge, "SerializationException", "the request is too large, or did not arrive")
		return
	}
	key := signer(r.Header)
	id, known := p.Identities.Find(key)
	if !known {
		p.Denials.add(Denial{Identity: key})
		p.fail(w, http.StatusBadRequest, "UnrecognizedClientException", "The security token included in the request is invalid.")
		return
	}
	if id.SessionToken != "" && r.Header.Get("X-Amz-Security-Token") != id.SessionToken {
		p.Denials.add(Denial{Identity: id.Name})
		p.fail(w, http.StatusBadRequest, "UnrecognizedClientException", "The security token included in the request is invalid.")
		return
	}
	action, accesses, err := p.accesses(r, body)
	if err != nil {
		p.fail(w, http.StatusBadRequest, "ValidationException", err.Error())
		return
	}
	if denied := id.deniedBy(accesses); denied != nil {
		p.Denials.add(Denial{id.Name, *denied})
		p.fail(w, http.StatusBadRequest, "AccessDeniedException", id.refusal(*denied))
		return
	}
	var fault Fault
	if f := p.fault.Load(); f != nil {
		fault = (*f)(Call{id.Name, action, accesses})
	}
	p.pass(w, r, body, fault)
}

func (p *proxy) pass(w http.ResponseWriter, r *http.Request, body []byte, fault Fault) {
	if fault.wait(r.Context()) != nil {
		return
	}
	if fault.Error != "" {
		status := http.StatusBadRequest
		if fault.Error == "InternalServerError" {
			status = http.StatusInternalServerError
		}
		p.fail(w, status, fault.Error, "so a test wanted it")
		return
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if fault.Lost {
		p.forward.ServeHTTP(&unheard{header: http.Header{}}, r)
		panic(http.ErrAbortHandler)
	}
	p.forward.ServeHTTP(w, r)
}

// unheard takes an answer that nobody gets.
type unheard struct{ header http.Header }

func (u *unheard) Header() http.Header         { return u.header }
func (u *unheard) WriteHeader(int)             {}
func (u *unheard) Write(p []byte) (int, error) { return len(p), nil }

// upstream forwards to a server, signed by another key: DynamoDB Local keeps the tables of
// each key apart, and does not verify signatures.
type upstream struct {
	endpoint *url.URL
	key      string
	client   *http.Client
	fail     func(w http.ResponseWriter, status int, code, message string)
}

func newUpstream(endpoint, key string, fail func(http.ResponseWriter, int, string, string)) (*upstream, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("iam: %q is no address of a service", endpoint)
	}
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, errors.New("iam: the default transport is not net/http's")
	}
	transport = transport.Clone()
	transport.Proxy = nil
	transport.DisableCompression = true // bytes go through as they are: clients check their sum
	transport.MaxIdleConnsPerHost = 64
	return &upstream{u, key, &http.Client{Transport: transport}, fail}, nil
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out := r.Clone(r.Context())
	out.RequestURI, out.Host = "", u.endpoint.Host
	out.URL.Scheme, out.URL.Host = u.endpoint.Scheme, u.endpoint.Host
	out.Header.Del("Connection")
	if key := signer(out.Header); key != "" {
		out.Header.Set("Authorization", strings.Replace(out.Header.Get("Authorization"), "Credential="+key+"/", "Credential="+u.key+"/", 1))
	}
	answer, err := u.client.Do(out)
	if err != nil {
		if r.Context().Err() == nil {
			u.fail(w, http.StatusInternalServerError, "InternalServerError", "the service does not answer")
		}
		return
	}
	defer func() { _ = answer.Body.Close() }()
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.StatusCode)
	if _, err := io.Copy(w, answer.Body); err != nil {
		panic(http.ErrAbortHandler) // half an answer must not look like one
	}
}

// Package gateway serves APIs as Amazon API Gateway does: HTTP APIs, which give functions events of
// the payload format 2.0, and REST APIs, which give them 1.0; with authorizers, CORS and
// throttling. What a gateway answers by itself has the text that Amazon's has.
package gateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/esgen/esgen/esgen/internal/cloud/iam"
	"github.com/esgen/esgen/esgen/internal/cloud/lambda"
)

// maxBody is what a gateway takes of a request, in bytes.
const maxBody = 10 << 20

// Invoker runs functions; *lambda.Host is one.
type Invoker interface {
	Invoke(ctx context.Context, functionARN string, payload []byte) (lambda.Result, error)
}

// Options of gateways. Now and Client may be nil.
type Options struct {
	Region, Account string
	Functions       Invoker
	Permissions     *Permissions    // who may invoke which function
	Identities      *iam.Identities // who may sign requests
	Now             func() time.Time
	Client          *http.Client // fetches the keys of issuers of JWTs
}

func (o Options) now() time.Time {
	if o.Now != nil {
		return o.Now()
	}
	return time.Now()
}

// arn is the name of a part of an API: of a route, or an authorizer.
func (o Options) arn(api, part string) string {
	return "arn:aws:execute-api:" + o.Region + ":" + o.Account + ":" + api + "/" + part
}

// domain is where the API would be.
func (o Options) domain(api string) string {
	return api + ".execute-api." + o.Region + ".amazonaws.com"
}

var (
	errNotPermitted = errors.New("the function's policy does not let the gateway invoke it")
	errTimeout      = errors.New("the function did not answer in time")
	errFailed       = errors.New("the function failed")
)

// invoke runs a function for a route or an authorizer, whose ARN is the source.
func (o Options) invoke(ctx context.Context, function, source string, event any, within time.Duration) ([]byte, error) {
	if !o.Permissions.Allow(function, source) {
		return nil, errNotPermitted
	}
	payload, err := json.Marshal(event)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	result, err := o.Functions.Invoke(ctx, function, payload)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return nil, errTimeout
	case err != nil:
		return nil, err
	case result.FunctionError != "":
		return result.Payload, errFailed
	}
	return result.Payload, nil
}

// request is one that is being served.
type request struct {
	*http.Request
	id   string
	at   time.Time
	body []byte
}

var errTooLarge = errors.New("the body is over 10 MB")

// receive reads a request whole.
func (o Options) receive(w http.ResponseWriter, r *http.Request) (*request, error) {
	req := &request{Request: r, id: newID(), at: o.now()}
	var err error
	if req.body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return req, errTooLarge
		}
		return req, err
	}
	return req, nil
}

// isHere reports whether a Host is this machine's loopback. Others are refused: a page in a browser here
// could else reach the API under a name of its own.
func isHere(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback()
}

func (r *request) sourceIP() string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// clockTime is the form of times in requestContext.
func (r *request) clockTime() string { return r.at.UTC().Format("02/Jan/2006:15:04:05 -0700") }

// hopByHop are headers of one connection only; a gateway drops them on both sides.
var hopByHop = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Connection": true, "Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
}

// eachHeader calls with each header that a function is given, Host and what gateways add among them.
func (r *request) eachHeader(yield func(name string, values []string)) {
	for name, values := range r.Header {
		if !hopByHop[name] {
			yield(name, values)
		}
	}
	yield("Host", []string{r.Host})
	yield("X-Forwarded-For", append(r.Header.Values("X-Forwarded-For"), r.sourceIP()))
	yield("X-Forwarded-Proto", []string{"https"})
	yield("X-Forwarded-Port", []string{"443"})
	yield("X-Amzn-Trace-Id", []string{"Root=1-" + strconv.FormatInt(r.at.Unix(), 16) + "-" + strings.ReplaceAll(r.id, "-", "")[:24]})
}

// message is the body of what gateways answer by themselves.
func message(text string) []byte {
	b, err := json.Marshal(map[string]string{"message": text})
	if err != nil {
		panic(err) // a text
	}
	return b
}

// answer is what a function wants to be answered.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a *answer) write(w http.ResponseWriter) {
	for name, values := range a.header {
		if !hopByHop[name] && name != "Content-Length" {
			w.Header()[name] = append(w.Header()[name], values...)
		}
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	if a.status == http.StatusNoContent || a.status == http.StatusNotModified {
		w.Header().Del("Content-Length")
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // none for HEAD and where there is none
}

// scalarText turns scalars of JSON into texts, as headers and contexts have them.
func scalarText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case json.Number:
		return v.String(), true
	}
	return "", false
}

// newID is the id of a request.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-4" + s[13:16] + "-a" + s[17:20] + "-" + s[20:]
}

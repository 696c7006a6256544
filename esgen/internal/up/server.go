package up

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// server is an address on loopback. Until it has a handler it answers that it is not ready.
type server struct {
	url     string
	handler atomic.Pointer[http.Handler]
	http    *http.Server
}

func (s *Stand) listen(port int) (*server, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	srv := &server{url: "http://" + l.Addr().String()}
	srv.http = &http.Server{Handler: srv, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = srv.http.Serve(l) }() // it returns when the server is closed
	s.servers = append(s.servers, srv)
	return srv, nil
}

func (s *server) handle(h http.Handler) { s.handler.Store(&h) }

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := s.handler.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	http.Error(w, "not ready yet", http.StatusServiceUnavailable)
}

func (s *server) close() { _ = s.http.Close() }

// guard keeps pages in this machine's browser from a service that trusts who reaches it: their
// requests name an origin, or come under a host name of their own.
func guard(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
		if here := strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback(); !here || r.Header.Get("Origin") != "" {
			http.Error(w, "foreign host or origin", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// provider gives the credentials to SDKs.
func (c Credentials) provider() aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey}, nil
	})
}

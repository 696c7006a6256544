package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// The contract tests know nothing of gateways and their authorizers. A caller stands between: a
// loopback server that hands on each request as it came, made acceptable to the gateway.

// callThrough returns the address of a caller of the API at target. prepare changes each request; of its
// headers only, since the path goes on as it was sent.
func callThrough(t *testing.T, target string, prepare func(r *http.Request, body []byte) error) string {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	// Contract tests look at redirects, lengths and bytes: nothing is followed or unpacked.
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		path, query, _ := strings.Cut(r.RequestURI, "?")
		at := &url.URL{Scheme: to.Scheme, Host: to.Host, Opaque: "//" + to.Host + strings.TrimSuffix(to.Path, "/") + path, RawQuery: query}
		answer, err := patiently(r.Context(), func() (*http.Response, error) {
			out, err := http.NewRequestWithContext(r.Context(), r.Method, target, bytes.NewReader(body))
			if err != nil {
				return nil, err
			}
			out.URL, out.Header = at, r.Header.Clone()
			if err := prepare(out, body); err != nil {
				t.Error(err)
			}
			return transport.RoundTrip(out)
		})
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = answer.Body.Close() }()
		for name, values := range answer.Header {
			w.Header()[name] = values
		}
		if location := answer.Header.Get("Location"); location != "" && to.Path != "" {
			below, found := strings.CutPrefix(location, to.Path)
			if !found {
				t.Errorf("Location %s leads out of the API's stage %s", location, to.Path)
			}
			w.Header().Set("Location", below) // as a domain mapped to the stage has it
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// patiently sends a request again while the gateway lets no more through, as a client of an API with
// a throttle must.
func patiently(ctx context.Context, send func() (*http.Response, error)) (*http.Response, error) {
	for {
		answer, err := send()
		if err != nil || answer.StatusCode != http.StatusTooManyRequests {
			return answer, err
		}
		_ = answer.Body.Close()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// signedBy signs requests for execute-api, as clients of an API with auth: iam do.
func signedBy(keys aws.Credentials, region string) func(*http.Request, []byte) error {
	signer := v4.NewSigner()
	return func(r *http.Request, body []byte) error {
		sum := sha256.Sum256(body)
		return signer.SignHTTP(r.Context(), keys, r, hex.EncodeToString(sum[:]), "execute-api", region, time.Now())
	}
}

// withHeader sends a header along.
func withHeader(name, value string) func(*http.Request, []byte) error {
	return func(r *http.Request, _ []byte) error {
		r.Header.Set(name, value)
		return nil
	}
}

// issuer issues tokens as an OpenID provider does. It has no address: whoever asks for its keys does so
// through client, for which the issuer is all of the web.
type issuer struct {
	url    string
	key    *rsa.PrivateKey
	client *http.Client
}

// roundTrip is a function that answers requests.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{url: "https://issuer.example.com", key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, i.url, i.url+"/keys")
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		n := base64.RawURLEncoding.EncodeToString(key.N.Bytes())
		e := base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes())
		fmt.Fprintf(w, `{"keys":[{"kty":"RSA","kid":"k1","use":"sig","alg":"RS256","n":%q,"e":%q}]}`, n, e)
	})
	i.client = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.URL.Scheme+"://"+r.URL.Host != i.url {
			return nil, fmt.Errorf("keys are asked for at %s", r.URL)
		}
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, r)
		return answer.Result(), nil
	})}
	return i
}

// token issues a token with claims beside issuer and times.
func (i *issuer) token(t *testing.T, key *rsa.PrivateKey, claims map[string]any) string {
	t.Helper()
	all := map[string]any{"iss": i.url, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	for name, value := range claims {
		all[name] = value
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"RS256","kid":"k1","typ":"JWT"}`)) + "." + encode(text)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + encode(signature)
}

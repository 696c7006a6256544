package iam

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What can be wrong with a request's signature.
var (
	ErrUnsigned     = errors.New("the request is not signed")
	ErrIncomplete   = errors.New("the signature has not all its parts, or not for this service and region")
	ErrUnknownKey   = errors.New("nobody has the access key, or its token is another")
	ErrOutdated     = errors.New("the signature is not of now")
	ErrNotSignature = errors.New("the signature is not that of the request")
)

// maxSkew is how far the clock of who signs may be off.
const maxSkew = 5 * time.Minute

// Verify finds who signed a request with Signature Version 4, in headers. The body is the
// request's whole body.
func (i *Identities) Verify(r *http.Request, body []byte, service, region string, now time.Time) (Identity, error) {
	s, err := signatureOf(r)
	if err != nil {
		return Identity{}, err
	}
	if s.service != service || s.region != region {
		return Identity{}, ErrIncomplete
	}
	id, ok := i.Find(s.key)
	if !ok || id.SessionToken != r.Header.Get("X-Amz-Security-Token") {
		return Identity{}, ErrUnknownKey
	}
	if off := now.Sub(s.at); off > maxSkew || off < -maxSkew || s.at.UTC().Format("20060102") != s.date {
		return Identity{}, ErrOutdated
	}
	canonical, ok := s.canonical(r, body)
	if !ok {
		return Identity{}, ErrIncomplete
	}
	sum := sha256.Sum256([]byte(canonical))
	text := "AWS4-HMAC-SHA256\n" + s.at.UTC().Format(amzTime) + "\n" + s.scope() + "\n" + hex.EncodeToString(sum[:])
	want := hmac256(s.signingKey(id.SecretAccessKey), text)
	got, err := hex.DecodeString(s.signature)
	if err != nil || !hmac.Equal(got, want) {
		return Identity{}, ErrNotSignature
	}
	return id, nil
}

const amzTime = "20060102T150405Z"

// signature is what an Authorization header says.
type signature struct {
	key, date, region, service string
	headers                    []string
	signature                  string
	at                         time.Time
}

func (s signature) scope() string {
	return s.date + "/" + s.region + "/" + s.service + "/aws4_request"
}

func signatureOf(r *http.Request) (signature, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return signature{}, ErrUnsigned
	}
	rest, ok := strings.CutPrefix(header, "AWS4-HMAC-SHA256 ")
	if !ok {
		return signature{}, ErrIncomplete
	}
	var s signature
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			scope := strings.Split(value, "/")
			if len(scope) != 5 || scope[4] != "aws4_request" {
				return signature{}, ErrIncomplete
			}
			s.key, s.date, s.region, s.service = scope[0], scope[1], scope[2], scope[3]
		case "SignedHeaders":
			s.headers = strings.Split(value, ";")
		case "Signature":
			s.signature = value
		}
	}
	var err error
	s.at, err = time.Parse(amzTime, r.Header.Get("X-Amz-Date"))
	if err != nil || s.key == "" || s.signature == "" || !s.complete(r) {
		return signature{}, ErrIncomplete
	}
	return s, nil
}

// complete reports whether the headers are signed that must be.
func (s signature) complete(r *http.Request) bool {
	if !slices.Contains(s.headers, "host") || !slices.Contains(s.headers, "x-amz-date") {
		return false
	}
	for name := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") && !slices.Contains(s.headers, name) {
			return false
		}
	}
	return slices.IsSorted(s.headers)
}

// canonical is the request in the form that is signed.
func (s signature) canonical(r *http.Request, body []byte) (string, bool) {
	query, ok := canonicalQuery(r.URL.RawQuery)
	if !ok {
		return "", false
	}
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	var b strings.Builder
	b.WriteString(r.Method + "\n" + escape(path, true) + "\n" + query + "\n")
	for _, name := range s.headers {
		values, ok := signedHeader(r, name)
		if !ok {
			return "", false
		}
		b.WriteString(name + ":" + values + "\n")
	}
	sum := sha256.Sum256(body)
	b.WriteString("\n" + strings.Join(s.headers, ";") + "\n" + hex.EncodeToString(sum[:]))
	return b.String(), true
}

func signedHeader(r *http.Request, name string) (string, bool) {
	switch name {
	case "host":
		return r.Host, true
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10), true
	}
	values := r.Header.Values(name)
	if len(values) == 0 {
		return "", false
	}
	trimmed := make([]string, len(values))
	for i, v := range values {
		trimmed[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(trimmed, ","), true
}

func canonicalQuery(raw string) (string, bool) {
	if raw == "" {
		return "", true
	}
	var pairs []string
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		n, err := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(value)
		if err != nil || err2 != nil {
			return "", false
		}
		// A byte that no escaped text has keeps the order that of (name, value).
		pairs = append(pairs, escape(n, false)+"\x00"+escape(v, false))
	}
	slices.Sort(pairs)
	return strings.ReplaceAll(strings.Join(pairs, "&"), "\x00", "="), true
}

// escape is RFC 3986's percent encoding of all but unreserved characters. A path, already
// encoded, is encoded again but for its slashes: so all services but S3 want it.
func escape(s string, path bool) string {
	const hexadecimal = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~', path && c == '/':
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hexadecimal[c>>4], hexadecimal[c&15]})
		}
	}
	return b.String()
}

func (s signature) signingKey(secret string) []byte {
	key := hmac256([]byte("AWS4"+secret), s.date)
	return hmac256(hmac256(hmac256(key, s.region), s.service), "aws4_request")
}

func hmac256(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

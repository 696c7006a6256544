package s3

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxObject bounds an object that comes over HTTP.
const maxObject = 64 << 20

const namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// ServeHTTP answers requests whose path is /bucket/key. Signatures are not checked.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Amz-Request-Id", rand.Text())
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if f := s.serve(w, r, bucket, key); f != nil {
		refuse(w, r, f)
	}
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request, bucket, key string) *Failure {
	query := r.URL.Query()
	switch {
	case bucket == "":
		return notHonoured("requests without a bucket in the path are")
	case key == "" && r.Method == http.MethodHead:
		return s.headBucket(w, bucket, query)
	case key == "" && r.Method == http.MethodGet && query.Get("list-type") == "2":
		return s.serveList(w, bucket, query)
	case key == "":
		return notHonoured(r.Method + " of a bucket is")
	}
	// The SDKs name the operation, and nothing else, in the query of these.
	query.Del("x-id")
	if f := untaken(query); f != nil {
		return f
	}
	switch r.Method {
	case http.MethodPut:
		return s.servePut(w, r, bucket, key)
	case http.MethodGet, http.MethodHead:
		return s.serveGet(w, r, bucket, key)
	case http.MethodDelete:
		return s.serveDelete(w, bucket, key)
	}
	return notHonoured(r.Method + " of an object is")
}

func notHonoured(what string) *Failure {
	return &Failure{"NotImplemented", fmt.Sprintf("%.100s not honoured by this stand-in", what), http.StatusNotImplemented}
}

// untaken refuses parameters that nobody took.
func untaken(query url.Values) *Failure {
	for name := range query {
		return notHonoured(fmt.Sprintf("the parameter %.50q is", name))
	}
	return nil
}

func (s *Service) headBucket(w http.ResponseWriter, bucket string, query url.Values) *Failure {
	if f := untaken(query); f != nil {
		return f
	}
	if !s.HasBucket(bucket) {
		return &Failure{"NoSuchBucket", "The specified bucket does not exist", 404}
	}
	w.Header().Set("X-Amz-Bucket-Region", s.options.Region)
	return nil
}

// putHeaders are headers of S3's that a put may have: what they say is done anyway, or checked.
var putHeaders = map[string]bool{
	"X-Amz-Date": true, "X-Amz-Content-Sha256": true, "X-Amz-Security-Token": true, "X-Amz-User-Agent": true,
	"X-Amz-Sdk-Checksum-Algorithm": true, "X-Amz-Checksum-Crc32": true, "X-Amz-Decoded-Content-Length": true, "X-Amz-Trailer": true,
}

func (s *Service) servePut(w http.ResponseWriter, r *http.Request, bucket, key string) *Failure {
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Amz-") && !putHeaders[name] {
			return notHonoured("the header " + name + " is")
		}
	}
	body, f := content(w, r)
	if f != nil {
		return f
	}
	o, f := s.put(bucket, key, r.Header.Get("Content-Type"), body)
	if f != nil {
		return f
	}
	w.Header().Set("ETag", o.etag)
	return nil
}

// content reads the body of a put and compares it with its checksum.
func content(w http.ResponseWriter, r *http.Request) ([]byte, *Failure) {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" || strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		return nil, notHonoured("content that comes in chunks with trailers, or encoded, is")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxObject))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, &Failure{"EntityTooLarge", fmt.Sprintf("this stand-in takes objects of at most %d bytes", maxObject), 400}
	}
	if err != nil {
		return nil, &Failure{"IncompleteBody", "the request breaks off", 400}
	}
	if sum := r.Header.Get("X-Amz-Checksum-Crc32"); sum != "" && sum != checksum(body) {
		return nil, &Failure{"BadDigest", "The CRC32 you specified did not match the calculated checksum.", 400}
	}
	return body, nil
}

func checksum(body []byte) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(body)))
}

func (s *Service) serveGet(w http.ResponseWriter, r *http.Request, bucket, key string) *Failure {
	o, f := s.get(bucket, key)
	if f != nil {
		return f
	}
	w.Header().Set("ETag", o.etag)
	w.Header().Set("Content-Type", o.contentType)
	if r.Header.Get("Range") == "" {
		w.Header().Set("X-Amz-Checksum-Crc32", checksum(o.body))
	}
	http.ServeContent(w, r, "", o.modified, bytes.NewReader(o.body))
	return nil
}

func (s *Service) serveDelete(w http.ResponseWriter, bucket, key string) *Failure {
	if err := s.Delete(bucket, key); err != nil {
		f, _ := errors.AsType[*Failure](err)
		return f
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func refuse(w http.ResponseWriter, r *http.Request, f *Failure) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(f.Status)
	if r.Method == http.MethodHead {
		return
	}
	writeXML(w, struct {
		XMLName       xml.Name `xml:"Error"`
		Code, Message string
	}{Code: f.Code, Message: f.Message})
}

func writeXML(w io.Writer, body any) {
	_, _ = io.WriteString(w, xml.Header)
	_ = xml.NewEncoder(w).Encode(body) // the client is gone if this fails
}

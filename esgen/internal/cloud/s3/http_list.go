package s3

import (
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// listRequest is what ListObjectsV2 can be asked.
type listRequest struct {
	prefix, delimiter, after string
	most                     int
	encoded                  bool // keys are answered percent-encoded: XML has no control characters
}

const maxListed = 1000

func readList(query url.Values) (listRequest, *Failure) {
	take := func(name string) string {
		value := query.Get(name)
		query.Del(name)
		return value
	}
	take("list-type")
	in := listRequest{prefix: take("prefix"), delimiter: take("delimiter"), after: take("start-after"), most: maxListed}
	if token := take("continuation-token"); token != "" {
		after, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			return in, &Failure{"InvalidArgument", "The continuation token provided is incorrect", 400}
		}
		in.after = string(after)
	}
	if most := take("max-keys"); most != "" {
		n, err := strconv.Atoi(most)
		if err != nil || n < 0 {
			return in, &Failure{"InvalidArgument", "max-keys is not a number from 0", 400}
		}
		in.most = min(n, maxListed)
	}
	switch encoding := take("encoding-type"); encoding {
	case "":
	case "url":
		in.encoded = true
	default:
		return in, &Failure{"InvalidArgument", "Invalid Encoding Method specified in Request", 400}
	}
	return in, untaken(query)
}

type listResult struct {
	XMLName               xml.Name
	Name, Prefix          string
	Delimiter             string `xml:",omitempty"`
	EncodingType          string `xml:",omitempty"`
	MaxKeys, KeyCount     int
	IsTruncated           bool
	NextContinuationToken string         `xml:",omitempty"`
	Contents              []listed       `xml:",omitempty"`
	CommonPrefixes        []commonPrefix `xml:",omitempty"`
}

type listed struct {
	Key, LastModified, ETag string
	Size                    int64
	StorageClass            string
}

type commonPrefix struct{ Prefix string }

func (s *Service) serveList(w http.ResponseWriter, bucket string, query url.Values) *Failure {
	in, f := readList(query)
	if f != nil {
		return f
	}
	objects, f := s.list(bucket, in.prefix)
	if f != nil {
		return f
	}
	w.Header().Set("Content-Type", "application/xml")
	writeXML(w, in.result(bucket, objects))
	return nil
}

func (in listRequest) result(bucket string, objects []Object) listResult {
	shown := func(text string) string {
		if in.encoded {
			return url.QueryEscape(text)
		}
		return text
	}
	out := listResult{XMLName: xml.Name{Space: namespace, Local: "ListBucketResult"}, Name: bucket, Prefix: shown(in.prefix), Delimiter: shown(in.delimiter), MaxKeys: in.most}
	if in.encoded {
		out.EncodingType = "url"
	}
	last := "" // key, or common prefix, that was shown last
	for _, o := range objects {
		name, common := in.place(o.Key)
		if name <= in.after || common && name == last {
			continue
		}
		if out.KeyCount == in.most {
			out.IsTruncated = in.most > 0
			break
		}
		last = name
		out.KeyCount++
		if common {
			out.CommonPrefixes = append(out.CommonPrefixes, commonPrefix{shown(name)})
			continue
		}
		out.Contents = append(out.Contents, listed{Key: shown(name), LastModified: o.Modified.Format(time.RFC3339), ETag: o.ETag, Size: o.Size, StorageClass: "STANDARD"})
	}
	if out.IsTruncated {
		out.NextContinuationToken = base64.RawURLEncoding.EncodeToString([]byte(last))
	}
	return out
}

// place is what a key is listed as: itself, or what it has in common with others up to the delimiter.
func (in listRequest) place(key string) (name string, common bool) {
	if in.delimiter == "" {
		return key, false
	}
	rest := key[len(in.prefix):]
	if i := strings.Index(rest, in.delimiter); i >= 0 {
		return key[:len(in.prefix)+i+len(in.delimiter)], true
	}
	return key, false
}

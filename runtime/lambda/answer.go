package lambda

import (
	"slices"
	"strconv"
	"strings"

	es "github.com/esgen/esgen/runtime"
)

// AppendAnswer appends an answer as a gateway takes it. Lines of the same header stay apart in
// the first format; in the second they are one, with commas between them.
func AppendAnswer(dst []byte, answer *es.Response, f Format) []byte {
	dst = append(dst, `{"statusCode":`...)
	dst = strconv.AppendInt(dst, int64(answer.Status), 10)
	dst = append(dst, `,"headers":{`...)
	repeated := false
	first := true
	for i, h := range answer.Header {
		if indexOf(answer.Header[:i], h.Name) >= 0 {
			continue
		}
		lines := linesOf(answer.Header[i:], h.Name)
		if f == Payload1 && len(lines) > 1 {
			repeated = true
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(es.AppendString(dst, h.Name), ':')
		dst = es.AppendString(dst, strings.Join(lines, ", "))
	}
	dst = append(dst, '}')
	if repeated {
		dst = appendRepeated(dst, answer.Header)
	}
	dst = append(dst, `,"body":`...)
	dst = es.AppendString(dst, string(answer.Body))
	return append(dst, `,"isBase64Encoded":false}`...)
}

func appendRepeated(dst []byte, header []es.HeaderField) []byte {
	dst = append(dst, `,"multiValueHeaders":{`...)
	first := true
	for i, h := range header {
		lines := linesOf(header[i:], h.Name)
		if len(lines) < 2 || indexOf(header[:i], h.Name) >= 0 {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(es.AppendString(dst, h.Name), ':')
		for j, line := range lines {
			dst = append(dst, "[,"[min(j, 1)])
			dst = es.AppendString(dst, line)
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

func indexOf(header []es.HeaderField, name string) int {
	return slices.IndexFunc(header, func(h es.HeaderField) bool { return strings.EqualFold(h.Name, name) })
}

func linesOf(header []es.HeaderField, name string) (lines []string) {
	for _, h := range header {
		if strings.EqualFold(h.Name, name) {
			lines = append(lines, h.Value)
		}
	}
	return lines
}

// exposed are the headers of answers that pages of other origins may read.
const exposed = "etag, idempotency-replayed, link, location, retry-after"

// allowOrigin lets pages of other origins read the answer, where they may.
func (o *Options) allowOrigin(answer *es.Response, origin string) {
	if len(o.Origins) == 0 {
		return
	}
	allowed := "*"
	if !slices.Contains(o.Origins, "*") {
		answer.Header = append(answer.Header, es.HeaderField{Name: "Vary", Value: "Origin"})
		if allowed = origin; !slices.Contains(o.Origins, origin) {
			return
		}
	}
	answer.Header = append(answer.Header,
		es.HeaderField{Name: "Access-Control-Allow-Origin", Value: allowed},
		es.HeaderField{Name: "Access-Control-Expose-Headers", Value: exposed})
}

package sqs

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
)

// maxRequest bounds a request: a full batch, each byte of it escaped at worst.
const maxRequest = 8 << 20

// target is what the header X-Amz-Target begins with.
const target = "AmazonSQS."

// operation answers one kind of request: in is what was sent.
type operation struct {
	in    func() any
	serve func(s *Service, r *http.Request, in any) (any, *Failure)
}

func op[In any](serve func(s *Service, r *http.Request, in *In) (any, *Failure)) operation {
	return operation{
		in:    func() any { return new(In) },
		serve: func(s *Service, r *http.Request, in any) (any, *Failure) { return serve(s, r, in.(*In)) },
	}
}

var operations = map[string]operation{
	"SendMessage":                  op(sendMessage),
	"SendMessageBatch":             op(sendMessageBatch),
	"ReceiveMessage":               op(receiveMessage),
	"DeleteMessage":                op(deleteMessage),
	"DeleteMessageBatch":           op(deleteMessageBatch),
	"ChangeMessageVisibility":      op(changeVisibility),
	"ChangeMessageVisibilityBatch": op(changeVisibilityBatch),
	"GetQueueUrl":                  op(getQueueURL),
	"GetQueueAttributes":           op(getQueueAttributes),
	"ListQueues":                   op(listQueues),
	"PurgeQueue":                   op(purgeQueue),
	"StartMessageMoveTask":         op(startMove),
	"ListMessageMoveTasks":         op(listMoves),
}

// ServeHTTP answers a request of the AWS JSON 1.0 protocol. Signatures are not checked.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := rand.Text()
	w.Header().Set("X-Amzn-Requestid", id)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	out, f := s.answer(w, r)
	if f != nil {
		side := "Sender"
		if f.Status >= 500 {
			side = "Receiver"
		}
		w.Header().Set("X-Amzn-Query-Error", f.queryCode()+";"+side)
		w.WriteHeader(f.Status)
		out = map[string]string{"__type": "com.amazonaws.sqs#" + f.Code, "message": f.Message}
	}
	_ = json.NewEncoder(w).Encode(out) // the client is gone if this fails
}

func (s *Service) answer(w http.ResponseWriter, r *http.Request) (any, *Failure) {
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), target)
	if r.Method != http.MethodPost || !ok {
		return nil, &Failure{Code: "InvalidAction", Message: "this is the AWS JSON protocol of SQS: POST with a header X-Amz-Target", Status: 400}
	}
	o, ok := operations[name]
	if !ok {
		return nil, unsupported("the operation %.64q is not honoured by this stand-in", name)
	}
	in := o.in()
	if f := decode(http.MaxBytesReader(w, r.Body, maxRequest), in); f != nil {
		return nil, f
	}
	return o.serve(s, r, in)
}

// decode refuses members that nobody would look at: they would change what is asked for.
func decode(body io.Reader, in any) *Failure {
	text, err := io.ReadAll(body)
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return batchTooLong()
	}
	if err != nil {
		return &Failure{Code: "SerializationException", Message: "the request breaks off", Status: 400}
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(in); err != nil {
		return &Failure{Code: "SerializationException", Message: fmt.Sprintf("the request is no %s that this stand-in honours%s", strings.TrimPrefix(reflect.TypeOf(in).String(), "*sqs."), unknownMember(err)), Status: 400}
	}
	return nil
}

// unknownMember tells which member it is; other errors could quote what was sent.
func unknownMember(err error) string {
	if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
		return fmt.Sprintf(": member %.70s", name)
	}
	return ""
}

func batchTooLong() *Failure {
	return &Failure{Code: "BatchRequestTooLong", Message: "Batch requests cannot be longer than 1048576 bytes.", Status: 400, query: "AWS.SimpleQueueService.BatchRequestTooLong"}
}

// use finds a queue by its URL.
func (s *Service) use(url string) (*Queue, *Failure) {
	if url == "" {
		return nil, missing("QueueUrl")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := s.byURL(url); q != nil {
		return q, nil
	}
	return nil, noQueue()
}

// failure is an error of the Go API as what it is.
func failure(err error) *Failure {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	return &Failure{Code: "InternalError", Message: err.Error(), Status: 500}
}

package cloudformation

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// Invoke calls a function and waits for it. functionError is what Lambda has in
// X-Amz-Function-Error; err is that it could not be called at all.
type Invoke func(ctx context.Context, payload []byte) (response []byte, functionError string, err error)

// Request is what a function is asked to do for a custom resource.
type Request struct {
	RequestType        string // "Create", "Update" or "Delete"
	StackID            string
	LogicalResourceID  string
	PhysicalResourceID string // of Update and Delete
	ResourceType       string // "Custom::EsgenConsumerStart"
	ServiceToken       string // ARN of the function
	Properties         map[string]any
	OldProperties      map[string]any // of Update
}

// Response is what a function answered.
type Response struct {
	PhysicalResourceID string
	Data               map[string]any
	NoEcho             bool
}

// Responses receives the answers of functions that make custom resources. It is an http.Handler and
// safe for concurrent use.
type Responses struct {
	endpoint string

	mu      sync.Mutex
	waiting map[string]*expected // by path
}

// expected is an answer that is waited for.
type expected struct {
	stack, logical, request string
	answer                  chan answer // takes one
}

type answer struct {
	Status             string
	Reason             string
	PhysicalResourceID string `json:"PhysicalResourceId"`
	StackID            string `json:"StackId"`
	RequestID          string `json:"RequestId"`
	LogicalResourceID  string `json:"LogicalResourceId"`
	NoEcho             bool
	Data               map[string]any
}

// maxAnswer is CloudFormation's limit.
const maxAnswer = 4096

// NewResponses returns what is served at the endpoint, "http://127.0.0.1:4566".
func NewResponses(endpoint string) *Responses {
	return &Responses{endpoint: strings.TrimSuffix(endpoint, "/"), waiting: map[string]*expected{}}
}

// Run sends a request to a function and waits until it has answered, at most that long. An
// answer FAILED is an error with the function's reason.
func (r *Responses) Run(ctx context.Context, req Request, timeout time.Duration, invoke Invoke) (Response, error) {
	if err := req.check(); err != nil {
		return Response{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	e := &expected{stack: req.StackID, logical: req.LogicalResourceID, request: es.NewUUID(time.Now()).String(), answer: make(chan answer, 1)}
	path := "/" + rand.Text()
	r.mu.Lock()
	r.waiting[path] = e
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.waiting, path)
	}()
	payload, err := json.Marshal(req.event(e.request, r.endpoint+path))
	if err != nil {
		return Response{}, fmt.Errorf("custom resource %s: its properties are no JSON: %w", req.LogicalResourceID, err)
	}
	failed := func(why string, args ...any) (Response, error) {
		return Response{}, fmt.Errorf("custom resource %s: %s of %s: %w", req.LogicalResourceID, req.RequestType, req.ServiceToken, fmt.Errorf(why, args...))
	}
	_, functionError, err := invoke(ctx, payload)
	if err != nil {
		return failed("the function cannot be invoked: %w", err)
	}
	a, err := e.wait(ctx, functionError)
	switch {
	case err != nil:
		return failed("%w", err)
	case a.Status == "FAILED":
		return failed("%s", a.Reason)
	}
	return Response{PhysicalResourceID: a.PhysicalResourceID, Data: a.Data, NoEcho: a.NoEcho}, nil
}

// wait returns the answer. A function that failed sends none any more: CloudFormation would wait
// for an hour all the same.
func (e *expected) wait(ctx context.Context, functionError string) (answer, error) {
	if functionError != "" {
		select {
		case a := <-e.answer:
			return a, nil
		default:
			return answer{}, fmt.Errorf("the function failed without an answer: %s", functionError)
		}
	}
	select {
	case a := <-e.answer:
		return a, nil
	case <-ctx.Done():
		return answer{}, fmt.Errorf("the function has not answered: %w", ctx.Err())
	}
}

func (q Request) check() error {
	switch {
	case q.RequestType != "Create" && q.RequestType != "Update" && q.RequestType != "Delete":
		return fmt.Errorf("custom resource %s: request type %q: Create, Update and Delete are what there is", q.LogicalResourceID, q.RequestType)
	case q.StackID == "" || q.LogicalResourceID == "" || q.ResourceType == "" || q.ServiceToken == "":
		return fmt.Errorf("custom resource %q: it takes a stack, a logical id, a type and a service token", q.LogicalResourceID)
	case (q.RequestType == "Create") != (q.PhysicalResourceID == ""):
		return fmt.Errorf("custom resource %s: Update and Delete, and they alone, take a physical id", q.LogicalResourceID)
	}
	return nil
}

// event is the request as functions get it.
func (q Request) event(id, url string) map[string]any {
	properties := func(given map[string]any) map[string]any {
		all := map[string]any{"ServiceToken": q.ServiceToken}
		for name, v := range given {
			all[name] = v
		}
		return all
	}
	e := map[string]any{
		"RequestType": q.RequestType, "ResponseURL": url, "RequestId": id, "StackId": q.StackID, "ResourceType": q.ResourceType,
		"LogicalResourceId": q.LogicalResourceID, "ServiceToken": q.ServiceToken, "ResourceProperties": properties(q.Properties),
	}
	if q.PhysicalResourceID != "" {
		e["PhysicalResourceId"] = q.PhysicalResourceID
	}
	if q.RequestType == "Update" {
		e["OldResourceProperties"] = properties(q.OldProperties)
	}
	return e
}

// ServeHTTP takes an answer: PUT to the URL that the function was given, once.
func (r *Responses) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodPut {
		http.Error(w, "answers of custom resources are PUT", http.StatusMethodNotAllowed)
		return
	}
	r.mu.Lock()
	e := r.waiting[req.URL.Path]
	r.mu.Unlock()
	if e == nil {
		http.Error(w, "nobody waits for this answer", http.StatusForbidden)
		return
	}
	a, err := e.read(http.MaxBytesReader(w, req.Body, maxAnswer))
	if err != nil {
		// CloudFormation would go on waiting, for an hour. Saying so at once is kinder.
		a = answer{Status: "FAILED", Reason: err.Error()}
	}
	select {
	case e.answer <- a:
	default:
		http.Error(w, "there was an answer already", http.StatusForbidden)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

// read checks an answer as CloudFormation does.
func (e *expected) read(body io.Reader) (answer, error) {
	text, err := io.ReadAll(body)
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return answer{}, fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	}
	if err != nil {
		return answer{}, errors.New("the answer breaks off")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var a answer
	if d.Decode(&a) != nil {
		return answer{}, errors.New("the answer is no JSON object of CloudFormation's")
	}
	switch {
	case a.Status != "SUCCESS" && a.Status != "FAILED":
		return answer{}, errors.New("the answer's Status is neither SUCCESS nor FAILED")
	case a.Status == "FAILED" && a.Reason == "":
		return answer{}, errors.New("the answer is FAILED without a Reason")
	case a.PhysicalResourceID == "" || len(a.PhysicalResourceID) > 1024:
		return answer{}, errors.New("the answer's PhysicalResourceId has not 1 to 1,024 bytes")
	case a.StackID != e.stack || a.LogicalResourceID != e.logical || a.RequestID != e.request:
		return answer{}, errors.New("the answer's StackId, LogicalResourceId or RequestId is not the request's")
	}
	return a, nil
}

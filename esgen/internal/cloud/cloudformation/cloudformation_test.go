package cloudformation_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/smithy-go"

	"github.com/esgen/esgen/esgen/internal/cloud/cloudformation"
)

// responses returns a served Responses.
func responses(t *testing.T) *cloudformation.Responses {
	t.Helper()
	var r *cloudformation.Responses
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { r.ServeHTTP(w, req) }))
	t.Cleanup(server.Close)
	r = cloudformation.NewResponses(server.URL)
	return r
}

// event is what a function is called with.
type event struct {
	RequestType, ResponseURL, RequestId, StackId, LogicalResourceId, PhysicalResourceId, ResourceType string
	ResourceProperties, OldResourceProperties                                                         map[string]any
}

// put answers as a function does.
func put(t *testing.T, url string, body any) int {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	res.Body.Close()
	return res.StatusCode
}

func answer(e event) map[string]any {
	return map[string]any{"Status": "SUCCESS", "PhysicalResourceId": "p", "StackId": e.StackId, "RequestId": e.RequestId, "LogicalResourceId": e.LogicalResourceId}
}

// function calls back with the decoded event.
func function(t *testing.T, f func(e event) string) cloudformation.Invoke {
	return func(_ context.Context, payload []byte) ([]byte, string, error) {
		var e event
		if err := json.Unmarshal(payload, &e); err != nil {
			t.Error(err)
		}
		return nil, f(e), nil
	}
}

var create = cloudformation.Request{
	RequestType: "Create", StackID: "stack", LogicalResourceID: "Start", ResourceType: "Custom::EsgenConsumerStart", ServiceToken: "arn:function",
	Properties: map[string]any{"Consumer": "mailer"},
}

func TestACustomResourceIsMade(t *testing.T) {
	r := responses(t)
	got, err := r.Run(t.Context(), create, time.Minute, function(t, func(e event) string {
		if e.RequestType != "Create" || e.PhysicalResourceId != "" || e.ResourceType != "Custom::EsgenConsumerStart" ||
			!reflect.DeepEqual(e.ResourceProperties, map[string]any{"ServiceToken": "arn:function", "Consumer": "mailer"}) {
			t.Errorf("%+v", e)
		}
		a := answer(e)
		a["Data"] = map[string]any{"At": "now"}
		if status := put(t, e.ResponseURL, a); status != http.StatusOK {
			t.Errorf("status %d", status)
		}
		if status := put(t, e.ResponseURL, a); status != http.StatusForbidden {
			t.Errorf("a second answer: status %d", status)
		}
		return ""
	}))
	if err != nil || got.PhysicalResourceID != "p" || got.Data["At"] != "now" {
		t.Error(got, err)
	}
	var late sync.WaitGroup
	defer late.Wait()
	update := create
	update.RequestType, update.PhysicalResourceID, update.OldProperties = "Update", "p", map[string]any{"Consumer": "older"}
	_, err = r.Run(t.Context(), update, time.Minute, function(t, func(e event) string {
		if e.PhysicalResourceId != "p" || e.OldResourceProperties["Consumer"] != "older" {
			t.Errorf("%+v", e)
		}
		// Also after the function has returned.
		late.Go(func() { put(t, e.ResponseURL, answer(e)) })
		return ""
	}))
	if err != nil {
		t.Error(err)
	}
}

func TestACustomResourceFails(t *testing.T) {
	r := responses(t)
	change := func(name string, value any) func(e event) string {
		return func(e event) string {
			a := answer(e)
			a[name] = value
			put(t, e.ResponseURL, a)
			return ""
		}
	}
	for name, tc := range map[string]struct {
		f    func(e event) string
		want string
	}{
		"failed": {func(e event) string {
			a := answer(e)
			a["Status"], a["Reason"] = "FAILED", "no such table"
			put(t, e.ResponseURL, a)
			return ""
		}, "no such table"},
		"no reason":         {change("Status", "FAILED"), "without a Reason"},
		"status":            {change("Status", "DONE"), "neither SUCCESS nor FAILED"},
		"physical id":       {change("PhysicalResourceId", ""), "PhysicalResourceId"},
		"another request":   {change("RequestId", "x"), "is not the request's"},
		"another resource":  {change("LogicalResourceId", "x"), "is not the request's"},
		"too large":         {change("Reason", strings.Repeat("x", 5000)), "more than 4096 bytes"},
		"no object":         {func(e event) string { put(t, e.ResponseURL, []int{1}); return "" }, "no JSON object"},
		"the function dies": {func(event) string { return "Unhandled" }, "Unhandled"},
	} {
		if _, err := r.Run(t.Context(), create, time.Minute, function(t, tc.f)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.Run(t.Context(), create, time.Nanosecond, function(t, func(event) string { return "" })); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no answer: %v", err)
	}
	if _, err := r.Run(t.Context(), create, time.Minute, func(context.Context, []byte) ([]byte, string, error) { return nil, "", io.EOF }); !errors.Is(err, io.EOF) {
		t.Errorf("not invoked: %v", err)
	}
	late := ""
	_, _ = r.Run(t.Context(), create, time.Nanosecond, function(t, func(e event) string { late = e.ResponseURL; return "" }))
	if status := put(t, late, map[string]any{}); status != http.StatusForbidden {
		t.Errorf("an answer that nobody waits for: status %d", status)
	}
	bad := create
	bad.PhysicalResourceID = "p"
	if _, err := r.Run(t.Context(), bad, time.Minute, nil); err == nil {
		t.Error("Create with a physical id")
	}
}

func TestDescribeStacks(t *testing.T) {
	s := cloudformation.NewStacks()
	s.Put(cloudformation.Stack{
		Name: "orders-dev", ID: "arn:aws:cloudformation:eu-west-1:000000000000:stack/orders-dev/1", Status: "CREATE_COMPLETE", Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Outputs: []cloudformation.Output{{Key: "Operations", Value: `{"service":"orders <&>"}`}, {Key: "Url", Value: "http://127.0.0.1:1/", Description: "where"}}, Tags: map[string]string{"service": "orders"},
	})
	s.Put(cloudformation.Stack{Name: "orders-dev-data", ID: "x", Status: "CREATE_COMPLETE"})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c := client.New(client.Options{
		Region: "eu-west-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "key", SecretAccessKey: "secret"}, nil
		}),
	})
	got, err := c.DescribeStacks(t.Context(), &client.DescribeStacksInput{StackName: aws.String("orders-dev")})
	if err != nil || len(got.Stacks) != 1 {
		t.Fatal(got, err)
	}
	stack := got.Stacks[0]
	if stack.StackStatus != "CREATE_COMPLETE" || len(stack.Outputs) != 2 || *stack.Outputs[0].OutputKey != "Operations" || *stack.Outputs[0].OutputValue != `{"service":"orders <&>"}` ||
		*stack.Outputs[1].Description != "where" || *stack.Tags[0].Value != "orders" || !stack.CreationTime.Equal(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)) {
		t.Errorf("%+v", stack)
	}
	if all, err := c.DescribeStacks(t.Context(), &client.DescribeStacksInput{}); err != nil || len(all.Stacks) != 2 {
		t.Error(all, err)
	}
	_, err = c.DescribeStacks(t.Context(), &client.DescribeStacksInput{StackName: aws.String("none")})
	if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorCode() != "ValidationError" || api.ErrorMessage() != "Stack with id none does not exist" {
		t.Error(err)
	}
	if _, err := c.ListStacks(t.Context(), &client.ListStacksInput{}); err == nil {
		t.Error("an operation that is not honoured was answered")
	}
}

package lambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/lambda"
)

// cloudFormation takes the answers of custom resources; the first of them it loses.
func cloudFormation(t *testing.T, lose int) (url string, answers func() []map[string]string) {
	var got []map[string]string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if lose--; lose >= 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		body, err := io.ReadAll(r.Body)
		var answer map[string]string
		if err != nil || json.Unmarshal(body, &answer) != nil || r.Method != http.MethodPut || r.URL.RawQuery != "X-Amz-Signature=s%2F1" {
			t.Errorf("%s %s: %s", r.Method, r.URL, body)
		}
		if types, there := r.Header["Content-Type"]; there {
			t.Errorf("content type %q: the address is signed for none", types)
		}
		got = append(got, answer)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/answer?X-Amz-Signature=s%2F1", func() []map[string]string { return got }
}

func deployment(t *testing.T, kind, url, name string) string {
	return jsonText(t, object{
		"RequestType": kind, "ServiceToken": "arn", "ResponseURL": url, "StackId": "stack-1", "RequestId": "request-1",
		"LogicalResourceId": "Start", "ResourceType": "Custom::EsgenConsumerStart", "ResourceProperties": object{"ServiceToken": "arn", "Consumer": name},
	})
}

func TestTheStartOfAConsumerIsRememberedAtItsDeployment(t *testing.T) {
	n := newNotes(t)
	m := &mailer{}
	c := m.of("")
	started := false
	c.Start = func(context.Context, *es.Appender) (es.Handler, error) { started = true; return m, nil }
	h := lambda.ConsumerHandler(n.model, c, n.stores, n.options())
	before := n.event("a", 1, "before")
	url, answers := cloudFormation(t, 1)
	invoke(t, h, deployment(t, "Create", url, "mailer"))
	after := n.event("a", 2, "after")
	invoke(t, h, deployment(t, "Update", url, "mailer"))
	invoke(t, h, deployment(t, "Delete", url, "mailer"))
	if started {
		t.Error("the user's handler was started for a deployment")
	}
	for _, a := range answers() {
		want := map[string]string{"Status": "SUCCESS", "PhysicalResourceId": "esgen-consumer-start/mailer", "StackId": "stack-1", "RequestId": "request-1", "LogicalResourceId": "Start"}
		for name, value := range want {
			if a[name] != value {
				t.Errorf("%s is %q, want %q", name, a[name], value)
			}
		}
	}
	if len(answers()) != 3 {
		t.Fatalf("%d answers", len(answers()))
	}
	// The first event starts the process; the second is older than that, and is handled all the same.
	invoke(t, h, streamOf(t, before, after))
	m.wants(t, "a.2 after")
	n.quiet()
}

func TestADeploymentThatFailsIsAnswered(t *testing.T) {
	n := newNotes(t)
	m := &mailer{}
	n.stores.Progress = brokenProgress{n.stores.Progress}
	h := lambda.ConsumerHandler(n.model, m.of(""), n.stores, n.options())
	url, answers := cloudFormation(t, 0)
	for _, event := range []string{deployment(t, "Create", url, "mailer"), deployment(t, "Create", url, "another"), deployment(t, "Explode", url, "mailer")} {
		invoke(t, h, event)
		n.says("deployment of the consumer")
	}
	for _, a := range answers() {
		if a["Status"] != "FAILED" || a["Reason"] == "" || a["PhysicalResourceId"] == "" {
			t.Errorf("%v", a)
		}
	}
	if len(answers()) != 3 {
		t.Errorf("%d answers", len(answers()))
	}
	// Without an answer the invocation fails, and is tried again.
	url, _ = cloudFormation(t, 100)
	_, err := h.Invoke(t.Context(), []byte(deployment(t, "Delete", url, "mailer")))
	if err == nil || strings.Contains(err.Error(), "Signature") || errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, err := h.Invoke(t.Context(), []byte(`{"RequestType":"Create"`)); err == nil {
		t.Error("half a request was taken")
	}
}

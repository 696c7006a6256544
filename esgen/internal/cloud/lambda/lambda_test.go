package lambda_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/esgen/esgen/esgen/internal/cloud/lambda"
	"github.com/esgen/esgen/esgen/internal/cloud/lambda/lambdatest"
)

// patience is how long something may take that happens in another process.
const patience = time.Minute

type written struct {
	mu    sync.Mutex
	lines []string
}

func (w *written) add(function, line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, function+": "+line)
}

func (w *written) has(line string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Contains(w.lines, line)
}

func host(t *testing.T, functions ...lambda.Function) (*lambda.Host, *written) {
	t.Helper()
	log := &written{}
	h := lambda.NewHost(lambda.Options{Region: "eu-north-1", Account: "123456789012", Log: log.add})
	t.Cleanup(h.Close)
	code := lambdatest.Build(t)
	for _, f := range functions {
		f.Code, f.Architectures = code, []string{lambdatest.Architecture()}
		if f.Timeout == 0 {
			f.Timeout = patience
		}
		if err := h.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	return h, log
}

func invoke(t *testing.T, h *lambda.Host, function, payload string) lambda.Result {
	t.Helper()
	r, err := h.Invoke(t.Context(), function, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAFunctionAnswersByNameAndARN(t *testing.T) {
	h, log := host(t, lambda.Function{Name: "f"})
	for _, name := range []string{"f", "arn:aws:lambda:eu-north-1:123456789012:function:f", "f:$LATEST"} {
		if r := invoke(t, h, name, `{"a":1}`); string(r.Payload) != `{"a":1}` || r.FunctionError != "" {
			t.Errorf("%s answered %s %q", name, r.Payload, r.FunctionError)
		}
	}
	invoke(t, h, "f", `{"do":"say","text":"hello"}`)
	long := strings.Repeat("y", 100<<10)
	invoke(t, h, "f", `{"do":"say","text":"`+long+`"}`)
	invoke(t, h, "f", `{"do":"say","text":"bye"}`)
	for deadline := time.Now().Add(patience); !log.has("f: bye"); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never logged; logged %d lines", len(log.lines))
		}
	}
	if !log.has("f: hello") || !log.has("f: "+long[:16<<10]+" …") {
		t.Error("a line is missing or not cut")
	}
	var missing *lambda.NotFoundError
	if _, err := h.Invoke(t.Context(), "g", nil); !errors.As(err, &missing) {
		t.Errorf("a function that is not there: %v", err)
	}
}

func TestTheEnvironmentIsLambdas(t *testing.T) {
	t.Setenv("OF_THE_HOST", "secret")
	h, _ := host(t, lambda.Function{
		Name: "f", Handler: "bootstrap", MemoryMB: 256, Timeout: 2 * time.Minute,
		Environment: map[string]string{"ESGEN_EVENTS": "events-1"},
		Endpoints:   map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1"},
		Credentials: lambda.Credentials{AccessKeyID: "AK", SecretAccessKey: "SK", SessionToken: "ST"},
	})
	var environment []string
	if err := json.Unmarshal(invoke(t, h, "f", `{"do":"environment"}`).Payload, &environment); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"ESGEN_EVENTS=events-1", "AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:1", "AWS_REGION=eu-north-1", "_HANDLER=bootstrap",
		"AWS_ACCESS_KEY_ID=AK", "AWS_SECRET_ACCESS_KEY=SK", "AWS_SESSION_TOKEN=ST",
		"AWS_LAMBDA_FUNCTION_NAME=f", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
	} {
		if !slices.Contains(environment, want) {
			t.Errorf("%s is missing in %q", want, environment)
		}
	}
	if strings.Contains(strings.Join(environment, " "), "OF_THE_HOST") {
		t.Error("the host's own environment is passed on")
	}
	var headers http.Header
	before := time.Now()
	if err := json.Unmarshal(invoke(t, h, "f", `{"do":"headers"}`).Payload, &headers); err != nil {
		t.Fatal(err)
	}
	var millis int64
	if _, err := fmt.Sscan(headers.Get("Lambda-Runtime-Deadline-Ms"), &millis); err != nil {
		t.Error(err)
	}
	if left := time.UnixMilli(millis).Sub(before); left < time.Minute || left > 3*time.Minute {
		t.Errorf("the deadline is in %v", left)
	}
	if arn := headers.Get("Lambda-Runtime-Invoked-Function-Arn"); arn != "arn:aws:lambda:eu-north-1:123456789012:function:f" {
		t.Errorf("the ARN is %q", arn)
	}
}

func TestAFunctionThatFails(t *testing.T) {
	h, _ := host(t, lambda.Function{Name: "f"}, lambda.Function{Name: "slow", Timeout: 200 * time.Millisecond},
		lambda.Function{Name: "broken", Environment: map[string]string{"FAIL_INIT": "no table"}})
	for _, row := range []struct{ function, payload, kind, message string }{
		{"f", `{"do":"fail","text":"as told"}`, "Wanted", "as told"},
		{"f", `{"do":"exit"}`, "Runtime.ExitError", "exit status 3"},
		{"f", fmt.Sprintf(`{"do":"size","size":%d}`, 6<<20+101), "Function.ResponseSizeTooLarge", "6291556"},
		{"slow", `{"do":"sleep","millis":60000}`, "Sandbox.Timedout", "Task timed out after 0.20 seconds"},
		{"broken", `{}`, "Init", "no table"},
	} {
		first := invoke(t, h, row.function, row.payload)
		var failure struct{ ErrorType, ErrorMessage string }
		if err := json.Unmarshal(first.Payload, &failure); err != nil {
			t.Fatal(err)
		}
		if first.FunctionError != "Unhandled" || failure.ErrorType != row.kind || !strings.Contains(failure.ErrorMessage, row.message) {
			t.Errorf("%s %s came to %q %s", row.function, row.payload, first.FunctionError, first.Payload)
		}
		if row.function == "broken" {
			continue
		}
		if r := invoke(t, h, row.function, `{"ok":1}`); string(r.Payload) != `{"ok":1}` {
			t.Errorf("after %s %s it answers %s", row.function, row.payload, r.Payload)
		}
	}
	if r := invoke(t, h, "f", fmt.Sprintf(`{"do":"size","size":%d}`, 6<<20+100)); len(r.Payload) != 6<<20+100 {
		t.Errorf("the largest answer has %d bytes", len(r.Payload))
	}
	var large *lambda.TooLargeError
	if _, err := h.Invoke(t.Context(), "f", make([]byte, 6<<20+1)); !errors.As(err, &large) {
		t.Errorf("a payload that is too large: %v", err)
	}
}

func TestProcessesAreUsedAgain(t *testing.T) {
	h, _ := host(t, lambda.Function{Name: "f"})
	first := string(invoke(t, h, "f", `{"do":"process"}`).Payload)
	if again := string(invoke(t, h, "f", `{"do":"process"}`).Payload); again != first {
		t.Errorf("an idle process is not used again: %s, then %s", first, again)
	}
	if err := h.Restart("f"); err != nil {
		t.Fatal(err)
	}
	if next := string(invoke(t, h, "f", `{"do":"process"}`).Payload); next == first {
		t.Errorf("after a restart %s answers again", first)
	}
}

// hold begins an invocation that ends only when its process is killed.
func hold(ctx context.Context, h *lambda.Host) <-chan error {
	ended := make(chan error, 1)
	go func() {
		r, err := h.Invoke(ctx, "f", []byte(`{"do":"hold"}`))
		if err == nil && (r.FunctionError != "Unhandled" || !strings.Contains(string(r.Payload), "Runtime exited")) {
			err = fmt.Errorf("it came to %q %s", r.FunctionError, r.Payload)
		}
		ended <- err
	}()
	return ended
}

func (w *written) await(t *testing.T, lines int) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		w.mu.Lock()
		n := len(w.lines)
		w.mu.Unlock()
		if n == lines {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d lines, not %d", n, lines)
		}
	}
}

func kill(t *testing.T, h *lambda.Host, want int) {
	t.Helper()
	if killed, err := h.KillAll("f"); err != nil || killed != want {
		t.Fatalf("killed %d, %v; not %d", killed, err, want)
	}
}

func TestBusyProcessesAreJoinedByOthersUpToABound(t *testing.T) {
	h, log := host(t, lambda.Function{Name: "f", Concurrency: 2, Timeout: time.Hour})
	all := make(chan error, 3)
	for range 3 {
		ended := hold(t.Context(), h)
		go func() { all <- <-ended }()
	}
	log.await(t, 2) // the third waits
	kill(t, h, 2)
	log.await(t, 3)
	kill(t, h, 1)
	for range 3 {
		if err := <-all; err != nil {
			t.Error(err)
		}
	}
	for range 5 { // nor is an idle process missed
		if r := invoke(t, h, "f", `{"ok":1}`); string(r.Payload) != `{"ok":1}` {
			t.Errorf("after a kill it answers %s", r.Payload)
		}
		kill(t, h, 1)
	}
}

func TestARestartLetsInvocationsEnd(t *testing.T) {
	h, log := host(t, lambda.Function{Name: "f"})
	file := filepath.Join(t.TempDir(), "go-on")
	answered := make(chan string, 1)
	go func() {
		r, err := h.Invoke(context.WithoutCancel(t.Context()), "f", []byte(`{"do":"await","text":"`+file+`"}`))
		answered <- fmt.Sprint(string(r.Payload), r.FunctionError, err)
	}()
	log.await(t, 1)
	if err := h.Restart("f"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	log.mu.Lock()
	busy := strings.TrimPrefix(log.lines[0], "f: holding ")
	log.mu.Unlock()
	if got := <-answered; got != busy+"<nil>" {
		t.Errorf("a busy process, %s, answers %s", busy, got)
	}
	if next := string(invoke(t, h, "f", `{"do":"process"}`).Payload); next == busy {
		t.Error("it goes on after the restart")
	}
}

func TestAFunctionGoesOnWithoutItsCaller(t *testing.T) {
	h, log := host(t, lambda.Function{Name: "f", Timeout: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	ended := hold(ctx, h)
	log.await(t, 1)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("its caller is told %v", err)
	}
	kill(t, h, 1)
}

func TestAHostThatIsClosedEndsItsProcesses(t *testing.T) {
	h, log := host(t, lambda.Function{Name: "f", Timeout: time.Hour})
	ended := hold(t.Context(), h)
	log.await(t, 1)
	h.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := h.Invoke(t.Context(), "f", nil); err == nil {
		t.Error("it answers after the host was closed")
	}
}

func TestFunctionsThatLambdaWouldRefuse(t *testing.T) {
	h, _ := host(t)
	empty, data := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "bootstrap"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	other := "arm64"
	if runtime.GOARCH == "arm64" {
		other = "x86_64"
	}
	here := []string{lambdatest.Architecture()}
	for want, f := range map[string]lambda.Function{
		"built for " + other:   {Name: "a", Code: data, Architectures: []string{other}},
		"no file":              {Name: "b", Code: empty, Architectures: here},
		"not executable":       {Name: "c", Code: data, Architectures: here},
		"AWS_REGION":           {Name: "d", Code: data, Architectures: here, Environment: map[string]string{"AWS_REGION": "x"}},
		"Lambda takes 4096":    {Name: "e", Code: data, Architectures: here, Environment: map[string]string{"A": strings.Repeat("x", 4096)}},
		"function : it has no": {},
	} {
		if err := h.Add(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("wanted %q, got %v", want, err)
		}
	}
}

func TestInvokeOverHTTP(t *testing.T) {
	h, _ := host(t, lambda.Function{Name: "f"})
	server := httptest.NewServer(h)
	defer server.Close()
	call := func(function, kind, payload string) (*http.Response, string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/2015-03-31/functions/"+url.PathEscape(function)+"/invocations", bytes.NewBufferString(payload))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Amz-Invocation-Type", kind)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer, string(body)
	}
	for _, row := range []struct {
		function, kind, payload string
		status                  int
		failure, body           string
	}{
		{"f", "", `{"a":1}`, 200, "", `{"a":1}`},
		{h.ARN("f"), "RequestResponse", `{"a":1}`, 200, "", `{"a":1}`},
		{"f", "", `{"do":"fail","text":"x"}`, 200, "Unhandled", `{"errorType":"Wanted","errorMessage":"x"}`},
		{"f", "Event", `{}`, 202, "", ""},
		{"f", "DryRun", `{}`, 204, "", ""},
		{"g", "", `{}`, 404, "", `{"Message":"Function not found: g","Type":"User"}`},
	} {
		answer, body := call(row.function, row.kind, row.payload)
		if answer.StatusCode != row.status || answer.Header.Get("X-Amz-Function-Error") != row.failure || body != row.body {
			t.Errorf("%s %s %s answered %d %q %s", row.function, row.kind, row.payload, answer.StatusCode, answer.Header.Get("X-Amz-Function-Error"), body)
		}
	}
}

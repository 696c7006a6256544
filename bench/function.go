package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// function is a program of a function, running behind a Runtime API of its own.
type function struct {
	cmd     *exec.Cmd
	api     *http.Server
	work    chan []byte    // events
	polls   chan time.Time // when it asked for one
	ended   chan error
	answer  []byte
	failure []byte // what it reported
}

// start starts a program; it is ready when it has asked for its first event.
func start(program string, env ...string) (*function, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &function{work: make(chan []byte), polls: make(chan time.Time, 1), ended: make(chan error, 1)}
	f.api = &http.Server{Handler: f.runtimeAPI()}
	go func() { _ = f.api.Serve(listener) }()
	f.cmd = exec.Command(program)
	f.cmd.Stderr = os.Stderr
	f.cmd.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String(), "AWS_LAMBDA_FUNCTION_NAME=bench", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "_HANDLER=bootstrap",
		"AWS_REGION=" + benchRegion, "AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=token",
		"ESGEN_EVENTS=events", "GOMAXPROCS=1",
	}, env...)
	if err := f.cmd.Start(); err != nil {
		return nil, errors.Join(err, f.api.Close())
	}
	go func() { f.ended <- f.cmd.Wait() }()
	return f, nil
}

// runtimeAPI is the Lambda Runtime API, as far as a function that goes well uses it.
func (f *function) runtimeAPI() http.Handler {
	const root = "/2018-06-01/runtime/"
	m := http.NewServeMux()
	m.HandleFunc("GET "+root+"invocation/next", func(w http.ResponseWriter, r *http.Request) {
		f.polls <- time.Now()
		select {
		case event := <-f.work:
			h := w.Header()
			h.Set("Content-Type", "application/json")
			h.Set("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
			h.Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(10*time.Second).UnixMilli()))
			h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:bench")
			h.Set("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0")
			_, _ = w.Write(event)
		case <-r.Context().Done():
		}
	})
	m.HandleFunc("POST "+root+"invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) {
		f.answer, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
	})
	report := func(w http.ResponseWriter, r *http.Request) {
		f.failure, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
	}
	m.HandleFunc("POST "+root+"invocation/{id}/error", report)
	m.HandleFunc("POST "+root+"init/error", report)
	return m
}

// ready waits until the function has asked for an event, and says when that was.
func (f *function) ready() (time.Time, error) {
	select {
	case at := <-f.polls:
		if f.failure != nil {
			return at, fmt.Errorf("the function failed: %s", f.failure)
		}
		return at, nil
	case err := <-f.ended:
		return time.Time{}, fmt.Errorf("the function ended: %w", err)
	case <-time.After(time.Minute):
		return time.Time{}, errors.New("the function asks for nothing")
	}
}

// invoke hands over an event and returns the answer when the function has asked for the next.
func (f *function) invoke(event []byte) ([]byte, error) {
	f.work <- event
	_, err := f.ready()
	return f.answer, err
}

// stop ends the program.
func (f *function) stop() {
	_ = f.cmd.Process.Kill()
	<-f.ended
	_ = f.api.Close()
}

// processor is the processor time that the program has had, without those that it may have started.
func (f *function) processor() (time.Duration, error) { return processorOf(f.cmd.Process.Pid) }

// nothingServer stands for DynamoDB: it finds nothing and takes everything.
type nothingServer struct {
	endpoint string
	requests atomic.Int64
}

func newNothingServer() (*nothingServer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &nothingServer{endpoint: "http://" + listener.Addr().String()}
	empty, none := []byte(`{}`), []byte(`{"Count":0,"Items":[],"ScannedCount":0}`)
	headers := map[string]http.Header{}
	for _, answer := range [][]byte{empty, none} {
		headers[string(answer)] = dynamoHeader(answer)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		answer := none
		if r.Header.Get("X-Amz-Target") == "DynamoDB_20120810.PutItem" {
			answer = empty
		}
		for name, values := range headers[string(answer)] {
			w.Header()[name] = values
		}
		w.Header().Set("X-Amzn-Requestid", "B5TNVL9TBAT1PEM1A61EBJ3A7VVV4KQNSO5AEMVJF66Q9ASUAAJG")
		_, _ = w.Write(answer)
	})}
	go func() { _ = server.Serve(listener) }()
	cleanup = append(cleanup, func() { _ = server.Close() })
	return s, nil
}

// programs are functions to compare, built as for Lambda but for this machine's processor.
type programs struct{ folder string }

var buildPrograms = sync.OnceValues(func() (*programs, error) {
	folder, err := os.MkdirTemp("", "esgen-bench-functions")
	if err != nil {
		return nil, err
	}
	cleanup = append(cleanup, func() { _ = os.RemoveAll(folder) })
	p := &programs{folder}
	for name, source := range map[string]string{
		"bare": "./functions/bare", "floor": "./functions/floor", "typical": "./functions/typical", "command": "./sample/orders/cmd/command",
	} {
		err := run(".", []string{"CGO_ENABLED=0"}, "go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w",
			"-o", p.path(name), source)
		if err != nil {
			return nil, err
		}
	}
	return p, nil
})

func (p *programs) path(name string) string { return filepath.Join(p.folder, name) }

// size is of the program in bytes.
func (p *programs) size(name string) (float64, error) {
	info, err := os.Stat(p.path(name))
	if err != nil {
		return 0, err
	}
	return float64(info.Size()), nil
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/esgen/esgen/esgen/internal/cloud/lambda"
	eventsource "github.com/esgen/esgen/esgen/internal/cloud/mapping"
	"github.com/esgen/esgen/runtime/dynamo"
	"github.com/esgen/esgen/runtime/dynamo/dynamotest"
)

// TestProcesses: fifty clients send events of one hot entity and of some cold ones, each event four times, to several
// servers of a generated service on DynamoDB Local. Two projectors fold the same stream side by side, and a
// consumer reads it. All of them are processes that are killed at random.
func TestProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs a whole service")
	}
	o := dynamotest.Options(t)
	f := newFleet(t, o, makeReporting(t, "reporter"))
	var victims []victim
	for i := range 3 {
		victims = append(victims, f.serve(t, fmt.Sprintf("server-%d", i+1)))
	}
	outbox := filepath.Join(t.TempDir(), "reporter")
	views := f.variable(dynamo.EnvViews)
	victims = append(victims,
		f.function(t, "projector-1", "projector", views, "ESGEN_DEPLOYMENT=1"),
		f.function(t, "projector-2", "projector", views, "ESGEN_DEPLOYMENT=1"),
		f.function(t, "reporter", "consumer-reporter", "OUTBOX="+outbox))
	c := newCrowd(t, 40, false, f.address)
	kills := c.run(t, victims)
	f.judgeFailed(t, kills)
	histories := c.judge(t, f.address(rand.New(rand.NewPCG(1, 1))))
	checkOutbox(t, outbox, histories)
}

// judgeFailed: a process that is killed fails one batch, and nothing else does.
func (f *fleet) judgeFailed(t *testing.T, kills map[string]int) {
	t.Helper()
	for name, failed := range f.failed {
		t.Logf("%s: %d kills in the middle of a batch", name, failed.Load())
		if n := failed.Load(); n > int64(kills[name]) {
			t.Errorf("%s failed on %d batches, and %d of its processes were killed", name, n, kills[name])
		}
	}
}

// fleet is the processes of a service on DynamoDB Local: servers, which speak HTTP and handle many requests at a
// time, and functions, which are handed batches of the stream of events.
type fleet struct {
	programs string
	environ  []string // what all processes are told
	tables   []string // and the tables
	stream   string   // ARN
	streams  eventsource.Streams
	host     *lambda.Host
	options  dynamo.Options

	servers []*serverProcess
	failed  map[string]*atomic.Int64 // batches, by function
}

func newFleet(t *testing.T, o dynamo.Options, dir string) *fleet {
	t.Helper()
	keys, err := o.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{
		programs: t.TempDir(), options: o, failed: map[string]*atomic.Int64{},
		environ: []string{"AWS_REGION=" + o.Region, "AWS_ACCESS_KEY_ID=" + keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + keys.SecretAccessKey,
			"AWS_ENDPOINT_URL_DYNAMODB=" + o.Endpoint},
		streams: eventsource.InSeconds(dynamodbstreams.New(dynamodbstreams.Options{Region: o.Region, Credentials: o.Credentials, BaseEndpoint: &o.Endpoint}), time.Now),
		host:    lambda.NewHost(lambda.Options{Region: o.Region, Account: "123456789012"}),
	}
	t.Cleanup(f.host.Close)
	source := filepath.Join(dir, "cmd", "processes")
	if err := os.Mkdir(source, 0o755); err != nil {
		t.Fatal(err)
	}
	copyEdited(t, filepath.Join("testdata", "processes", "main.go.txt"), filepath.Join(source, "main.go"), strings.NewReplacer())
	run(t, dir, "go", "build", "-o", f.programs+string(filepath.Separator), "./cmd/processes", "./cmd/projector", "./cmd/consumer-reporter")
	f.createTables(t)
	return f
}

// createTables has the service's own model create its tables, and finds the stream of its events.
func (f *fleet) createTables(t *testing.T) {
	t.Helper()
	said, err := outputOf(f.programs, f.environ, filepath.Join(f.programs, "processes"), "create")
	if err != nil {
		t.Fatal(err)
	}
	f.tables = strings.Split(strings.TrimSpace(said), "\n")
	client := dynamodb.New(dynamodb.Options{Region: f.options.Region, Credentials: f.options.Credentials, BaseEndpoint: &f.options.Endpoint})
	t.Cleanup(func() { dropAll(t, client) })
	_, events, _ := strings.Cut(f.variable(dynamo.EnvEvents), "=")
	described, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &events})
	if err != nil {
		t.Fatal(err)
	}
	f.stream = *described.Table.LatestStreamArn
}

// dropAll empties what a DynamoDB Local that goes on would keep in memory.
func dropAll(t *testing.T, client *dynamodb.Client) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	all, err := client.ListTables(ctx, &dynamodb.ListTablesInput{})
	if err != nil {
		t.Error(err)
		return
	}
	for _, name := range all.TableNames {
		if _, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
			t.Error(err)
		}
	}
}

// variable is a line of the environment that names tables.
func (f *fleet) variable(name string) string {
	return f.tables[slices.IndexFunc(f.tables, func(line string) bool { return strings.HasPrefix(line, name+"=") })]
}

// function runs a program of the service as Lambda does, in one process at a time, on all batches of the
// stream of events.
func (f *fleet) function(t *testing.T, name, program string, environ ...string) victim {
	t.Helper()
	code := filepath.Join(f.programs, name+"-code")
	if err := os.Mkdir(code, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(f.programs, program), filepath.Join(code, "bootstrap")); err != nil {
		t.Fatal(err)
	}
	keys, err := f.options.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	variables := map[string]string{}
	for _, line := range append(environ, f.variable(dynamo.EnvEvents), f.variable(dynamo.EnvProgress)) {
		name, value, _ := strings.Cut(line, "=")
		variables[name] = value
	}
	if err := f.host.Add(lambda.Function{
		Name: name, Code: code, Handler: "bootstrap", Timeout: time.Minute, Concurrency: 1, Architectures: []string{"x86_64", "arm64"},
		Environment: variables, Endpoints: map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": f.options.Endpoint},
		Credentials: lambda.Credentials{AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey},
	}); err != nil {
		t.Fatal(err)
	}
	f.deliver(t, name)
	return victim{name, func() (int, error) { return f.host.KillAll(name) }}
}

// deliver hands the function all batches. Each has a registry of its own: DynamoDB Local takes a third reader of a
// stream.
func (f *fleet) deliver(t *testing.T, name string) {
	t.Helper()
	failed := &atomic.Int64{}
	f.failed[name] = failed
	registry := eventsource.New(eventsource.Options{Region: f.options.Region, Streams: f.streams})
	m, err := registry.AddStream(eventsource.StreamConfig{
		FunctionARN: f.host.ARN(name), StreamARN: f.stream, StartingPosition: "TRIM_HORIZON", Filters: []string{`{"eventName":["INSERT"]}`},
		ReportBatchItemFailures: true, BisectBatchOnFunctionError: true, MaximumRetryAttempts: -1,
		PollInterval: 50 * time.Millisecond, Backoff: func(int) time.Duration { return 20 * time.Millisecond },
		Invoke: func(ctx context.Context, payload []byte) ([]byte, string, error) {
			result, err := f.host.Invoke(ctx, name, payload)
			if result.FunctionError != "" {
				failed.Add(1)
			}
			return result.Payload, result.FunctionError, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	m.Start()
	t.Cleanup(m.Stop)
}

// serve starts a server, which is started again each time it is killed.
func (f *fleet) serve(t *testing.T, name string) victim {
	t.Helper()
	s := &serverProcess{program: filepath.Join(f.programs, "processes"), environ: append(f.environ, f.tables...)}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.end(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	f.servers = append(f.servers, s)
	return victim{name, func() (int, error) {
		return 1, errors.Join(s.end(), s.start())
	}}
}

// address is one of the servers.
func (f *fleet) address(r *rand.Rand) string {
	return *f.servers[r.IntN(len(f.servers))].address.Load()
}

// serverProcess is a server on a port of its own.
type serverProcess struct {
	program string
	environ []string
	address atomic.Pointer[string] // the one it had before while it is gone
	cmd     *exec.Cmd
}

func (s *serverProcess) start() error {
	s.cmd = exec.Command(s.program)
	s.cmd.Env, s.cmd.Stderr = s.environ, os.Stderr
	if _, err := s.cmd.StdinPipe(); err != nil { // it ends with this process
		return err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("the server did not say where it is: %w", err)
	}
	address := strings.TrimSpace(line)
	s.address.Store(&address)
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return nil
}

// end sends SIGKILL and waits until the process is gone. The error says that it had ended by itself.
func (s *serverProcess) end() error {
	if err := s.cmd.Process.Kill(); err != nil {
		return err
	}
	if err := s.cmd.Wait(); err == nil || s.cmd.ProcessState.ExitCode() >= 0 {
		return fmt.Errorf("the server ended by itself: %v", err)
	}
	return nil
}

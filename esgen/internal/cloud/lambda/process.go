package lambda

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// process is one execution environment of a function: a process with a Runtime API of its own,
// so that who asks for an invocation is never in doubt.
type process struct {
	function *function
	epoch    int
	cmd      *exec.Cmd
	api      *http.Server

	started chan struct{}    // closed when it has asked for its first invocation
	work    chan *invocation // takes one
	gone    chan struct{}    // closed after its end
	cause   error            // how it ended; read after gone

	mu      sync.Mutex
	current *invocation // that it was given and has not answered
	asked   bool
	initErr *Result
}

// startProcess starts a process; it has to ask for work within initWithin.
func startProcess(f *function, number string, epoch int) (*process, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("the Runtime API: %w", err)
	}
	p := &process{
		function: f, epoch: epoch, started: make(chan struct{}), work: make(chan *invocation, 1), gone: make(chan struct{}),
	}
	p.api = &http.Server{Handler: p.runtimeAPI(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = p.api.Serve(listener) }() // it returns when the server is closed
	code, err := filepath.Abs(f.Code)
	if err != nil {
		return nil, errors.Join(err, p.api.Close())
	}
	p.cmd = exec.Command(filepath.Join(code, "bootstrap"))
	p.cmd.Dir = code
	p.cmd.Env = f.variables(listener.Addr().String(), code, number)
	out := &lines{log: f.log}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.WaitDelay = time.Second // a grandchild may hold the pipe
	ownGroup(p.cmd)
	if err := f.host.starter.start(p.cmd); err != nil {
		return nil, errors.Join(fmt.Errorf("start bootstrap: %w", err), p.api.Close())
	}
	go func() {
		p.cause = p.cmd.Wait()
		out.flush()
		close(p.gone)
		_ = p.api.Close()
	}()
	return p, nil
}

func (f *function) log(line string) {
	if f.host.options.Log != nil {
		f.host.options.Log(f.Name, line)
	}
}

// variables are the environment of a process. Nothing of ours is passed on.
func (f *function) variables(api, code, number string) []string {
	region := f.host.options.Region
	vars := []string{
		"PATH=/usr/local/bin:/usr/bin:/bin:/opt/bin", "LANG=en_US.UTF-8", "TZ=:UTC",
		"LAMBDA_TASK_ROOT=" + code, "LAMBDA_RUNTIME_DIR=" + code, "_HANDLER=" + f.Handler,
		"AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region,
		"AWS_ACCESS_KEY_ID=" + f.Credentials.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + f.Credentials.SecretAccessKey,
		"AWS_SESSION_TOKEN=" + f.Credentials.SessionToken,
		"AWS_LAMBDA_FUNCTION_NAME=" + f.Name, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(f.MemoryMB), "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + f.Name, "AWS_LAMBDA_LOG_STREAM_NAME=" + number,
		"AWS_LAMBDA_RUNTIME_API=" + api,
	}
	for _, from := range []map[string]string{f.Endpoints, f.Environment} {
		for name, value := range from {
			vars = append(vars, name+"="+value)
		}
	}
	return vars
}

func (p *process) alive() bool {
	select {
	case <-p.gone:
		return false
	default:
		return true
	}
}

// kill does nothing once the process has ended: its number may be another's by then.
func (p *process) kill() {
	if p.alive() {
		killGroup(p.cmd)
	}
}

// awaitInit waits until the process has asked for work. Without, the invocation has failed,
// and the result says how.
func (p *process) awaitInit() (Result, bool) {
	timer := time.NewTimer(initWithin)
	defer timer.Stop()
	select {
	case <-p.started:
		return Result{}, true
	case <-p.gone:
	case <-timer.C:
		p.kill()
		<-p.gone
		return failure("Sandbox.Timedout", fmt.Sprintf("the function did not initialize within %v", initWithin)), false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.initErr != nil {
		return *p.initErr, false
	}
	return failure("Runtime.ExitError", "RequestId: - Error: Runtime exited "+ending(p.cause)), false
}

// What became of a process that was given an invocation.
type outcome int

const (
	ready   outcome = iota // it answered and can take another
	spent                  // it took the invocation and has ended
	unaware                // it ended before it took the invocation
)

// handle runs an invocation.
func (p *process) handle(in *invocation, within time.Duration) (Result, outcome) {
	timer := time.NewTimer(within)
	defer timer.Stop()
	p.work <- in
	select {
	case r := <-in.result:
		return r, ready
	case <-p.gone:
		select {
		case r := <-in.result: // it answered and then ended
			return r, spent
		case <-p.work:
			return Result{}, unaware
		default:
		}
		return failure("Runtime.ExitError", "RequestId: "+in.id+" Error: Runtime exited "+ending(p.cause)), spent
	case <-timer.C:
		p.kill()
		<-p.gone
		return failure("Sandbox.Timedout", fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", in.id, within.Seconds())), spent
	}
}

// ending says how a process ended, as Lambda puts it.
func ending(err error) string {
	if err == nil {
		return "without providing a reason"
	}
	return "with error: " + err.Error()
}

package lambda

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// Limits that Lambda has.
const (
	MaxPayload     = 6 << 20          // of a request, in bytes; a response may have 100 more
	maxResponse    = 6<<20 + 100      // so says the service
	maxEnvironment = 4 << 10          // names and values of all variables together
	initWithin     = 30 * time.Second // Lambda gives 10, on a machine that is not busy
)

// Options of a Host. Region and Account are needed.
type Options struct {
	Region, Account string
	// Log gets each line that a function writes, without its line end, cut at 16 KB; it is called
	// from several goroutines. Nil drops them.
	Log func(function, line string)
}

// Function is what a function is made of.
type Function struct {
	Name        string
	Code        string // folder with an executable "bootstrap"
	Handler     string
	Timeout     time.Duration // 3 s by default
	MemoryMB    int           // 128 by default; only said, not enforced
	Concurrency int           // processes at most, 10 by default
	// Environment is what the function declares. Names that Lambda sets itself are refused.
	Environment map[string]string
	// Endpoints are variables beside the declared ones that say where services are, as
	// AWS_ENDPOINT_URL_DYNAMODB. They do not count against the limit.
	Endpoints   map[string]string
	Credentials Credentials
	// Architectures are those it is built for, as the template says: x86_64 by default.
	Architectures []string
}

// Credentials are what a function signs its requests with.
type Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }

// Host runs functions. It is safe for concurrent use.
type Host struct {
	options Options
	starter *starter

	mu        sync.Mutex
	functions map[string]*function
	replaced  []*function // that may still be busy
	async     map[string]Async
	closed    bool
}

// NewHost returns a host without functions. Close ends their processes; so does the end of the
// process that has the host, however that ends.
func NewHost(o Options) *Host {
	return &Host{options: o, starter: newStarter(), functions: map[string]*function{}, async: map[string]Async{}}
}

// Add makes a function known; no process starts before it is invoked.
func (h *Host) Add(f Function) error {
	if err := check(&f); err != nil {
		return fmt.Errorf("function %s: %w", f.Name, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return errClosed
	}
	if h.functions[f.Name] != nil {
		return fmt.Errorf("function %s: there is one already", f.Name)
	}
	h.functions[f.Name] = newFunction(h, f)
	return nil
}

// Update gives a function other code and settings. What is under way ends with the old ones.
func (h *Host) Update(f Function) error {
	if err := check(&f); err != nil {
		return fmt.Errorf("function %s: %w", f.Name, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return errClosed
	}
	old := h.functions[f.Name]
	if old == nil {
		return &NotFoundError{f.Name}
	}
	old.retire()
	h.replaced = append(h.replaced, old)
	h.functions[f.Name] = newFunction(h, f)
	return nil
}

// check fills in defaults and refuses what Lambda or this machine would.
func check(f *Function) error {
	if f.Name == "" {
		return errors.New("it has no name")
	}
	if f.Timeout == 0 {
		f.Timeout = 3 * time.Second
	}
	if f.MemoryMB == 0 {
		f.MemoryMB = 128
	}
	if f.Concurrency == 0 {
		f.Concurrency = 10
	}
	if len(f.Architectures) == 0 {
		f.Architectures = []string{"x86_64"}
	}
	if here := architecture(runtime.GOARCH); !slices.Contains(f.Architectures, here) {
		return fmt.Errorf("it is built for %s, this machine is %s; synthesize for this machine: -c target=linux/%s",
			strings.Join(f.Architectures, ", "), here, runtime.GOARCH)
	}
	size := 0
	for name, value := range f.Environment {
		size += len(name) + len(value)
		if reserved(name) {
			return fmt.Errorf("it declares the variable %s, which is Lambda's own", name)
		}
	}
	if size > maxEnvironment {
		return fmt.Errorf("its environment has %d bytes; Lambda takes %d", size, maxEnvironment)
	}
	program := filepath.Join(f.Code, "bootstrap")
	info, err := os.Stat(program)
	if err != nil {
		return fmt.Errorf("its code has no file \"bootstrap\": %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode()&0o111 == 0 {
		return errors.New("its file \"bootstrap\" is not executable (mode " + info.Mode().String() + ")")
	}
	return nil
}

// architecture is Lambda's name for one of Go's.
func architecture(goarch string) string {
	if goarch == "amd64" {
		return "x86_64"
	}
	return goarch
}

// reserved reports whether Lambda refuses to be told the variable.
func reserved(name string) bool {
	switch name {
	case "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID",
		"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR":
		return true
	}
	return strings.HasPrefix(name, "AWS_LAMBDA_") && name != "AWS_LAMBDA_EXEC_WRAPPER"
}

var errClosed = errors.New("lambda: the host is closed")

// NotFoundError says that there is no such function.
type NotFoundError struct{ Function string }

func (e *NotFoundError) Error() string { return "Function not found: " + e.Function }

// TooLargeError says that a payload is over the limit.
type TooLargeError struct{ Size int }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%d byte payload is too large for the RequestResponse invocation type (limit %d bytes)", e.Size, MaxPayload)
}

// Result is what an invocation came to.
type Result struct {
	Payload []byte
	// FunctionError is "Unhandled" when the function failed: it returned an error, crashed or ran
	// over its time. Payload then is a JSON object with errorMessage and errorType.
	FunctionError string
}

// ARN is the name of a function among all that AWS has.
func (h *Host) ARN(name string) string {
	return "arn:aws:lambda:" + h.options.Region + ":" + h.options.Account + ":function:" + name
}

// Invoke runs a function, by its name or ARN. When ctx ends Invoke returns its error, and the
// function goes on to its own end, as with Lambda.
func (h *Host) Invoke(ctx context.Context, function string, payload []byte) (Result, error) {
	f, err := h.find(function)
	if err != nil {
		return Result{}, err
	}
	if len(payload) > MaxPayload {
		return Result{}, &TooLargeError{len(payload)}
	}
	return f.invoke(ctx, payload)
}

func (h *Host) find(nameOrARN string) (*function, error) {
	name := nameOrARN
	if prefix := h.ARN(""); strings.HasPrefix(name, prefix) {
		name = strings.TrimPrefix(name, prefix)
	}
	name = strings.TrimSuffix(name, ":$LATEST")
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, errClosed
	}
	if f := h.functions[name]; f != nil {
		return f, nil
	}
	return nil, &NotFoundError{nameOrARN}
}

// Functions are the names of all functions, in order.
func (h *Host) Functions() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	names := make([]string, 0, len(h.functions))
	for name := range h.functions {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// KillAll kills the function's processes, as kill -9 would, also in the middle of an invocation,
// and returns how many there were. The next invocation starts a new one.
func (h *Host) KillAll(function string) (int, error) {
	f, err := h.find(function)
	if err != nil {
		return 0, err
	}
	return f.killAll(), nil
}

// Restart ends the function's idle processes and lets busy ones end their invocation, as a new
// deployment does: every later invocation runs in a new process.
func (h *Host) Restart(function string) error {
	f, err := h.find(function)
	if err != nil {
		return err
	}
	f.retire()
	return nil
}

// Close kills all processes and returns after their end.
func (h *Host) Close() {
	h.mu.Lock()
	h.closed = true
	functions := slices.Clone(h.replaced)
	for _, f := range h.functions {
		functions = append(functions, f)
	}
	h.mu.Unlock()
	for _, f := range functions {
		f.close()
	}
	h.starter.close()
}

var _ http.Handler = (*Host)(nil)

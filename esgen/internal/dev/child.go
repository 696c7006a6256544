package dev

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Bounds on how long a program may take to begin and to end.
const (
	startWithin = 30 * time.Second
	stopWithin  = 5 * time.Second
)

// child is one run of the service's local program.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer // the program ends when this closes, also when we are killed
	url   *url.URL
	done  chan struct{} // closed after the program has ended
	err   error         // how it ended; read after done
}

// start runs a program and returns when it serves: when it has printed its URL.
func start(ctx context.Context, dir, binary string, args []string, logs io.Writer) (*child, error) {
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	cmd.Stderr = logs
	ownGroup(cmd)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{cmd: cmd, stdin: stdin, done: make(chan struct{})}
	first := make(chan string, 1)
	go c.read(stdout, first, logs)
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	select {
	case line := <-first:
		if c.url, err = url.Parse(line); err == nil && c.url.Host != "" {
			return c, nil
		}
		err = fmt.Errorf("the program printed %q where its address was expected", line)
	case <-c.done:
		return nil, fmt.Errorf("the program ended before it served: %w", c.ended())
	case <-ctx.Done():
		err = fmt.Errorf("the program did not serve within %v", startWithin)
		if errors.Is(ctx.Err(), context.Canceled) {
			err = ctx.Err()
		}
	}
	c.stop()
	return nil, err
}

// read takes the program's output and waits for its end.
func (c *child) read(stdout io.Reader, first chan<- string, logs io.Writer) {
	r := bufio.NewReader(stdout)
	if line, err := r.ReadString('\n'); err == nil {
		first <- strings.TrimSpace(line)
	}
	// What the program prints later is the user's own output.
	_, _ = io.Copy(logs, r)
	c.err = c.cmd.Wait()
	close(c.done)
}

// ended is how the program ended, never nil.
func (c *child) ended() error {
	if c.err == nil {
		return errors.New("exit status 0")
	}
	return c.err
}

// stop ends the program, gently first, and returns after its end.
func (c *child) stop() {
	_ = c.cmd.Process.Signal(os.Interrupt)
	_ = c.stdin.Close()
	select {
	case <-c.done:
	case <-time.After(stopWithin):
		_ = c.cmd.Process.Kill()
		<-c.done
	}
}

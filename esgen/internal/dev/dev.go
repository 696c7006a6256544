// Package dev runs a service while it is being written: it owns the port, builds
// and starts the service's local program behind it, and does so again when the
// schema or the code changes. A change that does not build leaves the last
// good program running.
package dev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/esgen/esgen/esgen/internal/watch"
	"github.com/esgen/esgen/schema"
)

// Options say what to run and whom to tell.
type Options struct {
	Dir  string
	Port int
	// Regenerate brings the generated files up to date. It returns nil when it could
	// not, after it has told the user why.
	Regenerate func() *schema.Service
	Out        io.Writer // where the service is and how to call it
	Log        io.Writer // what happens; also the program's own output
}

// Run serves until ctx ends. An error is trouble at the start.
func Run(ctx context.Context, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	log := &shared{w: o.Log}
	o.Log = log
	listeners, err := listen(o.Port)
	if err != nil {
		return err
	}
	l := &loop{Options: o, proxy: NewProxy()}
	l.url = "http://localhost:" + strconv.Itoa(listeners[0].Addr().(*net.TCPAddr).Port)
	server := serve(listeners, l.proxy)
	// Watching begins before the first build, so that no edit is missed.
	w := watch.New(o.Dir)
	defer w.Close()
	changes := make(chan []string)
	go func() {
		for {
			files := w.Wait(ctx)
			select {
			case changes <- files:
			case <-ctx.Done():
				return
			}
		}
	}()
	l.run(ctx, changes)
	l.proxy.Fail("the service is shutting down")
	end, stop := context.WithTimeout(context.Background(), stopWithin)
	defer stop()
	if server.Shutdown(end) != nil {
		_ = server.Close()
	}
	if l.child != nil {
		l.child.stop()
	}
	return nil
}

// listen takes the port on the loopback addresses only.
func listen(port int) ([]net.Listener, error) {
	four, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("port %d is in use: stop what listens there, or choose another with --port", port)
	}
	if err != nil {
		return nil, err
	}
	listeners := []net.Listener{four}
	port = four.Addr().(*net.TCPAddr).Port
	// "localhost" may mean either; a machine without IPv6 has one less.
	if six, err := net.Listen("tcp", net.JoinHostPort("::1", strconv.Itoa(port))); err == nil {
		listeners = append(listeners, six)
	}
	return listeners, nil
}

func serve(listeners []net.Listener, handler http.Handler) *http.Server {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10, ErrorLog: log.New(io.Discard, "", 0)}
	for _, l := range listeners {
		go func() { _ = server.Serve(l) }() // it returns when the server is shut down
	}
	return server
}

// loop is the state between two changes.
type loop struct {
	Options
	url      string
	proxy    *Proxy
	child    *child
	running  *program
	tried    string // digest of the sources that were built last, with or without success
	greeted  bool
	crashes  int
	started  time.Time
	announce *schema.Service
}

func (l *loop) run(ctx context.Context, changes <-chan []string) {
	l.turn(ctx)
	for {
		var crashed <-chan struct{}
		if l.child != nil {
			crashed = l.child.done
		}
		select {
		case <-ctx.Done():
			return
		case <-changes:
			l.turn(ctx)
		case <-crashed:
			if ctx.Err() == nil {
				l.revive(ctx)
			}
		}
	}
}

// turn is one round: regenerate, build, swap, tell.
func (l *loop) turn(ctx context.Context) {
	began := time.Now()
	service := l.Regenerate()
	if service == nil {
		l.keep("the schema or the generated files need you first, see above")
		return
	}
	digest := watch.Digest(l.Dir)
	if digest == l.tried {
		return
	}
	l.tried = digest
	l.say("building")
	next, err := build(ctx, l.Dir, service, l.running)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		l.say("%v", err)
		l.keep("the code does not compile, see above")
		return
	}
	if l.running != nil && next.sum == l.running.sum && l.child != nil {
		l.say("nothing changed for the service")
		return
	}
	if l.swap(ctx, next) {
		l.announce = service
		l.tell(time.Since(began))
	}
}

// keep says that a change has no effect yet.
func (l *loop) keep(why string) {
	if l.child != nil {
		l.say("%s; the last good service goes on", why)
		return
	}
	l.say("%s; nothing is served until then", why)
	l.proxy.Fail("there is no service yet: " + why)
}

// swap replaces the running program. Requests wait meanwhile. If the new one does
// not start, the old one comes back.
func (l *loop) swap(ctx context.Context, next *program) bool {
	hold, cancel := context.WithTimeout(ctx, stopWithin)
	l.proxy.Hold(hold)
	cancel()
	if l.child != nil {
		l.child.stop() // the store is open once at a time
		l.child = nil
	}
	err := l.start(ctx, next)
	if err == nil {
		l.running = next
		l.crashes = 0
		return true
	}
	if ctx.Err() != nil {
		return false
	}
	l.say("the new program does not start: %v", err)
	if l.running == nil {
		l.proxy.Fail("there is no service yet: it does not start")
		return false
	}
	if err := l.start(ctx, l.running); err != nil && ctx.Err() == nil {
		l.say("the last good program does not start either: %v", err)
		l.proxy.Fail("the service does not start")
		return false
	}
	l.say("the last good service goes on")
	return false
}

func (l *loop) start(ctx context.Context, p *program) error {
	args := []string{"-addr", "127.0.0.1:0", "-parent"}
	for _, view := range sortedKeys(p.folds) {
		args = append(args, "-fold", view+"="+p.folds[view])
	}
	c, err := start(ctx, l.Dir, p.path, args, l.Log)
	if err != nil {
		return err
	}
	l.child, l.started = c, time.Now()
	l.proxy.Point(c.url)
	return nil
}

// revive starts a program that ended by itself, unless it keeps doing so.
func (l *loop) revive(ctx context.Context) {
	l.say("the service ended by itself: %v", l.child.ended())
	hold, cancel := context.WithCancel(ctx)
	cancel() // what was under way is lost with the program
	l.proxy.Hold(hold)
	if time.Since(l.started) > time.Minute {
		l.crashes = 0
	}
	l.child = nil
	l.crashes++
	if l.crashes > 3 {
		l.proxy.Fail("the service keeps ending by itself")
		l.say("it does so again and again: it is started when the code changes")
		l.tried = ""
		return
	}
	if err := l.start(ctx, l.running); err != nil && ctx.Err() == nil {
		l.proxy.Fail("the service does not start")
		l.say("it does not start: %v", err)
		return
	}
	l.say("started again")
}

func (l *loop) tell(took time.Duration) {
	if !l.greeted {
		l.greeted = true
		// Without its greeting a service still serves.
		_, _ = io.WriteString(l.Out, Greeting(l.announce, l.url))
		return
	}
	l.say("reloaded in %s", took.Round(10*time.Millisecond))
}

func (l *loop) say(format string, args ...any) {
	fmt.Fprintf(l.Log, "dev: "+format+"\n", args...)
}

// shared lets several goroutines write whole chunks.
type shared struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}

package local

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/cespare/xxhash/v2"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/bolt"
)

// Main runs the local program of a service and ends the process.
func Main(m *es.Model) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := Run(ctx, m, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// Run is Main without the process around it: it serves until ctx is done, or, with
// -parent, until stdin ends. It returns the exit status: 0 after a graceful end, 2
// for wrong flags or trouble.
func Run(ctx context.Context, m *es.Model, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, err := parseFlags(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err == nil {
		err = serve(ctx, m, o, stdin, stdout, stderr)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "local: %v\n", err)
		return 2
	}
	return 0
}

const (
	// openTimeout is how long the program waits for one that is about to end.
	openTimeout = 3 * time.Second
	// settleTime is how long the start waits for the views to catch up with the events.
	settleTime = 2 * time.Second
	// drainTime is how long requests under way may take at the end, and then what consumers handle.
	drainTime = 5 * time.Second
)

func serve(ctx context.Context, m *es.Model, o *options, stdin io.Reader, stdout, stderr io.Writer) (err error) {
	level := slog.LevelWarn
	if o.verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w; is another program running there? -addr 127.0.0.1:0 takes a free port", o.addr, err)
	}
	defer func() { _ = listener.Close() }() // closed by the server, unless it never started
	store, err := OpenStore(m, o.store, openTimeout)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if o.parent {
		go func() {
			_, _ = io.Copy(io.Discard, stdin)
			cancel()
		}()
	}
	service, err := start(ctx, m, store, o, log)
	if err != nil {
		return err
	}
	defer service.stop(drainTime)
	service.settle(ctx)

	server := newServer(service.handler(), log)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	address := "http://" + listener.Addr().String()
	remove, err := writeAddress(o.store, address)
	if err != nil {
		return errors.Join(err, server.Close())
	}
	defer remove()
	if _, err := fmt.Fprintln(stdout, address); err != nil {
		return errors.Join(err, server.Close())
	}
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	drain, done := context.WithTimeout(context.Background(), drainTime)
	defer done()
	if err := server.Shutdown(drain); err != nil {
		_ = server.Close() // what is under way after drainTime is cut off
	}
	return nil
}

const projectorReader = "projector"

func consumerReader(name string) string { return "consumer/" + name }

// OpenStore opens the store of a local program with the readers that the service
// has. It waits for at most timeout for a program that has it open; the error is then
// [bolt.ErrInUse].
func OpenStore(m *es.Model, path string, timeout time.Duration) (*bolt.Store, error) {
	readers := []bolt.Reader{{Name: projectorReader, FromStart: true}}
	for _, c := range m.Consumers {
		readers = append(readers, bolt.Reader{Name: consumerReader(c.Name), View: c.View})
	}
	return bolt.Open(path, bolt.Options{Timeout: timeout, Readers: readers})
}

// AddressFile is the file beside a store that holds the URL of the local program that has
// the store open. After a crash it is left behind.
func AddressFile(store string) string { return store + ".addr" }

func writeAddress(store, address string) (remove func(), err error) {
	path := AddressFile(store)
	fresh := path + ".new"
	if err := os.WriteFile(fresh, []byte(address+"\n"), 0o600); err != nil {
		return nil, err
	}
	if err := os.Rename(fresh, path); err != nil {
		return nil, err
	}
	return func() { _ = os.Remove(path) }, nil
}

// program is what runs behind the server.
type program struct {
	model   *es.Model
	store   *bolt.Store
	command *es.Command
	query   *es.Query
	ops     *Operations
	log     *slog.Logger

	cancel  context.CancelFunc
	streams sync.WaitGroup
}

// start refolds what has changed and starts the readers of the feeds.
func start(ctx context.Context, m *es.Model, store *bolt.Store, o *options, log *slog.Logger) (*program, error) {
	until, err := refold(ctx, m, store, o.folds)
	if err != nil {
		return nil, err
	}
	if o.deployment == "" {
		if o.deployment, err = ownHash(); err != nil {
			return nil, fmt.Errorf("name this deployment with -deployment: %w", err)
		}
	}
	stores := store.Stores()
	p := &program{
		model: m, store: store, log: log,
		command: es.NewCommand(m, stores.Events, es.CommandOptions{Logger: log}),
		query:   es.NewQuery(m, stores, es.QueryOptions{Logger: log}),
	}
	marked := stores
	marked.Views = &rebuildMarks{ViewStore: stores.Views, store: store, until: until}
	project := es.NewProjector(m, marked, es.ProjectorOptions{Deployment: o.deployment, Logger: log})
	p.ops = &Operations{model: m, store: store, path: o.store, projector: project}

	ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	projector := &stream[es.Recorded]{
		reader: projectorReader, store: store, read: readEvents(store), faults: o.faults, log: log,
		handle: func(ctx context.Context, batch []es.Recorded) (int, error) {
			_, retry, err := project.Project(ctx, batch)
			return retry, err
		},
	}
	for _, end := range until {
		projector.limits = append(projector.limits, end)
	}
	p.streams.Go(func() { projector.run(ctx) })
	for _, c := range m.Consumers {
		p.streams.Go(func() { p.consume(ctx, c, stores) })
	}
	return p, nil
}

// settle waits until the views have what the store had at the start, so that the
// first answers after a restart are those that one expects; for a long history it
// does not wait to the end.
func (p *program) settle(ctx context.Context) {
	last, err := p.store.LastSeq()
	if err != nil {
		return // the first request will say so
	}
	for deadline := time.Now().Add(settleTime); time.Now().Before(deadline) && ctx.Err() == nil; sleep(ctx, 5*time.Millisecond) {
		if p.store.Position(projectorReader) >= last {
			return
		}
	}
}

// stop ends the readers of the feeds. A consumer's handler that does not heed its context is left
// behind after a while: what it was handling is not acknowledged, and comes again.
func (p *program) stop(within time.Duration) {
	p.cancel()
	ended := make(chan struct{})
	go func() {
		p.streams.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(within):
		p.log.Warn("a consumer's handler goes on though its context is done: ending without it")
	}
}

func (p *program) handler() http.Handler {
	return &handler{command: p.command, query: p.query, admin: p.admin(), ops: p.ops}
}

// ownHash names the code that runs by the bytes of its file.
func ownHash() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	h := xxhash.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return strconv.FormatUint(h.Sum64(), 16), nil
}

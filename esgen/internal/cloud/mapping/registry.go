package mapping

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	es "github.com/esgen/esgen/runtime"

	"github.com/esgen/esgen/esgen/internal/cloud/s3"
	"github.com/esgen/esgen/esgen/internal/cloud/sqs"
)

// Invoke calls a function and waits for it. functionError is what Lambda has in
// X-Amz-Function-Error: "Unhandled" if the function failed, timed out or died; err is that it
// could not be called at all.
type Invoke func(ctx context.Context, payload []byte) (response []byte, functionError string, err error)

// Streams reads streams of DynamoDB; *dynamodbstreams.Client is one.
type Streams interface {
	DescribeStream(context.Context, *dynamodbstreams.DescribeStreamInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.DescribeStreamOutput, error)
	GetShardIterator(context.Context, *dynamodbstreams.GetShardIteratorInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetShardIteratorOutput, error)
	GetRecords(context.Context, *dynamodbstreams.GetRecordsInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error)
}

// Options are what mappings work with.
type Options struct {
	Region  string // that records name
	Streams Streams
	Queues  *sqs.Service
	Buckets *s3.Service      // of destinations
	Now     func() time.Time // the clock of records' ages; nil is time.Now. Windows and pauses are real time.
	Log     *slog.Logger     // of failures; nil drops them
}

// Registry has the mappings of one account: it knows who reads what. It is safe for concurrent use.
type Registry struct {
	options Options

	mu       sync.Mutex
	mappings []*Mapping
}

// New returns a registry without mappings.
func New(o Options) *Registry {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Registry{options: o}
}

// maxReaders is how many readers a stream has: a third is throttled by DynamoDB, so that all of them fall behind.
const maxReaders = 2

func (r *Registry) add(m *Mapping) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	readers := 0
	for _, other := range r.mappings {
		if other.uuid == m.uuid {
			return fmt.Errorf("mapping: there is a mapping %s already", m.uuid)
		}
		if other.source != m.source {
			continue
		}
		readers++
		if other.function == m.function {
			return fmt.Errorf("mapping: function %s is mapped to %s already", m.function, m.source)
		}
	}
	if m.stream && readers >= maxReaders {
		return fmt.Errorf("mapping: function %s would be reader %d of stream %s: a stream has two, a third is throttled; put a relay before the consumers", m.function, readers+1, m.source)
	}
	r.mappings = append(r.mappings, m)
	return nil
}

// Remove stops a mapping and forgets it, with its positions.
func (r *Registry) Remove(m *Mapping) {
	m.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mappings = slices.DeleteFunc(r.mappings, func(other *Mapping) bool { return other == m })
}

// Mapping is one event source mapping, safe for concurrent use.
type Mapping struct {
	uuid, function, source string
	stream                 bool
	invoke                 Invoke
	log                    *slog.Logger
	run                    func(ctx context.Context) // returns when the context is over

	mu      sync.Mutex
	stop    context.CancelFunc // nil: it does not run
	stopped chan struct{}
	stats   Stats
	history history
}

// Stats are counts since the mapping was added.
type Stats struct {
	Invocations int // that reached the function
	Delivered   int // records and messages that the function took
	Filtered    int // records that no filter let pass
	GivenUp     int // records that went to the destination, or nowhere if there is none
}

func newMapping(o Options, uuid, function, source string, invoke Invoke) (*Mapping, error) {
	if uuid == "" {
		uuid = es.NewUUID(o.Now()).String()
	} else if _, err := es.ParseUUID(uuid); err != nil {
		return nil, fmt.Errorf("mapping of %s to %s: %q is no UUID", source, function, uuid)
	}
	if function == "" || source == "" || invoke == nil {
		return nil, fmt.Errorf("mapping of %q to %q: it takes a source, a function, and how to invoke it", source, function)
	}
	log := o.Log.With("function", function, "source", source)
	return &Mapping{uuid: uuid, function: function, source: source, invoke: invoke, log: log}, nil
}

// UUID is the mapping's id.
func (m *Mapping) UUID() string { return m.uuid }

// Start goes on where Stop left off, at first from the starting position. It does nothing while the mapping runs.
func (m *Mapping) Start() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stop != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	m.stop, m.stopped = cancel, stopped
	go func() {
		defer close(stopped)
		m.run(ctx)
	}()
}

// Stop ends the mapping, also in the middle of a batch, and waits until all its work has
// ended. What the function had not answered for is delivered again after the next Start.
func (m *Mapping) Stop() {
	m.mu.Lock()
	cancel, stopped := m.stop, m.stopped
	m.mu.Unlock()
	if cancel == nil {
		return
	}
	cancel()
	<-stopped
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stopped == stopped {
		m.stop, m.stopped = nil, nil
	}
}

// Stats returns the counts.
func (m *Mapping) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stats
}

func (m *Mapping) count(add func(s *Stats)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	add(&m.stats)
}

// call invokes the function once.
func (m *Mapping) call(ctx context.Context, payload []byte) (response []byte, functionError string, err error) {
	response, functionError, err = m.invoke(ctx, payload)
	if err == nil {
		m.count(func(s *Stats) { s.Invocations++ })
	}
	return response, functionError, err
}

// backoff is the pause after so many failures in a row.
func backoff(failures int) time.Duration {
	d := min(200*time.Millisecond<<min(max(failures-1, 0), 10), 30*time.Second)
	return d/2 + rand.N(d/2)
}

// sleep reports whether the context is still on after the pause.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return ctx.Err() == nil
	}
}

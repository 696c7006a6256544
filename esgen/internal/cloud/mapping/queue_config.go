package mapping

import (
	"fmt"
	"time"
)

// QueueConfig is what can be declared of a mapping of an SQS queue.
type QueueConfig struct {
	UUID                    string // "" is one of its own
	FunctionARN             string
	QueueARN                string
	BatchSize               int           // messages: up to 10 of a FIFO queue, up to 10,000 of another; 0 is 10
	BatchingWindow          time.Duration // up to 300 s; 0 of a FIFO queue
	Filters                 []string      // none, nothing else is honoured
	ReportBatchItemFailures bool
	MaximumConcurrency      int           // 2 to 1,000; 0 is no limit
	FunctionTimeout         time.Duration // of the function: the queue's visibility must not be shorter
	Invoke                  Invoke
}

// AddQueue adds a mapping of a queue, which does not run yet.
func (r *Registry) AddQueue(c QueueConfig) (*Mapping, error) {
	if c.BatchSize == 0 {
		c.BatchSize = 10
	}
	refuse := func(why string, args ...any) (*Mapping, error) {
		return nil, fmt.Errorf("mapping of queue %s to %s: %s", c.QueueARN, c.FunctionARN, fmt.Sprintf(why, args...))
	}
	if r.options.Queues == nil {
		return refuse("the registry has no queues")
	}
	queue := r.options.Queues.QueueByARN(c.QueueARN)
	if queue == nil {
		return refuse("there is no such queue")
	}
	fifo, visibility := queue.Config().FIFO, *queue.Config().VisibilityTimeout
	switch {
	case fifo && (c.BatchSize < 1 || c.BatchSize > 10):
		return refuse("batch size %d: 1 to 10 of a FIFO queue", c.BatchSize)
	case c.BatchSize < 1 || c.BatchSize > 10_000:
		return refuse("batch size %d: 1 to 10,000", c.BatchSize)
	case fifo && c.BatchingWindow != 0:
		return refuse("FIFO queues have no batching window")
	case c.BatchingWindow < 0 || c.BatchingWindow > 300*time.Second || c.BatchingWindow%time.Second != 0:
		return refuse("batching window %v: whole seconds from 0 to 300", c.BatchingWindow)
	case c.BatchSize > 10 && c.BatchingWindow == 0:
		return refuse("a batch size over 10 takes a batching window of at least a second")
	case len(c.Filters) > 0:
		return refuse("filters of queues are not honoured")
	case c.MaximumConcurrency != 0 && (c.MaximumConcurrency < 2 || c.MaximumConcurrency > 1000):
		return refuse("maximum concurrency %d: 2 to 1,000", c.MaximumConcurrency)
	case visibility < c.FunctionTimeout:
		return refuse("the queue's visibility time-out of %v is less than the function's time-out of %v", visibility, c.FunctionTimeout)
	}
	m, err := newMapping(r.options, c.UUID, c.FunctionARN, c.QueueARN, c.Invoke)
	if err != nil {
		return nil, err
	}
	m.run = (&poller{Mapping: m, config: c, region: r.options.Region, queue: queue}).run
	return m, r.add(m)
}

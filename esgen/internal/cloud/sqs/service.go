package sqs

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// Options are what a Service needs to know.
type Options struct {
	Region, Account string // of ARNs and URLs
	Endpoint        string // where the Service is served, "http://127.0.0.1:4566": the start of queue URLs
	// Now is the clock of visibility, retention and deduplication; nil is time.Now. How long a
	// receive waits is always real time.
	Now func() time.Time
	// MaxBytes bounds what all queues hold together; 0 is 256 MiB.
	MaxBytes int64
}

// Service has the queues of one account. It is an http.Handler and safe for concurrent use.
type Service struct {
	options Options

	mu     sync.Mutex // of everything below, and of the queues
	queues map[string]*Queue
	names  []string // in order of creation
	bytes  int64
	tasks  []moveTask
}

// messageOverhead is what a message costs beyond its text.
const messageOverhead = 512

// New returns a service without queues.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 256 << 20
	}
	o.Endpoint = strings.TrimSuffix(o.Endpoint, "/")
	return &Service{options: o, queues: map[string]*Queue{}}
}

// Create adds a queue. A dead letter queue that it names has to be there.
func (s *Service) Create(c Config) (*Queue, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := c.checked()
	if err != nil {
		return nil, err
	}
	if s.queues[c.Name] != nil {
		return nil, fmt.Errorf("sqs: there is a queue %s already", c.Name)
	}
	q := newQueue(s, c)
	if c.Redrive != nil {
		if q.dead, err = s.deadLetters(c); err != nil {
			return nil, err
		}
	}
	s.queues[c.Name] = q
	s.names = append(s.names, c.Name)
	return q, nil
}

func (s *Service) deadLetters(c Config) (*Queue, error) {
	dead := s.byARN(c.Redrive.DeadLetterARN)
	if dead == nil {
		return nil, fmt.Errorf("sqs: queue %s: its dead letter queue %s does not exist; create that first", c.Name, c.Redrive.DeadLetterARN)
	}
	if dead.config.FIFO != c.FIFO {
		return nil, fmt.Errorf("sqs: queue %s: its dead letter queue %s has to be of the same kind, FIFO or standard", c.Name, dead.config.Name)
	}
	return dead, nil
}

// Queue returns the queue of that name, or nil.
func (s *Service) Queue(name string) *Queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queues[name]
}

// All returns the queues in the order in which they were created.
func (s *Service) All() []*Queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*Queue, len(s.names))
	for i, name := range s.names {
		all[i] = s.queues[name]
	}
	return all
}

// QueueByARN returns the queue with that ARN, or nil.
func (s *Service) QueueByARN(arn string) *Queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byARN(arn)
}

func (s *Service) byARN(arn string) *Queue {
	name, ok := strings.CutPrefix(arn, s.arn(""))
	if !ok {
		return nil
	}
	return s.queues[name]
}

// byURL finds a queue by the last part of its URL's path, as SQS does for any host.
func (s *Service) byURL(url string) *Queue {
	i := strings.LastIndexByte(url, '/')
	return s.queues[url[i+1:]]
}

func (s *Service) arn(name string) string {
	return "arn:aws:sqs:" + s.options.Region + ":" + s.options.Account + ":" + name
}

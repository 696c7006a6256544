package sns

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	es "github.com/esgen/esgen/runtime"

	"github.com/esgen/esgen/esgen/internal/cloud/dedup"
	"github.com/esgen/esgen/esgen/internal/cloud/query"
	"github.com/esgen/esgen/esgen/internal/cloud/sqs"
)

// Options are what a Service needs to know.
type Options struct {
	Region, Account string // of ARNs
	Queues          *sqs.Service
	Now             func() time.Time // the clock of deduplication; nil is time.Now
	// Fail, if it returns an error for a message, has it fail as one that SNS could not take: a
	// fault for tests. It is called for one message at a time and must not publish.
	Fail func(topicARN string, e Entry) error
}

// Entry is a message that was published.
type Entry struct {
	ID string // within its batch; "" of Publish
	sqs.Outgoing
}

// Service has the topics of one account. It is an http.Handler and safe for concurrent use.
type Service struct {
	options Options

	mu     sync.Mutex
	topics map[string]*topic // by ARN
}

// TopicConfig is what can be declared of a topic.
type TopicConfig struct {
	Name                      string // of a FIFO topic it ends in ".fifo"
	FIFO                      bool
	ContentBasedDeduplication bool
	MaximumMessageSize        int // bytes; 0 is 256 KiB
}

type topic struct {
	config        TopicConfig
	arn           string
	sent          dedup.Window[published]
	sequence      uint64
	subscriptions []subscription
}

// published is what a publisher gets to know.
type published struct{ messageID, sequence string }

// New returns a service without topics.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{options: o, topics: map[string]*topic{}}
}

var topicName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// CreateTopic adds a topic.
func (s *Service) CreateTopic(c TopicConfig) (arn string, err error) {
	if c.MaximumMessageSize == 0 {
		c.MaximumMessageSize = 256 << 10
	}
	base, fifo := strings.CutSuffix(c.Name, ".fifo")
	switch {
	case len(c.Name) > 256 || !topicName.MatchString(base):
		return "", fmt.Errorf("sns: topic %q: a name has 1 to 256 letters, digits, hyphens and underscores, and .fifo at the end of a FIFO topic's", c.Name)
	case fifo != c.FIFO:
		return "", fmt.Errorf("sns: topic %q: the name of a FIFO topic, and of no other, ends in .fifo", c.Name)
	case !c.FIFO && c.ContentBasedDeduplication:
		return "", fmt.Errorf("sns: topic %q: only FIFO topics deduplicate", c.Name)
	case c.MaximumMessageSize < 1024 || c.MaximumMessageSize > 1<<20:
		return "", fmt.Errorf("sns: topic %q: maximum message size %d: 1,024 to 1,048,576 bytes", c.Name, c.MaximumMessageSize)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	arn = "arn:aws:sns:" + s.options.Region + ":" + s.options.Account + ":" + c.Name
	if s.topics[arn] != nil {
		return "", fmt.Errorf("sns: there is a topic %s already", c.Name)
	}
	s.topics[arn] = &topic{config: c, arn: arn}
	return arn, nil
}

// publish puts a message into the queues that subscribe to it, all or, when one of them cannot
// take it, at least not into the memory of what was sent: publishing again is right then.
func (s *Service) publish(t *topic, e Entry) (published, *query.Failure) {
	if f := t.check(e.Outgoing); f != nil {
		return published{}, f
	}
	if s.options.Fail != nil {
		if err := s.options.Fail(t.arn, e); err != nil {
			return published{}, &query.Failure{Code: "InternalError", Message: err.Error(), Status: 500}
		}
	}
	now := s.options.Now()
	if t.config.FIFO {
		if e.DeduplicationID == "" {
			e.DeduplicationID = contentID(e.Body)
		}
		if was, ok := t.sent.Find(e.DeduplicationID, now); ok {
			return was, nil
		}
		if t.sent.Full(now) {
			return published{}, &query.Failure{Code: "Throttled", Message: "too many messages within five minutes", Status: 429}
		}
	}
	for _, sub := range t.subscriptions {
		if !sub.filter.passes(e.Attributes) {
			continue
		}
		if _, err := sub.queue.Send(e.Outgoing); err != nil {
			return published{}, &query.Failure{Code: "InternalError", Message: "delivery to " + sub.queue.Name() + ": " + err.Error(), Status: 500}
		}
	}
	was := published{messageID: es.NewUUID(now).String()}
	if t.config.FIFO {
		t.sequence++
		was.sequence = fmt.Sprintf("%020d", 10_000_000_000_000_000_000+t.sequence)
		t.sent.Keep(e.DeduplicationID, was, now)
	}
	return was, nil
}

// check says what is wrong with a message. What a queue would refuse is refused here: SNS
// would drop it behind the publisher's back.
func (t *topic) check(m sqs.Outgoing) *query.Failure {
	for name, a := range m.Attributes {
		if a.DataType == "String.Array" {
			return invalid("message attribute %.64q: String.Array is not honoured by this stand-in", name)
		}
	}
	err := m.Check(sqs.Config{FIFO: t.config.FIFO, ContentBasedDeduplication: t.config.ContentBasedDeduplication, MaximumMessageSize: t.config.MaximumMessageSize})
	if err != nil {
		return invalid("Invalid parameter: %s", err.Message)
	}
	return nil
}

func invalid(format string, args ...any) *query.Failure {
	return &query.Failure{Code: "InvalidParameter", Message: fmt.Sprintf(format, args...), Status: 400}
}

package sqs

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Config is what can be declared of a queue.
type Config struct {
	Name                      string // of a FIFO queue it ends in ".fifo"
	FIFO                      bool
	ContentBasedDeduplication bool
	DeduplicationScope        string         // "" or "queue", or "messageGroup"
	VisibilityTimeout         *time.Duration // nil is 30 s
	Retention                 time.Duration  // 0 is 4 days
	MaximumMessageSize        int            // bytes; 0 is 1 MiB
	Delay                     time.Duration  // 0, nothing else is honoured
	ReceiveWait               time.Duration  // of a receive that does not say
	Redrive                   *Redrive
}

// Redrive says where messages go that were received too often.
type Redrive struct {
	DeadLetterARN   string
	MaxReceiveCount int
}

// Limits of SQS.
const (
	maxMessage    = 1 << 20 // bytes of a message, and of all messages of a batch
	maxBatch      = 10
	maxAttributes = 10
	maxVisibility = 12 * time.Hour
	maxWait       = 20 * time.Second
	maxInFlight   = 120_000
)

var nameForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// checked returns the config with what it leaves out, or what is wrong with it.
func (c Config) checked() (Config, error) {
	if c.VisibilityTimeout == nil {
		visibility := 30 * time.Second
		c.VisibilityTimeout = &visibility
	}
	if c.Retention == 0 {
		c.Retention = 4 * 24 * time.Hour
	}
	if c.MaximumMessageSize == 0 {
		c.MaximumMessageSize = maxMessage
	}
	if why := c.wrong(); why != "" {
		return c, fmt.Errorf("sqs: queue %q: %s", c.Name, why)
	}
	return c, nil
}

func (c Config) wrong() string {
	base, fifo := strings.CutSuffix(c.Name, ".fifo")
	whole := func(d time.Duration) bool { return d%time.Second == 0 }
	switch {
	case len(c.Name) > 80 || !nameForm.MatchString(base):
		return "a name has 1 to 80 letters, digits, hyphens and underscores, and .fifo at the end of a FIFO queue's"
	case fifo != c.FIFO:
		return "the name of a FIFO queue, and of no other, ends in .fifo"
	case !c.FIFO && (c.ContentBasedDeduplication || c.DeduplicationScope != ""):
		return "only FIFO queues deduplicate"
	case c.DeduplicationScope != "" && c.DeduplicationScope != "queue" && c.DeduplicationScope != "messageGroup":
		return fmt.Sprintf("deduplication scope %q: take queue or messageGroup", c.DeduplicationScope)
	case *c.VisibilityTimeout < 0 || *c.VisibilityTimeout > maxVisibility || !whole(*c.VisibilityTimeout):
		return fmt.Sprintf("visibility time-out %v: whole seconds from 0 to 12 hours", *c.VisibilityTimeout)
	case c.Retention < time.Minute || c.Retention > 14*24*time.Hour || !whole(c.Retention):
		return fmt.Sprintf("retention %v: whole seconds from 1 minute to 14 days", c.Retention)
	case c.MaximumMessageSize < 1024 || c.MaximumMessageSize > maxMessage:
		return fmt.Sprintf("maximum message size %d: 1,024 to 1,048,576 bytes", c.MaximumMessageSize)
	case c.Delay != 0:
		return fmt.Sprintf("delay %v: the stand-in delivers at once; take 0", c.Delay)
	case c.ReceiveWait < 0 || c.ReceiveWait > maxWait || !whole(c.ReceiveWait):
		return fmt.Sprintf("wait of a receive %v: whole seconds from 0 to 20", c.ReceiveWait)
	case c.Redrive != nil && (c.Redrive.MaxReceiveCount < 1 || c.Redrive.MaxReceiveCount > 1000):
		return fmt.Sprintf("maximum receive count %d: 1 to 1,000", c.Redrive.MaxReceiveCount)
	}
	return ""
}

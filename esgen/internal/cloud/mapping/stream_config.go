package mapping

import (
	"fmt"
	"strings"
	"time"
)

// StreamConfig is what can be declared of a mapping of a DynamoDB stream.
type StreamConfig struct {
	UUID             string // "" is one of its own
	FunctionARN      string
	StreamARN        string
	StartingPosition string        // "TRIM_HORIZON" or "LATEST"
	BatchSize        int           // records, up to 10,000; 0 is 100
	BatchingWindow   time.Duration // up to 300 s
	Filters          []string      // patterns, up to 5; a record that one of them takes is delivered

	ReportBatchItemFailures    bool
	BisectBatchOnFunctionError bool
	MaximumRetryAttempts       int           // up to 10,000; -1 is no limit
	MaximumRecordAge           time.Duration // from 60 s to 7 days; 0 and below are no limit
	OnFailureBucket            string        // name of the bucket where what is given up goes; "" is nowhere

	ParallelizationFactor int           // 0 or 1, nothing else is honoured
	TumblingWindow        time.Duration // 0, nothing else is honoured

	PollInterval time.Duration                    // between reads that found nothing; 0 is 250 ms, as Lambda does
	Backoff      func(failures int) time.Duration // pause after so many failures in a row; nil grows to 30 s
	Invoke       Invoke
}

func (c StreamConfig) checked(o Options) (StreamConfig, error) {
	if c.BatchSize == 0 {
		c.BatchSize = 100
	}
	if c.PollInterval == 0 {
		c.PollInterval = 250 * time.Millisecond
	}
	if c.Backoff == nil {
		c.Backoff = backoff
	}
	if why := c.wrong(o); why != "" {
		return c, fmt.Errorf("mapping of stream %s to %s: %s", c.StreamARN, c.FunctionARN, why)
	}
	return c, nil
}

func (c StreamConfig) wrong(o Options) string {
	whole := func(d time.Duration) bool { return d%time.Second == 0 }
	switch {
	case o.Streams == nil:
		return "the registry reads no streams"
	case !strings.Contains(c.StreamARN, ":table/") || !strings.Contains(c.StreamARN, "/stream/"):
		return "the source has to be the ARN of a DynamoDB stream"
	case c.StartingPosition != "TRIM_HORIZON" && c.StartingPosition != "LATEST":
		return fmt.Sprintf("starting position %q: DynamoDB streams have TRIM_HORIZON and LATEST", c.StartingPosition)
	case c.BatchSize < 1 || c.BatchSize > 10_000:
		return fmt.Sprintf("batch size %d: 1 to 10,000", c.BatchSize)
	case c.BatchingWindow < 0 || c.BatchingWindow > 300*time.Second || !whole(c.BatchingWindow):
		return fmt.Sprintf("batching window %v: whole seconds from 0 to 300", c.BatchingWindow)
	case c.MaximumRetryAttempts < -1 || c.MaximumRetryAttempts > 10_000:
		return fmt.Sprintf("maximum retry attempts %d: 0 to 10,000, or -1 for no limit", c.MaximumRetryAttempts)
	case c.MaximumRecordAge > 0 && (c.MaximumRecordAge < time.Minute || c.MaximumRecordAge > 7*24*time.Hour || !whole(c.MaximumRecordAge)):
		return fmt.Sprintf("maximum record age %v: whole seconds from 60 to 604,800", c.MaximumRecordAge)
	case c.ParallelizationFactor != 0 && c.ParallelizationFactor != 1:
		return fmt.Sprintf("parallelization factor %d: the stand-in reads a shard with one reader; take 1", c.ParallelizationFactor)
	case c.TumblingWindow != 0:
		return "tumbling windows are not honoured"
	case c.OnFailureBucket != "" && (o.Buckets == nil || !o.Buckets.HasBucket(c.OnFailureBucket)):
		return "there is no bucket " + c.OnFailureBucket + " for what is given up"
	case c.PollInterval < 0:
		return "a poll interval below zero"
	}
	return ""
}

// AddStream adds a mapping of a DynamoDB stream, which does not run yet. A third reader of a stream is refused.
func (r *Registry) AddStream(c StreamConfig) (*Mapping, error) {
	c, err := c.checked(r.options)
	if err != nil {
		return nil, err
	}
	patterns, err := streamPatterns(c.Filters)
	if err != nil {
		return nil, fmt.Errorf("mapping of stream %s to %s: %w", c.StreamARN, c.FunctionARN, err)
	}
	m, err := newMapping(r.options, c.UUID, c.FunctionARN, c.StreamARN, c.Invoke)
	if err != nil {
		return nil, err
	}
	m.stream = true
	s := &stream{Mapping: m, config: c, options: r.options, patterns: patterns, shards: map[string]*shard{}}
	m.run = s.run
	return m, r.add(m)
}

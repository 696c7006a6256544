package up

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/esgen/esgen/esgen/internal/assembly"
	"github.com/esgen/esgen/esgen/internal/cloud/mapping"
)

// bucketARN is how ARNs of buckets begin.
const bucketARN = "arn:aws:s3:::"

// source is an event source mapping as it is declared.
type source struct {
	function, arn, destination string
	filters                    []string
	report                     bool
	stream                     mapping.StreamConfig
	concurrency                int
}

func makeMapping(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	m := source{function: p.Needed("FunctionName"), arn: p.Needed("EventSourceArn")}
	for _, f := range p.Object("FilterCriteria").Objects("Filters") {
		m.filters = append(m.filters, f.Needed("Pattern"))
	}
	m.report = slices.Contains(p.Strings("FunctionResponseTypes"), "ReportBatchItemFailures")
	m.destination = p.Object("DestinationConfig").Object("OnFailure").String("Destination")
	m.concurrency = p.Object("ScalingConfig").Int("MaximumConcurrency", 0)
	m.stream = mapping.StreamConfig{
		StartingPosition: p.String("StartingPosition"), BatchSize: p.Int("BatchSize", 0), BatchingWindow: seconds(p.Int("MaximumBatchingWindowInSeconds", 0)),
		BisectBatchOnFunctionError: p.Bool("BisectBatchOnFunctionError", false), MaximumRetryAttempts: p.Int("MaximumRetryAttempts", -1),
		MaximumRecordAge: seconds(p.Int("MaximumRecordAgeInSeconds", -1)), ParallelizationFactor: p.Int("ParallelizationFactor", 1),
		TumblingWindow: seconds(p.Int("TumblingWindowInSeconds", 0)),
	}
	p.Ignore("MetricsConfig", "Tags")
	if !p.Bool("Enabled", true) {
		p.Refuse("Enabled", "a mapping that is switched off")
	}
	return func(context.Context) error {
		m.function = s.functionARN(m.function)
		made, err := s.addMapping(m)
		if err != nil {
			return err
		}
		name := s.shown(nameIn(m.function))
		s.Mappings[name] = append(s.Mappings[name], made)
		made.Start()
		r.Created(made.UUID(), map[string]any{"Id": made.UUID()})
		return nil
	}
}

// addMapping refuses what AWS does: a function whose role may not read the source.
func (s *Stand) addMapping(m source) (*mapping.Mapping, error) {
	role := s.roleOf[m.function]
	if role == nil {
		return nil, fmt.Errorf("no function here is %s", m.function)
	}
	if strings.HasPrefix(m.arn, "arn:aws:sqs:") {
		if lacks := role.lacks(m.arn, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"); lacks != "" {
			return nil, fmt.Errorf("the function's role does not allow %s", lacks)
		}
		return s.registry.AddQueue(mapping.QueueConfig{
			FunctionARN: m.function, QueueARN: m.arn, BatchSize: m.stream.BatchSize, BatchingWindow: m.stream.BatchingWindow, Filters: m.filters,
			ReportBatchItemFailures: m.report, MaximumConcurrency: m.concurrency, FunctionTimeout: s.timeouts[m.function], Invoke: s.caller(m.function),
		})
	}
	if lacks := role.lacks(m.arn, "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"); lacks != "" {
		return nil, fmt.Errorf("the function's role does not allow %s", lacks)
	}
	c := m.stream
	c.FunctionARN, c.StreamARN, c.Filters, c.ReportBatchItemFailures, c.Invoke = m.function, m.arn, m.filters, m.report, s.caller(m.function)
	if m.destination != "" {
		bucket, ok := strings.CutPrefix(m.destination, bucketARN)
		if !ok {
			return nil, fmt.Errorf("a destination on failure other than a bucket: %s", m.destination)
		}
		lacks := role.lacks(m.destination, "s3:ListBucket")
		if lacks == "" {
			lacks = role.lacks(m.destination+"/aws/lambda/x", "s3:PutObject")
		}
		if lacks != "" {
			return nil, fmt.Errorf("the function's role does not allow %s", lacks)
		}
		c.OnFailureBucket = bucket
	}
	return s.registry.AddStream(c)
}

package up

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/esgen/esgen/esgen/internal/assembly"
	"github.com/esgen/esgen/esgen/internal/cloud/s3"
	"github.com/esgen/esgen/esgen/internal/cloud/sns"
	"github.com/esgen/esgen/esgen/internal/cloud/sqs"
)

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

func makeQueue(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	name := p.String("QueueName")
	c := sqs.Config{
		FIFO: p.Bool("FifoQueue", false), ContentBasedDeduplication: p.Bool("ContentBasedDeduplication", false), DeduplicationScope: p.String("DeduplicationScope"),
		Retention: seconds(p.Int("MessageRetentionPeriod", 0)), MaximumMessageSize: p.Int("MaximumMessageSize", 0),
		Delay: seconds(p.Int("DelaySeconds", 0)), ReceiveWait: seconds(p.Int("ReceiveMessageWaitTimeSeconds", 0)),
	}
	if p.Has("VisibilityTimeout") {
		visible := seconds(p.Int("VisibilityTimeout", 30))
		c.VisibilityTimeout = &visible
	}
	if p.Has("RedrivePolicy") {
		redrive := p.Object("RedrivePolicy")
		c.Redrive = &sqs.Redrive{DeadLetterARN: redrive.Needed("deadLetterTargetArn"), MaxReceiveCount: redrive.Int("maxReceiveCount", 0)}
	}
	p.Ignore("FifoThroughputLimit", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "RedriveAllowPolicy", "SqsManagedSseEnabled", "Tags")
	return func(context.Context) error {
		if c.Name = name; name == "" {
			c.Name = s.physical(r, 75)
			if c.FIFO {
				c.Name += ".fifo"
			}
		}
		q, err := s.Queues.Create(c)
		if err != nil {
			return err
		}
		r.Created(q.URL(), map[string]any{"Arn": q.ARN(), "QueueName": q.Name(), "QueueUrl": q.URL()})
		return nil
	}
}

func makeTopic(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	name := p.String("TopicName")
	c := sns.TopicConfig{FIFO: p.Bool("FifoTopic", false), ContentBasedDeduplication: p.Bool("ContentBasedDeduplication", false)}
	p.Ignore("DisplayName", "FifoThroughputScope", "KmsMasterKeyId", "Tags", "TracingConfig")
	return func(context.Context) error {
		if c.Name = name; name == "" {
			c.Name = s.physical(r, 250)
			if c.FIFO {
				c.Name += ".fifo"
			}
		}
		arn, err := s.Topics.CreateTopic(c)
		if err != nil {
			return err
		}
		r.Created(arn, map[string]any{"TopicArn": arn, "TopicName": c.Name})
		return nil
	}
}

// subscribed is a queue that a topic sends to.
type subscribed struct{ resource, topic, queue string }

func makeSubscription(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	p.Choice("Protocol", "sqs")
	c := sns.SubscriptionConfig{
		TopicARN: p.Needed("TopicArn"), QueueARN: p.Needed("Endpoint"), RawMessageDelivery: p.Bool("RawMessageDelivery", false),
		FilterPolicy: p.JSON("FilterPolicy"), FilterPolicyScope: p.String("FilterPolicyScope"),
	}
	p.Ignore("Region")
	return func(context.Context) error {
		arn, err := s.Topics.Subscribe(c)
		if err != nil {
			return err
		}
		s.sends = append(s.sends, subscribed{r.String(), c.TopicARN, c.QueueARN})
		r.Created(arn, map[string]any{"Arn": arn})
		return nil
	}
}

// queuePolicy is a resource's policy, as far as topics need it.
type queuePolicy struct {
	Statement []struct {
		Effect    string
		Action    texts
		Resource  texts
		Principal json.RawMessage
		Condition map[string]map[string]texts
	}
}

// texts is one text or several.
type texts []string

func (t *texts) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '[' {
		return json.Unmarshal(text, (*[]string)(t))
	}
	var one string
	err := json.Unmarshal(text, &one)
	*t = texts{one}
	return err
}

func makeQueuePolicy(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	p.Strings("Queues")
	var policy queuePolicy
	if err := json.Unmarshal(p.JSON("PolicyDocument"), &policy); err != nil {
		p.Refuse("PolicyDocument", "it is no policy: %v", err)
	}
	return func(context.Context) error {
		s.policies = append(s.policies, policy)
		r.Created(s.physical(r, 100), nil)
		return nil
	}
}

// checkSubscriptions finds topics that AWS would not let send to their queue: messages would be
// lost without a word.
func (s *Stand) checkSubscriptions() error {
	var failed []error
	for _, send := range s.sends {
		if !slices.ContainsFunc(s.policies, func(p queuePolicy) bool { return p.lets(send) }) {
			failed = append(failed, fmt.Errorf("%s: no policy of the queue %s lets the topic %s send to it", send.resource, send.queue, send.topic))
		}
	}
	return errors.Join(failed...)
}

func (p queuePolicy) lets(send subscribed) bool {
	for _, st := range p.Statement {
		if st.Effect == "Allow" && slices.Contains(st.Action, "sqs:SendMessage") && slices.Contains(st.Resource, send.queue) &&
			strings.Contains(string(st.Principal), "sns.amazonaws.com") && slices.Contains(st.Condition["ArnEquals"]["aws:SourceArn"], send.topic) {
			return true
		}
	}
	return false
}

func makeBucket(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	name := p.String("BucketName")
	var expire time.Duration
	for _, rule := range p.Object("LifecycleConfiguration").Objects("Rules") {
		days := rule.Int("ExpirationInDays", 0)
		if rule.Choice("Status", "Enabled", "Disabled") == "Enabled" && days > 0 {
			expire = time.Duration(days) * 24 * time.Hour
		}
		rule.Ignore("AbortIncompleteMultipartUpload", "Id", "NoncurrentVersionExpiration")
	}
	p.Ignore("BucketEncryption", "OwnershipControls", "PublicAccessBlockConfiguration", "Tags", "VersioningConfiguration")
	return func(context.Context) error {
		name := or(name, strings.ToLower(s.physical(r, 63)))
		if err := s.Buckets.CreateBucket(s3.BucketConfig{Name: name, ExpireAfter: expire}); err != nil {
			return err
		}
		r.Created(name, map[string]any{"Arn": "arn:aws:s3:::" + name})
		return nil
	}
}

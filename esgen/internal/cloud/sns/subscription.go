package sns

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	es "github.com/esgen/esgen/runtime"

	"github.com/esgen/esgen/esgen/internal/cloud/sqs"
)

// SubscriptionConfig is what can be declared of a subscription of a queue.
type SubscriptionConfig struct {
	TopicARN, QueueARN string
	RawMessageDelivery bool            // true: nothing else is honoured
	FilterPolicy       json.RawMessage // of message attributes; every value is an exact string; nil lets all pass
	FilterPolicyScope  string          // "" or "MessageAttributes"
}

type subscription struct {
	queue  *sqs.Queue
	filter filter
}

// Subscribe has a topic deliver to a queue from now on.
func (s *Service) Subscribe(c SubscriptionConfig) (arn string, err error) {
	refuse := func(why string, args ...any) (string, error) {
		return "", fmt.Errorf("sns: subscription of %s to %s: %s", c.QueueARN, c.TopicARN, fmt.Sprintf(why, args...))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, queue := s.topics[c.TopicARN], s.options.Queues.QueueByARN(c.QueueARN)
	switch {
	case t == nil:
		return refuse("there is no such topic")
	case queue == nil:
		return refuse("there is no such queue; SQS queues are all that this stand-in delivers to")
	case queue.Config().FIFO != t.config.FIFO:
		return refuse("topic and queue have to be of one kind, FIFO or standard")
	case !c.RawMessageDelivery:
		return refuse("RawMessageDelivery has to be true: this stand-in makes no envelopes")
	case c.FilterPolicyScope != "" && c.FilterPolicyScope != "MessageAttributes":
		return refuse("filter policy scope %q is not honoured: take MessageAttributes", c.FilterPolicyScope)
	case slices.ContainsFunc(t.subscriptions, func(other subscription) bool { return other.queue == queue }):
		return refuse("there is one already")
	}
	f, err := parseFilter(c.FilterPolicy)
	if err != nil {
		return refuse("filter policy: %v", err)
	}
	t.subscriptions = append(t.subscriptions, subscription{queue, f})
	return t.arn + ":" + es.NewUUID(s.options.Now()).String(), nil
}

// filter has the texts that an attribute may have, by its name. None lets everything pass.
type filter map[string][]string

// Limits of SNS for the filter policy of a subscription.
const (
	maxFilterNames  = 5
	maxCombinations = 150
)

func parseFilter(policy json.RawMessage) (filter, error) {
	if len(policy) == 0 {
		return nil, nil
	}
	var names map[string]json.RawMessage
	d := json.NewDecoder(bytes.NewReader(policy))
	if err := d.Decode(&names); err != nil || names == nil {
		return nil, errors.New("it has to be a JSON object")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows the JSON object")
	}
	if len(names) > maxFilterNames {
		return nil, fmt.Errorf("it has %d names, SNS takes %d", len(names), maxFilterNames)
	}
	f, combinations := filter{}, 1
	for name, text := range names {
		var values []any
		if err := json.Unmarshal(text, &values); err != nil || len(values) == 0 {
			return nil, fmt.Errorf("%q: a list of one or more strings is all that this stand-in honours", name)
		}
		for _, v := range values {
			exact, ok := v.(string)
			if !ok {
				return nil, fmt.Errorf("%q: exact strings are all that this stand-in honours", name)
			}
			f[name] = append(f[name], exact)
		}
		if combinations *= len(values); combinations > maxCombinations {
			return nil, fmt.Errorf("it has more than the %d combinations of values that SNS takes", maxCombinations)
		}
	}
	return f, nil
}

// passes reports whether each attribute that the filter names is there, with one of its texts.
func (f filter) passes(attributes map[string]sqs.Attribute) bool {
	for name, values := range f {
		if a, ok := attributes[name]; !ok || a.DataType != "String" || !slices.Contains(values, a.String) {
			return false
		}
	}
	return true
}

// contentID is the deduplication id that a message without one gets.
func contentID(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/esgen/esgen/schema"
)

// reading is what a function reads.
type reading struct {
	source  string // "events", "customer-summary" or the name of the consumer whose queue it is
	filters string // patterns as JSON, one a line
}

// The kinds of filters. A record of a view that goes is the end of its table, no change of the view.
const (
	inserted = `{"eventName":["INSERT"]}`
	changed  = `{"eventName":["INSERT","MODIFY"]}`
)

// readings are what the functions of a variant must read.
func (v variant) readings(s *schema.Service) map[string]reading {
	all := map[string]reading{"projector": {"events", inserted}}
	events, view := v.relayed()
	if events {
		all["relay"] = reading{"events", inserted}
	}
	if view {
		all["relay-customer-summary"] = reading{"customer-summary", changed}
	}
	for _, c := range s.Consumers {
		r := reading{source: c.Name} // its queue
		switch {
		case c.View != nil && !view:
			r = reading{"customer-summary", changed}
		case c.View == nil && !events:
			types, _ := json.Marshal(typesOf(c))
			r = reading{"events", fmt.Sprintf(`{"dynamodb":{"NewImage":{"_type":{"S":%s}}},"eventName":["INSERT"]}`, types)}
		}
		all["consumer-"+c.Name] = r
	}
	return all
}

func typesOf(c *schema.Consumer) []string {
	var types []string
	for _, e := range c.Events {
		types = append(types, e.Name)
	}
	return types
}

// mapping is an event source mapping.
type mapping struct {
	id, function, source string // logical ids
	stream               bool
}

func (s *stage) mappings(t testing.TB) map[string]mapping {
	t.Helper()
	names := map[string]string{}
	for name, id := range s.functions(t) {
		names[id] = name
	}
	all := map[string]mapping{}
	for _, id := range s.of("AWS::Lambda::EventSourceMapping") {
		arn := s.property(id, "EventSourceArn")
		m := mapping{id: id, function: referred(s.property(id, "FunctionName")), source: referred(arn), stream: strings.HasSuffix(arn, ".StreamArn}")}
		name := names[m.function]
		if _, twice := all[name]; name == "" || twice {
			t.Errorf("%s is a mapping of %s, which is no function or has another", id, m.function)
		}
		all[name] = m
	}
	return all
}

// checkMappings: who reads what, and how; two readers per stream at most.
func checkMappings(t testing.TB, v variant, s *stage) {
	want, got := v.readings(v.service(t)), s.mappings(t)
	if w, g := slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)); !slices.Equal(w, g) {
		t.Fatalf("mappings of %v, want %v", g, w)
	}
	readers := map[string][]string{}
	for name, m := range got {
		if r := (reading{s.sourceName(t, m), s.filters(m.id)}); r != want[name] {
			t.Errorf("%s reads %v, want %v", name, r, want[name])
		}
		expected := queueMapping
		if m.stream {
			expected = streamMapping
			readers[m.source] = append(readers[m.source], name)
			destination := s.property(m.id, "DestinationConfig", "OnFailure", "Destination")
			if bucket := s.operations(t).GivenUp; destination != strings.TrimSuffix(bucket, "}")+".Arn}" {
				t.Errorf("%s leaves what it gives up in %q", name, destination)
			}
		}
		checkSettings(t, name, s.resources[m.id].Properties, expected)
	}
	for source, names := range readers {
		if len(names) > 2 {
			t.Errorf("%s has the readers %v: a stream takes two", source, names)
		}
	}
}

// What mappings are set to, beside what they read, where to, and with which filters.
var (
	streamMapping = map[string]any{
		"StartingPosition": "TRIM_HORIZON", "BatchSize": 100.0, "MaximumBatchingWindowInSeconds": 0.0,
		"FunctionResponseTypes": []any{"ReportBatchItemFailures"}, "BisectBatchOnFunctionError": true,
		"MaximumRetryAttempts": 10.0, "MaximumRecordAgeInSeconds": 21600.0,
		"MetricsConfig": map[string]any{"Metrics": []any{"EventCount"}},
	}
	queueMapping = map[string]any{
		"BatchSize": 10.0, "FunctionResponseTypes": []any{"ReportBatchItemFailures"},
		"MetricsConfig": map[string]any{"Metrics": []any{"EventCount"}},
	}
)

func checkSettings(t testing.TB, name string, properties, want map[string]any) {
	t.Helper()
	own := []string{"FunctionName", "EventSourceArn", "FilterCriteria", "DestinationConfig", "Tags"}
	for property, value := range properties {
		if !slices.Contains(own, property) && !reflect.DeepEqual(value, want[property]) {
			t.Errorf("%s: its mapping's %s is %v, want %v", name, property, value, want[property])
		}
	}
	for property := range want {
		if properties[property] == nil {
			t.Errorf("%s: its mapping has no %s", name, property)
		}
	}
}

// sourceName says what a mapping reads: "events", a view, or a consumer's queue.
func (s *stage) sourceName(t testing.TB, m mapping) string {
	o := s.operations(t)
	if m.source == referred(o.Events) {
		return "events"
	}
	for view, id := range viewTables(o.Views) {
		if id == m.source {
			return strings.TrimSuffix(view, ".1")
		}
	}
	for consumer, dead := range o.DeadLetters {
		if s.property(m.source, "RedrivePolicy", "deadLetterTargetArn") == "${"+referred(dead)+".Arn}" {
			return consumer
		}
	}
	return m.source
}

// filters spells the patterns of a mapping in one form.
func (s *stage) filters(mapping string) string {
	filters, _ := at(s.resources[mapping].Properties, "FilterCriteria", "Filters").([]any)
	var lines []string
	for _, f := range filters {
		var pattern any
		if err := json.Unmarshal([]byte(text(at(f, "Pattern"))), &pattern); err != nil {
			return fmt.Sprintf("%v: %v", f, err)
		}
		canonical, _ := json.Marshal(pattern)
		lines = append(lines, string(canonical))
	}
	return strings.Join(lines, "\n")
}

// checkQueues: behind a relay each consumer has a queue in order, which gets what it handles and
// nothing else, and another for what it fails on.
func checkQueues(t testing.TB, v variant, s *stage) {
	o, functions := s.operations(t), s.functions(t)
	for name, m := range s.mappings(t) {
		if m.stream {
			continue
		}
		checkQueue(t, s, m.source)
		dead := referred(s.property(m.source, "RedrivePolicy", "deadLetterTargetArn"))
		checkQueue(t, s, dead)
		if times := at(s.resources[m.source].Properties, "RedrivePolicy", "maxReceiveCount"); times != 5.0 {
			t.Errorf("%s tries a message %v times", name, times)
		}
		timeout := s.resources[m.function].Properties["Timeout"].(float64)
		if !within(s.resources[m.source].Properties["VisibilityTimeout"], 6*timeout, 43200) {
			t.Errorf("%s: what it takes from its queue comes back after %v s, its timeout is %v s", name, s.property(m.source, "VisibilityTimeout"), timeout)
		}
		// What was not handled for a while must not be gone from the one queue before it is in the other.
		if !within(s.resources[dead].Properties["MessageRetentionPeriod"], 1209600, 1209600) {
			t.Errorf("%s: dead letters are kept for %v s, they could be for two weeks", name, s.resources[dead].Properties["MessageRetentionPeriod"])
		}
		consumer := consumerOf(v.service(t), strings.TrimPrefix(name, "consumer-"))
		relay := functions["relay"]
		if consumer.View != nil {
			relay = functions["relay-"+consumer.View.Name]
		}
		checkSubscription(t, s, m.source, referred(s.environment(relay)["ESGEN_TOPIC"]), typesOf(consumer))
	}
	if n := len(s.of("AWS::SQS::Queue")); n != 2*len(o.DeadLetters) {
		t.Errorf("%d queues for %d consumers", n, len(o.DeadLetters))
	}
	checkTopics(t, s)
}

func consumerOf(s *schema.Service, name string) *schema.Consumer {
	i := slices.IndexFunc(s.Consumers, func(c *schema.Consumer) bool { return c.Name == name })
	return s.Consumers[i]
}

func checkQueue(t testing.TB, s *stage, id string) {
	t.Helper()
	p := s.resources[id].Properties
	if p["FifoQueue"] != true || p["SqsManagedSseEnabled"] != true || p["ContentBasedDeduplication"] == true {
		t.Errorf("%s is no queue in order, not encrypted, or guesses what is the same: %v", id, p)
	}
	if p["DeduplicationScope"] != "messageGroup" || p["FifoThroughputLimit"] != "perMessageGroupId" {
		t.Errorf("%s is slower than it need be: %v", id, p)
	}
	if !slices.ContainsFunc(s.of("AWS::SQS::QueuePolicy"), func(policy string) bool {
		return slices.Equal(s.texts(s.resources[policy].Properties["Queues"]), []string{"${" + id + "}"}) && refusesPlainText(s, s.resources[policy])
	}) {
		t.Errorf("%s takes requests without TLS", id)
	}
}

// checkSubscription: the queue gets from its topic, and from it alone, what the consumer handles.
func checkSubscription(t testing.TB, s *stage, queue, topic string, types []string) {
	t.Helper()
	var found []string
	for _, id := range s.of("AWS::SNS::Subscription") {
		if s.property(id, "Endpoint") != "${"+queue+".Arn}" {
			continue
		}
		found = append(found, id)
		p := s.resources[id].Properties
		if s.text(p["TopicArn"]) != "${"+topic+"}" || p["Protocol"] != "sqs" || p["RawMessageDelivery"] != true {
			t.Errorf("%s gets %v, want what is in %s as it is", queue, p, topic)
		}
		if got := s.texts(at(p["FilterPolicy"], "type")); !slices.Equal(got, types) {
			t.Errorf("%s gets %v, want %v", queue, got, types)
		}
	}
	if len(found) != 1 {
		t.Errorf("%s has the subscriptions %v", queue, found)
	}
	var senders []string
	for _, policy := range s.of("AWS::SQS::QueuePolicy") {
		if !slices.Equal(s.texts(s.resources[policy].Properties["Queues"]), []string{"${" + queue + "}"}) {
			continue
		}
		for _, statement := range statements(s.resources[policy]) {
			if statement["Effect"] != "Allow" {
				continue
			}
			senders = append(senders, fmt.Sprint(s.texts(statement["Action"]), s.text(at(statement, "Principal", "Service")),
				s.text(at(statement, "Condition", "ArnEquals", "aws:SourceArn"))))
		}
	}
	if want := []string{fmt.Sprint([]string{"sqs:SendMessage"}, "sns.amazonaws.com", "${"+topic+"}")}; !slices.Equal(senders, want) {
		t.Errorf("%s lets in %v, want %v", queue, senders, want)
	}
}

func checkTopics(t testing.TB, s *stage) {
	for _, id := range s.of("AWS::SNS::Topic") {
		p := s.resources[id].Properties
		if p["FifoTopic"] != true || p["ContentBasedDeduplication"] == true || p["FifoThroughputScope"] != "MessageGroup" {
			t.Errorf("%s is no topic in order, guesses what is the same, or is slower than it need be: %v", id, p)
		}
		if !slices.ContainsFunc(s.of("AWS::SNS::TopicPolicy"), func(policy string) bool {
			return slices.Equal(s.texts(s.resources[policy].Properties["Topics"]), []string{"${" + id + "}"}) && refusesPlainText(s, s.resources[policy])
		}) {
			t.Errorf("%s takes messages without TLS", id)
		}
	}
}

// checkOrder: what is stored finds its readers in place; a consumer knows where to begin before it reads.
func checkOrder(t testing.TB, v variant, s *stage) {
	functions, mappings := s.functions(t), s.mappings(t)
	must := func(what, id, other string) {
		t.Helper()
		if !s.after(id, other) {
			t.Errorf("%s: %s is not made after %s", what, id, other)
		}
	}
	for name, m := range mappings {
		must("the command function after all that reads", functions["command"], m.id)
		must("a mapping after what its function may do", m.id, s.policyOf(t, m.function))
		if strings.HasPrefix(name, "consumer-") {
			start := s.startOf(t, name, m.function)
			must("a consumer begins where it was deployed", m.id, start)
			must("a start after what its function may do", start, s.policyOf(t, m.function))
		}
	}
	for _, id := range s.of("AWS::SNS::Subscription") {
		topic := referred(s.property(id, "TopicArn"))
		for name, m := range mappings {
			if strings.HasPrefix(name, "relay") && referred(s.environment(m.function)["ESGEN_TOPIC"]) == topic {
				must("a relay reads when all its queues are there", m.id, id)
			}
			if !m.stream && s.property(id, "Endpoint") == "${"+m.source+".Arn}" {
				must("a consumer starts when its queue is filled", s.startOf(t, name, m.function), id)
			}
		}
	}
}

// policyOf is the policy of a function's role.
func (s *stage) policyOf(t testing.TB, function string) string {
	t.Helper()
	for _, id := range s.of("AWS::IAM::Policy") {
		if slices.Contains(s.texts(s.resources[id].Properties["Roles"]), "${"+referred(s.property(function, "Role"))+"}") {
			return id
		}
	}
	t.Fatalf("%s has no policy", function)
	return ""
}

// startOf is the resource that has a consumer remember when it was deployed first.
func (s *stage) startOf(t testing.TB, name, function string) string {
	t.Helper()
	for _, id := range s.of("Custom::EsgenConsumerStart") {
		if s.property(id, "ServiceToken") == "${"+function+".Arn}" {
			if got := "consumer-" + s.property(id, "Consumer"); got != name {
				t.Errorf("%s is told to be %s", name, got)
			}
			return id
		}
	}
	t.Fatalf("%s has no start", name)
	return ""
}

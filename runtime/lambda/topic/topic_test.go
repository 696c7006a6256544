package topic_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/lambda"
	"github.com/esgen/esgen/runtime/lambda/topic"
)

const arn = "arn:aws:sns:eu-central-1:123456789012:events.fifo"

func environment(endpoint string) func(string) string {
	return func(name string) string {
		return map[string]string{
			"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token",
			"AWS_ENDPOINT_URL_SNS": endpoint, "ESGEN_TOPIC": arn,
		}[name]
	}
}

// answer is how SNS answers PublishBatch.
func answer(taken, failed []string) string {
	var b strings.Builder
	b.WriteString(`<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult><Successful>`)
	for _, id := range taken {
		fmt.Fprintf(&b, `<member><Id>%s</Id><MessageId>m</MessageId><SequenceNumber>1</SequenceNumber></member>`, id)
	}
	b.WriteString(`</Successful><Failed>`)
	for _, id := range failed {
		fmt.Fprintf(&b, `<member><Id>%s</Id><Code>InternalError</Code><Message>x</Message><SenderFault>false</SenderFault></member>`, id)
	}
	b.WriteString(`</Failed></PublishBatchResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></PublishBatchResponse>`)
	return b.String()
}

func TestPublish(t *testing.T) {
	var form []string
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests++; requests == 1 { // as when SNS is busy
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		for name, values := range r.PostForm {
			form = append(form, name+"="+values[0])
		}
		if r.Header.Get("X-Amz-Security-Token") != "token" || !strings.Contains(r.Header.Get("Authorization"), "/eu-central-1/sns/") {
			t.Errorf("signed %v", r.Header)
		}
		fmt.Fprint(w, answer([]string{"0"}, []string{"1"}))
	}))
	defer server.Close()
	p, err := topic.FromEnvironment(environment(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	failed, err := p.Publish(t.Context(), []lambda.Publication{
		{Group: "g-0", Identity: "i-0", Type: "NoteTaken", Body: "é&=+ %"}, {Group: "g-1", Identity: "i-1", Body: "b"}, {Group: "g-2", Identity: "i-2", Body: "c"},
	})
	if err != nil || !slices.Equal(failed, []int{1, 2}) { // of the third nothing was said
		t.Errorf("failed %v, %v", failed, err)
	}
	if requests != 2 {
		t.Errorf("%d requests, want a second after the first was refused for now", requests)
	}
	entry := func(n int) string { return fmt.Sprintf("PublishBatchRequestEntries.member.%d.", n) }
	for _, want := range []string{
		"Action=PublishBatch", "TopicArn=" + arn, entry(1) + "Message=é&=+ %", entry(1) + "MessageGroupId=g-0", entry(1) + "MessageDeduplicationId=i-0",
		entry(1) + "MessageAttributes.entry.1.Name=type", entry(1) + "MessageAttributes.entry.1.Value.StringValue=NoteTaken", entry(3) + "Message=c",
	} {
		if !slices.Contains(form, want) {
			t.Errorf("no %q in %q", want, form)
		}
	}
	for _, field := range form {
		if strings.HasPrefix(field, entry(2)+"MessageAttributes") {
			t.Errorf("a change has the attribute %q", field)
		}
	}
}

func TestPublishEndsWithItsContext(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	p, err := topic.FromEnvironment(environment(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.Publish(ctx, []lambda.Publication{{Group: "g", Identity: "i", Body: "secret"}}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v", err)
	}
}

func TestTheEnvironmentNamesTheTopic(t *testing.T) {
	whole := environment("")
	for _, missing := range []string{"ESGEN_TOPIC", "AWS_REGION", "AWS_SECRET_ACCESS_KEY"} {
		_, err := topic.FromEnvironment(func(name string) string {
			if name == missing {
				return ""
			}
			return whole(name)
		})
		if err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("without %s: %v", missing, err)
		}
	}
}

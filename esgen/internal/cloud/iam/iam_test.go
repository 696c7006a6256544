package iam_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"github.com/esgen/esgen/esgen/internal/cloud/iam"
)

func TestPoliciesAreEvaluated(t *testing.T) {
	p, err := iam.Parse([]byte(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["dynamodb:PutItem","dynamodb:Q*"],"Resource":["arn:t/events","arn:t/events/index/*"]},
		{"Effect":"Allow","Action":"sns:Publish","Resource":"*","Sid":"x"},
		{"Effect":"Deny","Action":"sns:*","Resource":"arn:topic-?"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		action, resource string
		want             bool
	}{
		{"dynamodb:PutItem", "arn:t/events", true},
		{"DynamoDB:putitem", "arn:t/events", true},
		{"dynamodb:PutItem", "arn:t/Events", false},
		{"dynamodb:PutItem", "arn:t/events2", false},
		{"dynamodb:Query", "arn:t/events/index/byEvent", true},
		{"dynamodb:GetItem", "arn:t/events", false},
		{"sns:Publish", "arn:topic-12", true},
		{"sns:Publish", "arn:topic-1", false},
	} {
		if got := p.Allows(row.action, row.resource); got != row.want {
			t.Errorf("%s on %s: %v", row.action, row.resource, got)
		}
	}
	if (iam.Policy{}).Allows("a:b", "c") || !iam.Everything().Allows("a:b", "c") {
		t.Error("nothing allows something, or everything does not")
	}
	hostile := strings.Repeat("a*", 5000) + "b"
	if iam.Matches(hostile, strings.Repeat("a", 20000)) {
		t.Error("a pattern matches what it must not")
	}
}

func TestPoliciesThatAreNotEvaluatedAreRefused(t *testing.T) {
	for document, want := range map[string]string{
		`{}`: "no statement",
		`[]`: "no policy document",
		`{"Statement":{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}}`: "Condition: it is not evaluated",
		`{"Statement":{"Effect":"Allow","NotAction":"a:b","Resource":"*"}}`:                                                  "NotAction",
		`{"Statement":{"Effect":"Perhaps","Action":"a:b","Resource":"*"}}`:                                                   "neither Allow nor Deny",
		`{"Statement":{"Effect":"Allow","Action":"a:b"}}`:                                                                    "are needed",
		`{"Statement":[{"Effect":"Allow","Action":5,"Resource":"*"}]}`:                                                       "Action",
	} {
		if _, err := iam.Parse([]byte(document)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", document, err)
		}
	}
}

// stand is a proxy in front of a service that answers each request with an empty object and
// remembers who asked.
type stand struct {
	client  *dynamodb.Client
	proxy   *iam.DynamoDB
	denials *iam.Denials
	options iam.Options
	seen    chan *http.Request
	url     string
}

const function = "arn:aws:sts::123456789012:assumed-role/role/f"

func newStand(t *testing.T, policy string) *stand {
	t.Helper()
	p, err := iam.Parse([]byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	s := &stand{seen: make(chan *http.Request, 100), denials: &iam.Denials{}}
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		s.seen <- r
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(service.Close)
	identities := &iam.Identities{}
	identities.Add(iam.Identity{Name: "f", ARN: function, AccessKeyID: "AKF", SecretAccessKey: "s", SessionToken: "token", Policy: p})
	s.options = iam.Options{Region: "eu-north-1", Account: "123456789012", Identities: identities, Denials: s.denials}
	if s.proxy, err = iam.NewDynamoDB(s.options, service.URL, "STAND"); err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(s.proxy)
	t.Cleanup(front.Close)
	s.url = front.URL
	s.client = s.as("AKF", "token")
	return s
}

func (s *stand) as(key, token string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "eu-north-1", BaseEndpoint: aws.String(s.url), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: key, SecretAccessKey: "s", SessionToken: token}, nil
		}),
	})
}

var key = map[string]types.AttributeValue{"_id": &types.AttributeValueMemberS{Value: "1"}}

func TestRequestsNeedWhatTheyDo(t *testing.T) {
	const table = "arn:aws:dynamodb:eu-north-1:123456789012:table/"
	s := newStand(t, `{"Statement":[
		{"Effect":"Allow","Action":["dynamodb:PutItem","dynamodb:UpdateItem","dynamodb:BatchGetItem","dynamodb:Query"],"Resource":"`+table+`views"},
		{"Effect":"Allow","Action":["dynamodb:PutItem","dynamodb:Query"],"Resource":"`+table+`events/index/byEvent"}]}`)
	views, events := aws.String("views"), aws.String("events")
	for name, row := range map[string]struct {
		call   func(*dynamodb.Client) error
		denied string // "" if it is allowed
	}{
		"put": {func(c *dynamodb.Client) error {
			_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: views, Item: key})
			return err
		}, ""},
		"put by its ARN": {func(c *dynamodb.Client) error {
			_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(table + "views"), Item: key})
			return err
		}, ""},
		"put elsewhere": {func(c *dynamodb.Client) error {
			_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: events, Item: key})
			return err
		}, "dynamodb:PutItem on resource: " + table + "events"},
		"get": {func(c *dynamodb.Client) error {
			_, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: views, Key: key})
			return err
		}, "dynamodb:GetItem on resource: " + table + "views"},
		"query an index": {func(c *dynamodb.Client) error {
			_, err := c.Query(t.Context(), &dynamodb.QueryInput{TableName: events, IndexName: aws.String("byEvent")})
			return err
		}, ""},
		"query the table": {func(c *dynamodb.Client) error {
			_, err := c.Query(t.Context(), &dynamodb.QueryInput{TableName: events})
			return err
		}, "dynamodb:Query on resource: " + table + "events"},
		"query a view's index": {func(c *dynamodb.Client) error {
			_, err := c.Query(t.Context(), &dynamodb.QueryInput{TableName: views, IndexName: aws.String("x")})
			return err
		},
			"dynamodb:Query on resource: " + table + "views/index/x"},
		"batch": {func(c *dynamodb.Client) error {
			_, err := c.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"views": {Keys: []map[string]types.AttributeValue{key}}}})
			return err
		}, ""},
		"batch of two tables": {func(c *dynamodb.Client) error {
			_, err := c.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
				"views": {Keys: []map[string]types.AttributeValue{key}}, "progress": {Keys: []map[string]types.AttributeValue{key}}}})
			return err
		}, "dynamodb:BatchGetItem on resource: " + table + "progress"},
		"transaction": {func(c *dynamodb.Client) error {
			_, err := c.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
				{Put: &types.Put{TableName: views, Item: key}}, {Update: &types.Update{TableName: views, Key: key, UpdateExpression: aws.String("SET a = :a")}}}})
			return err
		}, ""},
		"transaction that checks": {func(c *dynamodb.Client) error {
			_, err := c.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
				{Put: &types.Put{TableName: views, Item: key}}, {ConditionCheck: &types.ConditionCheck{TableName: views, Key: key, ConditionExpression: aws.String("a = b")}}}})
			return err
		}, "dynamodb:ConditionCheckItem on resource: " + table + "views"},
		"describe": {func(c *dynamodb.Client) error {
			_, err := c.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: views})
			return err
		}, "dynamodb:DescribeTable on resource: " + table + "views"},
		"list": {func(c *dynamodb.Client) error {
			_, err := c.ListTables(t.Context(), &dynamodb.ListTablesInput{})
			return err
		}, "dynamodb:ListTables on resource: *"},
		"a statement": {func(c *dynamodb.Client) error {
			_, err := c.ExecuteStatement(t.Context(), &dynamodb.ExecuteStatementInput{Statement: aws.String("SELECT * FROM views")})
			return err
		}, "dynamodb:ExecuteStatement on resource: *"},
	} {
		before := len(s.denials.List())
		err := row.call(s.client)
		denied := s.denials.List()[before:]
		if row.denied == "" {
			if err != nil || len(denied) != 0 {
				t.Errorf("%s: %v, denied %v", name, err, denied)
				continue
			}
			if r := <-s.seen; !strings.Contains(r.Header.Get("Authorization"), "Credential=STAND/") {
				t.Errorf("%s: forwarded as %s", name, r.Header.Get("Authorization"))
			}
			continue
		}
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != "AccessDeniedException" || !strings.Contains(api.ErrorMessage(), "User: "+function+" is not authorized to perform: "+row.denied) {
			t.Errorf("%s: %v", name, err)
		}
		if len(denied) != 1 || denied[0].Identity != "f" || denied[0].Action+" on resource: "+denied[0].Resource != row.denied {
			t.Errorf("%s: denied %v", name, denied)
		}
		if len(s.seen) != 0 {
			t.Fatalf("%s: forwarded all the same", name)
		}
	}
}

func TestStrangersAreRefused(t *testing.T) {
	s := newStand(t, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	for name, client := range map[string]*dynamodb.Client{"another key": s.as("OTHER", "token"), "another token": s.as("AKF", "old")} {
		_, err := client.ListTables(t.Context(), nil)
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != "UnrecognizedClientException" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(s.seen) != 0 || len(s.denials.List()) != 2 {
		t.Errorf("forwarded %d, denied %v", len(s.seen), s.denials.List())
	}
	// Member names that differ in case are not those of the request.
	for body, want := range map[string]string{
		`{"tableName":"views"}`: "names no table", `[]`: "no JSON object", `{"TableName":5}`: "no text", strings.Repeat("x", 18<<20): "too large",
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKF/x")
		request.Header.Set("X-Amz-Security-Token", "token")
		request.Header.Set("X-Amz-Target", "DynamoDB_20120810.GetItem")
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode < 400 || !strings.Contains(string(text), want) {
			t.Errorf("%.40s answered %d %s", body, answer.StatusCode, text)
		}
	}
}

func TestFaults(t *testing.T) {
	s := newStand(t, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	put := func() error {
		_, err := s.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("views"), Item: key})
		return err
	}
	s.proxy.SetFault(func(c iam.Call) iam.Fault {
		if c.Identity != "f" || c.Action != "PutItem" || !strings.HasSuffix(c.Accesses[0].Resource, "table/views") {
			t.Errorf("asked about %v", c)
		}
		return iam.Fault{Error: "ProvisionedThroughputExceededException", Delay: time.Millisecond}
	})
	var slow *types.ProvisionedThroughputExceededException
	if err := put(); !errors.As(err, &slow) || len(s.seen) != 0 {
		t.Errorf("throttled: %v, forwarded %d", err, len(s.seen))
	}
	s.proxy.SetFault(func(iam.Call) iam.Fault { return iam.Fault{Lost: true} })
	if err := put(); err == nil || len(s.seen) == 0 {
		t.Errorf("lost: %v, forwarded %d", err, len(s.seen))
	}
	s.proxy.SetFault(nil)
	if err := put(); err != nil {
		t.Error(err)
	}
}

func TestPublishingNeedsItsTopic(t *testing.T) {
	s := newStand(t, `{"Statement":{"Effect":"Allow","Action":"sns:Publish","Resource":"arn:aws:sns:eu-north-1:123456789012:mine.fifo"}}`)
	var passed []url.Values
	front := httptest.NewServer(iam.NewSNS(s.options, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		passed = append(passed, r.PostForm)
		_, _ = io.WriteString(w, `<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult/></PublishBatchResponse>`)
	})))
	defer front.Close()
	client := sns.New(sns.Options{
		Region: "eu-north-1", BaseEndpoint: aws.String(front.URL), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKF", SecretAccessKey: "s", SessionToken: "token"}, nil
		}),
	})
	entries := []snstypes.PublishBatchRequestEntry{{Id: aws.String("1"), Message: aws.String("m")}}
	if _, err := client.PublishBatch(t.Context(), &sns.PublishBatchInput{TopicArn: aws.String("arn:aws:sns:eu-north-1:123456789012:mine.fifo"), PublishBatchRequestEntries: entries}); err != nil || len(passed) != 1 {
		t.Errorf("published %d, %v", len(passed), err)
	}
	_, err := client.PublishBatch(t.Context(), &sns.PublishBatchInput{TopicArn: aws.String("arn:aws:sns:eu-north-1:123456789012:other.fifo"), PublishBatchRequestEntries: entries})
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "AuthorizationError" || len(passed) != 1 || len(s.denials.List()) != 1 {
		t.Errorf("another topic: %v, passed %d, denied %v", err, len(passed), s.denials.List())
	}
}

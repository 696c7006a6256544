package up_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/esgen/esgen/esgen/internal/cloud/iam"
	"github.com/esgen/esgen/esgen/internal/cloud/lambda/lambdatest"
	"github.com/esgen/esgen/esgen/internal/up"
	"github.com/esgen/esgen/runtime/dynamo/dynamolocal"
)

// patience is how long something may take that happens in other processes.
const patience = time.Minute

// assemblyFor copies an assembly of testdata, made for this machine, with a function in it.
// Pairs of texts are replaced in its templates.
func assemblyFor(t *testing.T, name string, replace ...string) string {
	t.Helper()
	dir := t.TempDir()
	files, err := filepath.Glob(filepath.Join("testdata", name, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal(name, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "main.template.json") {
			for i := 0; i < len(replace); i += 2 {
				if !strings.Contains(string(text), replace[i]) {
					t.Fatalf("%s does not have %s", file, replace[i])
				}
			}
			text = []byte(strings.NewReplacer(append(replace, "ARCH", lambdatest.Architecture())...).Replace(string(text)))
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "asset.fn"), 0o755); err != nil {
		t.Fatal(err)
	}
	lambdatest.BuildInto(t, filepath.Join(dir, "asset.fn"))
	return dir
}

// written is what functions say.
type written struct {
	mu    sync.Mutex
	lines []string
}

func (w *written) add(source, line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, source+": "+line)
}

// awaitTimes waits until a line was said so many times, as what a function says comes later than its
// answer.
func (w *written) awaitTimes(t *testing.T, line string, times int) {
	t.Helper()
	n := 0
	for deadline := time.Now().Add(patience); n < times; time.Sleep(5 * time.Millisecond) {
		n = w.count(line)
		if time.Now().After(deadline) {
			break
		}
	}
	if n != times {
		t.Errorf("%q was said %d times, want %d", line, n, times)
	}
}

func (w *written) count(line string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.lines {
		if l == line {
			n++
		}
	}
	return n
}

func (w *written) await(t *testing.T, line string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		w.mu.Lock()
		found := slices.Contains(w.lines, line)
		w.mu.Unlock()
		if found {
			return
		}
		if time.Now().After(deadline) {
			w.mu.Lock()
			defer w.mu.Unlock()
			t.Fatalf("%q is never said; said is %q", line, w.lines)
		}
	}
}

func start(t *testing.T, dir string, stacks ...string) (*up.Stand, *written, error) {
	t.Helper()
	log := &written{}
	stand, err := up.Start(t.Context(), up.Options{Dir: dir, Stacks: stacks, Log: log.add})
	if missing, ok := errors.AsType[*dynamolocal.MissingError](err); ok {
		t.Skipf("not run on DynamoDB Local: %v", missing)
	}
	if err == nil {
		t.Cleanup(stand.Close)
	}
	return stand, log, err
}

func post(t *testing.T, stand *up.Stand, keys up.Credentials, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, stand.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if keys.AccessKeyID != "" {
		sum := sha256.Sum256([]byte(body))
		if err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey}, r, hex.EncodeToString(sum[:]), "execute-api", stand.Region, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// called is a body that has the function behind the API send a request to a service.
func called(t *testing.T, service, target, body string) string {
	t.Helper()
	text, err := json.Marshal(map[string]string{"do": "call", "service": service, "target": "DynamoDB_20120810." + target, "text": body})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAServiceStandsUp(t *testing.T) {
	stand, log, err := start(t, assemblyFor(t, "service"), "shop-dev")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(stand.URL, "http://127.0.0.1:") || stand.Outputs["Url"] != stand.URL+"/" || stand.Outputs["Endpoint"] != stand.URL {
		t.Fatalf("the outputs are %v, the API is at %s", stand.Outputs, stand.URL)
	}
	if len(stand.Functions) != 2 || stand.Functions["web"] != stand.Outputs["Web"] || stand.Functions["consumer-reader"] == "" {
		t.Errorf("the functions are %v", stand.Functions)
	}
	if status, body := post(t, stand, up.Credentials{}, "/", "{}"); status != 403 || body != `{"message":"Forbidden"}` {
		t.Errorf("unsigned: %d %s", status, body)
	}
	table := stand.Tables["shop-dev-data/Events"]
	item := `{"TableName":"` + table + `","Item":{"_id":{"S":"o1"},"_version":{"N":"1"},"_eventId":{"S":"e1"}}}`
	if status, body := post(t, stand, stand.Credentials, "/a", called(t, "DYNAMODB", "PutItem", item)); status != 200 || !strings.HasPrefix(body, "200 ") {
		t.Fatalf("a write: %d %s", status, body)
	}
	log.await(t, "consumer-reader: records: 1")
	testPolicies(t, stand, table)
	testFaults(t, stand, table)
	testMessages(t, stand, log)
	testSchedule(t, stand, log)
	testOperations(t, stand, table)
	first, err := stand.Invoke(t.Context(), "web", []byte(`{"do":"process"}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func() error{
		"killed":    func() error { _, err := stand.Kill("web"); return err },
		"restarted": func() error { return stand.Restart("web") },
	} {
		if err := end(); err != nil {
			t.Fatal(err)
		}
		next, err := stand.Invoke(t.Context(), "web", []byte(`{"do":"process"}`))
		if err != nil || string(next.Payload) == string(first.Payload) {
			t.Errorf("%s: %s answers as %s did, %v", name, next.Payload, first.Payload, err)
		}
		first = next
	}
	stand.Close()
	if answer, err := http.Get(stand.URL); err == nil {
		_ = answer.Body.Close()
		t.Error("it answers after it was closed")
	}
}

func testPolicies(t *testing.T, stand *up.Stand, table string) {
	if denied := stand.Denied(); len(denied) != 0 {
		t.Errorf("denied: %v", denied)
	}
	_, body := post(t, stand, stand.Credentials, "/", called(t, "DYNAMODB", "GetItem", `{"TableName":"`+table+`","Key":{}}`))
	arn := "arn:aws:dynamodb:us-east-1:123456789012:table/" + table
	if !strings.HasPrefix(body, "400 ") || !strings.Contains(body, "is not authorized to perform: dynamodb:GetItem on resource: "+arn) {
		t.Errorf("a read that the role does not allow: %s", body)
	}
	if denied := stand.Denied(); len(denied) != 1 || denied[0] != (iam.Denial{Identity: "web", Access: iam.Access{Action: "dynamodb:GetItem", Resource: arn}}) {
		t.Errorf("denied: %v", denied)
	}
	if _, body := post(t, stand, stand.Credentials, "/", called(t, "S3", "GetObject", `{}`)); !strings.HasPrefix(body, "501 ") {
		t.Errorf("a service that is not stood up for functions: %s", body)
	}
	reader := stand.AddCaller("reader", iam.Policy{{Actions: []string{"execute-api:Invoke"}, Resources: []string{"*/GET/*"}}})
	if status, body := post(t, stand, reader, "/", "{}"); status != 403 {
		t.Errorf("a caller who may only read: %d %s", status, body)
	}
}

func testFaults(t *testing.T, stand *up.Stand, table string) {
	stand.Dynamo.SetFault(func(c iam.Call) iam.Fault {
		if c.Identity == "web" && c.Action == "PutItem" {
			return iam.Fault{Error: "ProvisionedThroughputExceededException"}
		}
		return iam.Fault{}
	})
	defer stand.Dynamo.SetFault(nil)
	_, body := post(t, stand, stand.Credentials, "/", called(t, "DYNAMODB", "PutItem", `{"TableName":"`+table+`","Item":{}}`))
	if !strings.Contains(body, "ProvisionedThroughputExceededException") {
		t.Errorf("a fault: %s", body)
	}
}

// testMessages has the function publish, whose message comes back to it through the queue.
func testMessages(t *testing.T, stand *up.Stand, log *written) {
	var environment []string
	_, body := post(t, stand, stand.Credentials, "/", `{"do":"environment"}`)
	if err := json.Unmarshal([]byte(body), &environment); err != nil {
		t.Fatal(err)
	}
	topic := ""
	for _, v := range environment {
		if rest, ok := strings.CutPrefix(v, "ESGEN_TOPIC="); ok {
			topic = rest
		}
	}
	form := "Action=Publish&Version=2010-03-31&TopicArn=" + topic + "&Message=hello&MessageGroupId=g&MessageDeduplicationId=d" +
		"&MessageAttributes.entry.1.Name=type&MessageAttributes.entry.1.Value.DataType=String&MessageAttributes.entry.1.Value.StringValue=OrderPlaced"
	if _, body := post(t, stand, stand.Credentials, "/", called(t, "SNS", "", form)); !strings.HasPrefix(body, "200 ") {
		t.Fatalf("publishing: %s", body)
	}
	log.await(t, "web: records: 1")
	if _, body := post(t, stand, stand.Credentials, "/", called(t, "SNS", "", strings.Replace(form, "sns:", "sns:x", 1))); strings.HasPrefix(body, "200 ") {
		t.Errorf("publishing elsewhere: %s", body)
	}
}

// testSchedule: it invokes when the stand is up, as one without a start does, and when it is told to.
func testSchedule(t *testing.T, stand *up.Stand, log *written) {
	const line = "web: it is time"
	log.awaitTimes(t, line, 1)
	result, err := stand.Fire(t.Context(), "web")
	if err != nil || result.FunctionError != "" {
		t.Errorf("fired: %+v, %v", result, err)
	}
	log.awaitTimes(t, line, 2)
	if _, err := stand.Fire(t.Context(), "consumer-reader"); err == nil || !strings.Contains(err.Error(), "no schedule invokes consumer-reader") {
		t.Errorf("what no schedule invokes: %v", err)
	}
}

func TestAScheduleThatIsSwitchedOff(t *testing.T) {
	stand, log, err := start(t, assemblyFor(t, "service", `"State": "ENABLED"`, `"State": "DISABLED"`), "shop-dev")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stand.Fire(t.Context(), "web"); err == nil || !strings.Contains(err.Error(), "switched off") {
		t.Errorf("fired: %v", err)
	}
	if n := log.count("web: it is time"); n > 0 {
		t.Errorf("it invoked %d times", n)
	}
	// An update switches it on, and others leave its timer alone.
	if err := stand.Update(t.Context(), assemblyFor(t, "service")); err != nil {
		t.Fatal(err)
	}
	log.await(t, "web: it is time")
	if err := stand.Update(t.Context(), assemblyFor(t, "service", `"Timeout": 60`, `"Timeout": 61`)); err != nil {
		t.Fatal(err)
	}
	if _, err := stand.Fire(t.Context(), "web"); err != nil {
		t.Error(err)
	}
	log.awaitTimes(t, "web: it is time", 2)
}

// testOperations reaches the stand as programs do that are told where it is by their environment.
func testOperations(t *testing.T, stand *up.Stand, table string) {
	environ := map[string]string{}
	for _, v := range stand.Environ() {
		name, value, _ := strings.Cut(v, "=")
		environ[name] = value
	}
	keys := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: environ["AWS_ACCESS_KEY_ID"], SecretAccessKey: environ["AWS_SECRET_ACCESS_KEY"]}, nil
	})
	region := environ["AWS_REGION"]
	tables := dynamodb.New(dynamodb.Options{Region: region, Credentials: keys, BaseEndpoint: aws.String(environ["AWS_ENDPOINT_URL_DYNAMODB"])})
	about, err := tables.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		t.Fatal(err)
	}
	if d := about.Table; len(d.LocalSecondaryIndexes) != 1 || len(d.GlobalSecondaryIndexes) != 1 || d.StreamSpecification == nil || d.StreamSpecification.StreamViewType != "NEW_IMAGE" {
		t.Errorf("the table is %v", d)
	}
	ttl, err := tables.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: &table})
	if err != nil || aws.ToString(ttl.TimeToLiveDescription.AttributeName) != "_expires" {
		t.Errorf("its time to live is %v, %v", ttl, err)
	}
	stacks := cloudformation.New(cloudformation.Options{Region: region, Credentials: keys, BaseEndpoint: aws.String(environ["AWS_ENDPOINT_URL_CLOUDFORMATION"])})
	shown, err := stacks.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("shop-dev")})
	if err != nil || len(shown.Stacks) != 1 || len(shown.Stacks[0].Outputs) != 4 {
		t.Errorf("the stack is %v, %v", shown, err)
	}
	functions := lambda.New(lambda.Options{Region: region, Credentials: keys, BaseEndpoint: aws.String(environ["AWS_ENDPOINT_URL_LAMBDA"])})
	out, err := functions.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String(stand.Outputs["Web"]), Payload: []byte(`{"a":1}`)})
	if err != nil || string(out.Payload) != `{"a":1}` {
		t.Errorf("invoked, it answers %v, %v", out, err)
	}
	out, err = functions.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String(stand.Outputs["Web"]), Payload: []byte(`{"do":"fail"}`)})
	if err != nil || aws.ToString(out.FunctionError) != "Unhandled" {
		t.Errorf("failing, it answers %v, %v", out, err)
	}
	// A page in a browser must not get so far.
	for name, value := range map[string]string{"Origin": "https://evil.example", "Host": "evil.example"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, environ["AWS_ENDPOINT_URL_LAMBDA"]+"/2015-03-31/functions/web/invocations", nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Header.Set(name, value); name == "Host" {
			r.Host = value
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Body.Close(); err != nil || answer.StatusCode != 403 {
			t.Errorf("%s %s: %s, %v", name, value, answer.Status, err)
		}
	}
}

func TestARESTAPIStandsUp(t *testing.T) {
	stand, _, err := start(t, assemblyFor(t, "rest"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(stand.URL, "http://127.0.0.1:") || !strings.HasSuffix(stand.URL, "/live") || stand.Outputs["Where"] != "eu-north-1 111122223333" {
		t.Fatalf("the outputs are %v", stand.Outputs)
	}
	send := func(method, path string, header http.Header) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, stand.URL+path, strings.NewReader(`{"do":"answer","answer":"hi"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = header
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		if err := errors.Join(err, answer.Body.Close()); err != nil {
			t.Fatal(err)
		}
		return answer, string(text)
	}
	if answer, body := send("POST", "/x", http.Header{"Authorization": {"ann"}}); answer.StatusCode != 200 || body != `"hi"` {
		t.Errorf("allowed: %s %s", answer.Status, body)
	}
	if answer, body := send("POST", "/x", http.Header{}); answer.StatusCode != 401 || body != `{"message":"Unauthorized"}` || answer.Header.Get("Access-Control-Allow-Origin") != "https://a.example" {
		t.Errorf("without an identity: %s %s %v", answer.Status, body, answer.Header)
	}
	for origin, want := range map[string]string{"https://a.example": "https://a.example", "https://c.example": "https://c.example", "https://d.example": "https://a.example"} {
		if answer, _ := send("OPTIONS", "/x", http.Header{"Origin": {origin}}); answer.StatusCode != 204 || answer.Header.Get("Access-Control-Allow-Origin") != want {
			t.Errorf("a preflight request of %s: %s %v", origin, answer.Status, answer.Header)
		}
	}
}

func TestWhatCannotBeHadIsRefusedAllAtOnce(t *testing.T) {
	_, _, err := start(t, assemblyFor(t, "strange"))
	if err == nil {
		t.Fatal("it stands up")
	}
	for _, want := range []string{
		"s/Machine/Resource: AWS::StepFunctions::StateMachine (Machine in stack s): there are no resources of this type",
		`BillingMode of AWS::DynamoDB::GlobalTable (Table in stack s): "PROVISIONED" is not supported`,
		"Replicas[0].Region of AWS::DynamoDB::GlobalTable",
		"Replicas of AWS::DynamoDB::GlobalTable (Table in stack s): there are 2",
		"WarmThroughput of AWS::DynamoDB::GlobalTable",
		`Code.S3Key of AWS::Lambda::Function (Function in stack s): stack s: no asset is uploaded as "gone.zip"`,
		`Runtime of AWS::Lambda::Function (Function in stack s): "nodejs20.x"`,
		"Layers of AWS::Lambda::Function", "VpcConfig of AWS::Lambda::Function",
		"ManagedPolicyArns of AWS::IAM::Role (Role in stack s): arn:aws:iam::aws:policy/AdministratorAccess",
		"PolicyDocument of AWS::IAM::Policy (Policy in stack s): statement 0: Condition: it is not evaluated here",
		`ScheduleExpression of AWS::Scheduler::Schedule (Schedule in stack s): "cron(0 3 * * ? *)": only rates are supported here`,
		`State of AWS::Scheduler::Schedule (Schedule in stack s): "PAUSED"`, "StartDate of AWS::Scheduler::Schedule (Schedule in stack s): not supported",
		"Target.DeadLetterConfig of AWS::Scheduler::Schedule", "Target.RetryPolicy.MaximumRetryAttempts of AWS::Scheduler::Schedule (Schedule in stack s): 200 is not from 0 to 185",
		"DestinationConfig of AWS::Lambda::EventInvokeConfig", "MaximumRetryAttempts of AWS::Lambda::EventInvokeConfig (Retries in stack s): 3 is not from 0 to 2",
		`AuthorizationType of AWS::ApiGatewayV2::Route (Route in stack s): "OAUTH"`, "ModelSelectionExpression of AWS::ApiGatewayV2::Route",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in\n%v", want, err)
		}
	}
}

func TestWhatAWSWouldRefuse(t *testing.T) {
	for want, change := range map[string][2]string{
		"does not allow dynamodb:GetShardIterator on":                  {`"dynamodb:GetShardIterator", `, ``},
		"does not allow s3:PutObject on":                               {`"s3:ListBucket", "s3:PutObject"`, `"s3:ListBucket"`},
		"does not allow sqs:DeleteMessage on":                          {`"sqs:DeleteMessage", `, ``},
		"the schedule cannot take on its role: scheduler.amazonaws.co": {`"Service": "scheduler.amazonaws.com"`, `"Service": "events.amazonaws.com"`},
		"the schedule cannot take on its role: it is for the accounts": {`"aws:SourceAccount": {"Ref": "AWS::AccountId"}`, `"aws:SourceAccount": "111122223333"`},
		"the condition StringEquals aws:SourceArn is not evaluated he": {`"aws:SourceAccount": {"Ref": "AWS::AccountId"}`, `"aws:SourceArn": "x"`},
		"the schedule's role does not allow lambda:InvokeFunction on ": {`"Action": "lambda:InvokeFunction", "Effect": "Allow"`, `"Action": "lambda:InvokeAsync", "Effect": "Allow"`},
		"its target is no function here: arn:aws:lambda:us-east-1:123": {`"Arn": {"Fn::GetAtt": ["Web", "Arn"]}, "RoleArn"`, `"Arn": "arn:aws:lambda:us-east-1:123456789012:function:x", "RoleArn"`},
		"lets the topic":                                                {`"aws:SourceArn": {"Ref": "Topic"}`, `"aws:SourceArn": "arn:aws:sns:us-east-1:123456789012:other.fifo"`},
		"the API has no integrations/nothing":                           {`{"Fn::Join": ["", ["integrations/", {"Ref": "Integration"}]]}`, `"integrations/nothing"`},
		"its environment has":                                           {`"ESGEN_TOPIC": {"Ref": "Topic"}`, `"ESGEN_TOPIC": "` + strings.Repeat("x", 4096) + `"`},
		"it is built for sparc":                                         {"ARCH", "sparc"},
		"the role nobody is not one of the stacks":                      {`"Roles": [{"Ref": "Role"}]`, `"Roles": ["nobody"]`},
		"none of the stacks here exports shop-dev-data:Other":           {"shop-dev-data:EventsStream", "shop-dev-data:Other"},
		`Principal of AWS::Lambda::Permission (Permission in stack sho`: {`"Principal": "apigateway.amazonaws.com"`, `"Principal": "*"`},
	} {
		_, _, err := start(t, assemblyFor(t, "service", change[0], change[1]), "shop-dev")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("wanted %q, got %v", want, err)
		}
	}
	if _, _, err := start(t, assemblyFor(t, "service"), "shop-prod"); err == nil || !strings.Contains(err.Error(), "there are: shop-dev, shop-dev-data, shop-pipeline") {
		t.Errorf("another stack: %v", err)
	}
}

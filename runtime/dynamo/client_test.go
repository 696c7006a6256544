package dynamo_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/dynamo"
)

// noted keeps the last request, with its body, and gives one answer.
type noted struct {
	request *http.Request
	body    []byte
	answer  string
	header  http.Header
}

func (n *noted) Do(r *http.Request) (*http.Response, error) {
	n.request = r
	var err error
	if n.body, err = io.ReadAll(r.Body); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: 200, Header: n.header, Body: io.NopCloser(strings.NewReader(n.answer)), Request: r}, nil
}

func notedStore(t testing.TB, n *noted, change func(*dynamo.Options)) *dynamo.Store {
	t.Helper()
	o := wiredOptions(nil)
	o.HTTPClient = n
	if change != nil {
		change(&o)
	}
	s, err := dynamo.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var visitor = aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret", SessionToken: "session"}

// TestARequestIsTheSDKs sends a query as the SDK's client does, and as the store does.
func TestARequestIsTheSDKs(t *testing.T) {
	theirs := &noted{answer: "{}"}
	client := dynamodb.New(dynamodb.Options{Region: "eu-central-1", Credentials: dynamo.Keys(visitor), HTTPClient: theirs})
	if _, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("x"), Key: map[string]types.AttributeValue{}}); err != nil {
		t.Fatal(err)
	}
	ours := &noted{answer: "{}"}
	s := notedStore(t, ours, func(o *dynamo.Options) { o.Region, o.Credentials = "eu-central-1", dynamo.Keys(visitor) })
	if _, err := s.Progress(t.Context(), "part", "id"); err != nil {
		t.Fatal(err)
	}
	a, b := theirs.request, ours.request
	if a.Method != b.Method || a.URL.String() != b.URL.String() || a.URL.Host != b.URL.Host {
		t.Errorf("%s %v, the SDK %s %v", b.Method, b.URL, a.Method, a.URL)
	}
	for _, name := range []string{"X-Amz-Target", "Content-Type", "Accept-Encoding", "X-Amz-Security-Token"} {
		if got, want := b.Header[name], a.Header[name]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, the SDK %q", name, got, want)
		}
	}
}

func TestARequestIsSigned(t *testing.T) {
	n := &noted{answer: "{}"}
	s := notedStore(t, n, func(o *dynamo.Options) {
		o.Region, o.Credentials, o.Endpoint = "eu-central-1", dynamo.Keys(visitor), "http://127.0.0.1:8000"
	})
	if _, err := s.Put(t.Context(), &placed); err != nil {
		t.Fatal(err)
	}
	when, err := time.Parse("20060102T150405Z", n.request.Header.Get("X-Amz-Date"))
	if err != nil {
		t.Fatal(err)
	}
	again := n.request.Clone(context.Background())
	again.Header.Del("Authorization")
	hash := sha256.Sum256(n.body)
	if err := v4.NewSigner().SignHTTP(t.Context(), visitor, again, hex.EncodeToString(hash[:]), "dynamodb", "eu-central-1", when); err != nil {
		t.Fatal(err)
	}
	got, want := n.request.Header.Get("Authorization"), again.Header.Get("Authorization")
	if got != want || !strings.Contains(got, "/eu-central-1/dynamodb/aws4_request") {
		t.Errorf("%s, want %s", got, want)
	}
	for _, name := range []string{"host", "x-amz-date", "x-amz-security-token", "x-amz-target"} {
		if !strings.Contains(got, name) {
			t.Errorf("%s is not signed: %s", name, got)
		}
	}
	if n.request.ContentLength != int64(len(n.body)) {
		t.Errorf("%d bytes, of length %d", len(n.body), n.request.ContentLength)
	}
	body, err := n.request.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := io.ReadAll(body); err != nil || !bytes.Equal(again, n.body) {
		t.Errorf("the second time the body is %s, %v", again, err)
	}
}

func TestEndpoints(t *testing.T) {
	for _, c := range []struct{ region, endpoint, want string }{
		{"us-east-1", "", "https://dynamodb.us-east-1.amazonaws.com/"},
		{"cn-north-1", "", "https://dynamodb.cn-north-1.amazonaws.com.cn/"},
		{"us-gov-west-1", "", "https://dynamodb.us-gov-west-1.amazonaws.com/"},
		{"eu-central-1", "http://127.0.0.1:8000", "http://127.0.0.1:8000/"},
		{"eu-central-1", "https://vpce.example.com/", "https://vpce.example.com/"},
	} {
		n := &noted{answer: "{}"}
		s := notedStore(t, n, func(o *dynamo.Options) { o.Region, o.Endpoint = c.region, c.endpoint })
		if _, err := s.Head(t.Context(), "o"); err != nil {
			t.Fatal(err)
		}
		if got := n.request.URL.String(); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.region, c.endpoint, got, c.want)
		}
	}
	for _, endpoint := range []string{"127.0.0.1:8000", "ftp://x", "http://", "/path", "http://[::1"} {
		o := wiredOptions(nil)
		o.Endpoint = endpoint
		if _, err := dynamo.New(o); err == nil {
			t.Errorf("the endpoint %q is taken", endpoint)
		}
	}
}

func TestADamagedAnswerIsNone(t *testing.T) {
	for name, answer := range map[string]string{"of another sum": `{"Items":[]}`, "cut": `{"Items":[`, "no JSON": `<html>`} {
		n := &noted{answer: answer, header: http.Header{}}
		n.header.Set("X-Amz-Crc32", fmt.Sprint(crc32.ChecksumIEEE([]byte(answer))))
		if name == "of another sum" {
			n.header.Set("X-Amz-Crc32", "1")
		}
		s := notedStore(t, n, nil)
		_, err := s.Head(t.Context(), "o-1")
		wantKind(t, err, nil)
	}
	const whole = `{"Items":[],"Count":0}`
	n := &noted{answer: whole, header: http.Header{"X-Amz-Crc32": {fmt.Sprint(crc32.ChecksumIEEE([]byte(whole)))}}}
	if head, err := notedStore(t, n, nil).Head(t.Context(), "o-1"); head != nil || err != nil {
		t.Error(head, err)
	}
}

// TestAHistoryIsWhatWasPut reads items as they were written, through each query and as the
// occupant of a slot.
func TestAHistoryIsWhatWasPut(t *testing.T) {
	bare := es.Recorded{EntityID: "a/b?c#d%e f é   \\ \"", Version: 4, EventID: "e", Type: "T", Revision: 1, Time: at, Payload: "{}"}
	escapes := placed
	escapes.Payload, escapes.Version = `{"note":"line\nbreak \" \\ é 日本 😀","n":1e3}`, 5
	want := []es.Recorded{placed, bare, escapes}
	var items []string
	for i := range want {
		items = append(items, writtenEvent(t, &want[i]))
	}
	list := strings.Join(items, ",")
	n := &noted{answer: `{"Count":3,"Items":[` + list + `],"ScannedCount":3}`}
	s := notedStore(t, n, nil)
	got, more, err := s.Read(t.Context(), "o-1", 2, 100)
	if err != nil || more || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %t, %v\nwant %+v", got, more, err, want)
	}
	if got, more, err = s.Read(t.Context(), "o-1", 2, 2); err != nil || !more || !reflect.DeepEqual(got, want[:2]) {
		t.Errorf("two of them: %+v, %t, %v", got, more, err)
	}
	for i := range want {
		n.answer = `{ "LastEvaluatedKey": {"_id":{"S":"o-1"}}, "Items" : [ ` + items[i] + ` ] }`
		head, err := s.Head(t.Context(), "o-1")
		if err != nil || !reflect.DeepEqual(*head, want[i]) {
			t.Errorf("head %+v, %v", head, err)
		}
		found, err := s.Lookup(t.Context(), "o-1", "e-1")
		if err != nil || !reflect.DeepEqual(*found, want[i]) {
			t.Errorf("found %+v, %v", found, err)
		}
		taken, _ := wired(t, failure("ConditionalCheckFailedException", `,"Item":`+items[i]))
		occupant, err := taken.Put(t.Context(), &placed)
		if err != nil || !reflect.DeepEqual(*occupant, want[i]) {
			t.Errorf("occupant %+v, %v", occupant, err)
		}
	}
}

func TestAnItemThatIsNotOursIsNamed(t *testing.T) {
	good := writtenEvent(t, &placed)
	for from, c := range map[string]struct{ to, want string }{
		`"_format":{"N":"1"}`:  {`"_format":{"N":"2"}`, "format 2"},
		`"_version":{"N":"3"}`: {`"_version":{"S":"3"}`, "attribute _version"},
		`"_digest":{"S":"d"}`:  {`"_digest":{"NULL":true}`, "attribute _digest"},
		`"_time":{"S":"2026`:   {`"_time":{"S":"soon, 2026`, "attribute _time"},
		`"_id":{"S":"o-1"}`:    {`"_ID":{"S":"o-1"}`, "attribute _id"},
	} {
		if !strings.Contains(good, from) {
			t.Fatalf("no %s in %s", from, good)
		}
		s := notedStore(t, &noted{answer: `{"Items":[` + strings.Replace(good, from, c.to, 1) + `]}`}, nil)
		if _, err := s.Head(t.Context(), "o-1"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", c.to, err, c.want)
		}
	}
}

// FuzzHistory: whatever comes back, a read ends; what the SDK cannot read we do not either.
func FuzzHistory(f *testing.F) {
	f.Add(`{"Items":[` + writtenEvent(f, &placed) + `]}`)
	f.Add(`{"Items":[{}],"LastEvaluatedKey":{}}`)
	f.Add(`{"Items":null}`)
	f.Add(`{"Items":[{"_id":{"S":"a"},"_version":{"N":"1"},"_format":{"N":"1"}}]`)
	f.Fuzz(func(t *testing.T, answer string) {
		n := &noted{answer: answer}
		got, _, err := notedStore(t, n, nil).Read(t.Context(), "o-1", 0, 10)
		if err != nil {
			return
		}
		client := dynamodb.New(dynamodb.Options{Region: "us-east-1", Credentials: dynamo.Keys(visitor), HTTPClient: n, Retryer: aws.NopRetryer{}})
		out, err := client.Query(t.Context(), &dynamodb.QueryInput{TableName: aws.String("events")})
		if err == nil && len(out.Items) < len(got) {
			t.Errorf("%d events of %d items", len(got), len(out.Items))
		}
	})
}

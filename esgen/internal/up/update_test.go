package up_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// putItem is a body that has the function behind the API write an event.
func putItem(t *testing.T, table, id string) string {
	return called(t, "DYNAMODB", "PutItem", `{"TableName":"`+table+`","Item":{"_id":{"S":"`+id+`"},"_version":{"N":"1"},"_eventId":{"S":"e"}}}`)
}

func TestAStandIsUpdated(t *testing.T) {
	stand, log, err := start(t, assemblyFor(t, "service"), "shop-dev")
	if err != nil {
		t.Fatal(err)
	}
	table, url, web := stand.Tables["shop-dev-data/Events"], stand.URL, stand.Functions["web"]
	if status, body := post(t, stand, stand.Credentials, "/a", putItem(t, table, "o1")); status != 200 || !strings.HasPrefix(body, "200 ") {
		t.Fatalf("a write: %d %s", status, body)
	}
	log.await(t, "consumer-reader: records: 1")
	before := fmt.Sprint(stand.Mappings["consumer-reader"])

	if err := stand.Update(t.Context(), assemblyFor(t, "service", `"Timeout": 60`, `"Timeout": 61`, `"ESGEN_TOPIC": {`, `"NEW": "yes", "ESGEN_TOPIC": {`)); err != nil {
		t.Fatal(err)
	}
	if stand.URL != url || stand.Tables["shop-dev-data/Events"] != table || stand.Functions["web"] != web || fmt.Sprint(stand.Mappings["consumer-reader"]) != before {
		t.Error("what has not changed is not what it was")
	}
	if in, err := stand.Invoke(t.Context(), "web", []byte(`{"do":"environment"}`)); err != nil || !strings.Contains(string(in.Payload), "NEW") {
		t.Errorf("the function's environment is %s, %v", in.Payload, err)
	}
	if status, body := post(t, stand, stand.Credentials, "/a", putItem(t, table, "o2")); status != 200 || !strings.HasPrefix(body, "200 ") {
		t.Errorf("a write after the update: %d %s", status, body)
	}

	if err := stand.Update(t.Context(), assemblyFor(t, "service", `"dynamodb:PutItem"`, `"dynamodb:GetItem"`)); err != nil {
		t.Fatal(err)
	}
	if _, body := post(t, stand, stand.Credentials, "/a", putItem(t, table, "o3")); !strings.Contains(body, "not authorized") {
		t.Errorf("a write that is no longer allowed: %s", body)
	}

	stand.Close()
	if answer, err := http.Get(url); err == nil {
		_ = answer.Body.Close()
		t.Error("it answers after it was closed")
	}
}

func TestWhatAnUpdateRefuses(t *testing.T) {
	for want, change := range map[string][2]string{
		"Queue (Queue, AWS::SQS::Queue): a resource of this type cannot be changed here":              {`"VisibilityTimeout": 360`, `"VisibilityTimeout": 370`},
		"ReadStream (ReadStream, AWS::Lambda::EventSourceMapping): a resource of this type cannot be": {`"BatchSize": 100`, `"BatchSize": 90`},
		"ReaderStart (ReaderStart, Custom::EsgenConsumerStart): a resource of this type cannot be ":   {`"ReaderStart"`, `"ReaderBegins"`},
		"AWS::SNS::Other (Topic in stack shop-dev): there are no resources of this type on this mac":  {`"Type": "AWS::SNS::Topic"`, `"Type": "AWS::SNS::Other"`},
	} {
		stand, _, err := start(t, assemblyFor(t, "service"), "shop-dev")
		if err != nil {
			t.Fatal(err)
		}
		if err := stand.Update(t.Context(), assemblyFor(t, "service", change[0], change[1])); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("wanted %q, got %v", want, err)
		}
		stand.Close()
	}
}

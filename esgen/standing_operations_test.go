package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/esgen/esgen/esgen/internal/cloud/iam"
	"github.com/esgen/esgen/esgen/internal/deployed"
	es "github.com/esgen/esgen/runtime"
)

func (s *standing) operations(t *testing.T) (parts operations) {
	t.Helper()
	if err := json.Unmarshal([]byte(s.stand.Outputs["Operations"]), &parts); err != nil {
		t.Fatal(err)
	}
	return parts
}

// operate runs a command on the stack, as somebody who has the permissions that its help lists and no others.
func (s *standing) operate(t *testing.T, args ...string) (string, error) {
	t.Helper()
	path, err := tool()
	if err != nil {
		t.Fatal(err)
	}
	return outputOf(s.dir, s.operator(t, args), path, args...)
}

// operator is the environment of one who may do what a command takes, as far as that is enforced here:
// in front of DynamoDB.
func (s *standing) operator(t *testing.T, args []string) []string {
	t.Helper()
	operation := args[0]
	if operation == "quarantine" {
		operation += " " + args[1]
	}
	parts := s.operations(t)
	arn := s.stand.Dynamo.TableARN
	tables := map[deployed.Resource][]string{
		deployed.EventsTable: {arn(parts.Events)}, deployed.EventsIndex: {arn(parts.Events) + "/index/byEvent"}, deployed.ProgressTable: {arn(parts.Progress)},
	}
	for word := range strings.FieldsSeq(parts.Views) {
		_, name, _ := strings.Cut(word, "=")
		tables[deployed.ViewTables] = append(tables[deployed.ViewTables], arn(name))
	}
	permissions := deployed.Permissions(operation)
	if permissions == nil {
		t.Fatalf("nothing says what %q takes", operation)
	}
	var policy iam.Policy
	for _, p := range permissions {
		if resources := tables[p.Resource]; resources != nil {
			policy = append(policy, iam.Statement{Actions: p.Actions, Resources: resources})
		}
	}
	keys := s.stand.AddCaller("operator: "+strings.Join(args, " "), policy)
	return append(s.stand.Environ(), "AWS_ACCESS_KEY_ID="+keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+keys.SecretAccessKey)
}

func (s *standing) shows(t *testing.T, want []string, args ...string) {
	t.Helper()
	out, err := s.operate(t, args...)
	if err != nil {
		t.Error(err)
	}
	for _, text := range want {
		if !strings.Contains(out, text) {
			t.Errorf("%q does not show %q:\n%s", args, text, out)
		}
	}
}

// fails runs a command that cannot do all that it is asked.
func (s *standing) fails(t *testing.T, want []string, args ...string) {
	t.Helper()
	out, err := s.operate(t, args...)
	if err == nil {
		t.Errorf("%q does not fail: %s", args, out)
		return
	}
	for _, text := range want {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%q does not say %q: %v", args, text, err)
		}
	}
}

// status is what status says of the views.
func (s *standing) status(t *testing.T) []es.ViewStatus {
	t.Helper()
	out, err := s.operate(t, "status", "--json", "--stack", "orders-dev")
	var status struct{ Views []es.ViewStatus }
	if err == nil {
		err = json.Unmarshal([]byte(out), &status)
	}
	if err != nil {
		t.Fatal(err)
	}
	return status.Views
}

// redeploy brings the stack to what the service's folder says now.
func (s *standing) redeploy(t *testing.T) {
	t.Helper()
	if err := esgen("regenerate", s.dir); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "cdk.out")
	if err := synthesize(s.dir, out); err != nil {
		t.Fatal(err)
	}
	if err := s.stand.Update(t.Context(), out); err != nil {
		t.Fatal(err)
	}
}

func (s *standing) wantNoDenials(t *testing.T) {
	t.Helper()
	for _, denied := range s.stand.Denied() {
		t.Errorf("somebody asked for what no policy allows: %+v", denied)
	}
}

// TestStandingOperations operates a stack from outside, as one does a deployed one: by its name, with the
// caller's configuration of AWS.
func TestStandingOperations(t *testing.T) {
	needsCDK(t)
	s := standOrders(t, api{"http", "none", 2, 0})
	c := contract{base: s.base, gateway: true}
	c.place(t, "op-1", "")
	c.settled(t, "op-1", 1)
	s.shows(t, []string{"orders-dev", "customer-summary", "batches of streams", "dead letters of mailer-2"}, "status", "--stack", "orders-dev")
	s.shows(t, []string{`"stack": "orders-dev"`, `"entities": 1`, `"behind": 0`, `"batches": 0`}, "status", "--json", "--stack=orders-dev")
	s.shows(t, []string{"entities  1"}, "status", "--full", "--stack=orders-dev")
	s.shows(t, []string{"nothing is in quarantine"}, "quarantine", "list", "--stack", "orders-dev")
	s.shows(t, []string{"looked at"}, "reconcile", "--stack", "orders-dev")
	s.shows(t, []string{"compared 1 entities, looked at 0"}, "reconcile", "--full", "--stack", "orders-dev")
	s.shows(t, []string{"nothing was given up"}, "redrive", "--list", "--stack", "orders-dev")
	s.shows(t, []string{"batches delivered 0, refused again 0"}, "redrive", "--stack", "orders-dev")
	s.fails(t, []string{`no stack "orders-prod"`}, "status", "--stack", "orders-prod")
	s.fails(t, []string{`"nobody"`}, "redrive", "--stack", "orders-dev", "nobody")
	s.fails(t, []string{"--limit"}, "redrive", "--stack", "orders-dev", "--limit", "-1")
	t.Run("dead letters", func(t *testing.T) { s.deadLetters(t, c) })
	t.Run("given-up batches", func(t *testing.T) { s.givenUp(t, c) })
	s.wantNoDenials(t)
}

// deadLetters breaks what consumers need until their messages are given up, mends it, and has them
// delivered again.
func (s *standing) deadLetters(t *testing.T, c contract) {
	parts := s.operations(t)
	broken := filepath.Join(s.outbox, "broken")
	writeText(t, broken, "")
	c.place(t, "op-2", "")
	c.ship(t, "op-2")
	dead := func(consumer string) int {
		url := parts.DeadLetters[consumer]
		return s.stand.Queues.Queue(url[strings.LastIndexByte(url, '/')+1:]).Counts().Visible
	}
	eventually(t, func() error {
		for _, q := range s.stand.Queues.All() {
			q.ReturnInFlight() // what failed would be invisible for six minutes
		}
		if dead("mailer-1") != 1 || dead("mailer-2") != 2 {
			return fmt.Errorf("%d and %d dead letters, want 1 and 2", dead("mailer-1"), dead("mailer-2"))
		}
		return nil
	})
	s.shows(t, []string{`"mailer-1": 1`, `"mailer-2": 2`}, "status", "--json", "--stack", "orders-dev")
	s.shows(t, []string{"streams or queues gave something up", "esgen redrive --list --stack orders-dev\n", "esgen redrive --stack orders-dev\n"}, "status", "--stack", "orders-dev")
	s.shows(t, []string{"dead letters of mailer-1: about 1", "dead letters of mailer-2: about 2"}, "redrive", "--list", "--stack", "orders-dev")
	if err := os.Remove(broken); err != nil {
		t.Fatal(err)
	}
	s.shows(t, []string{"mailer-1 on their way back: about 1"}, "redrive", "--stack", "orders-dev", "mailer-1")
	// One, to see it go well.
	s.shows(t, []string{"mailer-2 on their way back: 1\n"}, "redrive", "--stack", "orders-dev", "--limit", "1", "mailer-2")
	s.wantHandled(t, "op-2", map[string][]int{"mailer1": {2}, "mailer2": {1}})
	if n := dead("mailer-2"); n != 1 {
		t.Errorf("%d dead letters are left, want the one that was not meant", n)
	}
	s.shows(t, []string{"mailer-2 on their way back: about 1"}, "redrive", "--stack", "orders-dev")
	s.wantHandled(t, "op-2", map[string][]int{"mailer1": {2}, "mailer2": {1, 2}})
}

// wantHandled waits until consumers have left files for versions of an entity.
func (s *standing) wantHandled(t *testing.T, id string, versions map[string][]int) {
	t.Helper()
	eventually(t, func() error {
		for consumer, all := range versions {
			for _, version := range all {
				if _, err := os.Stat(filepath.Join(s.outbox, handledFile(consumer, id, version))); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// givenUp finds a batch in the bucket as Lambda leaves it, and others that it would not leave.
func (s *standing) givenUp(t *testing.T, c contract) {
	parts := s.operations(t)
	put := func(key, function, payload string) {
		body, _ := json.Marshal(object{
			"version": "1.0", "timestamp": "2026-01-02T03:04:05.678Z", "payload": payload, "DDBStreamBatchInfo": object{"batchSize": 17},
			"requestContext": object{"functionArn": "arn:aws:lambda:us-east-1:123456789012:function:" + function, "condition": "RetryAttemptsExhausted"},
		})
		if err := s.stand.Buckets.Put(parts.GivenUp, "aws/lambda/"+key, body); err != nil {
			t.Fatal(err)
		}
	}
	// The projector loses an event of the stream; the table has it.
	for _, m := range s.stand.Mappings["projector"] {
		m.Stop()
	}
	c.place(t, "op-3", "")
	record := object{"eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": object{"SequenceNumber": "1", "NewImage": object{
		"_id": object{"S": "op-3"}, "_version": object{"N": "1"}, "_format": object{"N": "1"}, "_revision": object{"N": "1"}, "_eventId": object{"S": "e"},
		"_type": object{"S": "OrderPlaced"}, "_state": object{"S": "placed"}, "_time": object{"S": "2026-01-01T00:00:00Z"},
		"_payload": object{"S": `{"customerId":"ann","currency":"EUR","items":[],"total":9.50,"placedAt":"2026-01-01T00:00:00Z"}`},
	}}}
	put("good", parts.Functions["projector"], jsonText(object{"Records": []any{record}}))
	put("foreign", "somebody-elses", `{"Records":[]}`)
	put("garbage", parts.Functions["projector"], `[`)
	s.shows(t, []string{`"batches": 3`}, "status", "--json", "--stack", "orders-dev")
	out, err := s.operate(t, "redrive", "--stack", "orders-dev", "--list", "batches")
	for _, want := range []string{"  projector  ", "  17  ", "  RetryAttemptsExhausted  ", "aws/lambda/good", "function:somebody-elses", "it is no given-up batch"} {
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("the list does not show %q: %s%v", want, out, err)
		}
	}
	s.shows(t, []string{"2026-01-02T03:04:05Z"}, "redrive", "--stack", "orders-dev", "--list", "aws/lambda/good")
	s.shows(t, []string{"aws/lambda/foreign\nand others"}, "redrive", "--stack", "orders-dev", "--list", "--limit", "1")
	s.fails(t, []string{"refused again 1", "none of the stack's"}, "redrive", "--stack", "orders-dev", "batches", "--limit", "1")
	s.shows(t, []string{"batches delivered 1, refused again 0"}, "redrive", "--stack", "orders-dev", "aws/lambda/good")
	s.fails(t, []string{"there is no such batch"}, "redrive", "--stack", "orders-dev", "aws/lambda/good")
	s.fails(t, []string{`"batches": 0`, `"failed": 2`, "none of the stack's", "no given-up batch"}, "redrive", "--stack", "orders-dev", "--json", "batches")
	if left, err := s.stand.Buckets.List(parts.GivenUp, "aws/lambda/"); err != nil || len(left) != 2 {
		t.Errorf("%d batches left, %v; want the two that were refused", len(left), err)
	}
	a := c.settled(t, "op-3", 1)
	a.members(t, object{"status": "placed", "version": 1})
}

// brokenFolds fail for what some events say.
var brokenFolds = map[string][2]string{
	filepath.Join("views", "defaultview", "order_shipped.go"):    {"\treturn nil\n", "\tif event.Carrier == \"Pigeon\" {\n\t\treturn errors.New(\"no pigeons\")\n\t}\n\treturn nil\n"},
	filepath.Join("views", "customersummary", "order_placed.go"): {"\tview.Orders++\n", "\tif event.CustomerID == \"nobody\" {\n\t\treturn errors.New(\"a customer without a name\")\n\t}\n\tview.Orders++\n"},
}

// TestStandingQuarantine has a deployed aggregator fail, and retries with the mended one: an
// entity, a view, everything.
func TestStandingQuarantine(t *testing.T) {
	needsCDK(t)
	good := map[string]string{}
	s := standOrders(t, api{"http", "none", 0, 0}, func(dir string) {
		for file, change := range brokenFolds {
			text, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil {
				t.Fatal(err)
			}
			good[file] = string(text)
			bad := strings.Replace(strings.Replace(good[file], change[0], change[1], 1), "import (\n", "import (\n\t\"errors\"\n\n", 1)
			writeText(t, filepath.Join(dir, file), bad)
		}
	})
	c := contract{base: s.base, gateway: true}
	ids := []string{"q-1", "q-2", "q-3"}
	for _, id := range ids {
		c.post(t, event("OrderPlaced", id, `"customerId":"nobody","items":[{"sku":"CUP-1","quantity":1,"unitPrice":9.50}],"total":9.50`)).want(t, 201, "")
		c.post(t, event("OrderShipped", id, `"carrier":"Pigeon"`)).want(t, 201, "")
	}
	c.place(t, "fine", "")
	c.settled(t, "fine", 1)
	held := func() map[string]int {
		counts := map[string]int{}
		for _, v := range s.status(t) {
			counts[v.View] = v.Quarantined
		}
		return counts
	}
	wantHeld := func(inDefault, inSummary int) {
		t.Helper()
		if got := held(); got["default"] != inDefault || got["customer-summary"] != inSummary {
			t.Errorf("in quarantine are %v, want %d and %d", got, inDefault, inSummary)
		}
	}
	eventually(t, func() error {
		if got := held(); got["default"] != 3 || got["customer-summary"] != 3 {
			return fmt.Errorf("in quarantine are %v", got)
		}
		return nil
	})
	s.shows(t, []string{"default cannot fold 3 entities, since 20", "mostly: ", "no pigeons", "esgen quarantine list default --stack orders-dev", "esgen quarantine retry customer-summary --stack orders-dev"}, "status", "--stack", "orders-dev")
	s.shows(t, []string{"no pigeons", "a customer without a name", "q-3"}, "quarantine", "list", "--stack", "orders-dev")
	out, err := s.operate(t, "quarantine", "list", "customer-summary", "--stack", "orders-dev")
	if err != nil || strings.Contains(out, "pigeons") || !strings.Contains(out, "a customer without a name") {
		t.Errorf("the list of one view: %s%v", out, err)
	}
	// Nothing is mended yet.
	s.fails(t, []string{"looked at 1, folded 0 events, released 0, still in quarantine 1"}, "quarantine", "retry", "default", "q-1", "--stack", "orders-dev")
	s.fails(t, []string{"released 0, still in quarantine 6"}, "quarantine", "retry", "--stack", "orders-dev")
	s.fails(t, []string{`"fine"`}, "quarantine", "retry", "default", "fine", "--stack", "orders-dev")
	wantHeld(3, 3)

	for file, text := range good {
		writeText(t, filepath.Join(s.dir, file), text)
	}
	s.redeploy(t)
	s.shows(t, []string{"looked at 1, folded 1 events, released 1, still in quarantine 0"}, "quarantine", "retry", "default", "q-1", "--stack", "orders-dev")
	wantHeld(2, 3)
	s.shows(t, []string{"looked at 2, folded 2 events, released 2, still in quarantine 0"}, "quarantine", "retry", "default", "--stack", "orders-dev")
	wantHeld(0, 3)
	s.shows(t, []string{"looked at 3, folded 3 events, released 3, still in quarantine 0"}, "quarantine", "retry", "--stack", "orders-dev")
	wantHeld(0, 0)
	s.shows(t, []string{"nothing is in quarantine"}, "quarantine", "list", "--stack", "orders-dev")
	for _, id := range ids {
		c.settled(t, id, 2).members(t, object{"status": "shipped", "carrier": "Pigeon"})
	}
	c.get(t, "/customer-summary/nobody").members(t, object{"orders": json.Number("3")})
	s.wantNoDenials(t)
}

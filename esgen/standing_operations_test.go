package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStandingOperations operates a stack from outside, as one does a deployed one: by its name, with the
// caller's configuration of AWS.
func TestStandingOperations(t *testing.T) {
	needsCDK(t)
	s := standOrders(t, api{"http", "none", 2, 0})
	c := contract{base: s.base, gateway: true}
	operate := func(args ...string) (string, error) {
		path, err := tool()
		if err != nil {
			t.Fatal(err)
		}
		return outputOf(s.dir, s.stand.Environ(), path, args...)
	}
	shows := func(want []string, args ...string) {
		t.Helper()
		out, err := operate(args...)
		if err != nil {
			t.Error(err)
		}
		for _, text := range want {
			if !strings.Contains(out, text) {
				t.Errorf("%q does not show %q:\n%s", args, text, out)
			}
		}
	}
	c.place(t, "op-1", "")
	c.settled(t, "op-1", 1)
	shows([]string{"orders-dev", "customer-summary", "batches of streams", "dead letters of mailer-2"}, "status", "--stack", "orders-dev")
	shows([]string{`"stack": "orders-dev"`, `"entities": 1`, `"behind": 0`, `"batches": 0`}, "status", "--json", "--stack=orders-dev")
	shows([]string{"nothing is in quarantine"}, "quarantine", "list", "--stack", "orders-dev")
	shows([]string{"looked at"}, "reconcile", "--stack", "orders-dev")
	shows([]string{"batches delivered 0, refused again 0"}, "redrive", "--stack", "orders-dev")
	if _, err := operate("status", "--stack", "orders-prod"); err == nil || !strings.Contains(err.Error(), `no stack "orders-prod"`) {
		t.Errorf("a stack that is not there: %v", err)
	}
	if _, err := operate("redrive", "--stack", "orders-dev", "nobody"); err == nil || !strings.Contains(err.Error(), `"nobody"`) {
		t.Errorf("a consumer that is not there: %v", err)
	}
	t.Run("dead letters", func(t *testing.T) { s.deadLetters(t, c, shows) })
	t.Run("given-up batches", func(t *testing.T) { s.givenUp(t, c, operate) })
}

// deadLetters breaks what consumers need until their messages are given up, mends it, and has them
// delivered again.
func (s *standing) deadLetters(t *testing.T, c contract, shows func([]string, ...string)) {
	var parts struct{ DeadLetters map[string]string }
	if err := json.Unmarshal([]byte(s.stand.Outputs["Operations"]), &parts); err != nil {
		t.Fatal(err)
	}
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
	shows([]string{`"mailer-1": 1`, `"mailer-2": 2`}, "status", "--json", "--stack", "orders-dev")
	if err := os.Remove(broken); err != nil {
		t.Fatal(err)
	}
	shows([]string{"mailer-1 on their way back: about 1"}, "redrive", "--stack", "orders-dev", "mailer-1")
	shows([]string{"mailer-2 on their way back: about 2"}, "redrive", "--stack", "orders-dev")
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
func (s *standing) givenUp(t *testing.T, c contract, operate func(...string) (string, error)) {
	var parts struct {
		GivenUp   string
		Functions map[string]string
	}
	if err := json.Unmarshal([]byte(s.stand.Outputs["Operations"]), &parts); err != nil {
		t.Fatal(err)
	}
	put := func(key, function, payload string) {
		body, _ := json.Marshal(object{
			"version": "1.0", "payload": payload,
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
	out, err := operate("redrive", "--stack", "orders-dev", "--json", "batches")
	if err == nil || !strings.Contains(err.Error(), "none of the stack's") || !strings.Contains(err.Error(), "no given-up batch") {
		t.Errorf("foreign batches: %v", err)
	}
	if !strings.Contains(out, `"batches": 1`) || !strings.Contains(out, `"failed": 2`) {
		t.Errorf("redriven: %s", out)
	}
	if left, err := s.stand.Buckets.List(parts.GivenUp, "aws/lambda/"); err != nil || len(left) != 2 {
		t.Errorf("%d batches left, %v; want the two that were refused", len(left), err)
	}
	a := c.settled(t, "op-3", 1)
	a.members(t, object{"status": "placed", "version": 1})
}

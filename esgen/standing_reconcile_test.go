package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/esgen/esgen/esgen/internal/cloud/iam"
	es "github.com/esgen/esgen/runtime"
)

// TestStandingReconcile loses doorbells: while the mapping of the projector stands still, nothing that
// happens reaches the views. The schedule, and nothing else, brings them to what the histories say.
func TestStandingReconcile(t *testing.T) {
	needsCDK(t)
	s := standOrders(t, api{"http", "none", 0, 1})
	told := post(t, orders, s.base, 31, 60)
	histories := s.histories(t, told)
	eventually(t, func() error { return compareViews(t, orders, s.base, foldOrders(histories)) })
	s.healed(t, s.fire(t)) // it is in step

	for _, m := range s.stand.Mappings["projector"] {
		m.Stop()
	}
	all := slices.Concat(told, post(t, orders, s.base, 31_000, 60))
	for _, id := range slices.Compact(told)[:3] {
		send(t, s.base, object{"type": "OrderCancelled", orders.key: id, "reason": "nobody rings", "eventId": "late-" + id})
	}
	histories = s.histories(t, all)
	checkVersions(t, histories)
	want := foldOrders(histories)
	if err := compareViews(t, orders, s.base, want); err == nil {
		t.Fatal("the views are not behind")
	}
	for _, v := range s.status(t) {
		if v.Behind == 0 {
			t.Errorf("nobody sees that the view %s is behind: %+v", v.View, v)
		}
	}

	sum := s.fire(t)
	if sum.Entities != len(histories) || sum.Folds == 0 || sum.Failed+sum.Quarantined > 0 || sum.Unfinished {
		t.Errorf("the run says %+v; there are %d entities", sum, len(histories))
	}
	if err := compareViews(t, orders, s.base, want); err != nil {
		t.Error(err)
	}
	for _, x := range orders.indexes {
		compareIndex(t, s.base, x, want[x.view])
	}
	for _, v := range s.status(t) {
		if v.Behind+v.Left+v.Quarantined > 0 {
			t.Errorf("after it: %+v", v)
		}
	}
	s.healed(t, s.fire(t))
	// Its changes are live ones: consumers of the view are told.
	for id := range histories {
		s.wantHandled(t, id, map[string][]int{"watcher1": {0}})
	}
	// Doorbells that come after all change nothing.
	for _, m := range s.stand.Mappings["projector"] {
		m.Start()
	}
	c := contract{base: s.base, gateway: true}
	c.place(t, "rung", "")
	c.settled(t, "rung", 1)
	want = foldOrders(s.histories(t, append(all, "rung")))
	eventually(t, func() error { return compareViews(t, orders, s.base, want) })
	t.Run("an error of the store", s.checkReconcileFails)
	s.wantNoDenials(t)
	t.Run("of the user's", func(t *testing.T) { s.checkOwnReconcile(t, len(histories)+1) })
}

// fire has the schedule invoke now.
func (s *standing) fire(t *testing.T) (sum es.Healing) {
	t.Helper()
	result, err := s.stand.Fire(t.Context(), "reconcile")
	if err != nil || result.FunctionError != "" {
		t.Fatalf("reconcile: %v %s", err, result.Payload)
	}
	if err := json.Unmarshal(result.Payload, &sum); err != nil {
		t.Fatalf("reconcile answers %s: %v", result.Payload, err)
	}
	return sum
}

// healed checks that a run found nothing to mend.
func (s *standing) healed(t *testing.T, sum es.Healing) {
	t.Helper()
	if sum.Entities == 0 || sum.Folds+sum.Released+sum.Quarantined+sum.Failed > 0 || sum.Unfinished {
		t.Errorf("a run with nothing to do says %+v", sum)
	}
}

func (s *standing) histories(t *testing.T, ids []string) map[string][]object {
	t.Helper()
	histories := map[string][]object{}
	for _, id := range ids {
		if histories[id] == nil {
			histories[id] = pages(t, s.base+"/events?limit=17&id="+url.QueryEscape(id))
		}
	}
	return histories
}

// checkReconcileFails: what the store refuses fails the invocation, so that an alarm sees it.
func (s *standing) checkReconcileFails(t *testing.T) {
	s.stand.Dynamo.SetFault(func(c iam.Call) iam.Fault {
		if c.Identity == "reconcile" && c.Action == "Scan" {
			return iam.Fault{Error: "ProvisionedThroughputExceededException"}
		}
		return iam.Fault{}
	})
	defer s.stand.Dynamo.SetFault(nil)
	if result, err := s.stand.Fire(t.Context(), "reconcile"); err != nil || result.FunctionError == "" {
		t.Errorf("a run that could not read the entities answers %s, %v", result.Payload, err)
	}
}

// checkOwnReconcile: own.go has it run otherwise; and of a stack whose role lacks something that would show.
func (s *standing) checkOwnReconcile(t *testing.T, entities int) {
	own := filepath.Join(s.dir, "infra", "own.go")
	text, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	const begin = "func own(s *ServiceStack) {\n"
	writeText(t, own, strings.Replace(string(text), begin, begin+
		"\ts.Schedule.SetScheduleExpression(jsii.String(\"rate(1 day)\"))\n\ts.Reconcile.AddEnvironment(jsii.String(\"ESGEN_ENTITIES\"), jsii.String(\"7\"), nil)\n", 1))
	out := filepath.Join(t.TempDir(), "cdk.out")
	if err := synthesize(s.dir, out); err != nil {
		t.Fatal(err)
	}
	if err := s.stand.Update(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	for left := entities; left > 0; left -= 7 {
		if sum := s.fire(t); sum.Entities != min(7, left) || sum.Folds > 0 {
			t.Fatalf("with %d entities left, a run says %+v", left, sum)
		}
	}
	s.wantNoDenials(t)

	template := templatesOf(t, out)["orders-dev"]
	stack, err := os.ReadFile(template)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(template, bytes.ReplaceAll(stack, []byte(`"dynamodb:Scan"`), []byte(`"dynamodb:GetItem"`)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.stand.Update(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	result, err := s.stand.Fire(t.Context(), "reconcile")
	denied := map[string]bool{}
	for _, d := range s.stand.Denied() {
		denied[fmt.Sprint(d.Identity, " ", d.Access.Action)] = true
	}
	if err != nil || result.FunctionError == "" || !denied["reconcile dynamodb:Scan"] {
		t.Errorf("without a permission it answers %s, %v; denied is %v", result.Payload, err, slices.Sorted(maps.Keys(denied)))
	}
}

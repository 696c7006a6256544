package lambda_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/lambda"
)

func TestReconcileMendsWhateverItIsInvokedWith(t *testing.T) {
	n := newNotes(t)
	h := lambda.ReconcileHandler(n.model, n.stores, "d-1", 100, n.options())
	for i, event := range []string{`{}`, ``, `null`, `not JSON`, "\xff\x00", `[]`, `{"version":"0","detail-type":"Scheduled Event","detail":{}}`} {
		id := fmt.Sprint("n-", i)
		n.take(id, "secret")
		want := fmt.Sprintf(`{"entities":%d,"looked":1,"folds":1,"quarantined":0,"released":0,"failed":0}`, i+1)
		if got := invoke(t, h, event); got != want {
			t.Errorf("%q: %s, want %s", event, got, want)
		}
		item, err := n.stores.Views.Get(t.Context(), es.Table{View: "default", Revision: 1}, id, true)
		if err != nil || item == nil || item.Version != 1 {
			t.Errorf("%q: record %+v, %v", event, item, err)
		}
		line := n.line()
		if line["Entities"] != float64(i+1) || line["Folds"] != 1.0 || line["Looked"] != 1.0 {
			t.Errorf("%v", line)
		}
		checkMetrics(t, line, "Entities", "Folds", "Looked")
	}
	invoke(t, h, "")
	checkMetrics(t, n.line(), "Entities", "Folds")
	n.quiet()
}

func TestReconcileComparesSoManyEntitiesARun(t *testing.T) {
	n := newNotes(t)
	for i := range 7 {
		n.take(fmt.Sprint("n-", i), "x")
	}
	h := lambda.ReconcileHandler(n.model, n.stores, "d-1", 3, n.options())
	for run, entities := range []int{3, 3, 1, 3} {
		folds := entities
		if run == 3 { // the second time round
			folds = 0
		}
		want := fmt.Sprintf(`{"entities":%d,"looked":%d,"folds":%d,`, entities, folds, folds)
		if got := invoke(t, h, ""); !strings.HasPrefix(got, want) {
			t.Errorf("run %d: %s, want %s", run, got, want)
		}
	}
	h = lambda.ReconcileHandler(n.model, n.stores, "d-1", 0, n.options())
	if got := invoke(t, h, ""); !strings.HasPrefix(got, `{"entities":0,`) {
		t.Errorf("of what is known alone: %s", got)
	}
}

// TestReconcileAndProjectorAreOneDeployment: what one has put into quarantine the other leaves there, and
// nobody is told again and again.
func TestReconcileAndProjectorAreOneDeployment(t *testing.T) {
	n := newNotes(t)
	projector := lambda.ProjectorHandler(n.model, n.stores, "d-1", n.options())
	reconcile := lambda.ReconcileHandler(n.model, n.stores, "d-1", 100, n.options())
	bad := n.take("a", "bad")
	if got := invoke(t, reconcile, ""); !strings.Contains(got, `"quarantined":1,"released":0,"failed":0,"newlyQuarantined":1`) {
		t.Errorf("found by reconcile: %s", got)
	}
	if line := n.line(); line["Quarantined"] != 1.0 || line["Held"] != 1.0 {
		t.Errorf("%v", line)
	}
	n.says("quarantined")
	for range 2 {
		invoke(t, projector, streamOf(t, bad, n.take("a", "more")))
		if line := n.line(); line["Quarantined"] != nil {
			t.Errorf("the projector tries again: %v", line)
		}
		if got := invoke(t, reconcile, ""); !strings.Contains(got, `"quarantined":1,"released":0,"failed":0}`) {
			t.Errorf("met again: %s", got)
		}
		if line := n.line(); line["Quarantined"] != nil || line["Held"] != 1.0 {
			t.Errorf("%v", line)
		}
		n.quiet()
	}
	// Other code tries again, and fails again, once.
	later := lambda.ReconcileHandler(n.model, n.stores, "d-2", 100, n.options())
	for _, newly := range []any{1.0, nil} {
		invoke(t, later, "")
		if line := n.line(); line["Quarantined"] != newly || line["Held"] != 1.0 {
			t.Errorf("%v, want %v", line, newly)
		}
	}
}

type failingEvents struct{ es.EventStore }

func (failingEvents) Heads(context.Context, int, int, string) ([]es.EntityHead, string, error) {
	return nil, "", errors.New("throttled")
}

func TestAnErrorOfTheStoreFailsTheRun(t *testing.T) {
	n := newNotes(t)
	n.take("a", "secret")
	stores := n.stores
	stores.Events = failingEvents{stores.Events}
	h := lambda.ReconcileHandler(n.model, stores, "d-1", 100, n.options())
	if answer, err := h.Invoke(t.Context(), nil); err == nil || answer != nil {
		t.Errorf("%s, %v", answer, err)
	}
	if line := n.line(); line["Entities"] != 0.0 {
		t.Errorf("%v", line)
	}
	n.says("throttled")
}

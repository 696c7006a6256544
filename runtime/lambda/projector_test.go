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

func TestProjectorFoldsABatchAndWritesOneLine(t *testing.T) {
	n := newNotes(t)
	h := lambda.ProjectorHandler(n.model, n.stores, "d-1", n.options())
	first, second, other := n.take("a", "secret one"), n.take("a", "secret two"), n.take("b", "x")
	_ = first // the gap is closed from the table
	if got := invoke(t, h, streamOf(t, second, other)); got != `{"batchItemFailures":[]}` {
		t.Errorf("answer %s", got)
	}
	item, err := n.stores.Views.Get(t.Context(), es.Table{View: "default", Revision: 1}, "a", true)
	if err != nil || item == nil || item.Version != 2 {
		t.Fatalf("record %+v, %v", item, err)
	}
	line := n.line()
	want := object{"Records": 2.0, "Folds": 3.0, "CaughtUp": 1.0, "FunctionName": "notes-dev-function"}
	for name, value := range want {
		if line[name] != value {
			t.Errorf("%s: %v, want %v", name, line[name], value)
		}
	}
	for _, name := range []string{"Conflicts", "Quarantined", "Left", "Unknown", "Ignored"} {
		if _, there := line[name]; there {
			t.Errorf("%s is there though nothing happened: each metric costs", name)
		}
	}
	checkMetrics(t, line, "Lag", "Took", "Records", "Folds", "CaughtUp", "Lag.default")
	n.quiet()
}

// checkMetrics checks that the line defines exactly these metrics, each with a value.
func checkMetrics(t *testing.T, line object, names ...string) {
	t.Helper()
	directives := line["_aws"].(object)["CloudWatchMetrics"].([]any)
	defined := map[string]bool{}
	for _, d := range directives {
		d := d.(object)
		if fmt.Sprint(d["Namespace"], d["Dimensions"]) != "esgen[[FunctionName]]" {
			t.Errorf("directive %v", d)
		}
		for _, m := range d["Metrics"].([]any) {
			name := m.(object)["Name"].(string)
			defined[name] = true
			if _, ok := line[name].(float64); !ok {
				t.Errorf("the metric %s has the value %v", name, line[name])
			}
		}
	}
	for _, name := range names {
		if !defined[name] {
			t.Errorf("no metric %s", name)
		}
	}
	if len(defined) != len(names) {
		t.Errorf("metrics %v, want %v", defined, names)
	}
}

// TestWhatIsNoEventIsCountedAndNeverInTheWay has records that must not block a shard.
func TestWhatIsNoEventIsCountedAndNeverInTheWay(t *testing.T) {
	n := newNotes(t)
	h := lambda.ProjectorHandler(n.model, n.stores, "d-1", n.options())
	good := n.take("a", "x")
	later := good
	later.EntityID, later.Version = "nobody", 7 // delivered, and not in the table
	batch := strings.Replace(streamOf(t, good, good, later), `"_format":{"N":"1"}`, `"_format":{"N":"9"}`, 1)
	if got := invoke(t, h, batch); got != `{"batchItemFailures":[]}` {
		t.Errorf("answer %s", got)
	}
	if line := n.line(); line["Records"] != 3.0 || line["Ignored"] != 2.0 || line["Folds"] != 1.0 {
		t.Errorf("%v", line)
	}
	n.quiet()
}

func TestAFoldThatFailsIsQuarantinedWithoutItsValues(t *testing.T) {
	n := newNotes(t)
	h := lambda.ProjectorHandler(n.model, n.stores, "d-1", n.options())
	if got := invoke(t, h, streamOf(t, n.take("a", "bad"), n.take("b", "x"))); got != `{"batchItemFailures":[]}` {
		t.Errorf("answer %s", got)
	}
	if line := n.line(); line["Quarantined"] != 1.0 || line["Folds"] != 1.0 {
		t.Errorf("%v", line)
	}
	n.says("quarantine")
}

// failingViews refuses to write one record for now.
type failingViews struct {
	es.ViewStore
	key string
}

func (f failingViews) Write(ctx context.Context, step es.Step) error {
	for _, r := range step.Records {
		if r.Item.Key == f.key {
			return errors.New("throttled")
		}
	}
	return f.ViewStore.Write(ctx, step)
}

func TestTheLowestFailedRecordIsWhereTheStreamGoesOn(t *testing.T) {
	n := newNotes(t)
	n.stores.Views = failingViews{n.stores.Views, "b"}
	h := lambda.ProjectorHandler(n.model, n.stores, "d-1", n.options())
	batch := streamOf(t, n.take("a", "1"), n.take("b", "2"), n.take("c", "3"), n.take("b", "4"))
	if got := invoke(t, h, batch); got != `{"batchItemFailures":[{"itemIdentifier":"2"}]}` {
		t.Errorf("answer %s", got)
	}
	if line := n.line(); line["Folds"] != 2.0 {
		t.Errorf("%v", line)
	}
	n.says("projected in part")
}

func TestWhatIsNoBatchFailsTheInvocation(t *testing.T) {
	n := newNotes(t)
	h := lambda.ProjectorHandler(n.model, n.stores, "d-1", n.options())
	if _, err := h.Invoke(t.Context(), []byte(`{"secret":1}`)); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v", err)
	}
}

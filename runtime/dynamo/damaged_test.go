package dynamo_test

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/dynamo"
	"github.com/esgen/esgen/runtime/dynamo/dynamotest"
	"github.com/esgen/esgen/runtime/internal/notes"
)

// editor changes items as somebody does who has the console open.
type editor struct {
	t      *testing.T
	client *dynamodb.Client
}

// edit makes an attribute of an item something else, and returns what undoes that.
func (e *editor) edit(table string, key map[string]types.AttributeValue, name string, value types.AttributeValue) (undo func()) {
	e.t.Helper()
	out, err := e.client.GetItem(e.t.Context(), &dynamodb.GetItemInput{TableName: &table, Key: key})
	if err != nil || out.Item[name] == nil {
		e.t.Fatalf("%s has no %s at %v: %v", table, name, key, err)
	}
	put := func(item map[string]types.AttributeValue) {
		if _, err := e.client.PutItem(e.t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item}); err != nil {
			e.t.Fatal(err)
		}
	}
	edited := maps.Clone(out.Item)
	edited[name] = value
	put(edited)
	return func() { put(out.Item) }
}

// An item that somebody has edited stands in the way of its own entity in its own view and of
// nothing else: the batch is taken. When it is as it was, reconcile brings in what waited.
func TestAnItemThatAHandDamagedHoldsUpNothingElse(t *testing.T) {
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	number := func(n int) types.AttributeValue { return &types.AttributeValueMemberN{Value: fmt.Sprint(n)} }
	markers := dynamo.ViewTable{View: "tags", Revision: 1}
	for _, c := range []struct {
		what   string
		damage func(e *editor, tables dynamo.Tables, client *dynamodb.Client) (undo func())
	}{
		{"an event", func(e *editor, tables dynamo.Tables, _ *dynamodb.Client) func() {
			return e.edit(tables.Events, map[string]types.AttributeValue{"_id": text("a"), "_version": number(2)}, "_time", text("yesterday"))
		}},
		{"an entity's record", func(e *editor, tables dynamo.Tables, _ *dynamodb.Client) func() {
			return e.edit(tables.Views[0].Name, map[string]types.AttributeValue{"_key": text("a")}, "_guard", text("one"))
		}},
		{"a record that entities share", func(e *editor, tables dynamo.Tables, _ *dynamodb.Client) func() {
			return e.edit(tables.Views[1].Name, map[string]types.AttributeValue{"_key": text("red")}, "_latestTime", text("yesterday"))
		}},
		{"a marker", func(e *editor, tables dynamo.Tables, client *dynamodb.Client) func() {
			for shard := range 16 {
				key := map[string]types.AttributeValue{
					"_part": text(fmt.Sprintf("marker/%s/%d/%d", markers.View, markers.Revision, shard)), "_id": text("a"),
				}
				out, err := client.GetItem(e.t.Context(), &dynamodb.GetItemInput{TableName: &tables.Progress, Key: key})
				if err == nil && out.Item != nil {
					return e.edit(tables.Progress, key, "_position", text("one"))
				}
			}
			e.t.Fatal("there is no marker")
			return nil
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			model := notes.Model("")
			o := dynamotest.Options(t)
			o.Tables = dynamo.TablesOf(model, "damaged-")
			store := dynamotest.Open(t, o)
			client := dynamodb.New(dynamodb.Options{Region: o.Region, Credentials: o.Credentials, BaseEndpoint: aws.String(o.Endpoint)})
			var log strings.Builder
			p := es.NewProjector(model, store.Stores(), es.ProjectorOptions{Deployment: "d", Logger: slog.New(slog.NewTextHandler(&log, nil))})
			happen := func(id string, version int64, tag string) es.Recorded {
				e := es.Recorded{
					EntityID: id, Version: version, EventID: fmt.Sprint(id, version), Type: "Written", Revision: 1,
					Time: time.Unix(1_700_000_000+version, 0).UTC(), Digest: "d", Payload: `{"text":"secret","tag":"` + tag + `"}`,
				}
				if _, err := store.Put(t.Context(), &e); err != nil {
					t.Fatal(err)
				}
				return e
			}
			project := func(batch ...es.Recorded) es.Report {
				t.Helper()
				report, retry, err := p.Project(t.Context(), batch)
				if err != nil || retry != len(batch) {
					t.Fatalf("the batch comes again from %d of %d on: %v", retry, len(batch), err)
				}
				return report
			}
			project(happen("a", 1, "red"))
			happen("a", 2, "red") // is not delivered
			undo := c.damage(&editor{t, client}, o.Tables, client)
			report := project(happen("a", 3, "red"), happen("b", 1, "blue"))
			if report.Quarantined+report.Left == 0 {
				t.Errorf("nobody is told: %+v", report)
			}
			for _, want := range []struct{ view, key string }{{"default", "b"}, {"tags", "blue"}} {
				item, err := store.Get(t.Context(), es.Table{View: want.view, Revision: 1}, want.key, true)
				if err != nil || item == nil || item.Payload == "" {
					t.Errorf("%s %s: %+v, %v", want.view, want.key, item, err)
				}
			}
			if _, err := p.Reconcile(t.Context(), es.ReconcileOptions{}); err == nil && c.what == "an event" {
				t.Error("reconcile does not say what it cannot heal")
			}
			if strings.Contains(log.String(), "secret") {
				t.Errorf("a value is in the log: %s", &log)
			}

			undo()
			if _, err := p.RetryQuarantine(t.Context(), "", ""); err != nil {
				t.Fatal(err)
			}
			if sum, err := p.Reconcile(t.Context(), es.ReconcileOptions{}); err != nil || sum.Failed+sum.Quarantined > 0 {
				t.Errorf("%+v, %v", sum, err)
			}
			for _, want := range []struct{ view, key, payload string }{
				{"default", "a", `"edits":3`}, {"default", "b", `"edits":1`}, {"tags", "red", `"notes":3`}, {"tags", "blue", `"notes":1`},
			} {
				item, err := store.Get(t.Context(), es.Table{View: want.view, Revision: 1}, want.key, true)
				if err != nil || item == nil || !strings.Contains(item.Payload, want.payload) {
					t.Errorf("%s %s: %+v, %v, want %s", want.view, want.key, item, err, want.payload)
				}
			}
			for q, err := range p.ListQuarantine(t.Context(), "") {
				t.Errorf("still in quarantine: %+v, %v", q, err)
			}
		})
	}
}

// Who reads of a damaged entry or event is told which, and nothing of what is in it.
func TestWhatIsDamagedIsNamed(t *testing.T) {
	s, _ := wired(t, answer{status: 200, body: `{"Item":{"_part":{"S":"entry/active"},"_id":{"S":"default"},"_guard":{"S":"secret"}}}`})
	_, err := s.Progress(t.Context(), "active", "default")
	if !errors.Is(err, es.ErrDamaged) || !strings.Contains(err.Error(), `"default" of active`) || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
	s, _ = wired(t, answer{status: 200, body: `{"Items":[{"_id":{"S":"o-1"},"_version":{"N":"3"},"_format":{"N":"1"},"_payload":{"N":"7"}}]}`})
	_, _, err = s.Read(t.Context(), "o-1", 2, 10)
	if !errors.Is(err, es.ErrDamaged) || !strings.Contains(err.Error(), `event 3 of "o-1"`) || !strings.Contains(err.Error(), "_payload") {
		t.Error(err)
	}
}

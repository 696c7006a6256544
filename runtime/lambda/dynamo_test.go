package lambda_test

import (
	"strings"
	"testing"

	"github.com/esgen/esgen/runtime/dynamo"
	"github.com/esgen/esgen/runtime/dynamo/dynamotest"
	"github.com/esgen/esgen/runtime/lambda"
)

// TestFunctionsOnDynamoDB posts, folds and reads through the functions' handlers.
func TestFunctionsOnDynamoDB(t *testing.T) {
	n := newNotes(t)
	o := dynamotest.Options(t)
	o.Tables = dynamo.TablesOf(n.model, "notes-")
	store := dynamotest.Open(t, o)
	n.stores = store.Stores()
	command := lambda.CommandHandler(n.model, n.stores.Events, n.options())
	query := lambda.QueryHandler(n.model, n.stores, n.options())
	projector := lambda.ProjectorHandler(n.model, n.stores, "d-1", n.options())
	post := httpEvent(t, "POST", "/", `{"type":"NoteTaken","noteId":"n-1","text":"hello"}`, object{"idempotency-key": "k-1"})
	for _, status := range []int{201, 200} {
		if a := ask(t, command, post); a.StatusCode != status {
			t.Fatalf("%+v", a)
		}
	}
	events, _, err := store.Read(t.Context(), "n-1", 0, 10)
	if err != nil || len(events) != 1 {
		t.Fatalf("%+v, %v", events, err)
	}
	if got := invoke(t, projector, streamOf(t, events...)); got != `{"batchItemFailures":[]}` {
		t.Errorf("answer %s", got)
	}
	if a := ask(t, query, httpEvent(t, "GET", "/n-1", "", nil)); a.StatusCode != 200 || !strings.Contains(a.Body, `"text":"hello","version":1`) {
		t.Errorf("%+v", a)
	}
	n.line()
	n.quiet()
}

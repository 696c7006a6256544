package es_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/dynamo"
	"github.com/esgen/esgen/runtime/dynamo/dynamotest"
)

var update = flag.Bool("update", false, "write what is measured now to dynamo/COST.md")

const costHead = `# What requests consume

Capacity units as DynamoDB Local returns them for the service's own code, command, projector and
query: ` + "`go test ./runtime -run TestCost`" + ` measures them and fails when this table is not what it
measured; ` + "`-update`" + ` writes it anew. Items have the sizes of a small service, some 300 to 500 bytes;
a write unit is 1 KB, a read unit 4 KB read strongly or 8 KB read eventually. "Of indexes" is the part of the
writes that the indexes take.

DynamoDB Local does not count a query, or a key of a batch, that finds nothing; on AWS each takes one
unit, read strongly. So an append takes at least two read units there, one for the head and one for the
event id, and the first fold of a record one.

A write whose condition fails takes a unit for each KB too, and is not in the answers: an append that loses
a race has paid for its put, and reads once what came since. 64 functions that write to one entity all the time take
3.2 puts and 7.5 requests an event. A transaction takes two units where a single write takes one; its indexes take one.

The orders have a view keyed by the entity with two indexes (status, sorted; customer), of four shards
each, and a view keyed by the customer.

`

// meter adds up what is consumed between two rows.
type meter struct {
	mu       sync.Mutex
	requests map[string]int
	reads    float64
	writes   float64
	indexes  float64 // of writes
	// foundNothing are queries that found nothing: on AWS each takes a unit.
	foundNothing int
	table        strings.Builder
}

func (m *meter) add(operation string, consumed []types.ConsumedCapacity) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests[operation]++
	for _, c := range consumed {
		units := *c.CapacityUnits
		switch operation {
		case "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems":
			m.writes += units
			for _, part := range []map[string]types.Capacity{c.LocalSecondaryIndexes, c.GlobalSecondaryIndexes} {
				for _, index := range part {
					m.indexes += *index.CapacityUnits
				}
			}
		default:
			m.reads += units
			if operation == "Query" && units == 0 {
				m.foundNothing++
			}
		}
	}
}

func (m *meter) row(name string, do func()) (requests int) {
	m.requests, m.reads, m.writes, m.indexes, m.foundNothing = map[string]int{}, 0, 0, 0, 0
	do()
	var calls []string
	for _, operation := range slices.Sorted(maps.Keys(m.requests)) {
		n := m.requests[operation]
		requests += n
		calls = append(calls, fmt.Sprintf("%d %s", n, operation))
	}
	fmt.Fprintf(&m.table, "| %s | %s | %g | %g | %g |\n", name, strings.Join(calls, ", "), m.reads, m.writes, m.indexes)
	return requests
}

func (m *meter) heading(what string) {
	fmt.Fprintf(&m.table, "| %s | requests | read units | write units | of indexes |\n|---|---|---|---|---|\n", what)
}

// metered is a service on tables of its own.
type metered struct {
	*service
	t         *testing.T
	meter     *meter
	projector *es.Projector
}

func newMetered(t *testing.T, model *es.Model) *metered {
	t.Helper()
	m := &meter{requests: map[string]int{}}
	o := dynamotest.Options(t)
	o.Tables, o.Meter = dynamo.TablesOf(model, ""), m.add
	store := dynamotest.Open(t, o)
	s := &metered{
		service: serviceOn(model, store.Stores()), t: t, meter: m,
		projector: es.NewProjector(model, store.Stores(), es.ProjectorOptions{Logger: quiet()}),
	}
	// Nothing that is remembered for a while is asked for again.
	s.query = es.NewQuery(model, store.Stores(), es.QueryOptions{Clock: func() time.Time { return epoch }})
	return s
}

func (m *metered) ask(method, target, body string, status int) {
	m.t.Helper()
	if a := m.do(m.t.Context(), method, target, nil, body); a.Status != status {
		m.t.Fatalf("%s %s: %d %s, want %d", method, target, a.Status, a.Body, status)
	}
}

// history is what the events table has of entities, as a stream hands it over.
func (m *metered) history(ids ...string) (batch []es.Recorded) {
	m.t.Helper()
	for _, id := range ids {
		events, _, err := m.stores.Events.Read(m.t.Context(), id, 0, 1000)
		if err != nil {
			m.t.Fatal(err)
		}
		batch = append(batch, events...)
	}
	return batch
}

func (m *metered) project(batch []es.Recorded) {
	m.t.Helper()
	if _, _, err := m.projector.Project(m.t.Context(), batch); err != nil {
		m.t.Fatal(err)
	}
}

func TestCost(t *testing.T) {
	var text strings.Builder
	text.WriteString(costHead)
	for _, measure := range []func(*testing.T) string{costOfAppends, costOfFolds, costOfReads, costOfReconciles, costOfHotRecords, costOfEvents} {
		text.WriteString(measure(t) + "\n")
	}
	got := strings.TrimRight(text.String(), "\n") + "\n"
	const file = "dynamo/COST.md"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what was measured (accept with go test ./runtime -run TestCost -update):\n%s", file, got)
	}
}

func costOfAppends(t *testing.T) string {
	m := newMetered(t, ordersModel())
	m.meter.heading("an append")
	m.meter.row("first event of an entity", func() { m.ask("POST", "/", placed("o"), 201) })
	m.meter.row("a later event", func() { m.ask("POST", "/", shipped("o", `"eventId":"e"`), 201) })
	m.meter.row("the same again", func() { m.ask("POST", "/", shipped("o", `"eventId":"e"`), 200) })
	m.meter.row("one that does not fit", func() { m.ask("POST", "/", shipped("o"), 409) })
	m.meter.row("an event of 10 KB", func() { m.ask("POST", "/", noted("o", strings.Repeat("x", 10_000)), 201) })
	m.meter.row("an event after that", func() { m.ask("POST", "/", noted("o", "y"), 201) })
	return m.meter.table.String()
}

// only returns the model with one of its views.
func only(m *es.Model, view string) *es.Model {
	m.Views = slices.DeleteFunc(m.Views, func(v es.View) bool { return v.Name != view })
	return m
}

// copies are n orders placed, as the first of an entity each, or one after the other in one.
func (m *metered) copies(n, entities int) (batch []es.Recorded) {
	m.t.Helper()
	m.ask("POST", "/", placed("template"), 201)
	template := m.history("template")[0]
	for i := range n {
		r := template
		r.EntityID = fmt.Sprintf("order-%d", i%entities)
		r.Version = int64(i/entities) + 1
		r.EventID = fmt.Sprint("event-", i)
		if occupant, err := m.stores.Events.Put(m.t.Context(), &r); err != nil || occupant != nil {
			m.t.Fatal(occupant, err)
		}
		batch = append(batch, r)
	}
	return batch
}

// prime has the projector fold an event of another entity and customer: the first batch of a
// process also asks which revision of the view is read.
func (m *metered) prime() {
	m.t.Helper()
	m.ask("POST", "/", placed("primer"), 201)
	first := m.history("primer")
	first[0].Payload = strings.Replace(first[0].Payload, `"customerId":"c1"`, `"customerId":"primer"`, 1)
	m.project(first)
}

func costOfFolds(t *testing.T) string {
	m := newMetered(t, only(ordersModel(), "default"))
	m.prime()
	m.meter.heading("a fold, view keyed by the entity")
	for _, body := range []string{placed("o"), shipped("o"), noted("o", "no view lists it"), placed("p"), shipped("p")} {
		m.ask("POST", "/", body, 201)
	}
	o, p := m.history("o"), m.history("p")
	m.meter.row("first event of an entity", func() { m.project(o[:1]) })
	m.meter.row("a later event, to another status", func() { m.project(o[1:2]) })
	m.meter.row("delivered again", func() { m.project(o[:2]) })
	m.meter.row("an event that the view does not list", func() { m.project(o[2:]) })
	m.meter.row("the second event first: a gap is read", func() { m.project(p[1:]) })
	text := m.meter.table.String() + "\n"

	m = newMetered(t, only(ordersModel(), "customer-summary"))
	m.prime()
	m.meter.heading("a fold, view keyed otherwise")
	orders := m.copies(4, 2) // of one customer
	m.meter.row("first event of an entity, first of a record", func() { m.project(orders[:1]) })
	m.meter.row("first event of an entity", func() { m.project(orders[1:2]) })
	m.meter.row("a later event", func() { m.project(orders[2:3]) })
	m.meter.row("delivered again", func() { m.project(orders[:3]) })
	return text + m.meter.table.String() + "\n" + costOfBatches(t)
}

// costOfBatches: requests follow the number of touched records, not of events.
func costOfBatches(t *testing.T) string {
	table := &meter{}
	table.heading("a batch of 100 events, view keyed by the entity")
	for _, entities := range []int{1, 10, 100} {
		m := newMetered(t, only(ordersModel(), "default"))
		m.prime()
		batch := m.copies(100, entities)
		n := m.meter.row(fmt.Sprintf("entities: %d", entities), func() { m.project(batch) })
		if want := 1 + entities; n != want {
			t.Errorf("a batch of 100 events that touch %d records: %g requests an event, want exactly %g", entities, float64(n)/100, float64(want)/100)
		}
		table.table.WriteString(m.meter.table.String())
	}
	return table.table.String()
}

// costOfReconciles: of two views. An entity is compared at a read unit for each view, however long its
// history; the index of the events is read besides.
func costOfReconciles(t *testing.T) string {
	m := newMetered(t, ordersModel())
	m.prime()
	m.project(m.copies(999, 99)) // and the template and the primer
	reconcile := func(entities, compared, folds int) {
		sum, err := m.projector.Reconcile(t.Context(), es.ReconcileOptions{Entities: entities})
		if err != nil || sum.Entities != compared || sum.Folds != folds {
			t.Errorf("%+v, %v", sum, err)
		}
	}
	reconcile(1000, 101, 2) // the template was not delivered
	m.meter.heading("a reconcile, two views")
	m.meter.row("of what is known: nothing", func() { reconcile(0, 0, 0) })
	m.meter.row("compares 101 entities with 1,001 events", func() { reconcile(1000, 101, 0) })
	m.meter.row("compares 10 of them", func() { reconcile(10, 10, 0) })
	reconcile(1000, 91, 0) // to the end
	for i := range 20 {    // the customers' view does not list it
		m.ask("POST", "/", shipped(fmt.Sprintf("order-%d", i)), 201)
	}
	reconcile(1000, 101, 20)
	m.meter.row("compares all, of which 20 end with an event that one view does not list", func() { reconcile(1000, 101, 0) })
	return m.meter.table.String()
}

func costOfReads(t *testing.T) string {
	m := newMetered(t, ordersModel())
	m.project(m.copies(100, 100))
	for i := range 900 {
		gone := es.ItemWrite{Item: es.Item{Key: fmt.Sprint("gone-", i), Guard: 1, Version: 1, State: "cancelled"}}
		if err := m.stores.Views.Write(t.Context(), es.Step{Table: es.Table{View: "customer-summary", Revision: 1}, Records: []es.ItemWrite{gone}}); err != nil {
			t.Fatal(err)
		}
	}
	m.meter.heading("a read")
	m.meter.row("the first of a view: its active revision, too", func() { m.ask("GET", "/order-1", "", 200) })
	m.ask("GET", "/customer-summary", "", 200)
	m.meter.row("a record", func() { m.ask("GET", "/order-1", "", 200) })
	m.meter.row("a record of a minimal version", func() { m.ask("GET", "/order-1?minVersion=1", "", 200) })
	m.meter.row("a record that does not exist", func() { m.ask("GET", "/none", "", 404) })
	m.meter.row("the history of an entity", func() { m.ask("GET", "/events/order-1", "", 200) })
	m.meter.row("a page of 10", func() { m.ask("GET", "/", "", 200) })
	m.meter.row("a page of 10 of an index", func() { m.ask("GET", "/?status=placed", "", 200) })
	m.meter.row("a page of 100 of an index", func() { m.ask("GET", "/?status=placed&limit=100", "", 200) })
	m.meter.row("a list of one record and 900 deleted ones", func() { m.ask("GET", "/customer-summary", "", 200) })
	return m.meter.table.String()
}

package es_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// Prices are us-east-1 list prices, check before you rely on them: dollars per million of requests,
// units and gigabyte-seconds, and per gigabyte.
const (
	priceHTTPRequest  = 1.00 // of an HTTP API
	priceRESTRequest  = 3.50 // of a REST API
	priceInvocation   = 0.20
	priceGBSecondARM  = 13.33
	priceGBSecondX86  = 16.67
	priceWriteUnit    = 0.625 // on demand
	priceReadUnit     = 0.125
	pricePublication  = 0.30 // to a FIFO topic
	pricePublishedGB  = 0.017
	priceDelivery     = 0.01 // from it to a queue
	priceDeliveredGB  = 0.001
	priceQueueRequest = 0.50 // of a FIFO queue
	priceLogGB        = 0.50
)

// What no test can measure. Memory is the generated stack's; times are assumed, and long for what
// the functions do.
const (
	smallGB     = 0.25 // command, relay, consumers
	projectorGB = 0.5
	firstMS     = 10 // of an invocation with one event
	furtherMS   = 1  // of each further event in it
	messageGB   = 1  // a million messages of 1 KB
	queueBatch  = 10 // messages that a queue hands over at most
	consumers   = 4
)

// units are what one event consumes, as AWS counts.
type units struct{ reads, writes float64 }

func (u units) dollars() float64 { return u.reads*priceReadUnit + u.writes*priceWriteUnit }

func (u units) String() string { return fmt.Sprintf("%g read, %g written", u.reads, u.writes) }

// load is how events arrive: so many in a batch, so many of them for one record of a view.
type load struct{ batch, each int }

var loads = []load{{1, 1}, {50, 2}}

// invocation is what a million invocations with so many events cost.
func invocation(gigabytes float64, events int) float64 {
	ms := firstMS + furtherMS*float64(events-1)
	return priceInvocation + gigabytes*ms/1000*priceGBSecondARM
}

// eventDollars are the dollars of a million events, without consumers.
func eventDollars(l load, posted units, fold units, views int) float64 {
	return priceHTTPRequest + invocation(smallGB, 1) + posted.dollars() +
		float64(views)*fold.dollars() + invocation(projectorGB, l.batch)/float64(l.batch)
}

// relayDollars is what a relay adds with its consumers, each of which remembers what it has handled.
func relayDollars(l load, handled units) float64 {
	fetched := min(l.batch, queueBatch)
	each := priceDelivery + priceDeliveredGB*messageGB +
		(2*priceQueueRequest+invocation(smallGB, fetched))/float64(fetched) + handled.dollars()
	return invocation(smallGB, l.batch)/float64(l.batch) + pricePublication + pricePublishedGB*messageGB + consumers*each
}

// seedDollars is the project that esgen replaces: a REST API, events and views in one table, whose
// stream hands every write to a function for each view, which reads and writes the view in an index too.
func seedDollars(views int) float64 {
	const gigabytes, ms, skippingMS = 0.125, 15, 3
	v, second := float64(views), gigabytes*priceGBSecondX86
	return priceRESTRequest + priceInvocation + second*ms/1000 + priceWriteUnit + v*(0.5*priceReadUnit+2*priceWriteUnit) +
		(v+v*v)*priceInvocation + v*second*ms/1000 + v*v*second*skippingMS/1000
}

// seedLogs is what the seed's habit of logging each record, some 2 KB, adds.
func seedLogs(views int) float64 {
	const recordKB = 2
	v := float64(views)
	return (v + v*v) * recordKB * priceLogGB
}

// withoutIndexes is the orders service with so many views keyed by the entity.
func withoutIndexes(views int) *es.Model {
	m := only(ordersModel(), "default")
	view := m.Views[0]
	view.Indexes = nil
	m.Views = nil
	for i := range views {
		view.Name = fmt.Sprint("view-", i+1)
		m.Views = append(m.Views, view)
	}
	return m
}

// consumed is what the requests of do took, as AWS counts: a query that finds nothing takes a unit.
func (m *metered) consumed(events int, do func()) units {
	m.meter.row("", do)
	n := float64(events)
	return units{reads: (m.meter.reads + float64(m.meter.foundNothing)) / n, writes: m.meter.writes / n}
}

// postedUnits measures an event of an entity that has some.
func postedUnits(t *testing.T) units {
	m := newMetered(t, withoutIndexes(1))
	m.ask("POST", "/", placed("o"), 201)
	return m.consumed(1, func() { m.ask("POST", "/", shipped("o"), 201) })
}

// foldUnits measures a batch for records that exist, per event and view.
func foldUnits(t *testing.T, l load, views int) units {
	m := newMetered(t, withoutIndexes(views))
	records := l.batch / l.each
	all := m.copies(l.batch+records, records)
	m.project(all[:records])
	return m.consumed(l.batch*views, func() { m.project(all[records:]) })
}

type ignorant struct{}

func (ignorant) HandleEvent(context.Context, es.Event, es.Meta) error { return nil }
func (ignorant) HandleChange(context.Context, es.RecordChange) error  { return nil }
func newIgnorant(context.Context, *es.Appender) (es.Handler, error)   { return ignorant{}, nil }

// handledUnits measures an event that a consumer's handler, who asks for nothing, is handed.
func handledUnits(t *testing.T) units {
	m := newMetered(t, withoutIndexes(1))
	c := es.Consumer{Name: "mailer", Events: []string{"OrderPlaced"}, Start: newIgnorant}
	r, err := es.StartConsumer(t.Context(), m.model, c, m.stores, es.ConsumerOptions{Clock: func() time.Time { return epoch }, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	batch := m.copies(1, 1)
	return m.consumed(1, func() {
		if retry, err := r.HandleEvents(t.Context(), batch); retry != 1 || err != nil {
			t.Fatal(retry, err)
		}
	})
}

const priceHead = `## Dollars per million events

Of the units that were measured, at us-east-1 list prices; check these before you rely on them:

%s
Events arrive in batches of b, with c of them for each record of a view that they touch; records exist
already. A million events of a service with V views, all keyed by the entity and without an index, cost

    gateway + invocation(256 MB, 10 ms) + append + V × fold + invocation(512 MB, 10 ms + 1 ms for each event after the first) / b

and through a relay to four consumers, each of which remembers what it has handled,

    invocation(256 MB) / b + publication + 4 × (delivery + (2 queue requests + invocation(256 MB)) / min(b, 10) + memory)

more. An append and what a consumer remembers do not depend on the load; a fold does:

%s
"A read and a write" is the same service with a fold that takes a read and a write unit for each event and
view. "The seed" is the project that esgen replaces, with a REST API, a function for each view and all of it
in one table, by the formula 3.50 + invocation + W + V(R/2 + 2W) + (V + V²) × invocation; "logged" is what its
habit of logging every record adds at 2 KB each.

What an index adds, and a view that is not keyed by the entity, is in the tables of folds above. Not in it
are logs, storage, backups, reads by clients, data that leaves, the free tier and polling of queues that are
empty; times of functions are assumed. A REST API adds %.2f; an authorizer that is a function adds an
invocation where the gateway does not remember its answer.

`

// costOfEvents gives the bill of a million events.
func costOfEvents(t *testing.T) string {
	posted, handled := postedUnits(t), handledUnits(t)
	measured := fmt.Sprintf("- append: %v\n- a consumer's memory: %v\n", posted, handled)
	var folds []units
	for _, l := range loads {
		folds = append(folds, foldUnits(t, l, 1))
		measured += fmt.Sprintf("- fold, b=%d, c=%d: %v\n", l.batch, l.each, folds[len(folds)-1])
	}
	var text strings.Builder
	fmt.Fprintf(&text, priceHead, priceList(), measured, priceRESTRequest-priceHTTPRequest)
	text.WriteString("| V | the seed | logged | a read and a write, b=1 | esgen, b=1, c=1 | a read and a write, b=50 | esgen, b=50, c=2 | relay, 4 consumers, b=1 | b=50 |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, views := range []int{1, 3, 5} {
		fmt.Fprintf(&text, "| %d | %.2f | +%.0f |", views, seedDollars(views), seedLogs(views))
		for i, l := range loads {
			// What is measured of one view holds for each of several.
			if of := foldUnits(t, l, views); of != folds[i] {
				t.Errorf("%d views: a fold takes %v for each, one view %v", views, of, folds[i])
			}
			naive, ours := eventDollars(l, posted, units{1, 1}, views), eventDollars(l, posted, folds[i], views)
			if ours > naive {
				t.Errorf("%d views, batches of %d: esgen costs %.2f, a read and a write for each event %.2f", views, l.batch, ours, naive)
			}
			fmt.Fprintf(&text, " %.2f | %.2f |", naive, ours)
		}
		for _, l := range loads {
			fmt.Fprintf(&text, " +%.2f |", relayDollars(l, handled))
		}
		text.WriteString("\n")
	}
	return text.String()
}

func priceList() string {
	var text strings.Builder
	for _, p := range []struct {
		dollars float64
		of      string
	}{
		{priceHTTPRequest, "requests of an HTTP API"}, {priceRESTRequest, "requests of a REST API"},
		{priceInvocation, "invocations"}, {priceGBSecondARM, "gigabyte-seconds of a function on arm64"},
		{priceGBSecondX86, "gigabyte-seconds on x86 (the seed)"},
		{priceWriteUnit, "write units, W"}, {priceReadUnit, "read units, R"},
		{pricePublication, fmt.Sprintf("publications to a FIFO topic, and %g a gigabyte", pricePublishedGB)},
		{priceDelivery, fmt.Sprintf("deliveries from it to a queue, and %g a gigabyte", priceDeliveredGB)},
		{priceQueueRequest, "requests of a FIFO queue"},
	} {
		fmt.Fprintf(&text, "- %.3f a million %s\n", p.dollars, p.of)
	}
	return text.String()
}

// TestSeedsBill: the formula gives the numbers that were found for the seed.
func TestSeedsBill(t *testing.T) {
	for views, want := range map[int]string{1: "6.11 +2", 3: "10.84 +12", 5: "17.23 +30"} {
		if got := fmt.Sprintf("%.2f +%.0f", seedDollars(views), seedLogs(views)); got != want {
			t.Errorf("%d views: %s, want %s", views, got, want)
		}
	}
}

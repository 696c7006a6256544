package es_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	es "github.com/esgen/esgen/runtime"
)

const hotHead = `## A record that everything feeds

A view that is not keyed by the entity may have a record that all entities feed: a bank's total, a customer with
every order. A step of such a view is one transaction of the record and a marker for each entity of its events, 100
items at most, at two units for each item. The table says what one event takes when all events of a batch
name one record of up to 1 KB, each is of another entity, and record and markers exist. DynamoDB Local counts of a
transaction one item of each table; here all are counted.

%d at once are the projectors of so many shards of the stream; all have read before any writes, so each is
forestalled by all before it: the worst that so many can do. What is refused is counted as if it had been written.

AWS takes 1,000 write units a second for one item, whatever the table has. "Of the record" is how many of them an
event takes, "events a second" where that ends; of a record of n KB it is the n-th part. Small batches end earlier:
steps of one record pass one after the other, each a read and a transaction. What waits makes the batches
larger, up to 100 events in the generated stack.

`

// unitsOfOneItem is how many write units a second one item takes at AWS.
const unitsOfOneItem = 1000

// lockstep has workers write in rounds: none writes before all that are not done have asked for it, then
// all do, one after the other.
type lockstep struct {
	asked chan int // by which worker; its complement when it is done
	turns []chan struct{}
	wrote chan struct{}
}

func newLockstep(workers int) *lockstep {
	l := &lockstep{asked: make(chan int), wrote: make(chan struct{})}
	for range workers {
		l.turns = append(l.turns, make(chan struct{}))
	}
	return l
}

func (l *lockstep) run(work func(worker int)) {
	workers := len(l.turns)
	for i := range workers {
		go func() {
			work(i)
			l.asked <- ^i
		}()
	}
	for active := workers; active > 0; {
		var waiting []int
		for len(waiting) < active {
			if i := <-l.asked; i < 0 {
				active--
			} else {
				waiting = append(waiting, i)
			}
		}
		slices.Sort(waiting)
		for _, i := range waiting {
			l.turns[i] <- struct{}{}
			<-l.wrote
		}
	}
}

// lockedViews are the views of one worker.
type lockedViews struct {
	es.ViewStore
	worker int
	all    *lockstep
	units  *hotUnits
}

func (v lockedViews) Write(ctx context.Context, step es.Step) error {
	v.all.asked <- v.worker
	<-v.all.turns[v.worker]
	err := v.ViewStore.Write(ctx, step)
	v.units.add(&step, err)
	v.all.wrote <- struct{}{}
	return err
}

// hotUnits are the write units of steps, which write one after the other.
type hotUnits struct{ refused, all, ofTheRecord, largest int }

func (u *hotUnits) add(step *es.Step, err error) {
	const unitsOfATransaction = 2 // for each KB of an item
	if errors.Is(err, es.ErrConflict) {
		u.refused++
	}
	u.all += unitsOfATransaction * (len(step.Records) + len(step.Markers))
	u.ofTheRecord += unitsOfATransaction * len(step.Records)
	for _, r := range step.Records {
		u.largest = max(u.largest, len(r.Item.Payload))
	}
}

// costOfHotRecords measures the second event of each of many orders of one customer.
func costOfHotRecords(t *testing.T) string {
	var text strings.Builder
	fmt.Fprintf(&text, hotHead, hotWorkers)
	text.WriteString("| events in a batch | projectors | requests an event | read units | write units | of the record | events a second |\n|---|---|---|---|---|---|---|\n")
	for _, projectors := range []int{1, hotWorkers} {
		for _, size := range []int{1, 10, 100} {
			text.WriteString(costOfAHotRecord(t, projectors, size))
		}
	}
	return text.String()
}

func costOfAHotRecord(t *testing.T, projectors, size int) (row string) {
	m := newMetered(t, only(ordersModel(), "customer-summary"))
	n := projectors * size
	events := m.copies(2*n, n)
	m.project(events[:n])
	var u hotUnits
	l := newLockstep(projectors)
	var all []*es.Projector
	for i := range projectors {
		stores := m.stores
		stores.Views = lockedViews{stores.Views, i, l, &u}
		all = append(all, es.NewProjector(m.model, stores, es.ProjectorOptions{Logger: quiet()}))
		if _, _, err := all[i].Project(t.Context(), events[:1]); err != nil { // once more: nothing is written
			t.Fatal(err)
		}
	}
	requests := m.meter.row("", func() {
		l.run(func(i int) {
			batch := events[n+i*size : n+(i+1)*size]
			if _, retry, err := all[i].Project(t.Context(), batch); err != nil || retry != size {
				t.Errorf("a batch of %d: from %d on again: %v", size, retry, err)
			}
		})
	})
	if u.largest > 900 {
		t.Errorf("the record has %d bytes, and takes more than is counted", u.largest)
	}
	name := fmt.Sprint(projectors)
	if projectors > 1 {
		name += " at once"
	}
	each := func(v int) float64 { return float64(v) / float64(n) }
	return fmt.Sprintf("| %d | %s | %.4g | %.4g | %.4g | %.4g | %.0f |\n", size, name, each(requests+u.refused),
		m.meter.reads/float64(n), each(u.all), each(u.ofTheRecord), unitsOfOneItem/each(u.ofTheRecord))
}

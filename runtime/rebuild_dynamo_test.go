package es_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/dynamo"
	"github.com/esgen/esgen/runtime/dynamo/dynamotest"
)

type underFire struct{}

// Rebuilds on DynamoDB Local, two processes at once, over a connection that loses requests and
// answers, crash and go on, beside writers; what comes out is the fold of the history.
func TestRebuildOnDynamoDB(t *testing.T) {
	o := dynamotest.Options(t)
	first, second := ledgerModel(true), ledgerModel(true)
	for i := range second.Views {
		second.Views[i].Revision++
	}
	o.Tables = dynamo.TablesOf(first, "")
	o.Tables.Views = append(o.Tables.Views, dynamo.TablesOf(second, "").Views...)
	o.Attempts, o.MaxWait = 3, 5*time.Millisecond
	o.HTTPClient = newFlaky(4, 0.03, func(ctx context.Context) bool { return ctx.Value(underFire{}) != nil })
	store := dynamotest.Open(t, o)

	var mu sync.Mutex // of random and histories
	random := rand.New(rand.NewPCG(4, 4))
	histories := map[string][]es.Recorded{}
	pick := func(n int) int { mu.Lock(); defer mu.Unlock(); return random.IntN(n) }
	append1 := func(id string, a act) es.Recorded {
		mu.Lock()
		defer mu.Unlock()
		r := record(id, int64(len(histories[id]))+1, a, "")
		if occupant, err := store.Put(t.Context(), &r); err != nil || occupant != nil {
			t.Error(occupant, err)
		}
		histories[id] = append(histories[id], r)
		return r
	}
	const entities = 40
	old := es.NewProjector(first, store.Stores(), es.ProjectorOptions{Logger: quiet()})
	for i := range entities {
		id := fmt.Sprint("e", i)
		batch := []es.Recorded{append1(id, opened([]string{"ann", "bob"}[i%2], "red", "blue")), append1(id, added(int64(i)))}
		if _, _, err := old.Project(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := store.CountEvents(t.Context()); err != nil || n != 2*entities {
		t.Errorf("%d events, %v", n, err)
	}

	fire := context.WithValue(t.Context(), underFire{}, true)
	var live, rebuilds sync.WaitGroup
	stop := make(chan struct{})
	live.Go(func() {
		p := es.NewProjector(second, store.Stores(), es.ProjectorOptions{Logger: quiet()})
		for {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
				r := append1(fmt.Sprint("e", pick(entities)), act{kind: "Added", Owner: "ann", Keys: []string{"red"}, N: int64(pick(9))})
				_, _, _ = p.Project(fire, []es.Recorded{r}) // what fails is what a stream has lost
			}
		}
	})
	crashes := 0
	for process := range 2 {
		for _, v := range second.Views {
			rebuilds.Go(func() {
				for round := 0; ; round++ {
					ctx, crash := context.WithCancel(fire)
					if round < 3 {
						time.AfterFunc(time.Duration(20+pick(150))*time.Millisecond, crash)
					}
					p := es.NewProjector(second, store.Stores(), es.ProjectorOptions{Deployment: fmt.Sprint(process), Logger: quiet()})
					_, err := p.Rebuild(ctx, v.Name, es.RebuildOptions{Segments: 4, Parallel: 2, Alone: round%2 == 0})
					crash()
					if err == nil {
						return
					}
					mu.Lock()
					crashes++
					mu.Unlock()
				}
			})
		}
	}
	rebuilds.Wait()
	close(stop)
	live.Wait()
	if crashes == 0 {
		t.Error("no rebuild crashed: the test has shown nothing")
	}
	p := es.NewProjector(second, store.Stores(), es.ProjectorOptions{Logger: quiet()})
	if _, err := p.Reconcile(t.Context(), es.ReconcileOptions{Full: true}); err != nil {
		t.Fatal(err)
	}
	status, err := p.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range status {
		if s.Active != s.Revision || s.Rebuild.State != es.RebuildDone || s.Behind+s.Quarantined > 0 {
			t.Errorf("%+v", s)
		}
	}
	got, err := contents(t.Context(), store, second)
	if err != nil {
		t.Fatal(err)
	}
	if d := differences(got, expectLedger(histories, true)); d != "" {
		t.Error(d)
	}
	// The old revision stands as it stood, and goes when it is dropped.
	before := es.Table{View: "diary", Revision: 1}
	page, err := store.List(t.Context(), before, es.PageRequest{Limit: 100})
	if err != nil || len(page.Items) != entities {
		t.Errorf("the old revision has %d records, %v", len(page.Items), err)
	}
	if err := p.DropRevision(t.Context(), before); err != nil {
		t.Error(err)
	}
	if page, err = store.List(t.Context(), before, es.PageRequest{Limit: 100}); err != nil || len(page.Items) != 0 {
		t.Errorf("after the drop it has %d records, %v", len(page.Items), err)
	}
	// A program that was not told the table of its revision is deployed before the stack.
	o.Tables.Views = o.Tables.Views[:1]
	untold, err := dynamo.New(o)
	if err != nil {
		t.Fatal(err)
	}
	q := es.NewProjector(second, untold.Stores(), es.ProjectorOptions{Logger: quiet()})
	if _, err := q.Rebuild(t.Context(), "boards", es.RebuildOptions{}); err == nil {
		t.Error("a rebuild into a table that is not known")
	}
}

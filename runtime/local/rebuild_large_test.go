package local_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/bolt"
	"github.com/esgen/esgen/runtime/local"
)

// A rebuild of a service with writers beside it: what comes out is the fold of all histories, and
// its memory does not follow their length. ESGEN_REBUILD_EVENTS says how many events there are,
// 5,000 by default; the log has the figures. Of 1,000,000:
//
//	ESGEN_REBUILD_EVENTS=1000000 go test ./runtime/local -run RebuildBesideWriters -v -timeout 60m
func TestRebuildBesideWriters(t *testing.T) {
	events := 5000
	if n, err := strconv.Atoi(os.Getenv("ESGEN_REBUILD_EVENTS")); err == nil {
		events = n
	}
	fifth := rebuildBesideWriters(t, events/5)
	whole := rebuildBesideWriters(t, events)
	t.Logf("five times the history: %.2f times the memory", float64(whole)/float64(fifth))
	// What a rebuild holds is bounded by constants; garbage of the rest of the program comes on top.
	if most := 3*fifth + 32<<20; whole > most {
		t.Errorf("%d bytes at most were live with the long history, %d with a fifth of it", whole, fifth)
	}
}

func rebuildBesideWriters(t *testing.T, events int) (peak uint64) {
	path := storeFile(t)
	p := run(t, firstRevision(), "-store", path)
	post(t, p.url, "n0", "1", "t1")
	until(t, p.url+"/-/status", `"waiting":0`)
	p.end(t)
	entities := fillLarge(t, path, events)
	reading := readAll(t, path)

	p = run(t, secondRevision(), "-store", path)
	ctx, stop := context.WithCancel(t.Context())
	var written atomic.Int64
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := w; ctx.Err() == nil; i += 4 {
				body := fmt.Sprintf(`{"type":"Written","noteId":"n%d","text":"beside","tag":"t%d"}`, i*7919%entities, i%50)
				if answer, err := http.Post(p.url+"/", "application/json", strings.NewReader(body)); err == nil {
					_ = answer.Body.Close()
					written.Add(1)
				}
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	for _, view := range []string{"default", "tags"} {
		top := watchMemory()
		began, beside := time.Now(), written.Load()
		status, line := rebuild(t, p.url, "view="+view)
		took := time.Since(began)
		most := top()
		peak = max(peak, most)
		if status != 200 || line.Done == nil || line.Done.Active != 2 || line.Done.Events < int64(events) {
			t.Fatalf("%s: %d %+v", view, status, line)
		}
		t.Logf("%s: %d events of %d entities in %v, %.0f a second, %d written beside; reading and nothing else takes %v: %.1f times; at most %.1f MB live",
			view, line.Done.Events, line.Done.Entities, took.Round(time.Millisecond), float64(line.Done.Events)/took.Seconds(), written.Load()-beside,
			reading.Round(time.Millisecond), took.Seconds()/reading.Seconds(), float64(most)/(1<<20))
	}
	stop()
	writers.Wait()
	until(t, p.url+"/-/status", `"waiting":0,"views"`)
	p.end(t)
	checkLarge(t, path)
	return peak
}

func firstRevision() *es.Model {
	m := secondRevision()
	m.Views[0].Revision, m.Views[1].Revision = 1, 1
	return m
}

// fillLarge stores events of entities with ten each, but for one that has a tenth of all. The
// projector of the first revision is past them.
func fillLarge(t *testing.T, path string, events int) (entities int) {
	t.Helper()
	store, err := local.OpenStore(firstRevision(), path, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	entities = events * 9 / 100
	put := func(id string, version int) {
		occupant, err := store.Put(t.Context(), &es.Recorded{
			EntityID: id, Version: int64(version), EventID: fmt.Sprint("e", version), Type: "Written", Revision: 1,
			Time: time.Unix(int64(version), 0).UTC(), Payload: fmt.Sprintf(`{"text":"%d%s","tag":"t%d"}`, version, strings.Repeat("x", 100), version%50),
		})
		if err != nil || occupant != nil {
			t.Error(occupant, err)
		}
	}
	var next atomic.Int64
	var wait sync.WaitGroup
	for range 200 {
		wait.Go(func() {
			for i := int(next.Add(1)); i <= entities; i = int(next.Add(1)) {
				for v := range 10 {
					put(fmt.Sprint("n", i), v+1)
				}
			}
		})
	}
	wait.Wait()
	for v := 2; v <= events/10; v += 1 {
		if v%200 != 2 {
			continue
		}
		var some sync.WaitGroup // of one entity, in any order: the store does not mind
		for w := v; w < v+200 && w <= events/10; w++ {
			some.Go(func() { put("n0", w) })
		}
		some.Wait()
	}
	last, err := store.LastSeq()
	if err != nil {
		t.Fatal(err)
	}
	store.SetPosition("projector", last)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return entities
}

// readAll reads every event as a rebuild does, and does nothing with it.
func readAll(t *testing.T, path string) time.Duration {
	t.Helper()
	store, err := local.OpenStore(firstRevision(), path, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	began := time.Now()
	eachEvent(t, store, func(es.Recorded) {})
	return time.Since(began)
}

func eachEvent(t *testing.T, store *bolt.Store, do func(es.Recorded)) {
	t.Helper()
	for cursor := ""; ; {
		heads, next, err := store.Heads(t.Context(), 0, 1, cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range heads {
			for after, more := int64(0), true; more; {
				var events []es.Recorded
				if events, more, err = store.Read(t.Context(), h.EntityID, after, 500); err != nil {
					t.Fatal(err)
				}
				for _, e := range events {
					do(e)
					after = e.Version
				}
			}
		}
		if cursor = next; cursor == "" {
			return
		}
	}
}

// watchMemory samples how much of the heap is live or not yet collected, after a collection.
func watchMemory() (peak func() uint64) {
	runtime.GC()
	stop, most := make(chan struct{}), make(chan uint64)
	go func() {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		top := uint64(0)
		for {
			metrics.Read(sample)
			top = max(top, sample[0].Value.Uint64())
			select {
			case <-stop:
				most <- top
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	return func() uint64 { close(stop); return <-most }
}

// checkLarge counts the stored events, and compares.
func checkLarge(t *testing.T, path string) {
	t.Helper()
	store, err := local.OpenStore(secondRevision(), path, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	notes, tags := map[string]int64{}, map[string]int64{}
	last := map[string]string{}
	eachEvent(t, store, func(e es.Recorded) {
		text, tag, _ := strings.Cut(strings.TrimPrefix(e.Payload, `{"text":"`), `","tag":"`)
		notes[e.EntityID]++
		tags[strings.TrimSuffix(tag, `"}`)]++
		last[e.EntityID] = text
	})
	wrong := 0
	for id, n := range notes {
		item, err := store.Get(t.Context(), es.Table{View: "default", Revision: 2}, id, true)
		if want := fmt.Sprintf(`{"noteId":"%s","text":"%s","edits":%d}`, id, last[id], n); err != nil || item == nil || item.Payload != want {
			if wrong++; wrong < 5 {
				t.Errorf("%s: %+v, %v, want %s", id, item, err, want)
			}
		}
	}
	for tag, n := range tags {
		item, err := store.Get(t.Context(), es.Table{View: "tags", Revision: 2}, tag, true)
		if want := fmt.Sprintf(`{"tag":"%s","notes":%d}`, tag, n); err != nil || item == nil || item.Payload != want {
			t.Errorf("%s: %+v, %v, want %s", tag, item, err, want)
		}
	}
	t.Logf("%d records and %d shared ones equal the fold of %d events", len(notes)-wrong, len(tags), sum(notes))
}

func sum(counts map[string]int64) (n int64) {
	for _, c := range counts {
		n += c
	}
	return n
}

package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
)

var eventTests = []test{
	{"an unknown entity has nothing", func(t *testing.T, s es.Stores) {
		unknownEntity(t, s.Events, "nobody")
		put(t, s.Events, event("somebody", 1))
		unknownEntity(t, s.Events, "some")
		unknownEntity(t, s.Events, "somebody2")
		unknownEntity(t, s.Events, "somebodx")
		unknownEntity(t, s.Events, strings.Repeat("x", 5000))
	}},
	{"all fields come back", func(t *testing.T, s es.Stores) {
		full := event("a", 1)
		bare := &es.Recorded{EntityID: "a", Version: 2, EventID: "!", Type: "T", Revision: 1, Time: moment, Payload: "{}"}
		put(t, s.Events, full)
		put(t, s.Events, bare)
		head, err := s.Events.Head(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		sameEvent(t, "head", head, bare)
		first, err := s.Events.Lookup(t.Context(), "a", "e1")
		if err != nil {
			t.Fatal(err)
		}
		sameEvent(t, "lookup", first, full)
		all, more, err := s.Events.Read(t.Context(), "a", 0, 10)
		if err != nil || more || len(all) != 2 {
			t.Fatalf("read: %d events, more %v, %v", len(all), more, err)
		}
		sameEvent(t, "read", &all[0], full)
		sameEvent(t, "read", &all[1], bare)
	}},
	{"a time with an offset keeps its instant", func(t *testing.T, s es.Stores) {
		e := event("a", 1)
		e.Time = moment.In(time.FixedZone("", 5*3600))
		put(t, s.Events, e)
		head, err := s.Events.Head(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		sameEvent(t, "head", head, e)
	}},
	{"a taken slot returns its occupant and stays", occupants},
	{"lookup finds an event id within its entity only", lookups},
	{"ids keep apart", hostileEvents},
	{"read pages by limit", readPages},
	{"read pages by size", readLarge},
	{"sixteen writers, one slot each time", oneSlot},
	{"heads are complete and segments disjoint", heads},
	{"heads stay complete under writes", headsUnderWrites},
	{"heads of long histories are whole", longHeads},
	{"heads refuse foreign cursors", headsCursors},
	{"an event over the bound is refused for good", func(t *testing.T, s es.Stores) {
		e := event("a", 1)
		e.Payload = payload(512 << 10)
		if _, err := s.Events.Put(t.Context(), e); !errors.Is(err, es.ErrTooLarge) {
			t.Fatalf("put of 512 KiB: %v, want ErrTooLarge", err)
		}
		unknownEntity(t, s.Events, "a")
		e.Payload = payload(390 << 10)
		put(t, s.Events, e)
	}},
	{"a context that is done stops a call", func(t *testing.T, s es.Stores) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Events.Put(ctx, event("a", 1)); err == nil {
			t.Error("put with a done context succeeded")
		}
		if _, err := s.Events.Head(ctx, "a"); err == nil {
			t.Error("head with a done context succeeded")
		}
	}},
}

func unknownEntity(t *testing.T, s es.EventStore, id string) {
	t.Helper()
	if head, err := s.Head(t.Context(), id); head != nil || err != nil {
		t.Errorf("head of an unknown entity: %+v, %v", head, err)
	}
	if e, err := s.Lookup(t.Context(), id, "e1"); e != nil || err != nil {
		t.Errorf("lookup in an unknown entity: %+v, %v", e, err)
	}
	if events, more, err := s.Read(t.Context(), id, 0, 10); len(events) != 0 || more || err != nil {
		t.Errorf("read of an unknown entity: %d events, more %v, %v", len(events), more, err)
	}
}

func occupants(t *testing.T, s es.Stores) {
	mine := event("a", 1)
	put(t, s.Events, mine)
	// The same event again: the outcome of the first try was unknown.
	occupant, err := s.Events.Put(t.Context(), mine)
	if err != nil {
		t.Fatal(err)
	}
	sameEvent(t, "the event itself", occupant, mine)
	other := event("a", 1)
	other.EventID, other.Payload = "other", `{"other":true}`
	occupant, err = s.Events.Put(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	sameEvent(t, "another event", occupant, mine)
	if e, err := s.Events.Lookup(t.Context(), "a", "other"); e != nil || err != nil {
		t.Errorf("an event that lost its slot can be looked up: %+v, %v", e, err)
	}
	if events, _, err := s.Events.Read(t.Context(), "a", 0, 10); err != nil || len(events) != 1 {
		t.Errorf("%d events, %v, want one", len(events), err)
	}
}

func lookups(t *testing.T, s es.Stores) {
	ids := []string{"!", "~", "e", "E", "e/1", "e#1", "#", "/", strings.Repeat("z", 128), strings.Repeat("z", 127)}
	for i, id := range ids {
		e := event("a", int64(i+1))
		e.EventID = id
		put(t, s.Events, e)
	}
	same := event("b", 1)
	same.EventID = ids[3]
	put(t, s.Events, same)
	for i, id := range ids {
		e, err := s.Events.Lookup(t.Context(), "a", id)
		if err != nil || e == nil || e.Version != int64(i+1) || e.EventID != id {
			t.Errorf("lookup %q: %+v, %v", id, e, err)
		}
	}
	for _, id := range []string{"?", "e2", "", strings.Repeat("z", 126), strings.Repeat("z", 129)} {
		if e, err := s.Events.Lookup(t.Context(), "a", id); id != "" && (e != nil || err != nil) {
			t.Errorf("lookup of the unknown event id %q: %+v, %v", id, e, err)
		}
	}
	if e, err := s.Events.Lookup(t.Context(), "b", ids[0]); e != nil || err != nil {
		t.Errorf("an event id of another entity: %+v, %v", e, err)
	}
}

func hostileEvents(t *testing.T, s es.Stores) {
	// An id and an event id that, put together without care, read like another pair.
	for i, id := range hostile {
		for v := range int64(1 + i%3) {
			put(t, s.Events, event(id, v+1))
		}
	}
	for i, id := range hostile {
		want := int64(1 + i%3)
		head, err := s.Events.Head(t.Context(), id)
		if err != nil || head == nil || head.EntityID != id || head.Version != want {
			t.Errorf("head of %q: %+v, %v, want version %d", id, head, err, want)
		}
		events, more, err := s.Events.Read(t.Context(), id, 0, 100)
		if err != nil || more || int64(len(events)) != want {
			t.Errorf("read of %q: %d events, more %v, %v, want %d", id, len(events), more, err, want)
		}
		for v, e := range events {
			sameEvent(t, fmt.Sprintf("event of %q", id), &e, event(id, int64(v+1)))
		}
		if e, err := s.Events.Lookup(t.Context(), id, "e1"); err != nil || e == nil || e.EntityID != id {
			t.Errorf("lookup in %q: %+v, %v", id, e, err)
		}
	}
	checkHeads(t, s.Events, 3, hostile)
}

func readPages(t *testing.T, s es.Stores) {
	for v := range int64(10) {
		put(t, s.Events, event("a", v+1))
	}
	put(t, s.Events, event("a0", 1))
	for _, c := range []struct {
		after int64
		limit int
		want  int
		more  bool
	}{{0, 10, 10, false}, {0, 9, 9, true}, {0, 11, 10, false}, {9, 1, 1, false}, {8, 1, 1, true}, {10, 5, 0, false}, {11, 5, 0, false}, {1 << 62, 5, 0, false}} {
		events, more, err := s.Events.Read(t.Context(), "a", c.after, c.limit)
		if err != nil || len(events) != c.want || more != c.more {
			t.Errorf("read after %d, limit %d: %d events, more %v, %v; want %d, %v", c.after, c.limit, len(events), more, err, c.want, c.more)
		}
		for i, e := range events {
			if e.Version != c.after+int64(i)+1 {
				t.Errorf("read after %d: version %d in place %d", c.after, e.Version, i)
			}
		}
	}
}

func readLarge(t *testing.T, s es.Stores) {
	const n, size = 9, 300 << 10
	for v := range int64(n) {
		e := event("a", v+1)
		e.Payload = payload(size)
		put(t, s.Events, e)
	}
	var after int64
	for after < n {
		events, more, err := s.Events.Read(t.Context(), "a", after, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 || len(events) > 5 {
			t.Fatalf("a page after %d has %d events of 300 KiB, want about 1 MB", after, len(events))
		}
		for _, e := range events {
			if after++; e.Version != after || len(e.Payload) != size {
				t.Fatalf("version %d of %d bytes in place of %d of %d", e.Version, len(e.Payload), after, size)
			}
		}
		if !more {
			break
		}
	}
	if after != n {
		t.Errorf("read %d events, want %d", after, n)
	}
}

func oneSlot(t *testing.T, s es.Stores) {
	const writers, slots = 16, 8
	for slot := range int64(slots) {
		winners := make([]string, writers) // what each writer takes for the slot's event
		var won, wait sync.WaitGroup
		var mu sync.Mutex
		free := 0
		won.Add(1)
		for w := range writers {
			wait.Go(func() {
				won.Wait()
				e := event("a", slot+1)
				e.EventID = fmt.Sprintf("w%d-%d", w, slot)
				occupant, err := s.Events.Put(t.Context(), e)
				switch {
				case err != nil:
					t.Errorf("writer %d: %v", w, err)
				case occupant == nil:
					mu.Lock()
					free++
					mu.Unlock()
					winners[w] = e.EventID
				default:
					winners[w] = occupant.EventID
				}
			})
		}
		won.Done()
		wait.Wait()
		if free != 1 {
			t.Fatalf("%d writers got slot %d", free, slot+1)
		}
		for _, winner := range winners {
			if winner != winners[0] {
				t.Fatalf("slot %d: writers saw %q and %q", slot+1, winner, winners[0])
			}
		}
		head, err := s.Events.Head(t.Context(), "a")
		if err != nil || head == nil || head.Version != slot+1 || head.EventID != winners[0] {
			t.Fatalf("head after slot %d: %+v, %v", slot+1, head, err)
		}
		for w := range writers {
			id := fmt.Sprintf("w%d-%d", w, slot)
			if e, err := s.Events.Lookup(t.Context(), "a", id); err != nil || (e != nil) != (id == winners[0]) {
				t.Errorf("lookup %q: %+v, %v; the winner is %q", id, e, err, winners[0])
			}
		}
	}
}

// allHeads reads one segment to its end.
func allHeads(t *testing.T, s es.EventStore, segment, segments int) map[string]int64 {
	t.Helper()
	found := map[string]int64{}
	for cursor, pages := "", 0; ; pages++ {
		if pages == maxPages {
			t.Fatalf("heads %d of %d do not end", segment, segments)
		}
		page, next, err := s.Heads(t.Context(), segment, segments, cursor)
		if err != nil {
			t.Fatalf("heads %d of %d: %v", segment, segments, err)
		}
		for _, h := range page {
			if _, twice := found[h.EntityID]; twice {
				t.Errorf("heads %d of %d: %q twice", segment, segments, h.EntityID)
			}
			found[h.EntityID] = h.Version
		}
		if next == "" {
			return found
		}
		cursor = next
	}
}

// checkHeads checks that the segments together hold each of the ids once.
func checkHeads(t *testing.T, s es.EventStore, segments int, ids []string) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	for segment := range segments {
		for id, version := range allHeads(t, s, segment, segments) {
			if _, twice := all[id]; twice {
				t.Errorf("%q is in two of %d segments", id, segments)
			}
			all[id] = version
		}
	}
	for _, id := range ids {
		if _, ok := all[id]; !ok {
			t.Errorf("%q is in none of %d segments", id, segments)
		}
	}
	if len(all) != len(ids) {
		t.Errorf("%d entities in %d segments, want %d", len(all), segments, len(ids))
	}
	return all
}

func heads(t *testing.T, s es.Stores) {
	checkHeads(t, s.Events, 1, nil)
	checkHeads(t, s.Events, 4, nil)
	var ids []string
	var wait sync.WaitGroup
	for i := range 200 {
		id := fmt.Sprintf("entity-%d", i)
		ids = append(ids, id)
		wait.Go(func() {
			for v := range int64(1 + i%3) {
				if occupant, err := s.Events.Put(t.Context(), event(id, v+1)); occupant != nil || err != nil {
					t.Errorf("put %q: %v, %v", id, occupant, err)
				}
			}
		})
	}
	wait.Wait()
	for _, segments := range []int{1, 2, 7} {
		for id, version := range checkHeads(t, s.Events, segments, ids) {
			var i int
			_, _ = fmt.Sscanf(id, "entity-%d", &i)
			if version != int64(1+i%3) {
				t.Errorf("head of %q: version %d, want %d", id, version, 1+i%3)
			}
		}
	}
	for _, c := range [][2]int{{-1, 1}, {1, 1}, {0, 0}} {
		if _, _, err := s.Events.Heads(t.Context(), c[0], c[1], ""); err == nil {
			t.Errorf("heads %d of %d: no error", c[0], c[1])
		}
	}
}

func headsUnderWrites(t *testing.T, s es.Stores) {
	const n = 1200 // more than a page of any store
	var wait sync.WaitGroup
	for w := range 16 {
		wait.Go(func() {
			for i := w; i < n; i += 16 {
				if _, err := s.Events.Put(t.Context(), event(fmt.Sprintf("old-%04d", i), 1)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	found := map[string]int{}
	for cursor, page := "", 0; page < maxPages; page++ {
		heads, next, err := s.Events.Heads(t.Context(), 0, 1, cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range heads {
			found[h.EntityID]++
		}
		for i := range 3 {
			put(t, s.Events, event(fmt.Sprintf("new-%d-%d", page, i), 1))
			put(t, s.Events, event(fmt.Sprintf("old-%04d", 3*page+i), 2))
		}
		if next == "" {
			break
		}
		cursor = next
	}
	for i := range n {
		if id := fmt.Sprintf("old-%04d", i); found[id] != 1 {
			t.Errorf("%q was listed %d times", id, found[id])
		}
	}
}

// longHeads: the ids of one entity's events are more than a page of any store, and the last
// event has the least id.
func longHeads(t *testing.T, s es.Stores) {
	const n = 700
	long := strings.Repeat("\U0001F600", 256)
	ids := []string{long, "a", "b", "c", "d", "e", "f"}
	for _, id := range ids[1:] {
		put(t, s.Events, event(id, 1))
	}
	var wait sync.WaitGroup
	for w := range 16 {
		wait.Go(func() {
			for v := int64(w + 1); v <= n; v += 16 {
				e := event(long, v)
				e.EventID = fmt.Sprintf("%04d-%s", n-v, strings.Repeat("x", 1000))
				if _, err := s.Events.Put(t.Context(), e); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	for _, segments := range []int{1, 3} {
		for id, version := range checkHeads(t, s.Events, segments, ids) {
			if id == long && version != n || id != long && version != 1 {
				t.Errorf("head of %.5q in %d segments: version %d", id, segments, version)
			}
		}
	}
}

func headsCursors(t *testing.T, s es.Stores) {
	put(t, s.Events, event("a", 1))
	for _, cursor := range []string{"x", "!", "AAAAAAAAAAA", strings.Repeat("A", 5000), "\x00", "é"} {
		if _, _, err := s.Events.Heads(t.Context(), 0, 1, cursor); !errors.Is(err, es.ErrCursor) {
			t.Errorf("heads from the cursor %.20q: %v, want ErrCursor", cursor, err)
		}
	}
}

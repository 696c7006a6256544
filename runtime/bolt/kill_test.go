package bolt_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/bolt"
)

// killChild names the environment variable that makes this test binary the child of the
// kill test: its value is the store, and the name of the round after it.
const killChild = "ESGEN_BOLT_KILL_CHILD"

func TestMain(m *testing.M) {
	if spec := os.Getenv(killChild); spec != "" {
		appendUntilKilled(spec)
	}
	os.Exit(m.Run())
}

const killWriters = 4

// appendUntilKilled writes without end, and a line to standard output for each event
// that the store has acknowledged.
func appendUntilKilled(spec string) {
	path, round, _ := strings.Cut(spec, "|")
	s, err := bolt.Open(path, bolt.Options{Timeout: 5 * time.Second, Readers: killReaders})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	var out sync.Mutex
	var wait sync.WaitGroup
	for w := range killWriters {
		wait.Go(func() {
			id := fmt.Sprintf("r%s-w%d", round, w)
			for v := int64(1); ; v++ {
				e := event(id, v)
				e.Payload = `{"x":"` + strings.Repeat("x", int(v*997%5000)) + `"}`
				occupant, err := s.Put(context.Background(), e)
				if err == nil && occupant == nil {
					item := es.Item{Key: id, Guard: v, Payload: e.Payload, Entries: []es.IndexEntry{{Index: "i", Key: "k", Sort: []byte(strconv.FormatInt(v%7, 10))}}}
					err = s.Write(context.Background(), es.Step{Table: table, Records: []es.ItemWrite{{Was: v - 1, Item: item}}})
				}
				if err != nil || occupant != nil {
					fmt.Println("error", err, occupant)
					os.Exit(1)
				}
				s.SetPosition("reader", uint64(v))
				out.Lock()
				fmt.Println(id, v)
				out.Unlock()
			}
		})
	}
	wait.Wait()
}

var (
	table       = es.Table{View: "v", Revision: 1}
	killReaders = []bolt.Reader{{Name: "reader", View: "v"}}
)

// TestKill kills a process that appends under load, at random moments also while it
// creates the file, and looks for every event that was acknowledged.
// ESGEN_KILL_ROUNDS sets the rounds, 30 by default.
func TestKill(t *testing.T) {
	rounds := 30
	if n, err := strconv.Atoi(os.Getenv("ESGEN_KILL_ROUNDS")); err == nil {
		rounds = n
	} else if testing.Short() {
		rounds = 3
	}
	path, files, acknowledged := "", 0, 0
	for round := range rounds {
		if round%5 == 0 { // a fresh file now and then
			files++
			path = filepath.Join(t.TempDir(), fmt.Sprintf("store-%d.db", files))
		}
		// Every fifth round counts from the start of the process, and may end before the file is
		// complete; the others from the first event, so that they end under load on any machine.
		delay := time.Duration(rand.Int64N(int64(120 * time.Millisecond)))
		checkAcknowledged(t, path, counted(&acknowledged, runAndKill(t, path, round, delay, round%5 == 0)))
	}
	if acknowledged == 0 {
		t.Error("no event was acknowledged before a kill: the test has shown nothing")
	}
	t.Logf("%d events acknowledged in %d rounds", acknowledged, rounds)
}

func counted(total *int, acknowledged map[string]int64) map[string]int64 {
	for _, last := range acknowledged {
		*total += int(last)
	}
	return acknowledged
}

// runAndKill returns the last version that was acknowledged, by entity.
func runAndKill(t *testing.T, path string, round int, delay time.Duration, fromStart bool) map[string]int64 {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), fmt.Sprintf("%s=%s|%d", killChild, path, round))
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var timer *time.Timer
	defer func() {
		if timer != nil {
			timer.Stop()
		}
	}()
	acknowledged := map[string]int64{}
	lines := bufio.NewScanner(out)
	for {
		if timer == nil && (fromStart || len(acknowledged) > 0) {
			timer = time.AfterFunc(delay, func() { _ = child.Process.Kill() })
		}
		if !lines.Scan() {
			break
		}
		id, version, _ := strings.Cut(lines.Text(), " ")
		v, err := strconv.ParseInt(version, 10, 64)
		if err != nil {
			t.Fatalf("round %d: the child says %q", round, lines.Text())
		}
		acknowledged[id] = v
	}
	_ = child.Wait() // killed
	return acknowledged
}

func checkAcknowledged(t *testing.T, path string, acknowledged map[string]int64) {
	t.Helper()
	s, err := bolt.Open(path, bolt.Options{Readers: killReaders})
	if err != nil {
		t.Fatalf("after the kill: %v", err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	for id, last := range acknowledged {
		for v := int64(0); ; {
			events, more, err := s.Read(t.Context(), id, v, 1000)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				if v++; e.Version != v {
					t.Fatalf("%s: version %d in place %d", id, e.Version, v)
				}
				if found, err := s.Lookup(t.Context(), id, e.EventID); err != nil || found == nil || found.Version != v {
					t.Fatalf("%s: lookup of version %d: %+v, %v", id, v, found, err)
				}
			}
			if !more {
				if v < last {
					t.Fatalf("%s: %d events, %d were acknowledged", id, v, last)
				}
				break
			}
		}
		item, err := s.Get(t.Context(), table, id, true)
		if err != nil || item == nil || item.Guard < last {
			t.Fatalf("%s: record %+v, %v, %d was acknowledged", id, item, err, last)
		}
		page, err := s.Query(t.Context(), table, "i", "k", true, es.PageRequest{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, i := range page.Items {
			if i.Key == id {
				n++
			}
		}
		if n != 1 {
			t.Fatalf("%s: %d times in the index", id, n)
		}
	}
	checkFeed(t, s)
}

// checkFeed checks that the feed has each event once, without holes and in order.
func checkFeed(t *testing.T, s *bolt.Store) {
	t.Helper()
	versions, seq := map[string]int64{}, uint64(0)
	for {
		page, err := s.Feed(t.Context(), seq, 500)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, a := range page {
			if seq++; a.Seq != seq {
				t.Fatalf("sequence number %d in place %d", a.Seq, seq)
			}
			if versions[a.Event.EntityID]++; a.Event.Version != versions[a.Event.EntityID] {
				t.Fatalf("%q: version %d of the feed in place %d", a.Event.EntityID, a.Event.Version, versions[a.Event.EntityID])
			}
		}
	}
	if last, err := s.LastSeq(); err != nil || last != seq {
		t.Errorf("last sequence number %d, %v; the feed ends at %d", last, err, seq)
	}
	for id, version := range versions {
		if head, err := s.Head(t.Context(), id); err != nil || head == nil || head.Version != version {
			t.Errorf("%q: the feed ends at version %d, the head is %+v, %v", id, version, head, err)
		}
	}
}

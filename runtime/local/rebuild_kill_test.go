package local_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/bolt"
	"github.com/esgen/esgen/runtime/internal/notes"
	"github.com/esgen/esgen/runtime/local"
)

// childRebuild makes this test binary a process that rebuilds both views of the notes service, with
// a writer beside it; the value of the variable is the store.
const childRebuild = "ESGEN_LOCAL_TEST_REBUILD"

func secondRevision() *es.Model {
	m := notes.Model("")
	m.Views[0].Revision, m.Views[1].Revision = 2, 2
	return m
}

func openForRebuild(path string) (*bolt.Store, *local.Operations, error) {
	m := secondRevision()
	store, err := local.OpenStore(m, path, 5*time.Second)
	if err != nil {
		return nil, nil, err
	}
	ops, err := local.NewOperations(m, store, path, slog.New(slog.DiscardHandler))
	return store, ops, err
}

// rebuildUntilKilled ends with 0 when both views are complete.
func rebuildUntilKilled(path string) int {
	store, ops, err := openForRebuild(path)
	if err == nil {
		ctx, stop := context.WithCancel(context.Background())
		var writer sync.WaitGroup
		writer.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				_ = appendNote(ctx, store, fmt.Sprint("n", i%killedNotes))
				time.Sleep(time.Millisecond)
			}
		})
		for _, view := range []string{"default", "tags"} {
			if err == nil {
				_, err = ops.Rebuild(ctx, view, es.RebuildOptions{Rate: 20_000})
			}
		}
		stop()
		writer.Wait()
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 2
	}
	return 0
}

const killedNotes = 1500

func appendNote(ctx context.Context, store *bolt.Store, id string) error {
	head, err := store.Head(ctx, id)
	if err != nil {
		return err
	}
	version := int64(1)
	if head != nil {
		version = head.Version + 1
	}
	_, err = store.Put(ctx, &es.Recorded{
		EntityID: id, Version: version, EventID: fmt.Sprint("e", version), Type: "Written", Revision: 1,
		Time: time.Unix(version, 0).UTC(), Payload: fmt.Sprintf(`{"text":"%d","tag":"t%d"}`, version, version%50),
	})
	return err
}

// TestRebuildKilled kills a rebuild again and again; it goes on where it stopped, and what comes out
// is the fold of the history. ESGEN_KILL_ROUNDS sets how often.
func TestRebuildKilled(t *testing.T) {
	kills := 12
	if n, err := strconv.Atoi(os.Getenv("ESGEN_KILL_ROUNDS")); err == nil {
		kills = n
	} else if testing.Short() {
		kills = 2
	}
	path := storeFile(t)
	p := run(t, notes.Model(""), "-store", path)
	post(t, p.url, "n0", "1", "t1")
	until(t, p.url+"/n0", `"version":1`)
	p.end(t)
	fill(t, path)

	killed := 0
	for round := 0; ; round++ {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childRebuild+"="+path)
		child.Stderr = os.Stderr
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		var timer *time.Timer
		if round < kills {
			timer = time.AfterFunc(time.Duration(20+rand.IntN(120))*time.Millisecond, func() { _ = child.Process.Kill() })
		}
		err := child.Wait()
		if timer != nil {
			timer.Stop()
		}
		if code := child.ProcessState.ExitCode(); code == 0 {
			break
		} else if code != -1 {
			t.Fatalf("round %d: %v", round, err)
		}
		killed++
		checkRevision(t, path, 1)
	}
	t.Logf("killed %d times", killed)
	if killed == 0 {
		t.Error("nothing was killed: the test has shown nothing")
	}
	checkRevision(t, path, 2)
	checkRebuilt(t, path)
}

func fill(t *testing.T, path string) {
	t.Helper()
	store, _, err := openForRebuild(path)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for w := range 16 {
		wait.Go(func() {
			for i := w; i < killedNotes; i += 16 {
				for range 3 {
					if err := appendNote(t.Context(), store, fmt.Sprint("n", i)); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wait.Wait()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

// checkRevision checks which revision readers of the second view get: the last to be rebuilt.
func checkRevision(t *testing.T, path string, want int) {
	t.Helper()
	store, ops, err := openForRebuild(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	status, err := ops.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if v := status.Views[1]; v.Active != want {
		t.Fatalf("readers get revision %d, want %d: %+v", v.Active, want, v.Rebuild)
	}
}

// checkRebuilt compares both views with a count of the stored events, of which those of the
// writer that came last wait for the projector.
func checkRebuilt(t *testing.T, path string) {
	t.Helper()
	p := run(t, secondRevision(), "-store", path)
	until(t, p.url+"/-/status", `"waiting":0,"views"`)
	p.end(t)
	store, _, err := openForRebuild(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	tags := map[string]int64{}
	for i := range killedNotes {
		id := fmt.Sprint("n", i)
		events, _, err := store.Read(t.Context(), id, 0, 1000)
		if err != nil || len(events) < 3 {
			t.Fatalf("%s: %d events, %v", id, len(events), err)
		}
		for _, e := range events {
			tags[fmt.Sprintf("t%d", e.Version%50)]++
		}
		item, err := store.Get(t.Context(), es.Table{View: "default", Revision: 2}, id, true)
		want := fmt.Sprintf(`{"noteId":"%s","text":"%s","edits":%d}`, id, lastText(events), len(events))
		if err != nil || item == nil || item.Payload != want || item.Version != int64(len(events)) {
			t.Fatalf("%s: %+v, %v, want %s", id, item, err, want)
		}
	}
	for tag, n := range tags {
		item, err := store.Get(t.Context(), es.Table{View: "tags", Revision: 2}, tag, true)
		if err != nil || item == nil || item.Payload != fmt.Sprintf(`{"tag":"%s","notes":%d}`, tag, n) {
			t.Fatalf("%s: %+v, %v, want %d", tag, item, err, n)
		}
	}
}

func lastText(events []es.Recorded) string { return fmt.Sprint(events[len(events)-1].Version) }

package ops_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/notes"
	"github.com/esgen/esgen/runtime/local"
	"github.com/esgen/esgen/runtime/ops"
)

// serve runs a local program until the returned function is called.
func serve(t *testing.T, m *es.Model, store string) (url string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	var log bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- local.Run(ctx, m, []string{"-addr", "127.0.0.1:0", "-store", store}, strings.NewReader(""), in, &log)
		_ = in.Close()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal("the program did not start")
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if status := <-ended; status != 0 {
			t.Errorf("the program ended with %d\n%s", status, &log)
		}
	}
	t.Cleanup(stop)
	return strings.TrimSpace(line), stop
}

func post(t *testing.T, url, id, text string) {
	t.Helper()
	answer, err := http.Post(url+"/", "application/json", strings.NewReader(`{"type":"Written","noteId":"`+id+`","text":"`+text+`","tag":"red"}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != 201 {
		t.Fatalf("POST: %s", answer.Status)
	}
}

func run(t *testing.T, m *es.Model, store string, args ...string) (status int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = ops.Run(t.Context(), m, nil, append([]string{"-store", store}, args...), &stdout, &stderr)
	return status, stdout.String(), stderr.String()
}

// waitFor runs an operation until it says something.
func waitFor(t *testing.T, m *es.Model, store, want string, args ...string) {
	t.Helper()
	var status int
	var out, errs string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if status, out, errs = run(t, m, store, args...); strings.Contains(out, want) {
			return
		}
	}
	t.Fatalf("%q: status %d\n%s%s\nwant %q", args, status, out, errs, want)
}

// Operations do the same through a running program and on the file.
func TestOperations(t *testing.T) {
	store := filepath.Join(t.TempDir(), "store.db")
	bad, good := notes.Model("bad"), notes.Model("")
	url, stop := serve(t, bad, store)
	post(t, url, "n1", "fine")
	post(t, url, "n1", "bad")
	post(t, url, "n2", "fine")
	post(t, url, "-n", "bad")
	waitFor(t, bad, store, `"waiting": 0`, "status", "-json")
	waitFor(t, bad, store, "n1", "quarantine", "list")

	check := func(t *testing.T, m *es.Model, running bool) {
		for _, c := range []struct {
			args   []string
			status int
			want   []string
		}{
			{[]string{"status"}, 0, []string{"notes", "4, 0 of them", "default", "tags", "default cannot fold 2 entities, since 2", "mostly: ", "this text cannot be folded",
				"  esgen quarantine list default --store " + store, "  esgen quarantine retry default --store " + store}},
			{[]string{"status", "--json"}, 0, []string{`"service": "notes"`, `"quarantined": 2`, `"events": 4`}},
			{[]string{"quarantine", "list"}, 0, []string{"n1", "-n", "REASON"}},
			{[]string{"quarantine", "list", "tags"}, 0, []string{"nothing is in quarantine"}},
			{[]string{"--json", "quarantine", "list", "default"}, 0, []string{`"entity": "n1"`, `"version": 2`}},
			{[]string{"quarantine", "retry"}, 1, []string{"still in quarantine 2"}},
			{[]string{"quarantine", "retry", "default"}, 1, []string{"looked at 2, folded 0 events, released 0, still in quarantine 2"}},
			{[]string{"quarantine", "retry", "tags"}, 0, []string{"looked at 0"}},
			{[]string{"quarantine", "retry", "default", "n1"}, 1, []string{"still in quarantine 1"}},
			{[]string{"quarantine", "retry", "--json", "--", "default", "-n"}, 1, []string{`"quarantined": 1`}},
			{[]string{"reconcile"}, 0, nil},
			{[]string{"quarantine", "list", "nonsense"}, 2, []string{"nonsense"}},
			{[]string{"quarantine", "retry", "default", "nobody"}, 2, []string{"nobody"}},
			{[]string{"quarantine", "retry", "default", "n2"}, 2, []string{"n2"}},
			{[]string{"quarantine"}, 2, []string{"usage"}},
			{[]string{"nonsense"}, 2, []string{"usage"}},
			{nil, 2, []string{"usage"}},
			{[]string{"status", "-nonsense"}, 2, []string{"nonsense"}},
		} {
			status, out, errs := run(t, m, store, c.args...)
			if c.args != nil && c.args[0] == "reconcile" {
				status = c.status // whether it looks at what is held is the projector's
			}
			if status != c.status {
				t.Errorf("%q: status %d, want %d\n%s%s", c.args, status, c.status, out, errs)
			}
			for _, want := range c.want {
				if status < 2 && !strings.Contains(out, want) || !strings.Contains(out+errs, want) {
					t.Errorf("%q: %s%s\nwant %q", c.args, out, errs, want)
				}
			}
		}
		_, out, _ := run(t, m, store, "status")
		if strings.Contains(out, "running at "+url) != running {
			t.Errorf("running is %v, but: %s", running, out)
		}
	}
	t.Run("running", func(t *testing.T) { check(t, bad, true) })
	stop()
	t.Run("on the file", func(t *testing.T) { check(t, bad, false) })

	// Code that can fold it.
	for _, args := range [][]string{{"quarantine", "retry", "default", "n1"}, {"quarantine", "retry"}} {
		status, out, errs := run(t, good, store, args...)
		if status != 0 || !strings.Contains(out, "released 1") {
			t.Errorf("%q with mended code: %d %s%s", args, status, out, errs)
		}
	}
	_, out, _ := run(t, good, store, "quarantine", "list")
	if !strings.Contains(out, "nothing") {
		t.Errorf("after the retry: %s", out)
	}
	if _, out, _ = run(t, good, store, "quarantine", "list", "-json"); !json.Valid([]byte(out)) || !strings.Contains(out, `"items": []`) {
		t.Errorf("an empty list: %s", out)
	}
}

func TestWithoutStore(t *testing.T) {
	store := filepath.Join(t.TempDir(), "none", "store.db")
	status, _, errs := run(t, notes.Model(""), store, "status")
	if status != 2 || !strings.Contains(errs, store) {
		t.Errorf("status %d, %q", status, errs)
	}
	if _, err := os.Stat(store); !os.IsNotExist(err) {
		t.Errorf("a store was made: %v", err)
	}
}

// An address that a crash left behind misleads nobody.
func TestStaleAddress(t *testing.T) {
	store := filepath.Join(t.TempDir(), "store.db")
	url, stop := serve(t, notes.Model(""), store)
	post(t, url, "n1", "fine")
	stop()
	if err := os.WriteFile(local.AddressFile(store), []byte(url+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, out, errs := run(t, notes.Model(""), store, "status"); status != 0 || strings.Contains(out, url) {
		t.Errorf("status %d, %s%s", status, out, errs)
	}
}

// Who is woken by a view that is behind is told for how long, and what to do.
func TestStatusOfWhatIsBehind(t *testing.T) {
	path, m := filepath.Join(t.TempDir(), "store.db"), notes.Model("")
	store, err := local.OpenStore(m, path, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.Put(t.Context(), &es.Recorded{
		EntityID: "n1", Version: 1, EventID: "e1", Type: "Written", Revision: 1, Time: time.Now().Add(-time.Hour), Payload: `{"text":"fine","tag":"red"}`,
	})
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	status, out, _ := run(t, m, path, "status")
	for _, want := range []string{"1, oldest event 1h0m", "default has been behind for 1h0m", "esgen reconcile --full --store " + path} {
		if status != 0 || !strings.Contains(out, want) {
			t.Errorf("status %d does not say %q: %s", status, want, out)
		}
	}
	if _, out, errs := run(t, m, path, "reconcile", "-full"); !strings.Contains(out, "folded 2 events") {
		t.Errorf("reconcile: %s%s", out, errs)
	}
	if _, out, _ := run(t, m, path, "status"); strings.Contains(out, "behind for") {
		t.Errorf("after that: %s", out)
	}
}

package local_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/notes"
	"github.com/esgen/esgen/runtime/local"
)

// childStore makes this test binary a local program of the notes service: the
// value of the variable is the store.
const childStore = "ESGEN_LOCAL_TEST_STORE"

func TestMain(m *testing.M) {
	if store := os.Getenv(childStore); store != "" {
		os.Exit(local.Run(context.Background(), notes.Model(""), []string{"-addr", "127.0.0.1:0", "-store", store}, os.Stdin, os.Stdout, os.Stderr))
	}
	if store := os.Getenv(childRebuild); store != "" {
		os.Exit(rebuildUntilKilled(store))
	}
	os.Exit(m.Run())
}

// program is a local program within the test.
type program struct {
	url   string
	stop  context.CancelFunc
	ended chan int // the exit status
	log   *buffer
}

// buffer is written by the program and read by the test.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func run(t *testing.T, m *es.Model, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	p := &program{stop: cancel, ended: make(chan int, 1), log: &buffer{}}
	go func() {
		p.ended <- local.Run(ctx, m, append([]string{"-addr", "127.0.0.1:0"}, args...), strings.NewReader(""), in, p.log)
		_ = in.Close()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the program did not start: %v\n%s", err, p.log)
	}
	p.url = strings.TrimSpace(line)
	t.Cleanup(func() { p.end(t) })
	return p
}

// end stops the program and checks that it ended well.
func (p *program) end(t *testing.T) {
	t.Helper()
	p.stop()
	select {
	case status, ok := <-p.ended:
		if ok && status != 0 {
			t.Errorf("the program ended with status %d\n%s", status, p.log)
		}
		if ok {
			close(p.ended)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the program does not end")
	}
}

func storeFile(t *testing.T) string { return filepath.Join(t.TempDir(), "local", "store.db") }

// call makes a request and returns status and body.
func call(t *testing.T, method, url, body string, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		if r.Header.Set(header[i], header[i+1]); header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func post(t *testing.T, base, id, text, tag string) {
	t.Helper()
	body, _ := json.Marshal(map[string]string{"type": "Written", "noteId": id, "text": text, "tag": tag})
	if status, answer := call(t, "POST", base+"/", string(body)); status != 201 {
		t.Fatalf("POST of %q: %d %s", id, status, answer)
	}
}

// until polls a URL until its answer holds a text: views follow events by and by.
func until(t *testing.T, url, want string) {
	t.Helper()
	var status int
	var body string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if status, body = call(t, "GET", url, ""); strings.Contains(body, want) {
			return
		}
	}
	t.Fatalf("GET %s: %d %s\nwant %s", url, status, body, want)
}

func TestServes(t *testing.T) {
	store := storeFile(t)
	p := run(t, notes.Model(""), "-store", store)
	if status, body := call(t, "GET", p.url+"/-/health", ""); status != 200 {
		t.Errorf("health: %d %s", status, body)
	}
	post(t, p.url, "n1", "hello", "red")
	post(t, p.url, "n1", "hello again", "red")
	post(t, p.url, "n2", "other", "blue")
	until(t, p.url+"/n1", `"edits":2`)
	until(t, p.url+"/tags/red", `"notes":2`)
	until(t, p.url+"/?limit=10", `"n2"`)
	if status, body := call(t, "GET", p.url+"/n1?minVersion=2", ""); status != 200 || !strings.Contains(body, "hello again") {
		t.Errorf("at least version 2: %d %s", status, body)
	}
	if status, body := call(t, "GET", p.url+"/events/n1", ""); status != 200 || strings.Contains(body, "actor") {
		t.Errorf("history: %d %s", status, body)
	}
	checkHead(t, p.url+"/n1")
	checkHead(t, p.url+"/tags?limit=1")
	for path, want := range map[string]int{"/-/nothing": 404, "/-/": 404, "/-/quarantine/retry": 405, "/-/reconcile": 405} {
		if status, body := call(t, "GET", p.url+path, ""); status != want || !strings.Contains(body, `"requestId"`) {
			t.Errorf("GET %s: %d %s, want %d", path, status, body, want)
		}
	}
	address, err := os.ReadFile(local.AddressFile(store))
	if err != nil || strings.TrimSpace(string(address)) != p.url {
		t.Errorf("address file: %q, %v, want %q", address, err, p.url)
	}
	p.end(t)
	if _, err := os.Stat(local.AddressFile(store)); !os.IsNotExist(err) {
		t.Errorf("the address file is left behind: %v", err)
	}
	p = run(t, notes.Model(""), "-store", store)
	if status, body := call(t, "GET", p.url+"/n1", ""); status != 200 || !strings.Contains(body, `"version":2`) {
		t.Errorf("after a restart: %d %s", status, body)
	}
}

// checkHead compares HEAD with GET.
func checkHead(t *testing.T, url string) {
	t.Helper()
	get, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(get.Body)
	_ = get.Body.Close()
	head, headErr := http.Head(url)
	if err != nil || headErr != nil {
		t.Fatal(err, headErr)
	}
	_ = head.Body.Close()
	if head.StatusCode != get.StatusCode || head.ContentLength != int64(len(body)) || head.Header.Get("ETag") != get.Header.Get("ETag") {
		t.Errorf("HEAD %s: %d, length %d; GET: %d, length %d", url, head.StatusCode, head.ContentLength, get.StatusCode, len(body))
	}
	if id := get.Header.Get("X-Request-Id"); len(id) != 36 {
		t.Errorf("GET %s: request id %q", url, id)
	}
}

// Ids that paths do not promise are read in the query; what a path decodes to is
// decoded once.
func TestPaths(t *testing.T) {
	p := run(t, notes.Model(""), "-store", storeFile(t))
	for i, id := range []string{"a/b", "a?b", "a#b", "a%b", "a%2Fb", "a+b", "a b", "é", "a&b=c", "..", ".", "-", "-/health", "default", "tags", "events", "\"", "日本", "a\x00b", "a//b"} {
		text := fmt.Sprintf("text-%d", i)
		post(t, p.url, id, text, "")
		for _, path := range []string{"/default?id=", "/events?id="} {
			until(t, p.url+path+url.QueryEscape(id), text)
		}
		if strings.ContainsAny(id, "/") || id == "." || id == ".." {
			continue
		}
		until(t, p.url+"/default/"+url.PathEscape(id), text)
		until(t, p.url+"/events/"+url.PathEscape(id), text)
	}
	if status, body := call(t, "GET", p.url+"//", ""); status != 404 && status != 400 {
		t.Errorf("GET //: %d %s", status, body)
	}
}

func TestForeignRequests(t *testing.T) {
	p := run(t, notes.Model(""), "-store", storeFile(t))
	port := p.url[strings.LastIndex(p.url, ":")+1:]
	body := `{"type":"Written","noteId":"n","text":"t"}`
	for _, c := range []struct {
		header []string
		ok     bool
	}{
		{nil, true},
		{[]string{"Host", "localhost:" + port}, true},
		{[]string{"Host", "LOCALHOST"}, true},
		{[]string{"Host", "[::1]:" + port}, true},
		{[]string{"Host", "127.0.0.1"}, true},
		{[]string{"Origin", "http://localhost:3000"}, true},
		{[]string{"Origin", "https://127.0.0.1"}, true},
		{[]string{"Host", "evil.example"}, false},
		{[]string{"Host", "evil.example:" + port}, false},
		{[]string{"Host", "localhost.evil.example"}, false},
		{[]string{"Host", "127.0.0.1.evil.example"}, false},
		{[]string{"Host", "0.0.0.0"}, false},
		{[]string{"Host", "192.168.0.1:" + port}, false},
		{[]string{"Origin", "https://evil.example"}, false},
		{[]string{"Origin", "null"}, false},
		{[]string{"Origin", "http://localhost.evil.example"}, false},
		{[]string{"Origin", "http://evil.example@localhost@x"}, false},
		{[]string{"Origin", "file://localhost"}, false},
	} {
		for _, request := range [][3]string{{"GET", "/-/health", ""}, {"POST", "/", body}, {"GET", "/-/status", ""}, {"POST", "/-/reconcile", ""}} {
			status, answer := call(t, request[0], p.url+request[1], request[2], c.header...)
			if ok := status < 300; ok != c.ok || !ok && status != 403 {
				t.Errorf("%s %s with %q: %d %s", request[0], request[1], c.header, status, answer)
			}
		}
	}
}

func TestBodies(t *testing.T) {
	p := run(t, notes.Model(""), "-store", storeFile(t))
	large := func(n int) string {
		frame := `{"type":"Written","noteId":"large","text":""}`
		return strings.Replace(frame, `""`, `"`+strings.Repeat("x", n-len(frame))+`"`, 1)
	}
	for _, c := range []struct {
		name, body string
		want       int
	}{
		{"over 1 MB", large(1<<20 + 1), 413},
		{"far over 1 MB", large(20 << 20), 413},
		{"1 MB, over what an item takes", large(1 << 20), 413},
		{"300 KiB", large(300 << 10), 201},
		{"empty", " ", 400},
		{"half", `{"type":"Written","noteId":"half","text":"`, 400},
	} {
		// A body that is refused may be cut off while it is sent.
		r, err := http.NewRequest("POST", p.url+"/", strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Expect", "100-continue")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			if c.want == 413 && len(c.body) > 2<<20 {
				continue
			}
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		_ = answer.Body.Close()
		if answer.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", c.name, answer.StatusCode, c.want)
		}
	}
	if status, body := call(t, "GET", p.url+"/events?id=half", ""); status != 404 {
		t.Errorf("something of a bad body is stored: %d %s", status, body)
	}
}

// A client that sends part of a body and goes leaves nothing behind.
func TestBodyThatEndsEarly(t *testing.T) {
	p := run(t, notes.Model(""), "-store", storeFile(t))
	out, in := io.Pipe()
	r, err := http.NewRequest("POST", p.url+"/", out)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.ContentLength = 1000
	go func() {
		_, _ = io.WriteString(in, `{"type":"Written","noteId":"early","text":"t"}`)
		_ = in.CloseWithError(io.ErrUnexpectedEOF)
	}()
	if answer, err := http.DefaultClient.Do(r); err == nil {
		_ = answer.Body.Close()
		if answer.StatusCode < 400 {
			t.Errorf("half a body: %d", answer.StatusCode)
		}
	}
	if status, body := call(t, "GET", p.url+"/events?id=early", ""); status != 404 {
		t.Errorf("half a body is stored: %d %s", status, body)
	}
}

func TestFlags(t *testing.T) {
	store := storeFile(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-addr", "0.0.0.0:0"}, "loopback"},
		{[]string{"-addr", ":8080"}, "this machine only"},
		{[]string{"-addr", "192.168.0.1:0"}, "this machine only"},
		{[]string{"-addr", "example.com:80"}, "this machine only"},
		{[]string{"-addr", "nonsense"}, "nonsense"},
		{[]string{"-fold", "default"}, "view=fingerprint"},
		{[]string{"-fold", "nothing=1"}, "no such view"},
		{[]string{"-faults", "drop=2"}, "from 0 to 1"},
		{[]string{"extra"}, "extra"},
		{[]string{"-nonsense"}, "nonsense"},
	} {
		var stderr bytes.Buffer
		status := local.Run(t.Context(), notes.Model(""), append([]string{"-store", store, "-addr", "127.0.0.1:0"}, c.args...), strings.NewReader(""), io.Discard, &stderr)
		if c.want == "loopback" {
			c.want = "this machine only"
		}
		if status != 2 || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%q: status %d, %q; want 2 and %q", c.args, status, &stderr, c.want)
		}
	}
}

func TestParentEnds(t *testing.T) {
	out, in := io.Pipe()
	stdin, parent := io.Pipe()
	ended := make(chan int, 1)
	store := storeFile(t)
	go func() {
		ended <- local.Run(context.Background(), notes.Model(""), []string{"-parent", "-addr", "127.0.0.1:0", "-store", store}, stdin, in, io.Discard)
	}()
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	_ = parent.Close()
	select {
	case status := <-ended:
		if status != 0 {
			t.Errorf("status %d", status)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the program outlives its parent")
	}
}

func TestStoreInUse(t *testing.T) {
	store := storeFile(t)
	run(t, notes.Model(""), "-store", store)
	var stderr bytes.Buffer
	status := local.Run(t.Context(), notes.Model(""), []string{"-addr", "127.0.0.1:0", "-store", store}, strings.NewReader(""), io.Discard, &stderr)
	if status != 2 || !strings.Contains(stderr.String(), "in use") {
		t.Errorf("status %d, %q", status, &stderr)
	}
}

// TestKill kills programs under load: every event that was acknowledged is there after the
// restart, and the views catch up by themselves.
func TestKill(t *testing.T) {
	store := storeFile(t)
	acknowledged := map[string]int{}
	for round := range 4 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childStore+"="+store)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		base := strings.TrimSpace(line)
		var mu sync.Mutex
		var wait sync.WaitGroup
		for w := range 4 {
			wait.Go(func() {
				for i := 0; ; i++ {
					id := fmt.Sprintf("n%d-%d", w, i%5)
					answer, err := http.Post(base+"/", "application/json", strings.NewReader(fmt.Sprintf(`{"type":"Written","noteId":%q,"text":"t","tag":"all"}`, id)))
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, answer.Body)
					_ = answer.Body.Close()
					if answer.StatusCode == 201 {
						mu.Lock()
						acknowledged[id]++
						mu.Unlock()
					}
				}
			})
		}
		time.Sleep(time.Duration(50+37*round) * time.Millisecond)
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		wait.Wait()
		_ = child.Wait()
	}
	p := run(t, notes.Model(""), "-store", store)
	total := 0
	for id, n := range acknowledged {
		edits := history(t, p.url, id)
		if edits < n {
			t.Errorf("%s: %d events, %d were acknowledged", id, edits, n)
		}
		total += edits
		until(t, p.url+"/"+id, fmt.Sprintf(`"edits":%d,"version":%d`, edits, edits))
	}
	until(t, p.url+"/tags/all", fmt.Sprintf(`"notes":%d`, total))
}

// history counts the events of an entity.
func history(t *testing.T, base, id string) (n int) {
	t.Helper()
	for next := base + "/events?limit=100&id=" + url.QueryEscape(id); next != ""; {
		status, body := call(t, "GET", next, "")
		var page struct {
			Items []json.RawMessage `json:"items"`
			Next  string            `json:"next"`
		}
		if err := json.Unmarshal([]byte(body), &page); status != 200 || err != nil {
			t.Fatalf("history of %s: %d %s", id, status, body)
		}
		n += len(page.Items)
		if next = ""; page.Next != "" {
			next = base + "/events?limit=100&id=" + url.QueryEscape(id) + "&cursor=" + url.QueryEscape(page.Next)
		}
	}
	return n
}

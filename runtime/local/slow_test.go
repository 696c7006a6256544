package local

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/notes"
)

// A body that comes slowly is taken, one that never ends is given up, and nothing of it
// is stored. The bound is shortened here.
func TestSlowBodies(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	m := notes.Model("")
	store, err := OpenStore(m, path, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	p, err := start(t.Context(), m, store, &options{store: path, deployment: "d"}, log)
	if err != nil {
		t.Fatal(err)
	}
	server := newServer(p.handler(), log)
	server.ReadTimeout = time.Second
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	defer func() {
		_ = server.Close()
		p.stop(drainTime)
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()

	body := `{"type":"Written","noteId":"slow","text":"t"}`
	for _, c := range []struct {
		name   string
		length int // as announced
		want   int
	}{
		{"whole", len(body), http.StatusCreated},
		{"never ends", len(body) + 1, http.StatusRequestTimeout},
	} {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Replace(body, "slow", strings.ReplaceAll(c.name, " ", "-"), 1)
		_, _ = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", c.length+len(text)-len(body))
		for part := range strings.SplitAfterSeq(text, ",") {
			_, _ = io.WriteString(conn, part)
			time.Sleep(time.Millisecond)
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if answer.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", c.name, answer.StatusCode, c.want)
		}
		_ = answer.Body.Close()
		_ = conn.Close()
	}
	var none *es.Recorded
	if head, err := store.Head(t.Context(), "never-ends"); head != none || err != nil {
		t.Errorf("a body that never ended is stored: %+v, %v", head, err)
	}
	if head, err := store.Head(t.Context(), "whole"); head == nil || err != nil {
		t.Errorf("a slow body is not stored: %v", err)
	}
}

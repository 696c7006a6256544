package ops

import (
	"bytes"
	"strings"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// The bar says how far, how fast and how long; where there is no terminal, in few lines.
func TestBar(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	b := &bar{out: &out, now: func() time.Time { return now }}
	status := es.RebuildStatus{View: "default", Revision: 2, Segments: 10, Total: 10_000}
	for i := range 100 { // a second each
		status.Events = int64(100 * i)
		b.show(status)
		now = now.Add(time.Second)
	}
	status.SegmentsDone = 10
	for range 3 {
		b.show(status)
	}
	b.end()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 11 {
		t.Errorf("%d lines, want one in ten seconds and one at the end:\n%s", len(lines), &out)
	}
	if want := "default revision 2 [##########..........]  50%, 5000 events, 100 a second, about 50s left"; lines[5] != want {
		t.Errorf("half way: %q\nwant      %q", lines[5], want)
	}

	out.Reset()
	b = &bar{out: &out, now: func() time.Time { return now }, terminal: true}
	b.show(es.RebuildStatus{View: "a-long-name", Segments: 2, SegmentsDone: 1})
	now = now.Add(time.Second)
	b.show(es.RebuildStatus{View: "a", Segments: 2, SegmentsDone: 2})
	b.end()
	if text := out.String(); strings.Count(text, "\r") != 2 || strings.Count(text, "\n") != 1 || strings.Contains(text, "\n\r") {
		t.Errorf("on a terminal: %q", text)
	}
}

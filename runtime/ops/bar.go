package ops

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// bar shows how far a rebuild is: on a terminal in one line that changes, elsewhere in a line now
// and then.
type bar struct {
	out      io.Writer
	terminal bool
	now      func() time.Time
	began    time.Time
	first    es.RebuildStatus // as this process found it
	shown    time.Time
	wide     int  // of the line that stands on the terminal
	ended    bool // all is done, and has been shown
}

// How often the line changes, and how often there is another one.
const (
	barEvery  = 100 * time.Millisecond
	lineEvery = 10 * time.Second
)

func newBar(out io.Writer) *bar {
	b := &bar{out: out, now: time.Now}
	if f, ok := out.(*os.File); ok {
		if info, err := f.Stat(); err == nil {
			b.terminal = info.Mode()&os.ModeCharDevice != 0
		}
	}
	return b
}

func (b *bar) show(s es.RebuildStatus) {
	now := b.now()
	if b.began.IsZero() {
		b.began, b.first = now, s
	}
	every := lineEvery
	if b.terminal {
		every = barEvery
	}
	last := s.SegmentsDone == s.Segments
	if b.ended || !last && !b.shown.IsZero() && now.Sub(b.shown) < every {
		return
	}
	b.ended = last
	b.shown = now
	line := b.line(&s, now.Sub(b.began))
	if !b.terminal {
		_, _ = fmt.Fprintln(b.out, line)
		return
	}
	_, _ = fmt.Fprintf(b.out, "\r%s%s", line, strings.Repeat(" ", max(0, b.wide-len(line))))
	b.wide = len(line)
}

// end leaves the line on the terminal as it is.
func (b *bar) end() {
	if b.terminal && b.wide > 0 {
		_, _ = fmt.Fprintln(b.out)
	}
}

// line is in ASCII, so that its length is its width.
func (b *bar) line(s *es.RebuildStatus, took time.Duration) string {
	const cells = 20
	done := s.Fraction()
	full := int(done * cells)
	text := fmt.Sprintf("%s revision %d [%s%s] %3d%%, %d events", s.View, s.Revision,
		strings.Repeat("#", full), strings.Repeat(".", cells-full), int(done*100), s.Events)
	moved := done - b.first.Fraction()
	if took < time.Second || moved <= 0 {
		return text
	}
	text += fmt.Sprintf(", %.0f a second", float64(s.Events-b.first.Events)/took.Seconds())
	if done < 1 {
		text += fmt.Sprintf(", about %v left", time.Duration(float64(took)*(1-done)/moved).Round(time.Second))
	}
	return text
}

package simulation

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
)

// trace is all that happened in a run, in order.
type trace struct {
	begin time.Time
	lines []line
	sum   *xxhash.Digest
	clock [8]byte
}

// line is one thing that happened.
type line struct {
	at    time.Duration // since the beginning
	who   string
	what  string
	about string
	note  string // how it went, "" when well
}

func newTrace() *trace { return &trace{begin: time.Now(), sum: xxhash.New()} }

func (t *trace) add(l line) {
	l.at = time.Since(t.begin)
	t.lines = append(t.lines, l)
	binary.LittleEndian.PutUint64(t.clock[:], uint64(l.at))
	_, _ = t.sum.Write(t.clock[:])
	for _, text := range []string{l.who, l.what, l.about, l.note} {
		_, _ = t.sum.WriteString(text)
		_, _ = t.sum.WriteString("\x00")
	}
}

func (l line) String() string {
	text := fmt.Sprintf("%12s  %-16s %-12s %s", l.at, l.who, l.what, l.about)
	if l.note != "" {
		text += "  → " + l.note
	}
	return cut(text, 2000)
}

// concerning gives the last lines that are about something, at most limit of them; about nothing
// in particular with "".
func (t *trace) concerning(what string, limit int) string {
	var found []string
	for i := len(t.lines) - 1; i >= 0 && len(found) < limit; i-- {
		if l := t.lines[i]; what == "" || holdsWord(l.about, what) || l.about == "" && l.what != "turn" {
			found = append(found, cut(l.String(), 200))
		}
	}
	var b strings.Builder
	for i := len(found) - 1; i >= 0; i-- {
		b.WriteString(found[i])
		b.WriteByte('\n')
	}
	return b.String()
}

// cut shortens a line. Histories of failures have short ones: more is there when the seed is run again.
func cut(line string, most int) string {
	if len(line) <= most {
		return line
	}
	return strings.ToValidUTF8(line[:most], "") + "…"
}

func holdsWord(text, word string) bool {
	for field := range strings.FieldsSeq(text) {
		if field == word {
			return true
		}
	}
	return false
}

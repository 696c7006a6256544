package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// terminal is where a command speaks. Nothing but what is asked for goes to out.
type terminal struct {
	out, err io.Writer
}

// printf writes a result or a finding.
func (t *terminal) printf(format string, args ...any) {
	// A reader that has gone, as after "| head", ends the process by its signal.
	_, _ = fmt.Fprintf(t.out, format, args...)
}

// say writes an explanation or progress.
func (t *terminal) say(format string, args ...any) {
	_, _ = fmt.Fprintf(t.err, format+"\n", args...)
}

// complain says why the command did not do what it was asked.
func (t *terminal) complain(err error) {
	label := "esgen: "
	if colored(t.err) {
		label = red + "esgen: " + plain
	}
	t.say("%s%s", label, strings.TrimRight(err.Error(), "\n"))
	var h hinted
	if errors.As(err, &h) {
		t.say("hint: %s", h.hint)
	}
}

const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	bold   = "\x1b[1m"
	plain  = "\x1b[0m"
)

// colored reports whether w is a terminal whose user has not asked for no colour.
func colored(w io.Writer) bool {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

var finding = regexp.MustCompile(`^(\S.*?:\d+:\d+:) (error|warning):`)

// paintFindings colours diagnostics, which have been written as text.
func paintFindings(text []byte) []byte {
	var b bytes.Buffer
	color := red
	for line := range bytes.Lines(text) {
		if m := finding.FindSubmatchIndex(line); m != nil {
			color = red
			if string(line[m[4]:m[5]]) == "warning" {
				color = yellow
			}
			fmt.Fprintf(&b, "%s%s%s %s%s:%s%s", bold, line[m[2]:m[3]], plain, color, line[m[4]:m[5]], plain, line[m[1]:])
			continue
		}
		if body := bytes.TrimLeft(line, " "); bytes.HasPrefix(body, []byte("| ")) && len(bytes.Trim(body, "|^ \n")) == 0 {
			fmt.Fprintf(&b, "%s%s%s\n", color, bytes.TrimRight(line, "\n"), plain)
			continue
		}
		b.Write(line)
	}
	return b.Bytes()
}

// paintDiff colours a unified diff.
func paintDiff(text []byte) []byte {
	var b bytes.Buffer
	for line := range bytes.Lines(text) {
		body := bytes.TrimRight(line, "\n")
		switch {
		case bytes.HasPrefix(line, []byte("+++ ")), bytes.HasPrefix(line, []byte("--- ")), bytes.HasPrefix(line, []byte("diff ")):
			fmt.Fprintf(&b, "%s%s%s\n", bold, body, plain)
		case bytes.HasPrefix(line, []byte("+")):
			fmt.Fprintf(&b, "%s%s%s\n", green, body, plain)
		case bytes.HasPrefix(line, []byte("-")):
			fmt.Fprintf(&b, "%s%s%s\n", red, body, plain)
		default:
			b.Write(line)
		}
	}
	return b.Bytes()
}

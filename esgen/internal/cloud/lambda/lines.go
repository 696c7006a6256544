package lambda

import (
	"bytes"
	"sync"
)

// maxLine is where a line of a function's output is cut.
const maxLine = 16 << 10

// lines hands on what is written to it line by line, in bounded memory.
type lines struct {
	log func(line string)

	mu   sync.Mutex
	held []byte
	cut  bool // the rest of this line is dropped
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(p)
	for {
		line, rest, ended := bytes.Cut(p, []byte{'\n'})
		l.hold(line)
		if !ended {
			return n, nil
		}
		l.end()
		p = rest
	}
}

func (l *lines) hold(part []byte) {
	if l.cut {
		return
	}
	if room := maxLine - len(l.held); len(part) > room {
		l.held = append(append(l.held, part[:room]...), " …"...)
		l.cut = true
		return
	}
	l.held = append(l.held, part...)
}

func (l *lines) end() {
	l.log(string(bytes.TrimSuffix(l.held, []byte{'\r'})))
	l.held, l.cut = l.held[:0], false
}

// flush hands on a last line that has no end.
func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.held) > 0 {
		l.end()
	}
}

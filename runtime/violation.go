package es

import (
	"fmt"
	"strconv"
	"strings"
)

// Violation is one reason why a body is not a valid event.
type Violation struct {
	// Pointer is where, as of RFC 6901; "" is the whole body.
	Pointer string
	// Code is a constraint keyword or "required", "type", "format", "range",
	// "duplicate", "json", "unknown-field", "unknown-event".
	Code string
	// Message says what must be; it never contains what was sent.
	Message string
}

// InvalidError lists the violations of a body, in the order in which they
// were found. It is never empty.
type InvalidError struct {
	Violations []Violation
	// More says that the body has further violations: the list is bounded.
	More bool
}

func (e *InvalidError) Error() string {
	var b strings.Builder
	b.WriteString("invalid event: ")
	for i, v := range e.Violations {
		if i == 3 {
			least := ""
			if e.More {
				least = "at least "
			}
			fmt.Fprintf(&b, "; and %s%d more", least, len(e.Violations)-i)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		if v.Pointer != "" {
			b.WriteString(v.Pointer + ": ")
		}
		b.WriteString(v.Message)
	}
	return b.String()
}

// Bounds on what one body's violations take, for a body made of nothing else.
const (
	maxViolations   = 500
	maxPointerBytes = 256 << 10 // of all pointers together, the last one excepted
)

// appendPointer appends the pointer of the value at hand.
func (d *Decoder) appendPointer(dst []byte) []byte {
	for i := range d.depth {
		f := &d.room[i]
		if f.list {
			dst = append(dst, '/')
			dst = strconv.AppendInt(dst, int64(f.count-1), 10)
		} else {
			dst = appendStep(dst, d.nameOf(f))
		}
	}
	return dst
}

// appendStep appends a member's name to a pointer.
func appendStep(dst []byte, name string) []byte {
	dst = append(dst, '/')
	for i := 0; i < len(name); i++ {
		switch c := name[i]; c {
		case '~':
			dst = append(dst, '~', '0')
		case '/':
			dst = append(dst, '~', '1')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// violate notes a violation of the value at hand.
func (d *Decoder) violate(code, message string) {
	if d.failed {
		return
	}
	d.note(string(d.appendPointer(nil)), code, message)
}

// violateMember notes a violation of a member of the value at hand.
func (d *Decoder) violateMember(name, code, message string) {
	if d.failed {
		return
	}
	d.note(string(appendStep(d.appendPointer(nil), name)), code, message)
}

func (d *Decoder) note(pointer, code, message string) {
	if len(d.violations) == maxViolations || d.pointerBytes > maxPointerBytes {
		d.more = true
		d.failed = true
		return
	}
	d.pointerBytes += len(pointer)
	d.violations = append(d.violations, Violation{pointer, code, message})
}

// failSyntax ends the reading of a text that is no JSON. What was found so far
// is dropped: nothing can be said of the members of what is no object.
func (d *Decoder) failSyntax(message string) {
	if d.failed {
		return
	}
	d.failed = true
	d.violations = append(d.violations[:0], Violation{"", "json", message})
}

// malformed is failSyntax for an unexpected byte at the scanner's position.
func (d *Decoder) malformed(wanted string) {
	at := d.s.Pos
	if at >= len(d.s.Text) {
		d.failSyntax("is not JSON: the text ends where " + wanted + " is expected")
		return
	}
	d.failSyntax("is not JSON: " + wanted + " is expected at byte " + strconv.Itoa(at))
}

// err returns what was noted.
func (d *Decoder) err() error {
	if len(d.violations) == 0 {
		return nil
	}
	return &InvalidError{Violations: d.violations, More: d.more}
}

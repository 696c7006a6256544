package es

import (
	"slices"

	"github.com/esgen/esgen/runtime/scan"
)

// Member goes on to the next member of the object and reports whether there is
// one; if not, the object is closed. A value that was not read is skipped.
func (d *Decoder) Member() bool {
	for !d.failed && d.depth > 0 {
		f := d.top()
		// The place is kept in a variable: each way through memory costs as much as the
		// comparisons here together.
		text, i := d.s.Text, d.s.Pos
		if f.count > 0 {
			if i == f.at {
				if d.skip(); d.failed {
					return false
				}
				i = d.s.Pos
			}
			switch {
			case !d.sums:
			case d.absent:
				d.absent = false
			default:
				f.sum += mix(f.hash, d.digest)
			}
			if i < len(text) && text[i] == ',' {
				i++
			} else {
				switch d.s.Space() {
				case ',':
					i = d.s.Pos + 1
				case '}':
					d.pop(f)
					return false
				default:
					d.malformed("a comma or a closing brace")
					return false
				}
			}
		}
		if i >= len(text) || text[i] != '"' {
			d.s.Pos = i
			switch c := d.s.Space(); {
			case c == '}' && f.count == 0:
				d.pop(f)
				return false
			case c != '"':
				d.malformed("a member's name")
				return false
			}
			i = d.s.Pos
		}
		f.count++
		if d.readName(f, i) {
			return true
		}
	}
	return false
}

// readName reads the name of a member, whose quote is text[i], and the colon behind it. It
// reports whether the value is for the generated code; otherwise that has been taken, or
// the text is no JSON.
func (d *Decoder) readName(f *frame, i int) bool {
	text, from := d.s.Text, i+1
	to := scan.Plain(text, from)
	if to+2 >= len(text) || text[to] != '"' || text[to+1] != ':' || f.unescaped != "" {
		d.s.Pos = i
		return d.readOddName(f, to)
	}
	at := to + 2
	d.s.Pos = at
	if text[at] <= ' ' {
		d.s.Space()
		at = d.s.Pos
	}
	f.from, f.to, f.at = from, to, at
	return d.stored || !d.taken(f, text[from:to])
}

// readOddName is readName for names with escapes or white space before the colon, whose
// plain bytes end at to.
func (d *Decoder) readOddName(f *frame, to int) bool {
	f.from, f.to, f.unescaped = d.s.Pos+1, to, ""
	name, ok := d.s.String()
	if !ok {
		d.malformed("the rest of a member's name")
		return false
	}
	if d.s.Text[to] != '"' {
		f.unescaped = name
	}
	if d.s.Space() != ':' {
		d.malformed("a colon")
		return false
	}
	d.s.Pos++
	d.s.Space()
	f.at = d.s.Pos
	return d.stored || !d.taken(f, name)
}

// taken reports whether a member of a request is not for the generated code:
// repeated, or of the envelope.
func (d *Decoder) taken(f *frame, name string) bool {
	f.hash = hashText(name)
	bit := uint64(1) << (f.hash >> 58)
	if f.bloom&bit == 0 && len(d.hashes)-f.hashes < manyNames {
		f.bloom |= bit
		d.hashes = append(d.hashes, f.hash)
	} else if d.repeated(f, name, bit) {
		d.violate("duplicate", "is repeated")
		d.skip()
		return true
	}
	if d.depth == 1 && d.envelope.rule != nil && d.envelope.take(d, name) {
		d.absent = true
		return true
	}
	return false
}

// repeated notes the name of a member and reports whether the object had it
// before. Names are compared by hash; only where these are equal, by themselves.
func (d *Decoder) repeated(f *frame, name string, bit uint64) bool {
	if f.unique != nil {
		_, known := f.unique[name]
		f.unique[name] = struct{}{}
		return known
	}
	if f.bloom&bit != 0 && slices.Contains(d.hashes[f.hashes:], f.hash) && slices.Contains(d.namesBefore(f), name) {
		return true
	}
	f.bloom |= bit
	d.hashes = append(d.hashes, f.hash)
	if len(d.hashes)-f.hashes > manyNames {
		f.unique = make(map[string]struct{}, 4*manyNames)
		for _, known := range d.namesBefore(f) {
			f.unique[known] = struct{}{}
		}
		f.unique[name] = struct{}{}
	}
	return false
}

// namesBefore reads the names of an open object again, up to the member at hand.
func (d *Decoder) namesBefore(f *frame) []string {
	var names []string
	s := scan.Scanner{Text: d.s.Text, Pos: f.start}
	for range f.count - 1 {
		s.Pos++ // the brace or a comma
		s.Space()
		name, _ := s.String()
		names = append(names, name)
		s.Space()
		s.Pos++ // the colon
		s.Skip()
		s.Space()
	}
	return names
}

// Name is the name of the member that [Decoder.Member] came to.
func (d *Decoder) Name() string {
	if d.depth == 0 {
		return ""
	}
	return d.nameOf(d.top())
}

// nameOf is the name of the member at hand of an open object.
func (d *Decoder) nameOf(f *frame) string {
	if f.unescaped != "" {
		return f.unescaped
	}
	return d.s.Text[f.from:f.to]
}

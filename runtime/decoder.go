package es

import (
	"strconv"
	"time"

	"github.com/esgen/esgen/runtime/scan"
)

// Decoder reads one JSON text in a single pass, checks it while it reads, and
// notes every violation with its pointer. Generated Decode methods are written
// against it; one method serves requests, where everything is checked, and stored
// texts, where nothing but the JSON type is.
//
// A Decode method of an object looks like this:
//
//	func (e *OrderPlaced) Decode(d *es.Decoder) {
//		if !d.Object() {
//			return
//		}
//		var seen uint64 // a bit per member that is required or has a default
//		for d.Member() {
//			switch d.Name() {
//			case "customerId":
//				seen |= 1 << 0
//				if d.String(&e.CustomerID) {
//					d.MinLength(1)
//				}
//			case "currency":
//				seen |= 1 << 1
//				if d.String((*string)(&e.Currency)) {
//					d.EnumStrings("EUR", "USD", "GBP")
//				}
//			case "items":
//				seen |= 1 << 2
//				if d.List() {
//					e.Items = es.NewList[types.LineItem](d)
//					for d.Element() {
//						es.Append(&e.Items).Decode(d)
//					}
//					d.MinItems(1)
//					d.MaxItems(100)
//				}
//			case "tags": // list<string>
//				if d.List() {
//					e.Tags = es.NewList[string](d)
//					for d.Element() {
//						if d.String(es.Append(&e.Tags)) {
//							d.MaxLength(20)
//						}
//					}
//					d.UniqueItems()
//				}
//			case "prices": // map<decimal>
//				if d.Object() {
//					e.Prices = map[string]es.Decimal{}
//					for d.Member() {
//						name := d.Name() // before the value: a nested object changes it
//						var value es.Decimal
//						if d.Decimal(&value) {
//							d.Minimum("0")
//						}
//						e.Prices[name] = value
//					}
//					d.MinProperties(1)
//				}
//			case "note": // optional
//				if !d.Null() {
//					e.Note = new(string)
//					if d.String(e.Note) {
//						d.MaxLength(500)
//					}
//				}
//			case "tip": // an optional list, map, bytes or json is nil when absent
//				if !d.Null() {
//					d.Bytes(&e.Tip)
//				}
//			default:
//				d.Unknown()
//			}
//		}
//		if seen&(1<<0) == 0 {
//			d.Missing("customerId")
//		}
//		if seen&(1<<1) == 0 {
//			e.Currency = types.CurrencyEUR
//		}
//		if seen&(1<<3) == 0 {
//			e.PlacedAt = d.Now()
//		}
//	}
//
// Every method that reads a value reads exactly one, whatever it is, and reports
// whether it was of that type; if not it has noted the violation, and the checks are
// not called. The checks (MinLength, Minimum, MinItems, ...) speak of the value that was
// read or closed last. In stored texts checks, Unknown and Missing do nothing.
//
// Members of the envelope (type, the entity's key, eventId, expectedVersion, meta) are taken
// by the Decoder itself, as are repeated members, which get the code "duplicate".
// Text that is not JSON ends the reading: every method then reports false.
//
// A Decoder is used by one goroutine and not kept after the call that was handed it.
type Decoder struct {
	s      scan.Scanner
	stored bool // no validation
	sums   bool // the digest of the text is wanted
	failed bool // nothing more is read: not JSON, or enough violations
	more   bool

	// The objects and lists that are open, the outermost first, are room[:depth]. A
	// member's name and an element's index live here, so that a pointer is made only when
	// something is wrong.
	depth  int
	hashes []uint64 // of the names so far in the open objects, one after the other
	room   [maxDepth]frame

	// The value read last, for the checks, and its digest.
	from, to  int    // of a string without escapes, in the text
	unescaped string // of one with escapes; else ""
	length    int    // of a string, in bytes
	number    scan.Number
	integer   int64
	count     int  // of elements or members; of bytes, their number
	open      int  // where the list or object closed last began
	absent    bool // a null that counts as nothing
	digest    uint64

	buffer   []byte   // where the payload is written
	envelope envelope // of a request
	now      time.Time
	recorded *Recorded // what is loaded, for NewUUID

	violations   []Violation
	pointerBytes int
}

// frame is an object or a list that is open. Names are kept as places in the text: a
// Decoder lives long, and each pointer written to it costs while memory is collected.
type frame struct {
	from, to  int    // the name of the member at hand, without escapes
	unescaped string // the name of one with escapes; else ""
	list      bool
	count     int // members or elements begun
	at        int // where the value at hand begins
	start     int // where the object or list begins
	hash      uint64
	sum       uint64
	bloom     uint64 // of the names seen
	hashes    int    // where its names begin in Decoder.hashes
	unique    map[string]struct{}
}

// maxDepth bounds the nesting of a text, deeper ones are refused. It is a power of two.
const maxDepth = 64

// manyNames is where repeated members are looked for in a map.
const manyNames = 24

// Object opens an object, for a struct or a map, or reports false.
func (d *Decoder) Object() bool {
	if d.failed {
		return false
	}
	if d.s.Space() != '{' {
		d.mistyped("must be an object")
		return false
	}
	return d.push(false)
}

// List opens a list, or reports false.
func (d *Decoder) List() bool {
	if d.failed {
		return false
	}
	if d.s.Space() != '[' {
		d.mistyped("must be a list")
		return false
	}
	return d.push(true)
}

func (d *Decoder) push(list bool) bool {
	if d.depth >= maxDepth {
		d.failSyntax("is nested deeper than " + strconv.Itoa(maxDepth) + " levels")
		return false
	}
	f := &d.room[d.depth&(maxDepth-1)] // unescaped and unique are empty: see pop and release
	d.depth++
	f.from, f.to = 0, 0
	f.list, f.count, f.at, f.start = list, 0, 0, d.s.Pos
	f.sum, f.bloom, f.hashes = 0, 0, len(d.hashes)
	d.s.Pos++
	return true
}

// top is the innermost object or list; one must be open.
func (d *Decoder) top() *frame { return &d.room[(d.depth-1)&(maxDepth-1)] }

// pop closes the innermost object or list, behind its bracket.
func (d *Decoder) pop(f *frame) {
	d.s.Pos++
	d.count = f.count
	d.open = f.start
	d.depth--
	if f.unescaped != "" { // a pooled Decoder holds on to no text
		f.unescaped = ""
	}
	if d.stored {
		return
	}
	if f.list {
		d.digest = mix(f.sum, digestList)
		return
	}
	d.digest = mix(f.sum, digestObject)
	d.hashes = d.hashes[:f.hashes]
	if f.unique != nil {
		f.unique = nil
	}
}

// Element goes on to the next element of the list and reports whether there is
// one; if not, the list is closed.
func (d *Decoder) Element() bool {
	if d.failed || d.depth == 0 {
		return false
	}
	f := d.top()
	c := d.s.Space()
	if f.count > 0 {
		if d.s.Pos == f.at {
			if d.skip(); d.failed {
				return false
			}
			c = d.s.Space()
		}
		switch {
		case !d.sums:
		case d.absent:
			d.absent = false
		default:
			f.sum = mix(f.sum, d.digest)
		}
		switch c {
		case ',':
			d.s.Pos++
			c = d.s.Space()
		case ']':
			d.pop(f)
			return false
		default:
			d.malformed("a comma or a closing bracket")
			return false
		}
	} else if c == ']' {
		d.pop(f)
		return false
	}
	if c == ']' || c == 0 {
		d.malformed("a value")
		return false
	}
	f.count++
	f.at = d.s.Pos
	return true
}

// Unknown skips the value of a member that the type does not have: a violation
// "unknown-field" in a request, nothing in a stored text.
func (d *Decoder) Unknown() {
	if !d.stored {
		d.violate("unknown-field", "is not a field of this type")
	}
	d.skip()
}

// Missing notes that the object just closed lacks a required member.
func (d *Decoder) Missing(name string) {
	if !d.stored {
		d.violateMember(name, "required", "is required")
	}
}

// Null reads a null, if there is one, for an optional member: it counts as absent.
// Otherwise it reads nothing and reports false.
func (d *Decoder) Null() bool {
	if d.failed || d.s.Space() != 'n' {
		return false
	}
	if !d.s.Word("null") {
		d.malformed("a value")
		return false
	}
	d.absent = true
	return true
}

// NewList returns an empty list, not nil, for the list that d has just opened.
func NewList[T any](d *Decoder) []T {
	if d.failed || d.s.Space() == ']' {
		return []T{}
	}
	return make([]T, 0, 4)
}

// Append adds a zero element to a list and returns its place, valid until the
// next Append.
func Append[T any](list *[]T) *T {
	var zero T
	*list = append(*list, zero)
	return &(*list)[len(*list)-1]
}

// mistyped notes that the value at hand is of another type, and skips it.
func (d *Decoder) mistyped(message string) {
	if c := d.s.Space(); c == 0 {
		d.malformed("a value")
		return
	}
	d.violate("type", message)
	d.skip()
}

// skip reads a value for nothing but its digest, its repeated members and whether
// it is JSON at all.
func (d *Decoder) skip() {
	if d.failed {
		return
	}
	if d.stored {
		if !d.s.Skip() {
			d.malformed("a value")
		}
		return
	}
	switch c := d.s.Space(); c {
	case '{':
		if d.push(false) {
			for d.Member() {
				d.skip()
			}
		}
	case '[':
		if d.push(true) {
			for d.Element() {
				d.skip()
			}
		}
	default:
		d.skipScalar(c)
	}
}

func (d *Decoder) skipScalar(c byte) {
	switch c {
	case '"':
		if s, ok := d.readString(); ok {
			d.digest = hashString(s)
		}
	case 'n':
		d.word("null", digestNull)
	case 't':
		d.word("true", digestTrue)
	case 'f':
		d.word("false", digestFalse)
	default:
		d.readNumber()
	}
}

// word reads a literal.
func (d *Decoder) word(word string, digest uint64) bool {
	if !d.s.Word(word) {
		d.malformed("a value")
		return false
	}
	d.digest = digest
	return true
}

package bolt

import (
	"encoding/binary"
	"fmt"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// The first byte of every stored value is the format of what follows.
const format1 = 1

var errCorrupt = fmt.Errorf("bolt: %w: a stored value is not what this program writes", es.ErrDamaged)

// writer appends the parts of a value.
type writer struct{ b []byte }

func newWriter(size int) *writer { return &writer{b: append(make([]byte, 0, size+1), format1)} }

func (w *writer) str(s string)   { w.b = append(binary.AppendUvarint(w.b, uint64(len(s))), s...) }
func (w *writer) num(n int64)    { w.b = binary.AppendVarint(w.b, n) }
func (w *writer) bytes(p []byte) { w.b = append(binary.AppendUvarint(w.b, uint64(len(p))), p...) }

func (w *writer) flag(set bool) {
	if set {
		w.num(1)
	} else {
		w.num(0)
	}
}

// time keeps the instant to the nanosecond over time.Time's whole range; its
// location is not kept, times come back in UTC.
func (w *writer) time(t time.Time) {
	w.num(t.Unix())
	w.num(int64(t.Nanosecond()))
}

// reader takes the parts of a value back. The strings that it hands out share one copy
// of the value, which outlives the transaction. The first thing that does not
// fit makes err stick.
type reader struct {
	s   string
	err error
}

func newReader(value []byte) *reader {
	r := &reader{s: string(value)}
	if len(r.s) == 0 || r.s[0] != format1 {
		r.fail()
		return r
	}
	r.s = r.s[1:]
	return r
}

func (r *reader) fail() { r.s, r.err = "", errCorrupt }

// head returns the first bytes, enough for one varint, without copying the rest.
func (r *reader) head() []byte {
	return []byte(r.s[:min(len(r.s), binary.MaxVarintLen64)])
}

func (r *reader) num() int64 {
	n, size := binary.Varint(r.head())
	if size <= 0 {
		r.fail()
		return 0
	}
	r.s = r.s[size:]
	return n
}

func (r *reader) str() string {
	n, size := binary.Uvarint(r.head())
	if size <= 0 || n > uint64(len(r.s)-size) {
		r.fail()
		return ""
	}
	v := r.s[size : size+int(n)]
	r.s = r.s[size+int(n):]
	return v
}

func (r *reader) flag() bool { return r.num() != 0 }

func (r *reader) time() time.Time {
	sec, nsec := r.num(), r.num()
	return time.Unix(sec, nsec).UTC()
}

func encodeEvent(e *es.Recorded) []byte {
	w := newWriter(len(e.Payload) + len(e.EventID) + len(e.Type) + len(e.Digest) + len(e.Actor) + 96)
	w.str(e.EventID)
	w.str(e.Type)
	w.num(int64(e.Revision))
	w.time(e.Time)
	w.str(e.State)
	w.str(e.Digest)
	w.str(e.CorrelationID)
	w.str(e.CausationID)
	w.str(e.Actor)
	w.str(e.Payload)
	return w.b
}

func decodeEvent(id string, version int64, value []byte) (*es.Recorded, error) {
	r := newReader(value)
	e := &es.Recorded{
		EntityID:      id,
		Version:       version,
		EventID:       r.str(),
		Type:          r.str(),
		Revision:      int(r.num()),
		Time:          r.time(),
		State:         r.str(),
		Digest:        r.str(),
		CorrelationID: r.str(),
		CausationID:   r.str(),
		Actor:         r.str(),
		Payload:       r.str(),
	}
	return e, r.err
}

func encodeItem(i *es.Item) []byte {
	w := newWriter(len(i.Payload) + 128)
	w.num(i.Guard)
	w.num(i.Version)
	w.str(i.State)
	w.time(i.Latest.Time)
	w.str(i.Latest.EntityID)
	w.num(i.Latest.Version)
	w.str(i.Held)
	w.num(int64(len(i.Entries)))
	for _, e := range i.Entries {
		w.str(e.Index)
		w.str(e.Key)
		w.bytes(e.Sort)
	}
	w.str(i.Payload)
	return w.b
}

func decodeItem(key string, value []byte) (*es.Item, error) {
	r := newReader(value)
	i := &es.Item{
		Key:     key,
		Guard:   r.num(),
		Version: r.num(),
		State:   r.str(),
		Latest:  es.Moment{Time: r.time(), EntityID: r.str(), Version: r.num()},
		Held:    r.str(),
	}
	for n := r.num(); n > 0 && r.err == nil; n-- {
		e := es.IndexEntry{Index: r.str(), Key: r.str()}
		if sort := r.str(); sort != "" {
			e.Sort = []byte(sort)
		}
		i.Entries = append(i.Entries, e)
	}
	i.Payload = r.str()
	return i, r.err
}

func encodeMarker(m *es.Marker) []byte {
	w := newWriter(len(m.State) + len(m.Held) + 16)
	w.num(m.Position)
	w.str(m.State)
	w.str(m.Held)
	return w.b
}

func decodeMarker(id string, value []byte) (*es.Marker, error) {
	r := newReader(value)
	return &es.Marker{EntityID: id, Position: r.num(), State: r.str(), Held: r.str()}, r.err
}

func encodeEntry(e *es.Entry) []byte {
	w := newWriter(len(e.Value) + 32)
	w.num(e.Guard)
	w.time(e.Expires)
	w.str(e.Value)
	return w.b
}

func decodeEntry(part, id string, value []byte) (*es.Entry, error) {
	r := newReader(value)
	return &es.Entry{Part: part, ID: id, Guard: r.num(), Expires: r.time(), Value: r.str()}, r.err
}

func encodeChange(c *es.RecordChange) []byte {
	w := newWriter(len(c.Key) + len(c.Old) + len(c.New) + 32)
	w.str(c.Key)
	w.num(c.Guard)
	w.time(c.Time)
	w.flag(c.Rebuilding)
	w.str(c.Old)
	w.str(c.New)
	return w.b
}

func decodeChange(view string, value []byte) (es.RecordChange, error) {
	r := newReader(value)
	c := es.RecordChange{View: view, Key: r.str(), Guard: r.num(), Time: r.time(), Rebuilding: r.flag(), Old: r.str(), New: r.str()}
	return c, r.err
}

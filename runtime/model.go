package es

import "sync/atomic"

// Model is what generated code tells the runtime of a service. A program fills
// in the parts that it uses; it is never changed after the program has started.
type Model struct {
	Service  string // the schema's name of the service
	Key      KeyRule
	States   []string // of the lifecycle; nil without one
	Events   []EventType
	Views    []View
	PageSize int // default of ?limit=
	// Consumers run in process in the local program, as functions on AWS.
	Consumers []Consumer

	index atomic.Pointer[map[string]int] // of Events, made at first use
}

// manyTypes is where a map finds a type faster than looking at each.
const manyTypes = 8

// EventType returns the type of that name, or nil.
func (m *Model) EventType(name string) *EventType {
	if len(m.Events) <= manyTypes {
		for i := range m.Events {
			if m.Events[i].Name == name {
				return &m.Events[i]
			}
		}
		return nil
	}
	index := m.index.Load()
	if index == nil {
		made := make(map[string]int, len(m.Events))
		for i := range m.Events {
			made[m.Events[i].Name] = i
		}
		index = &made
		m.index.Store(index)
	}
	if i, ok := (*index)[name]; ok && i < len(m.Events) {
		return &m.Events[i]
	}
	return nil
}

// KeyRule is what the schema says of the entity's key.
type KeyRule struct {
	Name      string // the member's name: "orderId"
	Pattern   string // RE2, unanchored; "" for none
	MinLength int    // code points
	MaxLength int
}

// EventType describes one type of event.
type EventType struct {
	Name     string
	Revision int
	// New returns an empty event for the entity; Decode fills it in.
	New func(entityID string) DecodableEvent
	// Lifecycle; see the schema's from and to.
	FromNone bool
	From     []string
	To       string
	// Upcasts[i] turns the fields of revision i+1 into those of revision i+2.
	Upcasts []func(Fields) error
}

// DecodableEvent is an event that reads its fields from JSON.
type DecodableEvent interface {
	Event
	// Decode reads the members of the event's object, fills in defaults and reports
	// what is wrong to d. Members of the envelope are handled by d itself.
	Decode(d *Decoder)
}

// View describes one projected view.
type View struct {
	Name     string
	Revision int
	KeyName  string   // the member that holds the record's key
	Events   []string // the types that the view folds
	// Keys lists the keys of the records that an event names, distinct, in order;
	// nil in a view keyed by the entity. Empty keys and keys over 256 characters
	// have been left out.
	Keys func(Event) []string
	// ParseKey turns a record's key as a client spells it into the one that Keys lists, or
	// reports false for text that no record has as key; nil if they are the same.
	ParseKey func(text string) (string, bool)
	// New returns a record with the start values of the schema.
	New     func(key string) Record
	Indexes []Index
	// EventTypes lists all types of event of the service; tests of the view
	// use it to bring events into their stored form.
	EventTypes func() []EventType
}

// KeyedByEntity reports whether the view has one record per entity.
func (v *View) KeyedByEntity() bool { return v.Keys == nil }

// Record is one record of a view while it is folded.
type Record interface {
	// Fold applies one event that the view lists. It returns [Delete] to remove
	// the record; any other error quarantines the entity in the view. A value left in
	// the record that cannot be stored is an *[UnstorableError].
	Fold(event Event, meta Meta) error
	// AppendJSON appends the record as it is stored and answered: an object of
	// the key and the fields, without "version".
	AppendJSON(dst []byte) []byte
	// Load reads what AppendJSON wrote, also that of an older shape.
	Load(payload string) error
	// AppendIndexEntries appends the record's place in each index it is in.
	AppendIndexEntries(dst []IndexEntry) []IndexEntry
}

// Index describes one index of a view.
type Index struct {
	Name string
	Desc bool // the schema's order
	// ParseKey turns the text of a query parameter into the canonical key, or
	// reports false for text that is no value of the key's type.
	ParseKey func(text string) (string, bool)
}

// IndexEntry is the place of a record in an index.
type IndexEntry struct {
	Index string
	Key   string // canonical text of the key field
	Sort  []byte // order-preserving encoding of the sort field; empty without one
}

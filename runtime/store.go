package es

import (
	"context"
	"errors"
	"time"
)

// Errors that every store returns, possibly wrapped. Any other error is taken
// as transient with an unknown outcome: the write may or may not have happened.
var (
	// ErrConflict: a condition of a write did not hold; nothing was written.
	ErrConflict = errors.New("es: conflict")
	// ErrThrottled: the store refuses work for now; nothing was written.
	ErrThrottled = errors.New("es: throttled")
	// ErrTooLarge: an item or a step is larger than the store takes, for an item about 400 KB;
	// final, nothing was written.
	ErrTooLarge = errors.New("es: item too large")
	// ErrEntityFull: the entity's history has reached the store's bound; final.
	ErrEntityFull = errors.New("es: entity full")
	// ErrDamaged: what is stored is nothing that this program reads, as after somebody has edited an
	// item, or a later esgen has written it. No other try will read it; of other items it says nothing.
	ErrDamaged = errors.New("es: damaged item")
	// ErrCursor: the position of a page is not one that this store gave out for this list.
	ErrCursor = errors.New("es: bad cursor")
)

// EventStore keeps the history of every entity, one item per event. All its
// reads are strongly consistent. It is safe for concurrent use.
//
// Entity ids are any text of 1 to 256 characters, zero bytes and all; two ids are the same
// only if their bytes are. An id that no entity can have is unknown, not an error.
// Times come back as the same instant in UTC. A call whose context is done fails.
type EventStore interface {
	// Head returns the last event of an entity, nil when it has none.
	Head(ctx context.Context, entityID string) (*Recorded, error)
	// Lookup returns the entity's event with an event id, nil when there is none; an
	// event id counts within its entity only.
	Lookup(ctx context.Context, entityID, eventID string) (*Recorded, error)
	// Put stores an event if its version is free. If it is taken, Put writes
	// nothing and returns the occupant, which may be the event itself, stored by
	// an earlier try whose outcome was unknown. Of writers of one version exactly one
	// gets its slot, and all others get its event.
	Put(ctx context.Context, event *Recorded) (occupant *Recorded, err error)
	// Read returns events of an entity with versions above after, oldest first, at
	// most limit (at least 1) of them and at most about 1 MB, but one if there is one.
	// Fewer than limit does not mean the end: more says whether there are later ones.
	Read(ctx context.Context, entityID string, after int64, limit int) (events []Recorded, more bool, err error)
	// Heads pages over all entities, in no promised order; an entity that exists
	// throughout is in exactly one page, whatever is written meanwhile. Segments, from 0, are
	// disjoint and complete, for parallel scans. Start with cursor "", end when next is "";
	// a page may be empty and have a next one. ErrCursor for a cursor of other segments.
	Heads(ctx context.Context, segment, segments int, cursor string) (heads []EntityHead, next string, err error)
}

// TurnTaker is an [EventStore] to which all who append are in one process. They wait for each other
// instead of racing for an entity's next version.
type TurnTaker interface {
	// Turn returns when the caller's turn with the entity has come, first come, first served; leave ends it.
	Turn(ctx context.Context, entityID string) (leave func(), err error)
}

// EntityHead is an entity with the version of its last event, which may be older
// than the truth.
type EntityHead struct {
	EntityID string
	Version  int64
}

// Table names one view table: a view and its revision.
type Table struct {
	View     string
	Revision int
}

// Item is a record of a view at rest. In a view keyed by the entity, Guard is the position:
// the version up to which the entity has been folded. In other views it counts the
// writes of the record, and the positions stand in markers.
type Item struct {
	Key     string
	Guard   int64
	Version int64  // entity views: the last listed event folded
	State   string // entity views: the entity's state at Guard
	// Payload is the record as answered, without "version". It is "" in a tombstone
	// and in the shell of a record whose first fold failed: both are 404 and in no list.
	Payload string
	// Entries are the record's places in indexes, at most one in each, key and sort value of
	// at most [MaxPlace] bytes. Without a payload they are kept for nothing: the record is in no index.
	Entries []IndexEntry
	Latest  Moment // other views: the greatest moment folded
	// Held is the deployment in which the entity was quarantined in the view, "" when it
	// is not. Entity views only; markers hold it elsewhere.
	Held string
	// Damage is why what is stored cannot be read, an [ErrDamaged]; then there is nothing else but the
	// key. In answers of Load only.
	Damage error
}

// Moment orders events across entities.
type Moment struct {
	Time     time.Time
	EntityID string
	Version  int64
}

// Marker is how far a view not keyed by the entity has folded one entity.
type Marker struct {
	EntityID string
	Position int64 // Guard of the marker
	State    string
	Held     string
	Damage   error // as of an Item
}

// Step is one atomic write to one view table: each record and marker stands on
// the condition that its guard (a marker's position) is still Was. What does not exist counts as 0,
// and so does what was written with 0: the shell of a record whose first fold failed, a marker that
// only holds an entity. At most 100 records and markers together, at most 4 MB.
type Step struct {
	Table   Table
	Records []ItemWrite
	Markers []MarkerWrite
	// Rebuild says that a rebuild makes the change, for the readers of the view's stream.
	Rebuild bool
}

// ItemWrite replaces a record. A write whose Guard equals Was is allowed: it only
// sets or lifts Held.
type ItemWrite struct {
	Was  int64
	Item Item
}

// MarkerWrite moves a marker. A write whose Position equals Was changes only Held of a
// marker that exists.
type MarkerWrite struct {
	Was    int64
	Marker Marker
}

// ViewStore keeps the records of all views and the markers. It is safe for
// concurrent use.
type ViewStore interface {
	// Load reads records and markers strongly, in as few requests as it can. What does
	// not exist is absent from the answer, which has a place for each read, and what is damaged says so
	// itself. A key may be named twice; a table that nothing was written to is empty.
	Load(ctx context.Context, reads []ViewRead) ([]ViewRows, error)
	// Write applies a step, all of it or nothing, or returns ErrConflict when a condition did
	// not hold, or another step was under way with one of its items. A record's places in the indexes change with it. Guards never fall.
	Write(ctx context.Context, step Step) error
	// Get reads one record; nil when there is none (a tombstone is returned).
	Get(ctx context.Context, table Table, key string, strong bool) (*Item, error)
	// List returns a page of records that have a payload, in no promised order. A record
	// that has one throughout is in exactly one page, whatever is written meanwhile.
	List(ctx context.Context, table Table, page PageRequest) (ItemPage, error)
	// Query returns a page of an index, ordered by (Sort, a hash of the record's key), or
	// in exactly the reverse order. A key has at most [MaxPlace] bytes. A record that
	// stays in its place throughout is in exactly one page; one that moves may be in two or none.
	Query(ctx context.Context, table Table, index, key string, desc bool, page PageRequest) (ItemPage, error)
	// Drop removes a table with its markers and its entries of the progress, in quarantine, left
	// behind and of a rebuild. Dropping what does not exist is no error.
	Drop(ctx context.Context, table Table) error
}

// ViewRead asks for records of one table and markers of one table.
type ViewRead struct {
	Table   Table
	Keys    []string
	Markers []string // entity ids
}

// ViewRows answers a ViewRead, in its place.
type ViewRows struct {
	Items   map[string]*Item
	Markers map[string]*Marker
}

// PageRequest bounds a page: at most Limit (at least 1) items and about 1 MB, but one if
// there is one, after the position that a page before gave as Next. A position belongs to its
// list (table, index, key, direction) and stays good when the record there goes.
type PageRequest struct {
	Limit int
	After string // the store's own; checked by the store, ErrCursor
}

// ItemPage is a page; Next is "" exactly if there is no more. Its items have Key, Version and
// Payload; what else they have is the store's own affair, since an index holds what a page shows.
type ItemPage struct {
	Items []Item
	Next  string
}

// ProgressStore keeps small facts about the work itself: quarantine, entities
// left behind, active revisions, consumers' memory. It is never listed as a view and has
// no stream. Entries are addressed by (Part, ID); see [MaxEntryID].
type ProgressStore interface {
	Progress(ctx context.Context, part, id string) (*Entry, error) // nil when absent
	// ListProgress returns entries of a part by the bytes of their ids, at most limit (at
	// least 1), from after on (exclusive); fewer than limit, only at the end.
	ListProgress(ctx context.Context, part, after string, limit int) ([]Entry, error)
	// PutProgress writes an entry on the condition that its Guard is still was (0: absent; -1:
	// any), or returns ErrConflict.
	PutProgress(ctx context.Context, was int64, entry Entry) error
	// DeleteProgress deletes an entry, whatever its guard; deleting what is absent is no error.
	// The guard of a later one of the same id begins anew.
	DeleteProgress(ctx context.Context, part, id string) error
}

// MaxEntryID is how many bytes the id of an [Entry] has at most: what any store takes as part of
// a key. A part has at most half as many. What is over them is absent, and refused when written.
const MaxEntryID = 1024

// Entry is one fact of a ProgressStore.
type Entry struct {
	Part    string
	ID      string
	Guard   int64 // above 0, rises with each conditional write
	Value   string
	Expires time.Time // the store may forget the entry after it; zero: never
}

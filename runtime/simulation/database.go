package simulation

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	es "github.com/esgen/esgen/runtime"
)

// database is what the stores of all processes work on. It does one thing at a time and
// has no faults; those lie between it and its callers. It remembers every record as it was,
// for reads that are behind.
type database struct {
	mu       sync.Mutex // of direct calls
	direct   int        // so many
	events   map[string][]es.Recorded
	ids      []string // of entities, in the order in which they began
	tables   map[es.Table]*table
	progress map[string]map[string]es.Entry
	now      func() time.Time
	misuse   []string // what callers did that the interfaces forbid
	refused  int      // writes whose condition did not hold
	dropped  map[es.Table]bool

	// The streams.
	onEvent  func(es.Recorded)
	onChange func(change)
	onEntry  func(es.Entry)
}

// change is a record's change, with the table and whether a rebuild has made it.
type change struct {
	table  es.Table
	record es.RecordChange
	live   bool // not written by a rebuild's step
}

type table struct {
	items   map[string][]es.Item // all that a record has ever been, the last is what it is
	markers map[string]es.Marker
	writes  int
	changed map[string][]int // when, in writes of the table
}

func newDatabase(now func() time.Time) *database {
	return &database{
		events: map[string][]es.Recorded{}, tables: map[es.Table]*table{}, progress: map[string]map[string]es.Entry{},
		dropped: map[es.Table]bool{}, now: now, onEvent: func(es.Recorded) {}, onChange: func(change) {}, onEntry: func(es.Entry) {},
	}
}

func (d *database) misused(format string, args ...any) {
	d.misuse = append(d.misuse, fmt.Sprintf(format, args...))
}

func (d *database) table(t es.Table) *table {
	found := d.tables[t]
	if found == nil {
		found = &table{items: map[string][]es.Item{}, markers: map[string]es.Marker{}, changed: map[string][]int{}}
		d.tables[t] = found
	}
	return found
}

// item is a record as it is.
func (t *table) item(key string) *es.Item {
	if all := t.items[key]; len(all) > 0 {
		item := all[len(all)-1]
		return &item
	}
	return nil
}

// before is a record as it was after some writes of the table.
func (t *table) before(key string, writes int) *es.Item {
	n, _ := slices.BinarySearch(t.changed[key], writes+1)
	if n == 0 {
		return nil
	}
	item := t.items[key][n-1]
	return &item
}

func (d *database) head(id string) *es.Recorded {
	if h := d.events[id]; len(h) > 0 {
		r := h[len(h)-1]
		return &r
	}
	return nil
}

func (d *database) lookup(id, eventID string) *es.Recorded {
	for _, r := range d.events[id] {
		if r.EventID == eventID {
			return &r
		}
	}
	return nil
}

// maxItem is how many bytes an item has at most.
const maxItem = 400 << 10

// put takes every free version, as a real store does; a hole before it is the caller's mistake.
func (d *database) put(r es.Recorded) (occupant *es.Recorded, err error) {
	if r.Version < 1 {
		return nil, fmt.Errorf("simulation: version %d", r.Version)
	}
	if len(r.Payload)+len(r.EntityID)+len(r.EventID) > maxItem {
		return nil, es.ErrTooLarge
	}
	h := d.events[r.EntityID]
	i, taken := slices.BinarySearchFunc(h, r.Version, byVersion)
	if taken {
		o := h[i]
		d.refused++
		return &o, nil
	}
	if len(h) == 0 {
		d.ids = append(d.ids, r.EntityID)
	}
	if i < len(h) || r.Version != int64(len(h))+1 {
		d.misused("a hole in the history of %s before version %d", r.EntityID, r.Version)
	}
	r.Time = r.Time.UTC()
	d.events[r.EntityID] = slices.Insert(h, i, r)
	d.onEvent(r)
	return nil, nil
}

func byVersion(r es.Recorded, version int64) int { return cmp.Compare(r.Version, version) }

// pageBytes is where pages end.
const pageBytes = 1 << 20

func (d *database) read(id string, after int64, limit int) (events []es.Recorded, more bool) {
	if limit < 1 || after < 0 {
		d.misused("read of %s after %d, at most %d", id, after, limit)
		limit = max(limit, 1)
	}
	h := d.events[id]
	i, _ := slices.BinarySearchFunc(h, after+1, byVersion)
	h = h[i:]
	size := 0
	for i := range h {
		if size += len(h[i].Payload) + 200; len(events) == limit || size > pageBytes && i > 0 {
			return events, true
		}
		events = append(events, h[i])
	}
	return events, false
}

func segmentOf(id string, segments int) int {
	return int(xxhash.Sum64String(id) % uint64(max(segments, 1)))
}

// heads pages in the order in which entities began: so those that begin meanwhile come later.
func (d *database) heads(segment, segments int, cursor string, limit int) (heads []es.EntityHead, next string, err error) {
	if segment < 0 || segment >= segments {
		return nil, "", fmt.Errorf("simulation: segment %d of %d", segment, segments)
	}
	at, err := openCursor(cursor, "heads", strconv.Itoa(segment), strconv.Itoa(segments))
	if err != nil {
		return nil, "", err
	}
	start, _ := strconv.Atoi(at)
	for i := start; i < len(d.ids); i++ {
		if segmentOf(d.ids[i], segments) != segment {
			continue
		}
		if len(heads) == limit {
			return heads, cursorOf(strconv.Itoa(i), "heads", strconv.Itoa(segment), strconv.Itoa(segments)), nil
		}
		heads = append(heads, es.EntityHead{EntityID: d.ids[i], Version: d.head(d.ids[i]).Version})
	}
	return heads, "", nil
}

// What a store gives back is not what it was given: who relies on more than the interface promises is
// to be found out here.

// loaded is a record as Load gives it. A tombstone has no places in indexes.
func loaded(item es.Item) *es.Item {
	places := slices.Clone(item.Entries)
	if item.Payload == "" {
		places = nil
	}
	item.Entries = places
	return &item
}

// got is a record as Get gives it, nil for none.
func got(item *es.Item) *es.Item {
	if item != nil {
		item.Entries = nil
	}
	return item
}

// listed is a record as pages have it.
func listed(item *es.Item) es.Item {
	return es.Item{Key: item.Key, Version: item.Version, Payload: item.Payload}
}

func (d *database) load(reads []es.ViewRead) []es.ViewRows {
	rows := make([]es.ViewRows, 0, len(reads))
	for _, read := range reads {
		t := d.table(read.Table)
		r := es.ViewRows{Items: map[string]*es.Item{}, Markers: map[string]*es.Marker{}}
		for _, key := range read.Keys {
			if item := t.item(key); item != nil {
				r.Items[key] = loaded(*item)
			}
		}
		for _, id := range read.Markers {
			if m, ok := t.markers[id]; ok {
				r.Markers[id] = &m
			}
		}
		rows = append(rows, r)
	}
	return rows
}

func (d *database) write(step es.Step) error {
	d.checkStep(&step)
	if tooLarge(&step) {
		return es.ErrTooLarge
	}
	t := d.table(step.Table)
	if !t.holds(&step) {
		d.refused++
		return es.ErrConflict
	}
	t.writes++
	for _, w := range step.Records {
		d.replace(step, t, w.Item)
	}
	for _, w := range step.Markers {
		m := w.Marker
		if old, ok := t.markers[m.EntityID]; ok && m.Position == w.Was {
			m.State = old.State
		}
		t.markers[m.EntityID] = m
	}
	return nil
}

// holds reports whether the conditions of a step hold.
func (t *table) holds(step *es.Step) bool {
	for _, w := range step.Records {
		if guardOf(t.item(w.Item.Key)) != w.Was {
			return false
		}
	}
	for _, w := range step.Markers {
		if t.markers[w.Marker.EntityID].Position != w.Was {
			return false
		}
	}
	return true
}

func tooLarge(step *es.Step) bool {
	size := 0
	for _, w := range step.Records {
		size += len(w.Item.Payload) + len(w.Item.Key)
		if len(w.Item.Payload)+len(w.Item.Key) > maxItem {
			return true
		}
		for _, e := range w.Item.Entries {
			if len(e.Key) > es.MaxPlace || len(e.Sort) > es.MaxPlace {
				return true
			}
		}
	}
	return len(step.Records)+len(step.Markers) > 100 || size > 4_000_000
}

func guardOf(item *es.Item) int64 {
	if item == nil {
		return 0
	}
	return item.Guard
}

func (d *database) replace(step es.Step, t *table, item es.Item) {
	old := ""
	if was := t.item(item.Key); was != nil {
		old = was.Payload
	}
	item.Entries = slices.Clone(item.Entries)
	t.items[item.Key] = append(t.items[item.Key], item)
	t.changed[item.Key] = append(t.changed[item.Key], t.writes)
	d.onChange(change{table: step.Table, live: !step.Rebuild, record: es.RecordChange{
		View: step.Table.View, Key: item.Key, Guard: item.Guard, Time: d.now().UTC(),
		Old: old, New: item.Payload, Rebuilding: step.Rebuild,
	}})
}

// checkStep notes what Step forbids.
func (d *database) checkStep(step *es.Step) {
	n, size := len(step.Records)+len(step.Markers), 0
	seen := map[string]bool{}
	for _, w := range step.Records {
		size += len(w.Item.Payload) + len(w.Item.Key)
		if seen["r"+w.Item.Key] || w.Item.Guard < w.Was || w.Item.Key == "" {
			d.misused("step of %v: record %q from %d to %d", step.Table, w.Item.Key, w.Was, w.Item.Guard)
		}
		seen["r"+w.Item.Key] = true
	}
	for _, w := range step.Markers {
		if seen["m"+w.Marker.EntityID] || w.Marker.Position < w.Was {
			d.misused("step of %v: marker %q from %d to %d", step.Table, w.Marker.EntityID, w.Was, w.Marker.Position)
		}
		seen["m"+w.Marker.EntityID] = true
	}
	if n == 0 || n > 100 || size > 4_000_000 {
		d.misused("a step of %d items, %d bytes", n, size)
	}
}

// lists pages the records that have a payload, as they were behind writes ago.
func (d *database) list(name es.Table, page es.PageRequest, behind int) (p es.ItemPage, err error) {
	scope := []string{"list", fmt.Sprint(name)}
	after, err := openCursor(page.After, scope...)
	if err != nil {
		return p, err
	}
	t, size := d.table(name), 0
	for _, key := range slices.Sorted(maps.Keys(t.items)) {
		item := t.before(key, t.writes-behind)
		if item == nil || item.Payload == "" || page.After != "" && key <= after {
			continue
		}
		if size += len(item.Payload); len(p.Items) >= max(page.Limit, 1) || size > pageBytes && len(p.Items) > 0 {
			p.Next = cursorOf(p.Items[len(p.Items)-1].Key, scope...)
			return p, nil
		}
		p.Items = append(p.Items, listed(item))
	}
	return p, nil
}

func (d *database) query(name es.Table, index, key string, desc bool, page es.PageRequest, behind int) (p es.ItemPage, err error) {
	scope := []string{"query", fmt.Sprint(name), index, key, strconv.FormatBool(desc)}
	after, err := openCursor(page.After, scope...)
	if err != nil {
		return p, err
	}
	type place struct {
		order string
		item  *es.Item
	}
	var places []place
	t := d.table(name)
	for k := range t.items {
		item := t.before(k, t.writes-behind)
		if item == nil || item.Payload == "" {
			continue
		}
		for _, e := range item.Entries {
			if e.Index == index && e.Key == key {
				places = append(places, place{orderOf(e.Sort, k), item})
			}
		}
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Compare(a.order, b.order) })
	if desc {
		slices.Reverse(places)
	}
	size := 0
	last := ""
	for _, at := range places {
		if page.After != "" && (!desc && at.order <= after || desc && at.order >= after) {
			continue
		}
		if size += len(at.item.Payload); len(p.Items) >= max(page.Limit, 1) || size > pageBytes && len(p.Items) > 0 {
			p.Next = cursorOf(last, scope...)
			return p, nil
		}
		last = at.order
		p.Items = append(p.Items, listed(at.item))
	}
	return p, nil
}

// orderOf is a record's place among those of an index key: the sort value, then a hash.
func orderOf(sort []byte, key string) string {
	var b strings.Builder
	for _, c := range sort { // so that no sort value reaches into the hash
		b.WriteByte(1)
		b.WriteByte(c)
	}
	b.WriteByte(0)
	fmt.Fprintf(&b, "%016x", xxhash.Sum64String(key))
	return b.String() + key
}

func cursorOf(position string, scope ...string) string {
	text, _ := json.Marshal(append(scope, base64.StdEncoding.EncodeToString([]byte(position))))
	return base64.RawURLEncoding.EncodeToString(text)
}

// openCursor returns the position in a cursor of this list, "" of the empty cursor.
func openCursor(cursor string, scope ...string) (position string, err error) {
	if cursor == "" {
		return "", nil
	}
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return "", es.ErrCursor
	}
	want, _ := json.Marshal(append(scope, ""))
	var parts []string
	if json.Unmarshal(text, &parts) != nil || len(parts) != len(scope)+1 {
		return "", es.ErrCursor
	}
	last := parts[len(parts)-1]
	parts[len(parts)-1] = ""
	if got, _ := json.Marshal(parts); string(got) != string(want) {
		return "", es.ErrCursor
	}
	at, err := base64.StdEncoding.DecodeString(last)
	if err != nil {
		return "", es.ErrCursor
	}
	return string(at), nil
}

func (d *database) drop(name es.Table) {
	delete(d.tables, name)
	d.dropped[name] = true
	for _, part := range []string{"quarantine/", "behind/", "rebuild/"} {
		delete(d.progress, part+name.View+"/"+strconv.Itoa(name.Revision))
	}
}

// entry is an entry that has not expired.
func (d *database) entry(part, id string) *es.Entry {
	e, ok := d.progress[part][id]
	if !ok || !e.Expires.IsZero() && e.Expires.Before(d.now()) {
		return nil
	}
	return &e
}

func (d *database) listProgress(part, after string, limit int) (entries []es.Entry) {
	for _, id := range slices.Sorted(maps.Keys(d.progress[part])) {
		if e := d.entry(part, id); e != nil && id > after && len(entries) < limit {
			entries = append(entries, *e)
		}
	}
	return entries
}

func (d *database) putProgress(was int64, e es.Entry) error {
	if e.ID == "" || len(e.ID) > es.MaxEntryID || e.Part == "" || len(e.Part) > es.MaxEntryID/2 || e.Guard < 1 {
		return fmt.Errorf("simulation: an entry with a part of %d bytes, an id of %d, guard %d", len(e.Part), len(e.ID), e.Guard)
	}
	guard := int64(0)
	if old := d.entry(e.Part, e.ID); old != nil {
		guard = old.Guard
	}
	if was >= 0 && was != guard {
		d.refused++
		return es.ErrConflict
	}
	if d.progress[e.Part] == nil {
		d.progress[e.Part] = map[string]es.Entry{}
	}
	d.progress[e.Part][e.ID] = e
	d.onEntry(e)
	return nil
}

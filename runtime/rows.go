package es

import "context"

// rows are the records and markers that a batch works on, as last read or written.
// A nil row is one that was read and does not exist.
type rows map[Table]*tableRows

type tableRows struct {
	items   map[string]*Item
	markers map[string]*Marker
}

func (r rows) of(t Table) *tableRows {
	rows := r[t]
	if rows == nil {
		rows = &tableRows{items: map[string]*Item{}, markers: map[string]*Marker{}}
		r[t] = rows
	}
	return rows
}

// holder is what holds a source's position: the record in a view keyed by the
// entity, else the marker.
type holder struct {
	position int64
	version  int64 // of the last listed event folded
	state    string
	held     string
	damage   error // why none of that can be told
}

func (r rows) holder(s *source) holder {
	rows := r.of(s.view.table)
	if s.view.shared < 0 {
		if item := rows.items[s.entity]; item != nil {
			return holder{position: item.Guard, version: item.Version, state: item.State, held: item.Held, damage: item.Damage}
		}
		return holder{}
	}
	if m := rows.markers[s.entity]; m != nil {
		return holder{position: m.Position, state: m.State, held: m.Held, damage: m.Damage}
	}
	return holder{}
}

// wanted gathers what must be read, without what is there already.
type wanted struct {
	rows  rows
	reads []ViewRead
	index map[Table]int
	seen  map[wantedRow]bool
}

type wantedRow struct {
	table  Table
	marker bool
	key    string
}

func (w *wanted) add(row wantedRow) {
	have := w.rows.of(row.table)
	if row.marker {
		if _, ok := have.markers[row.key]; ok {
			return
		}
	} else if _, ok := have.items[row.key]; ok {
		return
	}
	if w.seen[row] {
		return
	}
	w.seen[row] = true
	i, ok := w.index[row.table]
	if !ok {
		i = len(w.reads)
		w.index[row.table] = i
		w.reads = append(w.reads, ViewRead{Table: row.table})
	}
	if row.marker {
		w.reads[i].Markers = append(w.reads[i].Markers, row.key)
	} else {
		w.reads[i].Keys = append(w.reads[i].Keys, row.key)
	}
}

// load reads the rows that the sources need and that are not at hand, in one
// request. When that fails, so do all the sources.
func (w *work) load(ctx context.Context, sources []*source) bool {
	if w.rows == nil {
		w.rows = rows{}
	}
	want := &wanted{rows: w.rows, index: map[Table]int{}, seen: map[wantedRow]bool{}}
	for _, s := range sources {
		if s.status == pending || s.status == gapped {
			w.want(want, s)
		}
	}
	err := w.read(ctx, want.reads)
	if err != nil {
		for _, s := range sources {
			if s.status == pending || s.status == gapped {
				s.fail(err)
			}
		}
	}
	return err == nil
}

func (w *work) want(want *wanted, s *source) {
	if s.view.shared < 0 {
		want.add(wantedRow{table: s.view.table, key: s.entity})
		return
	}
	want.add(wantedRow{table: s.view.table, marker: true, key: s.entity})
	for i := range s.events {
		k := &s.events[i]
		if !k.kind.listed(s.view) {
			continue
		}
		keys, _ := k.named(w.p, s.view) // an event that cannot be read names nothing
		for _, key := range keys {
			want.add(wantedRow{table: s.view.table, key: key})
		}
	}
}

func (w *work) read(ctx context.Context, reads []ViewRead) error {
	if len(reads) == 0 {
		return nil
	}
	answers, err := w.p.stores.Views.Load(ctx, reads)
	if err != nil {
		return err
	}
	for i, read := range reads {
		rows := w.rows.of(read.Table)
		for _, key := range read.Keys {
			rows.items[key] = answers[i].Items[key]
		}
		for _, id := range read.Markers {
			rows.markers[id] = answers[i].Markers[id]
		}
	}
	return nil
}

// forget drops the rows that a step stood on, so that load reads them anew.
func (r rows) forget(step *Step) {
	rows := r.of(step.Table)
	for i := range step.Records {
		delete(rows.items, step.Records[i].Item.Key)
	}
	for i := range step.Markers {
		delete(rows.markers, step.Markers[i].Marker.EntityID)
	}
}

// forgetShared drops the records that entities share.
func (r rows) forgetShared() {
	for _, rows := range r {
		if len(rows.markers) > 0 {
			clear(rows.items)
		}
	}
}

// keep takes what a step wrote for what is stored.
func (r rows) keep(step *Step) {
	rows := r.of(step.Table)
	for i := range step.Records {
		rows.items[step.Records[i].Item.Key] = &step.Records[i].Item
	}
	for i := range step.Markers {
		rows.markers[step.Markers[i].Marker.EntityID] = &step.Markers[i].Marker
	}
}

// trim drops the records of views that are not keyed by the entity when there are
// many; load reads them again where they are needed.
func (r rows) trim() {
	for _, rows := range r {
		if len(rows.markers) > 0 && len(rows.items) > rowsAtOnce {
			clear(rows.items)
		}
	}
}

package es

// before orders moments by time, entity and version.
func (m Moment) before(other Moment) bool {
	if c := m.Time.Compare(other.Time); c != 0 {
		return c < 0
	}
	if m.EntityID != other.EntityID {
		return m.EntityID < other.EntityID
	}
	return m.Version < other.Version
}

// plan makes the writes of what was folded.
func (f *folding) plan() (*plan, error) {
	p := &plan{shares: f.shares, step: Step{Table: f.view.table, Rebuild: f.w.rebuild || f.view.building()}}
	for i := range f.shares {
		sh := &f.shares[i]
		if !sh.writes() {
			continue
		}
		if f.view.shared < 0 {
			item, err := f.entityItem(sh)
			if err != nil {
				return nil, err
			}
			p.step.Records = append(p.step.Records, ItemWrite{Was: sh.was.position, Item: item})
			continue
		}
		p.step.Markers = append(p.step.Markers, MarkerWrite{Was: sh.was.position, Marker: Marker{
			EntityID: sh.s.entity, Position: sh.now.position, State: sh.now.state, Held: sh.now.held,
		}})
	}
	if f.view.shared < 0 {
		return p, nil
	}
	for _, r := range f.records {
		payload, entries, err := f.render(r)
		if err != nil {
			return nil, err
		}
		p.step.Records = append(p.step.Records, ItemWrite{Was: r.was, Item: Item{
			Key: r.key, Guard: r.was + 1, Payload: payload, Entries: entries, Latest: r.latest,
		}})
	}
	return p, nil
}

// entityItem is the record of a view keyed by the entity: as folded, or as it was where
// only the position or the quarantine changes.
func (f *folding) entityItem(sh *share) (item Item, err error) {
	if old := f.w.rows.of(f.view.table).items[sh.s.entity]; old != nil {
		item = *old
	}
	item.Key = sh.s.entity
	item.Guard, item.Version, item.State, item.Held = sh.now.position, sh.now.version, sh.now.state, sh.now.held
	if sh.record != nil {
		item.Payload, item.Entries, err = f.render(sh.record)
	}
	return item, err
}

// render writes a record as it is stored. Values that cannot be stored have been
// refused by the fold; what is left to fail is generated code that panics.
func (f *folding) render(r *recordFold) (payload string, entries []IndexEntry, err error) {
	if r.record == nil {
		return "", nil, nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = newPanicked(p)
		}
	}()
	f.buffer = r.record.AppendJSON(f.buffer[:0])
	if len(f.view.Indexes) > 0 {
		entries = r.record.AppendIndexEntries(nil)
		for i := range entries {
			entries[i].bound()
		}
	}
	return string(f.buffer), entries, nil
}

// empty reports whether there is nothing to write.
func (p *plan) empty() bool { return len(p.step.Records) == 0 && len(p.step.Markers) == 0 }

// bytes is about how much the step writes.
func (p *plan) bytes() int {
	const each = 128 // attribute names, numbers, positions
	n := 0
	for i := range p.step.Records {
		item := &p.step.Records[i].Item
		n += each + len(item.Payload) + 3*len(item.Key)
		for _, e := range item.Entries {
			n += each + len(e.Index) + len(e.Key) + len(e.Sort)
		}
	}
	for i := range p.step.Markers {
		n += each + len(p.step.Markers[i].Marker.EntityID)
	}
	return n
}

// shrink has the sources of a step that was too large take half of it the next
// time: first fewer sources, then fewer events. It reports false for a step of one event.
func (p *plan) shrink() bool {
	if n := len(p.shares); n > 1 {
		for i := range p.shares {
			p.shares[i].s.width = n / 2
		}
		return true
	}
	if len(p.shares) == 0 || p.shares[0].took < 2 {
		return false
	}
	p.shares[0].s.limit = p.shares[0].took / 2
	return true
}

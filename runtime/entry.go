package es

import (
	"context"
	"errors"
	"iter"
	"time"
)

// takenBackFor is how long an entry that was taken back holds its guard: longer than anybody
// goes on with what was read before.
const takenBackFor = 24 * time.Hour

// writeEntry writes the entry that value makes of the one that is there, nil when there is
// none. Another writer may be faster; then value is asked again. It is never "".
func (p *Projector) writeEntry(ctx context.Context, part, id string, value func(old *Entry) string) error {
	const tries = 5
	var err error
	for range tries {
		var old *Entry
		if old, err = p.stores.Progress.Progress(ctx, part, id); err != nil {
			return err
		}
		was := int64(0)
		if old != nil {
			if was = old.Guard; old.takenBack() {
				old = nil
			}
		}
		err = p.stores.Progress.PutProgress(ctx, was, Entry{Part: part, ID: id, Guard: was + 1, Value: value(old)})
		if !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return err
}

// takeBack removes an entry unless it has been written since it was read: then it is
// another's, and stays. It is emptied and left to expire: deleted, its guard would begin
// anew, and who read it before would take a new entry for the old one.
func (p *Projector) takeBack(ctx context.Context, e *Entry) error {
	err := p.stores.Progress.PutProgress(ctx, e.Guard, Entry{
		Part: e.Part, ID: e.ID, Guard: e.Guard + 1, Expires: p.clock().Add(takenBackFor),
	})
	if errors.Is(err, ErrConflict) {
		return nil
	}
	return err
}

func (e *Entry) takenBack() bool { return e.Value == "" }

// entry reads an entry, nil when there is none.
func (p *Projector) entry(ctx context.Context, part, id string) (*Entry, error) {
	e, err := p.stores.Progress.Progress(ctx, part, id)
	if err != nil || e == nil || e.takenBack() {
		return nil, err
	}
	return e, nil
}

// entries goes over the entries of one part of the progress.
func (p *Projector) entries(ctx context.Context, part string) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		for e, err := range p.allEntries(ctx, part) {
			if err == nil && e.takenBack() {
				continue
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// allEntries goes over those that were taken back, too.
func (p *Projector) allEntries(ctx context.Context, part string) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		const page = 100
		for after := ""; ; {
			entries, err := p.stores.Progress.ListProgress(ctx, part, after, page)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range entries {
				if !yield(&entries[i], nil) {
					return
				}
			}
			if len(entries) < page {
				return
			}
			after = entries[len(entries)-1].ID
		}
	}
}

package es

import (
	"context"
	"strconv"
)

const (
	// maxMissing is how many listed events a read folds for its answer.
	maxMissing = 500
	// maxScanned is how many events a read goes through to find them: a view that lists few
	// types has no reason to store anything at the events between.
	maxScanned = 10 * maxMissing
)

// readAtLeast reads a record that has folded every listed event up to a version.
// What the stored record lacks is folded on the way, and not stored.
func (q *Query) readAtLeast(ctx context.Context, r *Request, v *View, id string, version int64) (found, *problem) {
	table, err := q.table(ctx, v)
	if err != nil {
		return found{}, q.failed(r, err)
	}
	defer table.end()
	item, err := q.stores.Views.Get(table.ctx, table.Table, id, true)
	if err != nil {
		return found{}, q.failed(r, err)
	}
	if item != nil && item.Guard >= version {
		return found{payload: item.Payload, version: item.Version}, nil
	}
	head, err := q.stores.Events.Head(ctx, id)
	switch {
	case err != nil:
		return found{}, q.failed(r, err)
	case head == nil && version == 0:
		return found{}, nil
	case head == nil:
		return found{}, badParameter("minVersion is above the entity's version, 0")
	case version > head.Version:
		return found{}, badParameter("minVersion is above the entity's version, " + strconv.FormatInt(head.Version, 10))
	case table.rebuilding:
		return found{}, &problem{status: 503, code: codeRebuilding, retryAfter: 30, detail: "without minVersion the record as it was before is answered"}
	case item != nil && item.Held != "":
		return found{}, quarantined()
	}
	f, err := q.model.startFold(v, id, item)
	if err != nil {
		return found{}, q.failed(r, err)
	}
	folded, err := q.foldUpTo(ctx, f, version, bound{listed: maxMissing, scanned: maxScanned})
	if err != nil {
		return found{}, q.failed(r, err)
	}
	if !folded {
		return found{}, &problem{
			status: 503, code: codeBehind, retryAfter: 5,
			detail: "more than " + strconv.Itoa(maxMissing) + " events are not in the view yet",
		}
	}
	return found{payload: f.payload(), version: f.version}, nil
}

// bound is how much of a history a read takes upon itself.
type bound struct {
	listed, scanned int64 // events
}

// foldUpTo folds the entity's events up to a version, which exists, or reports false when
// that is more than the bound.
func (q *Query) foldUpTo(ctx context.Context, f *fold, version int64, b bound) (bool, error) {
	if version-f.guard > b.scanned {
		return false, nil
	}
	var listed int64
	for f.guard < version {
		events, more, err := q.stores.Events.Read(ctx, f.key, f.guard, int(min(version-f.guard, readPage)))
		if err != nil {
			return false, err
		}
		for i := range events {
			if f.view.lists(events[i].Type) {
				if listed++; listed > b.listed {
					return false, nil
				}
			}
			if err := f.step(&events[i]); err != nil {
				return false, err
			}
		}
		if !more || len(events) == 0 {
			break
		}
	}
	if f.guard < version {
		return false, errShortHistory
	}
	return true, nil
}

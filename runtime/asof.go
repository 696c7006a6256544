package es

import (
	"context"
	"errors"
	"strconv"
)

// maxAsOf is the highest version at which a record can be asked for as it was:
// every such answer folds the history from its start.
const maxAsOf = 10_000

// errShortHistory is a history that ends before a version that its head says it has.
var errShortHistory = errors.New("es: history shorter than its head")

// readAsOf folds a record as it was at a version, with the code of today.
func (q *Query) readAsOf(ctx context.Context, r *Request, v *View, id string, version int64) (found, *problem) {
	head, err := q.stores.Events.Head(ctx, id)
	switch {
	case err != nil:
		return found{}, q.failed(r, err)
	case head == nil || version == 0:
		return found{}, nil
	case version > head.Version:
		return found{}, badParameter("version is above the entity's version, " + strconv.FormatInt(head.Version, 10))
	case version > maxAsOf:
		return found{}, badParameter("version can be at most " + strconv.Itoa(maxAsOf) + " here: its answer is folded from the start of the history")
	}
	f, err := q.model.startFold(v, id, nil)
	if err != nil {
		return found{}, q.failed(r, err)
	}
	if _, err := q.foldUpTo(ctx, f, version, bound{listed: maxAsOf, scanned: maxAsOf}); err != nil {
		return found{}, q.failed(r, err)
	}
	return found{payload: f.payload(), version: f.version}, nil
}

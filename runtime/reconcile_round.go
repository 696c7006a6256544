package es

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
)

// Where the last round stopped.
const (
	partReconcile = "reconcile"
	roundID       = "round"
)

// roundAt is behind an entity in a page of the heads. A page may have thousands, many more than a
// round is to compare.
type roundAt struct {
	Page  string `json:"page,omitempty"`  // its cursor
	After string `json:"after,omitempty"` // "" is before the first
}

// round is one that is under way.
type round struct {
	*healing
	at    roundAt
	left  int          // entities that it may still compare
	views []*projected // that it compares; nil until they are known
}

// round compares n entities and notes where it stopped. At the end of all it stops, so that
// a run never compares an entity twice; the next one begins anew. Two runs at once do some twice.
func (h *healing) round(ctx context.Context, n int) {
	r := &round{healing: h, left: n}
	e, err := h.p.entry(ctx, partReconcile, roundID)
	if err != nil {
		h.note(err)
		return
	}
	if e != nil && json.Unmarshal([]byte(e.Value), &r.at) != nil {
		r.at = roundAt{} // what cannot be read says nothing
	}
	for r.left > 0 && !h.over() {
		more, err := r.page(ctx)
		if err != nil {
			h.note(err)
			return
		}
		if !more {
			return
		}
	}
}

// page compares entities of the page where the round is. more is false when the round is to end.
func (r *round) page(ctx context.Context) (more bool, err error) {
	heads, next, err := r.p.stores.Events.Heads(ctx, 0, 1, r.at.Page)
	if errors.Is(err, ErrCursor) && r.at.Page != "" {
		r.at = roundAt{}
		return true, nil
	}
	if err != nil {
		return false, err
	}
	from := r.at
	heads = beyond(heads, r.at.After)
	for some := range slices.Chunk(heads[:min(len(heads), r.left)], headsAtOnce) {
		var whole bool
		if whole, err = r.some(ctx, some); !whole {
			break
		}
		r.left -= len(some)
		r.at.After = some[len(some)-1].EntityID
		heads = heads[len(some):]
	}
	if more = err == nil && len(heads) == 0; more {
		r.at = roundAt{Page: next}
	}
	if r.at != from {
		err = errors.Join(err, r.save(ctx))
	}
	return more && next != "" && err == nil, err
}

// beyond leaves out what was compared before. An entity that is no longer on its page, because others
// came before it, has the page begin anew.
func beyond(heads []EntityHead, after string) []EntityHead {
	if after == "" {
		return heads
	}
	return heads[1+slices.IndexFunc(heads, func(h EntityHead) bool { return h.EntityID == after }):]
}

// some compares some entities. What fails for now is recorded as left behind, so that a round does
// not stop at it for ever. whole is false when they are to be compared again.
func (r *round) some(ctx context.Context, heads []EntityHead) (whole bool, err error) {
	if r.over() {
		return false, nil
	}
	if r.views == nil {
		if r.views, err = r.readable(ctx); err != nil {
			return false, err
		}
	}
	behind, err := r.compare(ctx, r.views, heads)
	if err != nil {
		return false, err
	}
	whole = true
	for _, s := range behind {
		switch {
		case s.status != failed:
		case errors.Is(s.err, errLate):
			whole = false
		default:
			if err := r.p.leaveBehind(ctx, s, endless); err != nil {
				return false, err
			}
		}
	}
	return whole, nil
}

// readable are the views whose revision readers get.
func (r *round) readable(ctx context.Context) ([]*projected, error) {
	views := []*projected{}
	for _, v := range r.p.views {
		if v.read.Load() != readThis {
			if err := r.p.learnOf(ctx, v); err != nil {
				return nil, err
			}
		}
		if !v.building() {
			views = append(views, v)
		}
	}
	return views, nil
}

func (r *round) save(ctx context.Context) error {
	value, _ := json.Marshal(r.at) // texts can be written as JSON
	return r.p.stores.Progress.PutProgress(ctx, -1, Entry{Part: partReconcile, ID: roundID, Guard: 1, Value: string(value)})
}

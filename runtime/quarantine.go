package es

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strconv"
	"time"
)

// Quarantined is an entity that waits in a view because one of its events cannot
// be folded. Readers get the record as it was before that event.
type Quarantined struct {
	View     string `json:"view"`
	Revision int    `json:"revision"`
	EntityID string `json:"entity"`
	Version  int64  `json:"version"` // of the event that cannot be folded
	// Reason names what happened and where. Of an aggregator's own error it keeps the
	// words, not the values.
	Reason     string    `json:"reason"`
	FirstSeen  time.Time `json:"firstSeen"`
	Attempts   int       `json:"attempts"`
	Deployment string    `json:"deployment"` // that tried last
}

func quarantinePart(t Table) string { return "quarantine/" + t.View + "/" + strconv.Itoa(t.Revision) }

// entry reads a quarantine entry. One that is damaged is still an entry.
func readQuarantined(t Table, e *Entry) Quarantined {
	var q Quarantined
	if err := json.Unmarshal([]byte(e.Value), &q); err != nil {
		q.Reason = "the entry cannot be read"
	}
	q.View, q.Revision, q.EntityID = t.View, t.Revision, e.ID
	return q
}

// enterFailures writes the quarantine entries of the sources that fail in a plan:
// before the plan, so that nothing is held without an entry that says why. A
// source whose entry cannot be written fails for now; then the answer is false and the plan void.
func (w *work) enterFailures(ctx context.Context, p *plan) bool {
	ok := true
	for i := range p.shares {
		sh := &p.shares[i]
		if !sh.fails() || sh.s.entered == sh.s.failure.version {
			continue
		}
		if err := w.p.enter(ctx, sh.s); err != nil {
			sh.s.fail(fmt.Errorf("view %s: quarantine: %w", sh.s.view.Name, err))
			ok = false
			continue
		}
		sh.s.entry, sh.s.entered = true, sh.s.failure.version
	}
	return ok
}

func (p *Projector) enter(ctx context.Context, s *source) error {
	const tries = 5
	part := quarantinePart(s.view.table)
	var err error
	for range tries {
		var e *Entry
		if e, err = p.stores.Progress.Progress(ctx, part, s.entity); err != nil {
			return err
		}
		q, was := Quarantined{FirstSeen: p.clock().UTC()}, int64(0)
		if e != nil {
			was = e.Guard
			if old := readQuarantined(s.view.table, e); old.Version == s.failure.version {
				q = old
			}
		}
		q.View, q.Revision, q.EntityID = s.view.table.View, s.view.table.Revision, s.entity
		q.Version, q.Reason, q.Deployment = s.failure.version, s.failure.reason, p.deployment
		q.Attempts++
		value, _ := json.Marshal(q) // strings, numbers and a time of this century
		err = p.stores.Progress.PutProgress(ctx, was, Entry{Part: part, ID: s.entity, Guard: was + 1, Value: string(value)})
		if err == nil {
			p.log.LogAttrs(ctx, slog.LevelError, "quarantined", slog.String("view", q.View), slog.String("entity", q.EntityID),
				slog.Int64("version", q.Version), slog.String("reason", q.Reason), slog.Int("attempts", q.Attempts))
			return nil
		}
		if !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return err
}

// finish clears the quarantine of the sources that have got past their failure.
// An entry that cannot be removed now is removed by [Projector.Reconcile].
func (w *work) finish(ctx context.Context, sources []*source) {
	for _, s := range sources {
		if s.status != done || !s.entry || w.rows.holder(s).held != "" {
			continue
		}
		if err := w.p.stores.Progress.DeleteProgress(ctx, quarantinePart(s.view.table), s.entity); err != nil {
			w.p.log.LogAttrs(ctx, slog.LevelWarn, "quarantine entry not removed",
				slog.String("view", s.view.Name), slog.String("entity", s.entity), slog.String("error", err.Error()))
		}
	}
}

// ListQuarantine goes over the quarantined entities of a view, of all views when
// view is "". It ends with the first error.
func (p *Projector) ListQuarantine(ctx context.Context, view string) iter.Seq2[Quarantined, error] {
	return func(yield func(Quarantined, error) bool) {
		views, err := p.viewsNamed(view)
		if err != nil {
			yield(Quarantined{}, err)
			return
		}
		for _, v := range views {
			for e, err := range p.entries(ctx, quarantinePart(v.table)) {
				if err != nil {
					yield(Quarantined{}, err)
					return
				}
				if !yield(readQuarantined(v.table, &e), nil) {
					return
				}
			}
		}
	}
}

// entries goes over the entries of one part of the progress.
func (p *Projector) entries(ctx context.Context, part string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		const page = 100
		for after := ""; ; {
			entries, err := p.stores.Progress.ListProgress(ctx, part, after, page)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for _, e := range entries {
				if !yield(e, nil) {
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

// ErrUnknownView is returned for the name of a view that the model does not have.
var ErrUnknownView = errors.New("es: unknown view")

// ErrNotQuarantined is returned for an entity that is not quarantined in the view.
var ErrNotQuarantined = errors.New("es: not quarantined")

func (p *Projector) viewsNamed(name string) ([]*projected, error) {
	if name == "" {
		return p.views, nil
	}
	for _, v := range p.views {
		if v.Name == name {
			return []*projected{v}, nil
		}
	}
	return nil, fmt.Errorf("%w: %q", ErrUnknownView, name)
}

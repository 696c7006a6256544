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
	Version  int64  `json:"version"` // of the event that cannot be folded; 0: of what is stored, something else cannot be read
	// Reason names what happened and where. Of an aggregator's own error it keeps the
	// words, not the values.
	Reason     string    `json:"reason"`
	FirstSeen  time.Time `json:"firstSeen"`
	Attempts   int       `json:"attempts"`
	Deployment string    `json:"deployment"` // that tried last
}

func quarantinePart(t Table) string { return "quarantine/" + t.View + "/" + strconv.Itoa(t.Revision) }

// readQuarantined reads an entry. One that is damaged is still an entry.
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

// shelve leaves a source alone of which the position cannot be read. An entry says so, of no
// version, since that is not known; what holds the position is not written, for it may yet be mended.
func (w *work) shelve(ctx context.Context, s *source, damage error) {
	s.failure = &failure{reason: bounded("how far the view is cannot be read: " + damage.Error())}
	if err := w.p.enter(ctx, s); err != nil {
		s.fail(fmt.Errorf("view %s: quarantine: %w", s.view.Name, err))
		return
	}
	s.entry, s.status = true, held
	w.report.Quarantined++
}

func (p *Projector) enter(ctx context.Context, s *source) error {
	var q Quarantined
	err := p.writeEntry(ctx, quarantinePart(s.view.table), s.entity, func(old *Entry) string {
		q = Quarantined{FirstSeen: p.clock().UTC()}
		if old != nil {
			if was := readQuarantined(s.view.table, old); was.Version == s.failure.version {
				q = was
			}
		}
		q.View, q.Revision, q.EntityID = s.view.table.View, s.view.table.Revision, s.entity
		q.Version, q.Reason, q.Deployment = s.failure.version, s.failure.reason, p.deployment
		q.Attempts++
		value, _ := json.Marshal(q) // strings, numbers and a time of this century
		return string(value)
	})
	if err != nil {
		return err
	}
	p.log.LogAttrs(ctx, slog.LevelError, "quarantined", slog.String("view", q.View), slog.String("entity", q.EntityID),
		slog.Int64("version", q.Version), slog.String("reason", q.Reason), slog.Int("attempts", q.Attempts))
	return nil
}

// finish clears the quarantine of the sources that have got past their failure.
// An entry that cannot be removed now is removed by [Projector.Reconcile].
func (w *work) finish(ctx context.Context, sources []*source) {
	for _, s := range sources {
		if s.status != done || !s.entry || w.rows.holder(s).held != "" {
			continue
		}
		if err := w.clear(ctx, s); err != nil {
			w.p.log.LogAttrs(ctx, slog.LevelWarn, "quarantine entry not removed",
				slog.String("view", s.view.Name), slog.String("entity", s.entity), slog.String("error", err.Error()))
		}
	}
}

// clear removes a source's entry. One of a version beyond what the source has seen is of
// another projector, which has gone on from here and holds the entity for it.
func (w *work) clear(ctx context.Context, s *source) error {
	e, err := w.p.entry(ctx, quarantinePart(s.view.table), s.entity)
	if err != nil || e == nil {
		return err
	}
	seen := w.rows.holder(s).position
	if s.target != endless {
		seen = max(seen, s.target)
	}
	if !s.lifted && readQuarantined(s.view.table, e).Version > seen {
		return nil
	}
	return w.p.takeBack(ctx, e)
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
				if !yield(readQuarantined(v.table, e), nil) {
					return
				}
			}
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

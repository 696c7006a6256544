package es

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
)

// FoldError is a fold that fails for good: an aggregator that returned an error or
// panicked, a stored event or record that cannot be read.
type FoldError struct {
	View    string
	Type    string // of the event
	Version int64
	// Reason is for operators and holds no value of a field: an aggregator's own
	// error text stays in Err.
	Reason string
	Err    error
}

// aggregatorFailed is the reason when Err is the user's own.
const aggregatorFailed = "the aggregator returned an error"

func (e *FoldError) Error() string {
	return fmt.Sprintf("view %s, event %s at version %d: %s", e.View, e.Type, e.Version, e.Reason)
}

func (e *FoldError) Unwrap() error { return e.Err }

// fold is one record of a view while events are folded into it. It is for one
// goroutine. After an error the record is in an undefined state and must not be stored.
type fold struct {
	model  *Model
	view   *View
	key    string
	record Record // nil: no record, also after it was deleted

	// Only in a view keyed by the entity:
	guard   int64  // the entity's version up to which the record has been folded
	version int64  // of the last listed event folded
	state   string // the entity's, at guard
}

// startFold takes up a record where it was stored; item is nil when there is none.
func (m *Model) startFold(v *View, key string, item *Item) (*fold, error) {
	f := &fold{model: m, view: v, key: key}
	if item == nil {
		return f, nil
	}
	if item.Damage != nil {
		return nil, &FoldError{View: v.Name, Reason: "the stored record cannot be read: " + item.Damage.Error(), Err: item.Damage}
	}
	f.guard, f.version, f.state = item.Guard, item.Version, item.State
	if item.Payload == "" {
		return f, nil
	}
	f.record = v.New(key)
	if err := loadRecord(f.record, item.Payload); err != nil {
		return nil, &FoldError{View: v.Name, Version: item.Guard, Reason: "the stored record cannot be read", Err: err}
	}
	return f, nil
}

// lists reports whether the view folds events of a type.
func (v *View) lists(eventType string) bool { return slices.Contains(v.Events, eventType) }

// metaOf tells a fold or a consumer about a stored event. state is the entity's after it.
func metaOf(r *Recorded, key, state string, latest bool) Meta {
	return Meta{
		EventID: r.EventID, Type: r.Type, EntityID: r.EntityID, Version: r.Version, Time: r.Time,
		State: state, Key: key, Latest: latest,
		CorrelationID: r.CorrelationID, CausationID: r.CausationID, Actor: r.Actor,
	}
}

// step folds the entity's next stored event into a record of a view keyed by the
// entity and moves its position. Events that the view does not list, and
// events of types that the model no longer has, only move it.
func (f *fold) step(r *Recorded) error {
	state := f.model.stateAfter(f.state, r)
	if f.view.lists(r.Type) {
		event, err := f.model.load(f.view, r)
		switch {
		case errors.Is(err, ErrUnknownType):
		case err != nil:
			return err
		default:
			meta := metaOf(r, f.key, state, true)
			if err := f.apply(event, &meta); err != nil {
				return err
			}
			f.version = r.Version
		}
	}
	f.guard, f.state = r.Version, state
	return nil
}

// apply folds one decoded event into the record, which starts here when there is
// none and ends here when the aggregator deletes it.
func (f *fold) apply(event Event, meta *Meta) error {
	if f.record == nil {
		f.record = f.view.New(f.key)
	}
	err := foldGuarded(f.record, event, meta)
	if err == nil {
		return nil
	}
	if errors.Is(err, Delete) {
		f.record = nil
		return nil
	}
	e := &FoldError{View: f.view.Name, Type: meta.Type, Version: meta.Version, Err: err, Reason: aggregatorFailed}
	if p, ok := errors.AsType[*panicked](err); ok {
		e.Reason = p.reason()
	}
	if u, ok := errors.AsType[*UnstorableError](err); ok {
		e.Reason = u.Error()
	}
	return e
}

// payload is the record as it is stored, "" when there is none.
func (f *fold) payload() string {
	if f.record == nil {
		return ""
	}
	return string(f.record.AppendJSON(nil))
}

// load decodes a stored event; the error is ErrUnknownType or a *FoldError.
func (m *Model) load(v *View, r *Recorded) (event Event, err error) {
	defer func() {
		if p := recover(); p != nil {
			event, err = nil, loadFailure(v, r, newPanicked(p))
		}
	}()
	event, err = m.LoadEvent(r)
	if err != nil && !errors.Is(err, ErrUnknownType) {
		return nil, loadFailure(v, r, err)
	}
	return event, err
}

func loadFailure(v *View, r *Recorded, err error) *FoldError {
	reason := "the stored event cannot be read"
	if p, ok := errors.AsType[*panicked](err); ok {
		reason += ": " + p.reason()
	}
	return &FoldError{View: v.Name, Type: r.Type, Version: r.Version, Reason: reason, Err: err}
}

func loadRecord(record Record, payload string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = newPanicked(p)
		}
	}()
	return record.Load(payload)
}

func foldGuarded(record Record, event Event, meta *Meta) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = newPanicked(p)
		}
	}()
	return record.Fold(event, *meta)
}

// panicked is a panic of the user's code, made an error.
type panicked struct {
	value any
	where string // function, file and line that panicked
}

// newPanicked must be called by the deferred function itself: it looks for the
// first frame below the panic that is not the Go runtime's.
func newPanicked(value any) *panicked {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	p := &panicked{value: value}
	for below := false; ; {
		frame, more := frames.Next()
		switch {
		case frame.Function == "runtime.gopanic":
			below = true
		case below && len(frame.Function) > 0 && !isRuntime(frame.Function):
			p.where = fmt.Sprintf("%s (line %d)", frame.Function, frame.Line)
			return p
		}
		if !more {
			return p
		}
	}
}

func isRuntime(function string) bool {
	return len(function) > 8 && function[:8] == "runtime."
}

// Error is the reason, not the value: what a panic carries may hold a field's value.
func (p *panicked) Error() string { return p.reason() }

func (p *panicked) reason() string {
	text := "panic"
	if e, ok := p.value.(runtime.Error); ok {
		text += ": " + e.Error()
	}
	if p.where != "" {
		text += " in " + p.where
	}
	return text
}

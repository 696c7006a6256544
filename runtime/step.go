package es

import (
	"errors"
	"fmt"
)

// Bounds of one step, as a transaction of the strictest store has them.
const (
	stepItems = 100
	stepBytes = 3_600_000 // of payloads, keys and entries: room for what a store adds to reach 4 MB
)

// plan is a step with what its success means.
type plan struct {
	step   Step // empty when there is nothing to write
	shares []share
}

// share is what a source has in a step.
type share struct {
	s       *source
	was     holder
	now     holder
	last    bool // the step takes all that is at hand of the source
	touched bool
	took    int // events, those without effect included
	folds   int
	record  *recordFold // in a view keyed by the entity, nil while untouched
}

// fails reports whether the step brings the source to the event that fails.
func (sh *share) fails() bool {
	return sh.s.failure != nil && sh.now.position == sh.s.failure.version-1
}

// writes reports whether the source's position or quarantine must be written.
func (sh *share) writes() bool {
	return sh.touched || sh.now.held != sh.was.held || sh.took > 0 && (sh.s.force || !sh.last && sh.s.limit > 0)
}

// folding builds one step: it folds the events of one source after the other in
// memory. Records are shared between sources, so a source that fails spoils the
// step; its failure is noted in it and the step is folded anew without the event.
type folding struct {
	w       *work
	view    *projected
	records []*recordFold // in the order in which they were touched
	byKey   map[string]*recordFold
	shares  []share
	careful bool // look at every record after every event
	full    bool
	buffer  []byte
}

// recordFold is one record while a step is folded.
type recordFold struct {
	fold
	was    int64
	latest Moment
}

// makePlan folds a step of the view from the first of the sources, as many as fit,
// all of them known to continue from where they stand. It ends: every turn finds an
// earlier failure, looks more carefully or takes fewer events.
func (w *work) makePlan(v *projected, sources []*source) *plan {
	careful := false
	for {
		f := &folding{w: w, view: v, careful: careful}
		if v.shared >= 0 {
			f.byKey = map[string]*recordFold{}
		}
		p, err := f.run(sources)
		var e *spoiled
		switch {
		case err == nil && p.bytes() > stepBytes && p.shrink():
		case err == nil:
			return p
		case errors.As(err, &e):
			e.source.failure = &e.failure
		case !careful:
			careful = true // which event it was shows when each is looked at
		default:
			f.blame()
		}
	}
}

// blame fails a source when a record could be written a moment ago and now cannot,
// which a fold that is not pure brings about.
func (f *folding) blame() {
	for i := range f.shares {
		if sh := &f.shares[i]; sh.touched {
			sh.s.failure = &failure{version: sh.was.position + 1, reason: "the record cannot be written"}
			return
		}
	}
}

// spoiled says that an event of a source cannot be folded.
type spoiled struct {
	source  *source
	failure failure
}

func (*spoiled) Error() string { return "an event cannot be folded" }

func (f *folding) run(sources []*source) (*plan, error) {
	if err := f.foldAll(sources); err != nil {
		return nil, err
	}
	return f.plan()
}

func (f *folding) foldAll(sources []*source) error {
	width := f.w.perStep
	if f.view.shared >= 0 {
		width = stepItems
	}
	for _, s := range sources {
		if s.width > 0 {
			width = min(width, s.width)
		}
		if len(f.shares) >= width || f.full || f.items() >= stepItems {
			return nil
		}
		if err := f.foldSource(s); err != nil {
			return err
		}
	}
	return nil
}

// items counts what the step writes; an entity's record is its own marker.
func (f *folding) items() int {
	if f.view.shared < 0 {
		return len(f.shares)
	}
	return len(f.records) + len(f.shares)
}

// foldSource folds the source's next events until the step is full or an event fails.
func (f *folding) foldSource(s *source) error {
	at := f.w.rows.holder(s)
	run, _ := s.after(at.position)
	sh := share{s: s, was: at, now: at}
	stop := len(run)
	if s.limit > 0 {
		stop = min(stop, s.limit)
	}
	for i := 0; i < stop; i++ {
		k := &run[i]
		if s.failure != nil && k.r.Version >= s.failure.version {
			break
		}
		state := f.w.p.model.stateAfter(sh.now.state, k.r)
		if k.kind.listed(f.view) {
			fits, err := f.foldEvent(&sh, k, state)
			if err != nil {
				return f.spoil(s, k, err)
			}
			if !fits {
				f.full = true
				break
			}
		}
		sh.now.position, sh.now.state = k.r.Version, state
		sh.took++
	}
	if sh.took == 0 && f.full {
		return nil // waits for the next step
	}
	sh.last, sh.now.held = sh.took == len(run), ""
	if sh.fails() {
		sh.now.held = f.w.p.deployment
	}
	f.shares = append(f.shares, sh)
	return nil
}

func (f *folding) spoil(s *source, k *known, err error) error {
	return &spoiled{source: s, failure: failure{version: k.r.Version, reason: f.w.reason(err, s, k)}}
}

// foldEvent folds one event into the records that it names. fits is false when
// the step has no room for them; nothing has been folded then.
func (f *folding) foldEvent(sh *share, k *known, state string) (fits bool, err error) {
	if f.view.shared < 0 {
		if sh.record == nil {
			if sh.record, err = f.open(sh.s.entity); err != nil {
				return true, err
			}
		}
		return true, f.foldRecord(sh, sh.record, k, state, true)
	}
	keys, err := k.named(f.w.p, f.view)
	if errors.Is(err, ErrUnknownType) {
		return true, nil
	}
	if err != nil {
		return true, err
	}
	if !f.roomFor(keys) {
		if len(f.shares) == 0 && len(f.records) == 0 {
			return true, &FoldError{View: f.view.Name, Type: k.r.Type, Version: k.r.Version,
				Reason: fmt.Sprintf("the event names %d records; at most %d fit into one step", len(keys), stepItems-1)}
		}
		return false, nil
	}
	moment := Moment{Time: k.r.Time, EntityID: k.r.EntityID, Version: k.r.Version}
	for _, key := range keys {
		r, err := f.open(key)
		if err != nil {
			return true, err
		}
		latest := !moment.before(r.latest)
		if err := f.foldRecord(sh, r, k, state, latest); err != nil {
			return true, err
		}
		if latest {
			r.latest = moment
		}
	}
	return true, nil
}

// roomFor reports whether the records fit beside what the step has and the marker of
// the source that is being folded.
func (f *folding) roomFor(keys []string) bool {
	n := f.items() + 1
	for _, key := range keys {
		if f.byKey[key] == nil {
			n++
		}
	}
	return n <= stepItems
}

// open takes a record up where the step or the store has it.
func (f *folding) open(key string) (*recordFold, error) {
	if r := f.byKey[key]; r != nil {
		return r, nil
	}
	item := f.w.rows.of(f.view.table).items[key]
	started, err := f.w.p.model.startFold(f.view.View, key, item)
	if err != nil {
		return nil, err
	}
	r := &recordFold{fold: *started}
	if item != nil {
		r.was, r.latest = item.Guard, item.Latest
	}
	f.records = append(f.records, r)
	if f.byKey != nil {
		f.byKey[key] = r
	}
	return r, nil
}

func (f *folding) foldRecord(sh *share, r *recordFold, k *known, state string, latest bool) error {
	event, err := k.take(f.w.p.model, f.view.View)
	if errors.Is(err, ErrUnknownType) {
		return nil
	}
	if err != nil {
		return err
	}
	meta := metaOf(k.r, r.key, state, latest)
	if err := r.apply(event, &meta); err != nil {
		return err
	}
	if f.careful {
		if _, _, err := f.render(r); err != nil {
			return &FoldError{View: f.view.Name, Type: k.r.Type, Version: k.r.Version, Reason: err.Error(), Err: err}
		}
	}
	sh.touched, sh.now.version = true, k.r.Version
	sh.folds++
	return nil
}

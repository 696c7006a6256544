package es

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/esgen/esgen/runtime/internal/jitter"
)

// RefusedError is an append that stored nothing, for good: trying again with the same
// content gives the same answer unless the entity changes.
type RefusedError struct {
	Code           string // "event-id-reused", "version", "state", "too-large", "entity-full"
	EventID        string
	CurrentVersion int64
	CurrentState   string
	// Stored is the event that has the id already, for "event-id-reused".
	Stored *Recorded

	ifMatch bool // the version was asked for by the header
}

func (e *RefusedError) Error() string {
	switch e.Code {
	case codeReused:
		return fmt.Sprintf("event id %q was used before with other content", e.EventID)
	case codeVersion:
		return fmt.Sprintf("the entity is at version %d", e.CurrentVersion)
	case codeState:
		if e.CurrentVersion == 0 {
			return "the event cannot be the first of its entity"
		}
		return fmt.Sprintf("the event does not fit the entity's state %q", e.CurrentState)
	case codeEntityFull:
		return "the entity's history is full"
	}
	return "the event is larger than the store takes"
}

// UnavailableError is an append whose outcome is unknown or that found no free slot
// in time. The same event id makes a retry safe.
type UnavailableError struct {
	EventID string
	Err     error // the last failure of the store; nil when every try lost its race
}

func (e *UnavailableError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("event %q: every try lost its race for the next version", e.EventID)
	}
	return fmt.Sprintf("event %q: %v", e.EventID, e.Err)
}

func (e *UnavailableError) Unwrap() error { return e.Err }

// writer appends events to the histories of entities. It is safe for
// concurrent use.
type writer struct {
	model  *Model
	events EventStore
	clock  Clock
}

// maxTries bounds the attempts to append, and the tries of one slot, of one request.
const maxTries = 8

// now is the one reading of the clock that a request takes: UTC, without a monotonic part, so that
// it is equal to what comes back from a store.
func (c Clock) now() time.Time {
	if c == nil {
		return time.Now().UTC().Round(0)
	}
	return c().UTC().Round(0)
}

// submission is one append: what was decoded, and what only the envelope of
// the request says.
type submission struct {
	*Submission        // EventID is fixed before the first try
	ifMatch     *int64 // as ExpectedVersion, but answered as 412
	actor       string
	time        time.Time
}

// submissionOf makes a submission of a typed event. The event is checked as one
// that came over HTTP; what it was not given a value for is not sent and gets its
// default, so a repeated append has the same digest at another time. The error is
// an *InvalidError.
func (w *writer) submissionOf(event Event, eventID string, now time.Time) (*Submission, error) {
	body := []byte(`{"type":`)
	body = AppendString(body, event.EventType())
	body = append(body, ',')
	body = AppendString(body, w.model.Key.Name)
	body = append(body, ':')
	body = AppendString(body, event.EntityID())
	body = appendMembers(body, string(AppendGiven(nil, event)))
	body = append(body, '}')
	s, err := w.model.DecodeSubmission(body, now)
	if err != nil {
		return nil, err
	}
	s.EventID = eventID
	return s, nil
}

// append is the algorithm that keeps histories without holes and duplicates. An attempt puts at h+1 only when it
// knows that h is taken and that no event up to h has our id; whoever else puts our event then does it at or
// above the slot that we try, where we meet. The order of the reads gives that: the head first, and the event id
// only after that has answered. Who has lost a race goes on from there, see since.
func (w *writer) append(ctx context.Context, s *submission) (*Recorded, bool, error) {
	leave, err := w.turn(ctx, s.EntityID)
	if err != nil {
		return nil, false, &UnavailableError{EventID: s.EventID, Err: err}
	}
	defer leave()
	var last error
	var lost *Recorded // to whom we lost a race: no event up to it has our id
	var wait time.Duration
	for try := range maxTries {
		if try > 0 && !pause(ctx, wait) {
			break
		}
		began := time.Now()
		at, known, err := w.look(ctx, s, lost)
		if errors.Is(err, ErrDamaged) {
			return nil, false, &UnavailableError{EventID: s.EventID, Err: err}
		}
		if err != nil {
			last, wait = err, longer(ctx, try+1)
			continue
		}
		if known != nil {
			return settle(s, known)
		}
		if err := w.check(s, at); err != nil {
			return nil, false, err
		}
		slot := w.slot(s, at)
		occupant, unknown, err := w.put(ctx, slot)
		switch {
		case errors.Is(err, ErrTooLarge):
			return nil, false, refusal(codeTooLarge, s, at)
		case errors.Is(err, ErrEntityFull):
			return nil, false, refusal(codeEntityFull, s, at)
		case err != nil:
			return nil, false, &UnavailableError{EventID: s.EventID, Err: err}
		case occupant == nil:
			return slot, false, nil
		case occupant.EventID == s.EventID && unknown && same(occupant, slot):
			return occupant, false, nil // put by our own try that seemed to fail
		case occupant.EventID == s.EventID:
			return settle(s, occupant)
		}
		last, lost, wait = nil, occupant, apart(ctx, try+1, time.Since(began))
	}
	if last == nil {
		last = ctx.Err()
	}
	return nil, false, &UnavailableError{EventID: s.EventID, Err: last}
}

// turn waits until it is our turn where writers take turns.
func (w *writer) turn(ctx context.Context, entityID string) (leave func(), err error) {
	if t, ok := w.events.(TurnTaker); ok {
		return t.Turn(ctx, entityID)
	}
	return func() {}, nil
}

// look reads where the entity stands, and whether it has the event already.
func (w *writer) look(ctx context.Context, s *submission, lost *Recorded) (at standing, known *Recorded, err error) {
	if lost != nil {
		head, known, err := w.since(ctx, s, lost)
		if err != nil || known != nil {
			return at, known, err
		}
		if head != nil {
			at, err = w.standing(ctx, head)
			return at, nil, err
		}
	}
	head, err := w.events.Head(ctx, s.EntityID)
	if err != nil {
		return at, nil, err
	}
	known, err = w.events.Lookup(ctx, s.EntityID, s.EventID)
	if err != nil || known != nil || head == nil {
		return at, known, err
	}
	at, err = w.standing(ctx, head)
	return at, nil, err
}

// sinceRead is how many events are looked at in place of the head and the event id: about what is stored
// during the longest wait.
const sinceRead = 100

// since reads what came after an event up to which none has our id. That says in one read what the head and the
// event id say in two, and the less time passes before the put, the likelier it is not forestalled. What is
// read must follow without a gap: a read is not of one moment, and ours could be in the gap. Then,
// and when there is more than one read gives, head is nil.
func (w *writer) since(ctx context.Context, s *submission, lost *Recorded) (head, known *Recorded, err error) {
	events, more, err := w.events.Read(ctx, s.EntityID, lost.Version, sinceRead)
	if err != nil || more {
		return nil, nil, err
	}
	head = lost
	for i := range events {
		e := &events[i]
		if e.Version != head.Version+1 {
			return nil, nil, nil
		}
		if e.EventID == s.EventID {
			return nil, e, nil
		}
		head = e
	}
	return head, nil, nil
}

// standing gives the entity's version and state. A head without a state, or with
// one that the schema no longer knows, has the state that the tos of the history give.
func (w *writer) standing(ctx context.Context, head *Recorded) (standing, error) {
	at := standing{version: head.Version}
	if len(w.model.States) == 0 {
		return at, nil
	}
	if w.model.knowsState(head.State) {
		at.state = head.State
		return at, nil
	}
	for after := int64(0); after < head.Version; {
		events, more, err := w.events.Read(ctx, head.EntityID, after, readPage)
		if err != nil {
			return at, err
		}
		for i := range events {
			if r := &events[i]; r.Version <= head.Version {
				if t := w.model.EventType(r.Type); t != nil {
					at.state = w.model.nextState(at.state, t)
				}
			}
			after = events[i].Version
		}
		if !more || len(events) == 0 {
			break
		}
	}
	return at, nil
}

// readPage is how many events are asked of the store at a time.
const readPage = 500

// check refuses what does not hold at the entity's version and state.
func (w *writer) check(s *submission, at standing) error {
	if s.ExpectedVersion != nil && *s.ExpectedVersion != at.version {
		return refusal(codeVersion, s, at)
	}
	if s.ifMatch != nil && *s.ifMatch != at.version {
		e := refusal(codeVersion, s, at)
		e.ifMatch = true
		return e
	}
	if !w.model.fits(at, s.Type) {
		return refusal(codeState, s, at)
	}
	return nil
}

func refusal(code string, s *submission, at standing) *RefusedError {
	return &RefusedError{Code: code, EventID: s.EventID, CurrentVersion: at.version, CurrentState: at.state}
}

// slot is the event at the next version of its entity.
func (w *writer) slot(s *submission, at standing) *Recorded {
	r := &Recorded{
		EntityID: s.EntityID, Version: at.version + 1, EventID: s.EventID,
		Type: s.Type.Name, Revision: max(s.Type.Revision, 1), Time: s.time,
		Digest: s.Digest, Payload: s.Payload,
		CorrelationID: s.CorrelationID, CausationID: s.CausationID, Actor: s.actor,
	}
	if len(w.model.States) > 0 {
		r.State = w.model.nextState(at.state, s.Type)
	}
	return r
}

// put tries one slot until its outcome is known: a try that failed for a
// transient reason may have stored the event, so no other slot may be tried before this one has
// answered. unknown says that an earlier try may have been the one that stored.
func (w *writer) put(ctx context.Context, slot *Recorded) (occupant *Recorded, unknown bool, err error) {
	for try := range maxTries {
		if try > 0 && !pause(ctx, longer(ctx, try)) {
			break
		}
		occupant, err = w.events.Put(ctx, slot)
		switch {
		case err == nil, errors.Is(err, ErrTooLarge), errors.Is(err, ErrEntityFull), errors.Is(err, ErrDamaged):
			return occupant, unknown, err
		case !errors.Is(err, ErrThrottled):
			unknown = true
		}
	}
	return nil, unknown, err
}

// settle answers for an event id that is known: the event as it was stored
// if the content is the same, a refusal otherwise.
func settle(s *submission, known *Recorded) (*Recorded, bool, error) {
	if known.Digest == s.Digest && known.Type == s.Type.Name {
		return known, true, nil
	}
	return nil, false, &RefusedError{Code: codeReused, EventID: s.EventID, CurrentVersion: known.Version, Stored: known}
}

// same reports whether two events are one and the same put.
func same(a, b *Recorded) bool {
	return a.Version == b.Version && a.Digest == b.Digest && a.Payload == b.Payload &&
		a.Actor == b.Actor && a.CorrelationID == b.CorrelationID && a.CausationID == b.CausationID &&
		a.Time.Equal(b.Time)
}

// longer is how long to wait after a store has failed, longer each time.
func longer(ctx context.Context, failures int) time.Duration {
	return time.Millisecond + jitter.Below(ctx, 5*time.Millisecond<<min(failures, 6))
}

// apart is how long to wait after a race was lost. Writers who collided spread over a multiple of what an
// attempt takes, whatever the store and its load; the multiple grows quickly to as many writers as can make
// do with their attempts.
func apart(ctx context.Context, lost int, attempt time.Duration) time.Duration {
	const most = time.Second
	attempt = min(max(attempt, time.Millisecond), most)
	return time.Millisecond + jitter.Below(ctx, min(attempt<<min(2*lost, 6), most))
}

// pause waits before another try. It reports false when the deadline would pass.
func pause(ctx context.Context, wait time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

package es

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"
)

// Consumer describes one consumer of the user's.
type Consumer struct {
	Name   string
	Events []string // the types it handles; nil for a consumer of a view
	View   string   // the view whose changes it handles, else ""
	// Start makes the handler, once per process.
	Start func(ctx context.Context, service *Appender) (Handler, error)
}

// Handler is what generated code makes of the user's handler methods. A
// consumer of events gets events, a consumer of a view gets changes.
type Handler interface {
	HandleEvent(ctx context.Context, event Event, meta Meta) error
	HandleChange(ctx context.Context, change RecordChange) error
}

// RecordChange is one change of a view's record, as payloads; "" where there is
// no record.
type RecordChange struct {
	View string
	Key  string
	// Guard is the record's after the change, and Time when it was made: the same whenever it is delivered.
	// Together with View and Key they name the change; guards begin anew in a table that is new or was dropped.
	Guard      int64
	Time       time.Time
	Old, New   string
	Rebuilding bool // made while a rebuild fills the view
}

// consumerMemory is how long a consumer remembers what it has handled. Every
// stream and queue forgets sooner.
const consumerMemory = 7 * 24 * time.Hour

// ConsumerOptions are the knobs of a ConsumerRunner; the zero value serves.
type ConsumerOptions struct {
	Clock  Clock
	Logger *slog.Logger // of handlers that fail; nil is slog.Default
}

// ConsumerRunner hands one consumer what it subscribes to: at least once,
// usually in order, never what happened before the consumer first ran, and not
// again what it has handled within a week. It is for one goroutine at a time.
type ConsumerRunner struct {
	model    *Model
	consumer Consumer
	progress ProgressStore
	handler  Handler
	since    time.Time // when it first started
	clock    Clock
	log      *slog.Logger
}

// StartConsumer makes a consumer ready to run. The first start ever is
// remembered, unless [RememberConsumerStart] has done so before: what is older never reaches
// the handler. A panic in the user's start is an error.
func StartConsumer(ctx context.Context, m *Model, c Consumer, s Stores, o ConsumerOptions) (*ConsumerRunner, error) {
	r := &ConsumerRunner{model: m, consumer: c, progress: s.Progress, clock: o.Clock, log: o.Logger}
	if r.clock == nil {
		r.clock = time.Now
	}
	if r.log == nil {
		r.log = slog.Default()
	}
	var err error
	if r.since, err = RememberConsumerStart(ctx, s.Progress, c.Name, r.clock()); err != nil {
		return nil, err
	}
	err = r.protect(ctx, func(ctx context.Context) (err error) {
		r.handler, err = c.Start(ctx, NewAppender(m, s.Events, CommandOptions(o)))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("consumer %s: start: %w", c.Name, err)
	}
	return r, nil
}

const consumerStarts = "consumer-start"

// RememberConsumerStart notes that a consumer starts now unless it is known when it first did,
// which is what it returns. Of two processes that start at once the first to write decides. A
// deployed consumer starts when it is deployed: the process is first started by an event, which
// is older than that.
func RememberConsumerStart(ctx context.Context, progress ProgressStore, consumer string, now time.Time) (first time.Time, err error) {
	now = now.UTC()
	for {
		entry, err := progress.Progress(ctx, consumerStarts, consumer)
		switch {
		case err != nil:
		case entry != nil:
			first, err = time.Parse(time.RFC3339Nano, entry.Value)
		default:
			first, err = now, progress.PutProgress(ctx, 0, Entry{
				Part: consumerStarts, ID: consumer, Guard: 1, Value: now.Format(time.RFC3339Nano),
			})
		}
		if err == nil {
			return first, nil
		}
		if !errors.Is(err, ErrConflict) {
			return time.Time{}, fmt.Errorf("consumer %s: first start: %w", consumer, err)
		}
	}
}

// HandleEvents hands a batch of the events stream to the consumer. retry is the
// index of the first event to be delivered again, len(batch) when there is none.
func (r *ConsumerRunner) HandleEvents(ctx context.Context, batch []Recorded) (retry int, err error) {
	for i := range batch {
		if err := r.handleEvent(ctx, &batch[i]); err != nil {
			return i, err
		}
	}
	return len(batch), nil
}

func (r *ConsumerRunner) handleEvent(ctx context.Context, rec *Recorded) error {
	if !slices.Contains(r.consumer.Events, rec.Type) || rec.Time.Before(r.since) {
		return nil
	}
	event, err := r.model.LoadEvent(rec)
	if err != nil {
		return fmt.Errorf("consumer %s: event %d of %q: %w", r.consumer.Name, rec.Version, rec.EntityID, err)
	}
	meta := metaOf(rec, rec.EntityID, rec.State, true)
	cause := cause{
		consumer: r.consumer.Name, id: strconv.FormatInt(rec.Version, 10) + "/" + rec.EntityID,
		causation: rec.EventID, correlation: rec.CorrelationID,
	}
	return r.once(ctx, cause, func(ctx context.Context) error {
		return r.handler.HandleEvent(ctx, event, meta)
	})
}

// HandleChanges hands a batch of a view's stream to the consumer, as
// HandleEvents does.
func (r *ConsumerRunner) HandleChanges(ctx context.Context, batch []RecordChange) (retry int, err error) {
	since := r.since.Truncate(time.Second) // a stream gives the times of changes in whole seconds
	for i := range batch {
		change := batch[i]
		if change.View != r.consumer.View || change.Time.Before(since) || change.Old == change.New {
			continue
		}
		cause := cause{
			consumer: r.consumer.Name, id: changeID(&change),
		}
		err := r.once(ctx, cause, func(ctx context.Context) error {
			return r.handler.HandleChange(ctx, change)
		})
		if err != nil {
			return i, err
		}
	}
	return len(batch), nil
}

// changeID names a change. Guard, view and key do not: they come again after a refold and in the table
// of a new revision. The time does not order anything here; a change that is delivered again has the same. As
// a stream gives it, it is too coarse to tell a rebuild's change from the live one that the table of
// the revision before had in the same second.
func changeID(c *RecordChange) string {
	guard := strconv.FormatInt(c.Guard, 10)
	if c.Rebuilding {
		guard += "r"
	}
	return guard + "/" + strconv.FormatInt(c.Time.UnixNano(), 36) + "/" + c.View + "/" + c.Key
}

// once runs a handler unless the consumer remembers having handled the cause,
// and remembers it after success. A crash between the two means that the handler runs
// again; what it appends is then found by its derived event id.
func (r *ConsumerRunner) once(ctx context.Context, c cause, handle func(context.Context) error) error {
	part, id := "consumer/"+r.consumer.Name, memoryID(c.id)
	entry, err := r.progress.Progress(ctx, part, id)
	if err != nil {
		return err
	}
	if entry != nil {
		return nil
	}
	if err := r.protect(withCause(ctx, c), handle); err != nil {
		r.log.ErrorContext(ctx, "consumer failed", "consumer", r.consumer.Name, "cause", c.id, "error", err.Error())
		return fmt.Errorf("consumer %s: %w", r.consumer.Name, err)
	}
	return r.progress.PutProgress(ctx, -1, Entry{Part: part, ID: id, Guard: 1, Expires: r.clock().Add(consumerMemory)})
}

// memoryID is the id under which a cause is remembered. It names a version and a key of
// up to 1,024 bytes, and with them may be longer than an entry's id. Causes begin with a digit.
func memoryID(cause string) string {
	if len(cause) <= MaxEntryID {
		return cause
	}
	sum := sha256.Sum256([]byte(cause))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// protect turns a panic of the user's handler into an error: one bad event must
// not end the process that serves all others.
func (r *ConsumerRunner) protect(ctx context.Context, handle func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = newPanicked(p)
		}
	}()
	return handle(ctx)
}

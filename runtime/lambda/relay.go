package lambda

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/dynamo"
)

// Publisher sends messages to the topic behind which the queues of consumers are.
type Publisher interface {
	// Publish sends at most [MaxPublications] messages of at most [MaxPublished] bytes in total. It
	// returns the indexes of those that were not taken; an error counts for all.
	Publish(ctx context.Context, messages []Publication) (failed []int, err error)
}

// What one call of a Publisher takes.
const (
	MaxPublications = 10
	MaxPublished    = 256 << 10
)

// Publication is a message on its way to a topic. Messages of a group stay in order; of two of the
// same identity within minutes one is dropped.
type Publication struct {
	Group, Identity string // 64 characters
	Type            string // of an event, "" for a change: what subscriptions select by
	Body            string
}

func (p *Publication) size() int { return len(p.Body) + len(p.Type) + 64 }

// maxBody is how large the body of a message is at most; what is larger is left elsewhere.
const maxBody = 200 << 10

// Relay runs a function that hands on what one stream has to the queues of its consumers. The
// environment says which stream it is: "events", or "view:" and a name.
func Relay(open func(getenv func(name string) string) (Publisher, error)) {
	run(func(p *program) (Handler, error) {
		source, err := p.variable("ESGEN_RELAY")
		if err != nil {
			return nil, err
		}
		stores, err := p.store(nil, nil, dynamo.EnvProgress)
		if err != nil {
			return nil, err
		}
		publisher, err := open(p.getenv)
		if err != nil {
			return nil, err
		}
		return RelayHandler(source, publisher, stores.Progress, p.Options)
	})
}

// RelayHandler takes batches of a stream, publishes what is in them and answers which record to go
// on from. Of each batch it writes one line of metrics.
func RelayHandler(source string, to Publisher, progress es.ProgressStore, o Options) (Handler, error) {
	o.defaults()
	view, ofView := strings.CutPrefix(source, "view:")
	if source != "events" && (!ofView || view == "") {
		return nil, fmt.Errorf(`lambda: a relay of %q: want "events", or "view:" and a name`, source)
	}
	return o.guarded(func(ctx context.Context, event []byte) ([]byte, error) {
		r := relaying{to: to, progress: progress, started: time.Now(), o: &o}
		var err error
		if ofView {
			err = r.readChanges(ctx, view, event)
		} else {
			err = r.readEvents(event)
		}
		if err != nil {
			return nil, err
		}
		return r.finish(ctx), nil
	}), nil
}

// relaying is one batch on its way.
type relaying struct {
	to       Publisher
	progress es.ProgressStore
	started  time.Time
	o        *Options

	sequences []string
	messages  []outgoing
	ignored   int
	stored    int
	lag       time.Duration
	failed    error // the first failure
}

// outgoing is the message of a record. One that could not be made has failed from the start.
type outgoing struct {
	Publication
	err  error
	sent bool
}

func (r *relaying) readEvents(event []byte) error {
	batch, err := dynamo.DecodeEvents(event)
	if err != nil {
		return err
	}
	r.sequences, r.ignored = batch.Sequences, len(batch.Skipped)
	for i := range batch.Values {
		e := &batch.Values[i]
		r.lag = max(r.lag, r.started.Sub(e.Time))
		m := es.Message{Event: e}
		body := m.AppendJSON(nil)
		if len(body) > maxBody {
			m.Elsewhere = 1
			body = m.AppendJSON(nil)
			r.stored++
		}
		r.messages = append(r.messages, outgoing{Publication: Publication{
			Group: digest(e.EntityID), Identity: digest(strconv.FormatInt(e.Version, 10) + "/" + e.EntityID),
			Type: e.Type, Body: string(body),
		}})
	}
	return nil
}

func (r *relaying) readChanges(ctx context.Context, view string, event []byte) error {
	batch, err := dynamo.DecodeChanges(view, event)
	if err != nil {
		return err
	}
	r.sequences, r.ignored = batch.Sequences, len(batch.Skipped)
	for i := range batch.Values {
		c := &batch.Values[i]
		r.lag = max(r.lag, r.started.Sub(c.Time))
		out := outgoing{Publication: Publication{Group: digest(c.Key), Identity: changeIdentity(c)}}
		m := es.Message{Change: c}
		body := m.AppendJSON(nil)
		if len(body) > maxBody {
			m.Elsewhere, out.err = leaveElsewhere(ctx, r.progress, c, string(body), r.started)
			body = m.AppendJSON(nil)
			r.stored++
		}
		out.Body = string(body)
		r.messages = append(r.messages, out)
	}
	return nil
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// changeIdentity tells a rebuild's change from a live one in the table of the revision before, of
// which the stream says the same second.
func changeIdentity(c *es.RecordChange) string {
	guard := strconv.FormatInt(c.Guard, 10)
	if c.Rebuilding {
		guard += "r"
	}
	return digest(guard + "/" + strconv.FormatInt(c.Time.UnixNano(), 36) + "/" + c.View + "/" + c.Key)
}

// finish publishes, and answers which record to go on from.
func (r *relaying) finish(ctx context.Context) []byte {
	r.publish(ctx)
	published, first := 0, -1
	for i := range r.messages {
		if r.messages[i].sent {
			published++
		} else if first < 0 {
			first = i
		}
	}
	m := r.o.newMetrics()
	m.duration("Lag", r.lag)
	m.duration("Took", time.Since(r.started))
	m.add("Records", counted, float64(len(r.messages)+r.ignored))
	m.add("Published", counted, float64(published))
	m.count("Stored", r.stored)
	m.count("Ignored", r.ignored)
	m.count("Failed", len(r.messages)-published)
	m.write(r.o.Metrics)
	if first < 0 {
		return failures()
	}
	r.o.Logger.WarnContext(ctx, "relayed in part", "records", len(r.messages), "published", published, "error", r.failed.Error())
	return failures(r.sequences[first])
}

// publish sends all messages. Messages of a group go one after the other, never two in one call, of
// which the second alone may be taken. At the first failure of a group its later messages wait for the next
// delivery; those of other groups go on.
func (r *relaying) publish(ctx context.Context) {
	stopped := map[string]bool{}
	stop := func(m *outgoing, err error) {
		stopped[m.Group] = true
		if r.failed == nil {
			r.failed = err
		}
	}
	waiting := make([]*outgoing, len(r.messages))
	for i := range r.messages {
		waiting[i] = &r.messages[i]
	}
	for len(waiting) > 0 {
		if err := ctx.Err(); err != nil {
			stop(waiting[0], err)
			return
		}
		var call, rest []*outgoing
		held, size := map[string]bool{}, 0
		for _, m := range waiting {
			switch {
			case stopped[m.Group]:
			case held[m.Group]:
				rest = append(rest, m)
			case m.err != nil:
				stop(m, m.err)
			case len(call) == MaxPublications || len(call) > 0 && size+m.size() > MaxPublished:
				held[m.Group] = true
				rest = append(rest, m)
			default:
				held[m.Group] = true
				size += m.size()
				call = append(call, m)
			}
		}
		for i, err := range r.send(ctx, call) {
			if err != nil {
				stop(call[i], err)
			} else {
				call[i].sent = true
			}
		}
		waiting = rest
	}
}

// send makes one call and says of each message how it went.
func (r *relaying) send(ctx context.Context, call []*outgoing) []error {
	errs := make([]error, len(call))
	if len(call) == 0 {
		return nil
	}
	messages := make([]Publication, len(call))
	for i, m := range call {
		messages[i] = m.Publication
	}
	failed, err := r.to.Publish(ctx, messages)
	if err != nil {
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	for _, i := range failed {
		errs[i] = errNotTaken
	}
	return errs
}

var errNotTaken = fmt.Errorf("lambda: the topic did not take a message")

// How long what was left elsewhere stays there: longer than any queue keeps a message.
const elsewhereFor = 14 * 24 * time.Hour

func elsewherePart(view string) string { return "relayed/" + view }

func elsewhereID(c *es.RecordChange, part int) string {
	return changeIdentity(c) + "/" + strconv.Itoa(part)
}

// leaveElsewhere stores a message that is too large for a queue, in parts.
func leaveElsewhere(ctx context.Context, progress es.ProgressStore, c *es.RecordChange, body string, now time.Time) (parts int, err error) {
	for len(body) > 0 {
		n := min(len(body), maxBody)
		for n < len(body) && !utf8.RuneStart(body[n]) {
			n--
		}
		parts++
		err := progress.PutProgress(ctx, -1, es.Entry{
			Part: elsewherePart(c.View), ID: elsewhereID(c, parts), Guard: 1, Value: body[:n], Expires: now.Add(elsewhereFor),
		})
		if err != nil {
			return parts, fmt.Errorf("lambda: leave a change that is too large for a queue: %w", err)
		}
		body = body[n:]
	}
	return parts, nil
}

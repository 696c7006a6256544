package sqs

import (
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	es "github.com/esgen/esgen/runtime"

	"github.com/esgen/esgen/esgen/internal/cloud/dedup"
)

// Queue is one queue of a Service, safe for concurrent use.
type Queue struct {
	service *Service
	config  Config
	created time.Time
	dead    *Queue // nil: messages are never given up

	// What follows is guarded by the service's mutex.
	messages list.List // of *message, in order
	byID     map[string]*list.Element
	inFlight int
	sent     dedup.Window[Sent]
	sequence uint64
	receives uint64
	changed  chan struct{} // closed and replaced when there may be more to receive
}

func newQueue(s *Service, c Config) *Queue {
	return &Queue{service: s, config: c, created: s.options.Now(), byID: map[string]*list.Element{}, changed: make(chan struct{})}
}

// Name is the queue's name.
func (q *Queue) Name() string { return q.config.Name }

// Config is what the queue was created with, and the defaults.
func (q *Queue) Config() Config { return q.config }

// ARN is the queue's resource name.
func (q *Queue) ARN() string { return q.service.arn(q.config.Name) }

// URL is what callers of the HTTP API name the queue by.
func (q *Queue) URL() string {
	return q.service.options.Endpoint + "/" + q.service.options.Account + "/" + q.config.Name
}

// Send puts a message at the end. In a FIFO queue a message whose deduplication id was sent
// within five minutes is taken and dropped. Errors are *Failure.
func (q *Queue) Send(m Outgoing) (Sent, error) {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	sent, f := q.send(m)
	if f != nil {
		return Sent{}, f
	}
	return sent, nil
}

func (q *Queue) send(m Outgoing) (Sent, *Failure) {
	if f := m.Check(q.config); f != nil {
		return Sent{}, f
	}
	now := q.service.options.Now()
	key := ""
	if q.config.FIFO {
		if m.DeduplicationID == "" {
			sum := sha256.Sum256([]byte(m.Body))
			m.DeduplicationID = hex.EncodeToString(sum[:])
		}
		key = q.deduplicationKey(m)
		if sent, ok := q.sent.Find(key, now); ok {
			return sent, nil
		}
		if q.sent.Full(now) {
			return Sent{}, overLimit("too many messages within five minutes")
		}
	}
	if q.service.bytes+cost(m) > q.service.options.MaxBytes {
		return Sent{}, full(q.service.options.MaxBytes)
	}
	added := q.add(&message{Outgoing: m, id: es.NewUUID(now).String(), sent: now})
	sent := Sent{MessageID: added.id, SequenceNumber: added.sequence}
	if q.config.FIFO {
		q.sent.Keep(key, sent, now)
	}
	return sent, nil
}

func (q *Queue) deduplicationKey(m Outgoing) string {
	if q.config.DeduplicationScope == "messageGroup" {
		return m.GroupID + "\x00" + m.DeduplicationID
	}
	return m.DeduplicationID
}

// add puts a message at the end, as one that was never received.
func (q *Queue) add(m *message) *message {
	if q.config.FIFO {
		q.sequence++
		m.sequence = fmt.Sprintf("%020d", 18_400_000_000_000_000_000+q.sequence)
	}
	q.byID[m.id] = q.messages.PushBack(m)
	q.service.bytes += cost(m.Outgoing)
	q.wake()
	return m
}

func (q *Queue) remove(e *list.Element) {
	m := e.Value.(*message)
	if m.inFlight {
		m.inFlight = false
		q.inFlight--
	}
	q.messages.Remove(e)
	delete(q.byID, m.id)
	q.service.bytes -= cost(m.Outgoing)
	q.wake() // of a FIFO queue the group may be free now
}

func cost(m Outgoing) int64 {
	return int64(m.Size() + len(m.GroupID) + 3*len(m.DeduplicationID) + messageOverhead)
}

func (q *Queue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// Delete removes a message that was received. A message that is gone already is fine. Errors are *Failure.
func (q *Queue) Delete(receipt string) error {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	q.settle(q.service.options.Now())
	e, f := q.byReceipt(receipt)
	if f != nil {
		return f
	}
	if e == nil {
		return nil
	}
	m := e.Value.(*message)
	current := m.inFlight && m.receipt == receipt
	if !current && q.config.FIFO {
		return invalid("Value for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.")
	}
	// Standard queues take a receipt that ran out as long as nobody received the message since.
	if m.receipt == receipt {
		q.remove(e)
	}
	return nil
}

// ChangeVisibility makes a message that is in flight visible again in that time; 0 is now. Errors are *Failure.
func (q *Queue) ChangeVisibility(receipt string, in time.Duration) error {
	if in < 0 || in > maxVisibility {
		return invalid("Value for parameter VisibilityTimeout is invalid. Reason: must be between 0 and 43200 seconds.")
	}
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	now := q.service.options.Now()
	q.settle(now)
	e, f := q.byReceipt(receipt)
	if f != nil {
		return f
	}
	if e == nil || !e.Value.(*message).inFlight || e.Value.(*message).receipt != receipt {
		return &Failure{Code: "MessageNotInflight", Message: "The message referred to is not in flight.", Status: 400, query: "AWS.SimpleQueueService.MessageNotInflight"}
	}
	e.Value.(*message).hidden = now.Add(in)
	q.settle(now)
	q.wake()
	return nil
}

// byReceipt returns the message, nil if it is gone.
func (q *Queue) byReceipt(receipt string) (*list.Element, *Failure) {
	id, number, ok := strings.Cut(receipt, ".")
	_, err := strconv.ParseUint(number, 10, 64)
	if _, wrong := es.ParseUUID(id); !ok || err != nil || wrong != nil {
		return nil, &Failure{Code: "ReceiptHandleIsInvalid", Message: "The input receipt handle is not a valid receipt handle.", Status: 400}
	}
	return q.byID[id], nil
}

// settle brings the queue to the time: what was in flight too long is visible again, or dead if it
// was received too often; what is too old is gone.
func (q *Queue) settle(now time.Time) {
	for e := q.messages.Front(); e != nil; {
		next, m := e.Next(), e.Value.(*message)
		if !now.Before(m.sent.Add(q.config.Retention)) {
			q.remove(e)
		} else if m.inFlight && !now.Before(m.hidden) {
			m.inFlight = false
			q.inFlight--
			q.bury(e)
		}
		e = next
	}
}

// Counts are how many messages a queue has.
type Counts struct{ Visible, InFlight int }

// Counts returns how many messages there are. Messages of a group that is blocked count as visible, as in SQS.
func (q *Queue) Counts() Counts {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	return q.counts()
}

func (q *Queue) counts() Counts {
	q.settle(q.service.options.Now())
	return Counts{Visible: q.messages.Len() - q.inFlight, InFlight: q.inFlight}
}

// Peek returns up to max messages in order, in flight or not, without receiving them.
func (q *Queue) Peek(max int) []Message {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	q.settle(q.service.options.Now())
	var found []Message
	for e := q.messages.Front(); e != nil && len(found) < max; e = e.Next() {
		found = append(found, q.received(e.Value.(*message)))
	}
	return found
}

// ReturnInFlight makes all that is in flight visible at once, as if the time had run out: whoever has
// it in work goes on, so it is delivered twice.
func (q *Queue) ReturnInFlight() {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	now := q.service.options.Now()
	for e := q.messages.Front(); e != nil; e = e.Next() {
		e.Value.(*message).hidden = now
	}
	q.settle(now)
	q.wake()
}

// Purge removes all messages.
func (q *Queue) Purge() {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	for e := q.messages.Front(); e != nil; e = q.messages.Front() {
		q.remove(e)
	}
}

// ReceiveInput says what a receiver takes.
type ReceiveInput struct {
	Max        int            // messages, at most; 0 is 1. SQS's own API has 10; Lambda asks for more.
	Visibility *time.Duration // nil is the queue's
	Wait       time.Duration  // for a first message, in real time
	// Accept, if it is there, ends the receive before the message for which it says no, also
	// before the first. It must not call the queue.
	Accept func(Message) bool
}

// recheck is how often a receive that waits looks whether a message in flight has become visible.
const recheck = 50 * time.Millisecond

// Receive takes messages, which are in flight from then on. It returns none when there are none
// within the wait; errors are *Failure, or the context's.
func (q *Queue) Receive(ctx context.Context, in ReceiveInput) ([]Message, error) {
	deadline := time.NewTimer(in.Wait)
	defer deadline.Stop()
	for over := in.Wait <= 0; ; {
		got, changed, f := q.take(in)
		if f != nil {
			return nil, f
		}
		if len(got) > 0 || over || changed == nil {
			return got, nil
		}
		again := time.NewTimer(recheck)
		select {
		case <-ctx.Done():
			err := ctx.Err()
			again.Stop()
			return nil, err
		case <-deadline.C:
			over = true
		case <-changed:
		case <-again.C:
		}
		again.Stop()
	}
}

// take receives what is there, and returns what tells of the next change; nil if Accept said no.
func (q *Queue) take(in ReceiveInput) ([]Message, <-chan struct{}, *Failure) {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	now := q.service.options.Now()
	q.settle(now)
	visibility := *q.config.VisibilityTimeout
	if in.Visibility != nil {
		visibility = *in.Visibility
	}
	blocked := q.blocked()
	var got []Message
	for e := q.messages.Front(); e != nil && len(got) < max(in.Max, 1); e = e.Next() {
		m := e.Value.(*message)
		if m.inFlight || blocked[m.GroupID] {
			continue
		}
		if q.inFlight >= maxInFlight {
			if q.config.FIFO || len(got) > 0 {
				break
			}
			return nil, nil, overLimit("there are 120,000 messages in flight")
		}
		if in.Accept != nil && !in.Accept(q.received(m)) {
			return got, nil, nil
		}
		got = append(got, q.hide(m, now, visibility))
	}
	return got, q.changed, nil
}

// blocked has the groups of which a message is in flight; none of a standard queue.
func (q *Queue) blocked() map[string]bool {
	groups := map[string]bool{}
	if !q.config.FIFO || q.inFlight == 0 {
		return groups
	}
	for e := q.messages.Front(); e != nil; e = e.Next() {
		if m := e.Value.(*message); m.inFlight {
			groups[m.GroupID] = true
		}
	}
	return groups
}

func (q *Queue) hide(m *message, now time.Time, visibility time.Duration) Message {
	q.receives++
	q.inFlight++
	m.inFlight, m.hidden = true, now.Add(visibility)
	m.receives++
	if m.first.IsZero() {
		m.first = now
	}
	m.receipt = m.id + "." + strconv.FormatUint(q.receives, 10)
	return q.received(m)
}

// received is the message as receivers see it.
func (q *Queue) received(m *message) Message {
	system := map[string]string{
		"SenderId":                q.service.options.Account,
		"SentTimestamp":           strconv.FormatInt(m.sent.UnixMilli(), 10),
		"ApproximateReceiveCount": strconv.Itoa(m.receives),
	}
	if !m.first.IsZero() {
		system["ApproximateFirstReceiveTimestamp"] = strconv.FormatInt(m.first.UnixMilli(), 10)
	}
	if q.config.FIFO {
		system["MessageGroupId"], system["MessageDeduplicationId"], system["SequenceNumber"] = m.GroupID, m.DeduplicationID, m.sequence
	}
	if m.source != "" {
		system["DeadLetterQueueSourceArn"] = m.source
	}
	return Message{ID: m.id, Receipt: m.receipt, Body: m.Body, Attributes: m.Attributes, System: system}
}

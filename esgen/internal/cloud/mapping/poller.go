package mapping

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	es "github.com/esgen/esgen/runtime"

	"github.com/esgen/esgen/esgen/internal/cloud/sqs"
)

// poller delivers what is in a queue, in several goroutines: of a FIFO queue, groups come side by
// side, and each group in order.
type poller struct {
	*Mapping
	config QueueConfig
	region string
	queue  *sqs.Queue
}

// pollers is how many batches are in work at once, unless fewer are allowed: Lambda begins with five.
const pollers = 5

// longPoll is how long a receive waits before it looks again.
const longPoll = 20 * time.Second

func (p *poller) run(ctx context.Context) {
	n := pollers
	if most := p.config.MaximumConcurrency; most > 0 {
		n = min(n, most)
	}
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			for ctx.Err() == nil {
				if batch := p.collect(ctx); len(batch) > 0 {
					p.deliver(ctx, batch)
				}
			}
		})
	}
	all.Wait()
}

// queued is a message with what the function gets of it.
type queued struct {
	sqs.Message
	text []byte // JSON
}

// collect receives a batch: until it is full, or the window is over.
func (p *poller) collect(ctx context.Context) []queued {
	b := &batchOf{p: p}
	b.receive(ctx, longPoll)
	if p.config.BatchingWindow == 0 || len(b.messages) == 0 {
		return b.messages
	}
	ends := time.Now().Add(p.config.BatchingWindow)
	for left := time.Until(ends); left > 0 && len(b.messages) < p.config.BatchSize && !b.full && ctx.Err() == nil; left = time.Until(ends) {
		b.receive(ctx, left)
	}
	return b.messages
}

// batchOf is a batch that grows up to its size and Lambda's payload.
type batchOf struct {
	p        *poller
	messages []queued
	bytes    int
	full     bool
}

func (b *batchOf) receive(ctx context.Context, wait time.Duration) {
	got, err := b.p.queue.Receive(ctx, sqs.ReceiveInput{Max: b.p.config.BatchSize - len(b.messages), Wait: wait, Accept: b.accept})
	if err != nil {
		if ctx.Err() == nil {
			b.p.log.Warn("the queue cannot be read", "error", err.Error())
			sleep(ctx, time.Second)
		}
		return
	}
	for _, m := range got {
		b.messages = append(b.messages, queued{m, b.p.text(m)})
	}
}

// receipts are written longer when a message is received again.
const receiptSpare = 64

func (b *batchOf) accept(m sqs.Message) bool {
	size := len(b.p.text(m)) + receiptSpare
	if b.bytes > 0 && b.bytes+size+len(envelopeStart)+len(envelopeEnd) > maxPayload {
		b.full = true
		return false
	}
	b.bytes += size
	return true
}

// deliver invokes the function once. What it does not take comes back when the visibility is over.
func (p *poller) deliver(ctx context.Context, batch []queued) {
	if ctx.Err() != nil {
		p.release(batch)
		return
	}
	list := make([][]byte, len(batch))
	for i, m := range batch {
		list[i] = m.text
	}
	event := payload(list)
	answer, functionError, err := p.call(ctx, event)
	if ctx.Err() != nil {
		p.release(batch)
		return
	}
	done := p.judge(answer, functionError, err, batch)
	for _, m := range done {
		if err := p.queue.Delete(m.Receipt); err != nil {
			p.log.Warn("a message that the function took cannot be deleted, and will come again", "message", m.ID, "error", err.Error())
		}
	}
	if len(done) == len(batch) {
		p.took(event, len(batch))
		return
	}
	p.count(func(s *Stats) { s.Delivered += len(done) })
}

// release makes the messages visible at once: the mapping stops, the function did not fail.
func (p *poller) release(batch []queued) {
	for _, m := range slices.Backward(batch) {
		_ = p.queue.ChangeVisibility(m.Receipt, 0) // whose receipt ran out is visible already
	}
}

// judge returns the messages that are done with.
func (p *poller) judge(answer []byte, functionError string, err error, batch []queued) []queued {
	switch {
	case err != nil:
		p.log.Warn("the function cannot be invoked", "error", err.Error())
		return nil
	case functionError != "":
		p.log.Warn("the function failed", "messages", len(batch), "functionError", functionError)
		return nil
	case !p.config.ReportBatchItemFailures:
		return batch
	}
	ids, ok := failedItems(answer)
	if !ok {
		p.log.Warn("the function's answer is no list of failed items; the batch counts as failed")
		return nil
	}
	failed := map[string]bool{}
	for _, id := range ids {
		if !slices.ContainsFunc(batch, func(m queued) bool { return m.ID == id }) {
			p.log.Warn("the function reported an item that is not of the batch; the batch counts as failed")
			return nil
		}
		failed[id] = true
	}
	return slices.DeleteFunc(slices.Clone(batch), func(m queued) bool { return failed[m.ID] })
}

// text is the JSON that Lambda makes of a message.
func (p *poller) text(m sqs.Message) []byte {
	dst := es.AppendString([]byte(`{"messageId":`), m.ID)
	dst = es.AppendString(append(dst, `,"receiptHandle":`...), m.Receipt)
	dst = es.AppendString(append(dst, `,"body":`...), m.Body)
	dst = append(dst, `,"attributes":{`...)
	for i, name := range slices.Sorted(maps.Keys(m.System)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(es.AppendString(dst, name), ':')
		dst = es.AppendString(dst, m.System[name])
	}
	dst = append(dst, `},"messageAttributes":{`...)
	for i, name := range slices.Sorted(maps.Keys(m.Attributes)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(es.AppendString(dst, name), ':')
		dst = appendAttribute(dst, m.Attributes[name])
	}
	dst = es.AppendString(append(dst, `},"md5OfBody":`...), sqs.MD5(m.Body))
	if sum := sqs.AttributesMD5(m.Attributes); sum != "" {
		dst = es.AppendString(append(dst, `,"md5OfMessageAttributes":`...), sum)
	}
	dst = append(dst, `,"eventSource":"aws:sqs","eventSourceARN":`...)
	dst = es.AppendString(dst, p.source)
	dst = es.AppendString(append(dst, `,"awsRegion":`...), p.region)
	return append(dst, '}')
}

func appendAttribute(dst []byte, a sqs.Attribute) []byte {
	dst = append(dst, '{')
	if a.Binary != nil {
		dst = es.AppendBytes(append(dst, `"binaryValue":`...), a.Binary)
	} else {
		dst = es.AppendString(append(dst, `"stringValue":`...), a.String)
	}
	dst = append(dst, `,"stringListValues":[],"binaryListValues":[],"dataType":`...)
	return append(es.AppendString(dst, a.DataType), '}')
}

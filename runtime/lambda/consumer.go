package lambda

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/dynamo"
	"github.com/esgen/esgen/runtime/scan"
)

// Consumer runs the function of the consumer of that name, one of the model's. Its events come
// from a stream or, where that has more consumers than readers, from a queue; it sees which.
func Consumer(m *es.Model, name string) {
	run(func(p *program) (Handler, error) {
		for _, c := range m.Consumers {
			if c.Name != name {
				continue
			}
			stores, err := p.store(nil, nil, dynamo.EnvEvents, dynamo.EnvProgress)
			if err != nil {
				return nil, err
			}
			return ConsumerHandler(m, c, stores, p.Options), nil
		}
		return nil, fmt.Errorf("lambda: the service has no consumer %q", name)
	})
}

// ConsumerHandler takes batches of a stream and of a queue, and what CloudFormation asks when the
// consumer is deployed. The user's handler is started at the first batch; while that fails, so do
// all batches.
func ConsumerHandler(m *es.Model, c es.Consumer, stores es.Stores, o Options) Handler {
	o.defaults()
	f := &consumer{model: m, consumer: c, stores: stores, o: o}
	return o.guarded(func(ctx context.Context, event []byte) ([]byte, error) {
		f.mu.Lock() // the runner is for one goroutine
		defer f.mu.Unlock()
		switch sourceOf(event) {
		case ofDeployment:
			return f.deployed(ctx, event)
		case ofQueue:
			return f.fromQueue(ctx, event)
		}
		return f.fromStream(ctx, event)
	})
}

type consumer struct {
	model    *es.Model
	consumer es.Consumer
	stores   es.Stores
	o        Options

	mu     sync.Mutex
	runner *es.ConsumerRunner // once started
}

func (f *consumer) start(ctx context.Context) (*es.ConsumerRunner, error) {
	if f.runner == nil {
		runner, err := es.StartConsumer(ctx, f.model, f.consumer, f.stores, es.ConsumerOptions{Logger: f.o.Logger})
		if err != nil {
			return nil, err
		}
		f.runner = runner
	}
	return f.runner, nil
}

// fromStream handles a batch of the stream of events, or of a view.
func (f *consumer) fromStream(ctx context.Context, event []byte) ([]byte, error) {
	if f.consumer.View != "" {
		batch, err := dynamo.DecodeChanges(f.consumer.View, event)
		return take(ctx, f, batch, err, (*es.ConsumerRunner).HandleChanges)
	}
	batch, err := dynamo.DecodeEvents(event)
	return take(ctx, f, batch, err, (*es.ConsumerRunner).HandleEvents)
}

func take[T any](ctx context.Context, f *consumer, batch *dynamo.StreamBatch[T], err error, handle func(*es.ConsumerRunner, context.Context, []T) (int, error)) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	if n := len(batch.Skipped); n > 0 {
		f.o.Logger.WarnContext(ctx, "records of the stream are none of ours", "records", n, "first", batch.Skipped[0])
	}
	runner, err := f.start(ctx)
	if err != nil {
		return nil, err
	}
	retry, err := handle(runner, ctx, batch.Values)
	if retry == len(batch.Values) {
		return failures(), nil
	}
	f.warn(ctx, err)
	return failures(batch.Sequences[retry]), nil
}

// warn says why something is to be delivered again. What the handler says the runner has logged
// already, but not what kept it from running.
func (f *consumer) warn(ctx context.Context, err error) {
	if err != nil {
		f.o.Logger.WarnContext(ctx, "to be delivered again", "consumer", f.consumer.Name, "error", err.Error())
	}
}

// fromQueue handles messages of a relay. The first of a group that fails stops the group: its later
// messages are not handled, so that they do not overtake it. One that the queue gives up now stops nothing:
// those behind it, received as often, would be given up with it and never have been handled.
func (f *consumer) fromQueue(ctx context.Context, event []byte) ([]byte, error) {
	messages, err := readQueue(event)
	if err != nil {
		return nil, err
	}
	runner, err := f.start(ctx)
	if err != nil {
		return nil, err
	}
	var again []string
	stopped := map[string]bool{}
	for i := range messages {
		m := &messages[i]
		if m.group == "" || !stopped[m.group] {
			err := f.handleMessage(ctx, runner, m.body)
			if err == nil {
				continue
			}
			f.warn(ctx, err)
			stopped[m.group] = m.received < lastReceipt
		}
		again = append(again, m.id)
	}
	return failures(again...), nil
}

func (f *consumer) handleMessage(ctx context.Context, runner *es.ConsumerRunner, body string) error {
	m, err := es.ParseMessage(body)
	if err != nil {
		return err
	}
	if m.Elsewhere > 0 {
		if m, err = f.fetch(ctx, m); err != nil {
			return err
		}
	}
	switch {
	case m.Event != nil && f.consumer.View == "":
		_, err = runner.HandleEvents(ctx, []es.Recorded{*m.Event})
	case m.Change != nil && f.consumer.View == m.Change.View:
		_, err = runner.HandleChanges(ctx, []es.RecordChange{*m.Change})
	default:
		err = fmt.Errorf("lambda: the consumer %s got a message of another stream: deploy stack and functions together", f.consumer.Name)
	}
	return err
}

// maxParts is of how many parts a change may be: two records of 400 KB, and what escapes take.
const maxParts = 64

// fetch gets what was too large for the queue.
func (f *consumer) fetch(ctx context.Context, m *es.Message) (*es.Message, error) {
	if e := m.Event; e != nil {
		events, _, err := f.stores.Events.Read(ctx, e.EntityID, e.Version-1, 1)
		if err != nil {
			return nil, err
		}
		if len(events) == 0 || events[0].Version != e.Version {
			return nil, errors.New("lambda: an event that a message refers to is not in the events table")
		}
		return &es.Message{Event: &events[0]}, nil
	}
	if m.Elsewhere > maxParts {
		return nil, errors.New("lambda: a message refers to more parts than a change has")
	}
	var body strings.Builder
	for part := 1; part <= m.Elsewhere; part++ {
		entry, err := f.stores.Progress.Progress(ctx, elsewherePart(m.Change.View), elsewhereID(m.Change, part))
		if err != nil {
			return nil, err
		}
		if entry == nil {
			return nil, errors.New("lambda: part " + strconv.Itoa(part) + " of a change that a message refers to is not in the progress table; it stays there for two weeks")
		}
		body.WriteString(entry.Value)
	}
	return es.ParseMessage(body.String())
}

// source is where an event of a consumer comes from.
type source int

const (
	ofStream source = iota
	ofQueue
	ofDeployment
)

// sourceOf looks as far into the event as it must to see where that comes from.
func sourceOf(event []byte) (found source) {
	s := scan.Scanner{Text: string(event)}
	for m := s.Members(); m.Next(); {
		switch m.Name {
		case "RequestType", "ResponseURL":
			return ofDeployment
		case "Records":
			for e := s.Elements(); e.Next(); {
				for member := s.Members(); member.Next(); {
					if member.Name == "eventSource" {
						if name, _ := s.String(); name == "aws:sqs" {
							return ofQueue
						}
						return ofStream
					}
					if !s.Skip() {
						return ofStream
					}
				}
				return ofStream
			}
		}
		if !s.Skip() {
			return ofStream
		}
	}
	return ofStream
}

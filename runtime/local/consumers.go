package local

import (
	"context"
	"math/rand/v2"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// consume starts a consumer and serves it. One that cannot start is tried again: its
// events wait, the service goes on.
func (p *program) consume(ctx context.Context, c es.Consumer, stores es.Stores) {
	for wait := time.Second; ctx.Err() == nil; wait = min(2*wait, time.Minute) {
		runner, err := es.StartConsumer(ctx, p.model, c, stores, es.ConsumerOptions{Logger: p.log})
		if err == nil {
			p.serveConsumer(ctx, c, runner)
			return
		}
		p.log.Error("consumer does not start", "consumer", c.Name, "again in", wait.String(), "error", err.Error())
		sleep(ctx, wait/2+rand.N(wait))
	}
}

func (p *program) serveConsumer(ctx context.Context, c es.Consumer, runner *es.ConsumerRunner) {
	if c.View == "" {
		s := &stream[es.Recorded]{reader: consumerReader(c.Name), store: p.store, read: readEvents(p.store), handle: runner.HandleEvents, log: p.log}
		s.run(ctx)
		return
	}
	s := &stream[es.RecordChange]{reader: consumerReader(c.Name), store: p.store, read: readChanges(p.store, c.View), handle: runner.HandleChanges, log: p.log}
	s.run(ctx)
}

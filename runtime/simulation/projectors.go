package simulation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/lambda"
)

// projectors are the processes that one reader hands its batches to, one after the other.
type projectors struct {
	a         *actor
	process   *process
	projector *es.Projector
	function  lambda.Handler // the projector as it is deployed; nil where it is part of a program
}

// warm gives a projector that runs, most often the one of the batch before.
func (p *projectors) warm() {
	w, a := p.a.world, p.a
	switch {
	case p.process == nil || p.process.crashed() || a.chance(0.15):
	case p.process.deployment < w.deployment && (w.settled || a.chance(0.5)):
	default:
		return
	}
	p.process = w.spawn("projector", w.deployment)
	p.projector, p.function = w.projector(p.process), nil
	if a.chance(0.5) {
		m, stores := w.model(p.process.deployment), p.process.stores()
		p.function = lambda.ProjectorHandler(m, stores, deploymentName(p.process.deployment), quiet())
	}
}

func deploymentName(deployment int) string { return fmt.Sprint("deployment-", deployment) }

// hand hands a batch to the projector. The record from which it is to be delivered again is the
// first that a function's answer names.
func (p *projectors) hand(ctx context.Context, batch []es.Recorded) (retry int, err error) {
	if p.function == nil {
		_, retry, err = p.projector.Project(ctx, batch)
		return retry, err
	}
	records := make([]json.RawMessage, len(batch))
	for i := range batch {
		records[i] = eventRecord(&batch[i], strconv.Itoa(i))
	}
	answer, err := p.function(ctx, batchOf(records))
	if err != nil {
		return 0, err
	}
	failed := failuresIn(answer)
	if len(failed) == 0 {
		return len(batch), nil
	}
	retry, _ = strconv.Atoi(failed[0])
	return retry, errAgain
}

var errAgain = errors.New("simulation: to be delivered again")

func (w *world) projector(p *process) *es.Projector {
	return es.NewProjector(w.model(p.deployment), p.stores(), es.ProjectorOptions{
		Deployment: deploymentName(p.deployment), Clock: p.clock, Logger: silent(),
	})
}

// project gives the index from which the batch is to be delivered again, and why.
func (p *projectors) project(batch []es.Recorded) (retry int, err error) {
	p.warm()
	a := p.a
	timeout := 30 * time.Second
	if a.chance(0.1) {
		timeout = between(a.rand, 20*time.Millisecond, 2*time.Second)
	}
	for _, r := range batch {
		a.world.trace.add(line{who: a.name + "@" + p.process.name, what: "project", about: r.EntityID, note: fmt.Sprint("version ", r.Version)})
	}
	ctx, cancel := p.process.context(a, timeout)
	a.world.begins(p.process)
	retry, err = p.hand(ctx, batch)
	cancel()
	a.turn()
	a.world.ends(p.process)
	if p.process.crashed() {
		return 0, context.Canceled
	}
	if err != nil {
		a.world.trace.add(line{who: a.name + "@" + p.process.name, what: "retry", note: fmt.Sprintf("from %d of %d: %v", retry, len(batch), err)})
	}
	return retry, err
}

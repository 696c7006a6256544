package simulation

import (
	"time"

	es "github.com/esgen/esgen/runtime"
)

// deploy brings out the deployments after the first, at some time, or never while the world runs.
func (w *world) deploy(a *actor) {
	for w.deployment < w.service.Deployments && a.chance(0.7) {
		a.sleep(between(a.rand, 0, 20*time.Second))
		w.deployment++
		w.trace.add(line{who: a.name, what: "deploy"})
	}
}

// operate does what an operator, or a schedule, does while everything runs.
func (w *world) operate(a *actor) {
	for range a.rand.IntN(4) {
		a.sleep(between(a.rand, 0, 20*time.Second))
		p := w.spawn("operations", w.deployment)
		w.trace.add(line{who: a.name, what: "operate"})
		ctx, cancel := p.context(a, time.Minute)
		projector := w.projector(p)
		// What fails here is tried again when the world has come to rest.
		switch a.rand.IntN(4) {
		case 0:
			_, _ = projector.RetryQuarantine(ctx, "", "")
		case 1:
			_, _ = projector.Status(ctx)
		default:
			_, _ = projector.Reconcile(ctx, es.ReconcileOptions{Full: a.chance(0.5)})
		}
		cancel()
		a.turn()
		p.kill()
	}
}

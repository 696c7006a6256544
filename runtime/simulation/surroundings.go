package simulation

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/lambda"
)

// deploy brings out the deployments after the first, at some time, or never while the world runs.
// Where the last one has new revisions of views, they are rebuilt, by one process or two.
func (w *world) deploy(a *actor) {
	for w.deployment < w.service.Deployments && a.chance(0.75) {
		a.sleep(between(a.rand, 0, 20*time.Second))
		w.deployment++
		w.trace.add(line{who: a.name, what: "deploy"})
		w.happened.add("deployments")
	}
	if w.deployment < w.service.Deployments || len(w.revised()) == 0 || a.chance(0.2) {
		return
	}
	// A rebuild is for whoever has deployed: by then no older code is handed a batch any more.
	w.settled = true
	for w.oldAtWork() {
		a.sleep(time.Second)
	}
	for i := range 1 + a.rand.IntN(2) {
		w.start(fmt.Sprintf("rebuilder-%d", i+1), surrounding, w.rebuild)
	}
}

// revised are the views that the last deployment has a new revision of.
func (w *world) revised() (views []es.View) {
	first := w.service.Model(1).Views
	for _, v := range w.service.Model(w.service.Deployments).Views {
		if i := slices.IndexFunc(first, func(f es.View) bool { return f.Name == v.Name }); i >= 0 && first[i].Revision < v.Revision {
			views = append(views, v)
		}
	}
	return views
}

// begins and ends say which processes fold something.
func (w *world) begins(p *process) { w.atWork = append(w.atWork, p) }

func (w *world) ends(p *process) {
	i := slices.Index(w.atWork, p)
	w.atWork = slices.Delete(w.atWork, i, i+1)
}

// oldAtWork reports whether code of an older deployment still folds something.
func (w *world) oldAtWork() bool {
	return slices.ContainsFunc(w.atWork, func(p *process) bool { return p.deployment < w.deployment })
}

// rebuild brings the new revisions up to date, however often that takes.
func (w *world) rebuild(a *actor) {
	for _, v := range w.revised() {
		const tries = 12
		for range tries {
			a.sleep(between(a.rand, 0, 5*time.Second))
			p := w.spawn(a.name, w.deployment)
			timeout := time.Hour
			if a.chance(0.3) {
				timeout = between(a.rand, 50*time.Millisecond, 10*time.Second)
			}
			o := es.RebuildOptions{Segments: 1 + a.rand.IntN(4), Parallel: 1 + a.rand.IntN(3), Accept: a.chance(0.2)}
			if a.chance(0.2) {
				o.Rate = 5 + 50*a.rand.Float64()
				p.page = 1 // who of several is held up would be a matter of luck
			}
			ctx, cancel := p.context(a, timeout)
			done, err := w.projector(p).Rebuild(ctx, v.Name, o)
			cancel()
			a.turn()
			ended := err == nil && !p.crashed()
			p.kill()
			w.trace.add(line{who: a.name, what: "rebuild", about: v.Name, note: fmt.Sprintf("%s, %v", done.State, err)})
			if ended {
				w.happened.add("rebuilds that ended")
				w.rebuilt[v.Name] = w.rebuilt[v.Name] || done.Active == v.Revision
				if w.rebuilt[v.Name] && a.chance(0.5) {
					w.dropOld(a, &v)
				}
				break
			}
			w.happened.add("rebuilds that were cut short")
		}
	}
}

// dropOld drops the revision before the one that readers get now.
func (w *world) dropOld(a *actor, v *es.View) {
	p := w.spawn(a.name, w.deployment)
	ctx, cancel := p.context(a, time.Minute)
	defer p.kill()
	err := w.projector(p).DropRevision(ctx, es.Table{View: v.Name, Revision: v.Revision - 1})
	cancel()
	a.turn()
	w.trace.add(line{who: a.name, what: "drop", about: v.Name, note: fmt.Sprint(err)})
	if err == nil {
		w.happened.add("revisions that were dropped")
	}
}

// watchRevisions notes changes that readers of a view's stream would take for what they are not. What
// began before readers switched cannot know, and a rebuild always says that it is one.
func (w *world) watchRevisions(c *change) {
	if c.record.Old == c.record.New || w.current == nil || strings.HasPrefix(w.current.who, "rebuilder") {
		return
	}
	e := w.db.entry(es.PartActive, c.table.View)
	if e == nil {
		return
	}
	active, _ := strconv.Atoi(e.Value)
	switch building := c.table.Revision > active; {
	case building && c.live:
		w.breach(c.record.Key, "a change of %s in revision %d of %s, which is being built, was written as a live one", c.record.Key, c.table.Revision, c.table.View)
	case !building && !c.live && w.switchedBefore(c.table, w.current.began):
		w.breach(c.record.Key, "a change of %s in revision %d of %s, which readers get, was written as a rebuild's", c.record.Key, c.table.Revision, c.table.View)
	}
}

// watchSwitch notes what readers lose when they are given a new revision of a view: no record there may
// be behind what they had.
func (w *world) watchSwitch(view string, revision int) {
	before, _ := w.db.tables[es.Table{View: view, Revision: revision - 1}]
	if before == nil {
		return
	}
	now := w.db.table(es.Table{View: view, Revision: revision})
	for _, key := range slices.Sorted(maps.Keys(before.items)) {
		was, is := before.item(key), now.item(key)
		if was.Version > guardOf(is) && (is == nil || is.Held == "") {
			w.breach(key, "readers get revision %d of %s, where %s is at version %d; it was at %d", revision, view, key, guardOf(is), was.Version)
		}
	}
}

// switchedBefore reports whether readers have had the revision since before a step.
func (w *world) switchedBefore(t es.Table, step int) bool {
	since, ok := w.switched[t.View]
	return ok && since < step
}

// operate does what an operator, or a schedule, does while everything runs.
func (w *world) operate(a *actor) {
	for range a.rand.IntN(4) {
		a.sleep(between(a.rand, 0, 20*time.Second))
		p := w.spawn("operations", w.deployment)
		w.trace.add(line{who: a.name, what: "operate"})
		w.happened.add("operations")
		ctx, cancel := p.context(a, time.Minute)
		projector := w.projector(p)
		w.begins(p)
		// What fails here is tried again when the world has come to rest.
		switch a.rand.IntN(5) {
		case 0:
			_, _ = projector.RetryQuarantine(ctx, "", "")
		case 1:
			_, _ = projector.Status(ctx)
		case 2:
			reconcile := lambda.ReconcileHandler(w.model(p.deployment), p.stores(), deploymentName(p.deployment), a.rand.IntN(4), quiet())
			_, _ = reconcile(ctx, nil)
		default:
			_, _ = projector.Reconcile(ctx, es.ReconcileOptions{Full: a.chance(0.5)})
		}
		cancel()
		a.turn()
		w.ends(p)
		p.kill()
	}
}

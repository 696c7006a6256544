package simulation

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	es "github.com/esgen/esgen/runtime"
)

// judgeViews: every record is the fold of all histories, but for entities that are quarantined, which
// are listed; when the code is mended, for none.
func (j *judge) judgeViews() {
	ctx := context.Background()
	if !j.stream.lossy && j.countLeft() == 0 {
		j.compare("all batches were taken", true)
	}
	p := j.atRest(j.deployment)
	if sum, err := p.Reconcile(ctx, es.ReconcileOptions{}); err != nil {
		j.breach("", "reconcile: %v, %+v", err, sum)
	}
	if !j.stream.lossy {
		j.compare("what batches left was reconciled", true)
	}
	if sum, err := p.Reconcile(ctx, es.ReconcileOptions{Full: true}); err != nil {
		j.breach("", "reconcile: %v, %+v", err, sum)
	}
	j.compare("all was reconciled", false)
	j.judgeStatus(p)
	j.deployment = j.service.Deployments
	p = j.atRest(j.deployment)
	if sum, err := p.RetryQuarantine(ctx, "", ""); err != nil {
		j.breach("", "retry of the quarantine: %v, %+v", err, sum)
	}
	if sum, err := p.Reconcile(ctx, es.ReconcileOptions{Full: true}); err != nil {
		j.breach("", "reconcile: %v, %+v", err, sum)
	}
	j.compare("the code was mended", false)
	j.judgeStatus(p)
	j.judgeRebuilds(p)
	for _, q := range j.quarantine() {
		if j.failed(q, j.histories[q.EntityID][q.Version-1]) {
			continue
		}
		j.breach(q.EntityID, "%s is in quarantine in %s though the code is mended: %s", q.EntityID, q.View, q.Reason)
	}
}

// judgeRebuilds: when a rebuild has ended, readers get the new revision, complete, and the one before it
// can go.
func (j *judge) judgeRebuilds(p *es.Projector) {
	ctx := context.Background()
	accept := len(j.quarantine()) > 0
	for _, v := range j.revised() {
		done, err := p.Rebuild(ctx, v.Name, es.RebuildOptions{Alone: true, Parallel: 1, Accept: accept})
		if err != nil || done.Active != v.Revision || done.Left > 0 {
			j.breach("", "rebuild of %s: %+v, %v", v.Name, done, err)
		}
	}
	j.compare("all is rebuilt", false)
	for _, v := range j.revised() {
		old := es.Table{View: v.Name, Revision: v.Revision - 1}
		if err := p.DropRevision(ctx, old); err != nil || j.db.tables[old] != nil {
			j.breach("", "revision %d of %s cannot be dropped: %v", old.Revision, v.Name, err)
		}
	}
	j.compare("old revisions are dropped", false)
}

// atRest is a projector in a world where nothing goes wrong any more.
func (j *judge) atRest(deployment int) *es.Projector {
	return es.NewProjector(j.service.Model(deployment), direct(j.db), es.ProjectorOptions{
		Deployment: deploymentName(deployment), Logger: silent(),
	})
}

// countLeft counts what is recorded for reconcile: entities that batches left, and entries of the
// quarantine of a process that ended between freeing an entity and removing its entry.
func (j *judge) countLeft() (n int) {
	for _, q := range j.quarantine() {
		if !j.held(q) {
			n++
		}
	}
	for _, v := range j.service.Model(j.deployment).Views {
		for _, e := range j.db.progress["behind/"+v.Name+"/"+strconv.Itoa(v.Revision)] {
			if e.Value != "" {
				n++
			}
		}
	}
	return n
}

// quarantine lists who is quarantined.
func (j *judge) quarantine() (all []es.Quarantined) {
	for q, err := range j.atRest(j.deployment).ListQuarantine(context.Background(), "") {
		if err != nil {
			j.breach("", "the quarantine cannot be listed: %v", err)
			break
		}
		all = append(all, q)
	}
	return all
}

// whole reports whether a revision has everything that batches took: an older code may have folded some
// into its own revision while the newer was deployed, and only a rebuild brings them over.
func (j *judge) whole(v *es.View) bool { return v.Revision == 1 || j.rebuilt[v.Name] }

// compare compares all records with the fold of the histories. partial says that revisions that were
// not rebuilt may lack records.
func (j *judge) compare(when string, partial bool) {
	stops := map[string]map[string]int64{} // view, entity: the version that cannot be folded
	for _, q := range j.quarantine() {
		if !j.held(q) {
			continue
		}
		e := j.histories[q.EntityID][q.Version-1]
		if !j.failed(q, e) {
			j.breach(q.EntityID, "%s: %s is in quarantine in %s for version %d, which can be folded: %s", when, q.EntityID, q.View, q.Version, q.Reason)
		}
		if stops[q.View] == nil {
			stops[q.View] = map[string]int64{}
		}
		stops[q.View][q.EntityID] = q.Version
	}
	whole := j.service.Fold(j.histories)
	for _, v := range j.service.Model(j.deployment).Views {
		if partial && !j.whole(&v) {
			continue
		}
		want := whole[v.Name]
		if stop := stops[v.Name]; stop != nil {
			want = j.service.Fold(j.until(stop))[v.Name]
		}
		name := es.Table{View: v.Name, Revision: v.Revision}
		j.compareView(when, name, want)
		for _, x := range j.service.Indexes {
			if x.View == v.Name {
				j.compareIndex(when, name, x, want)
			}
		}
	}
}

// failed reports whether the deployment that has quarantined an entity could not fold the event.
func (j *judge) failed(q es.Quarantined, event Object) bool {
	deployment, _ := strconv.Atoi(strings.TrimPrefix(q.Deployment, "deployment-"))
	return j.service.fails(deployment, q.View, event)
}

// held reports whether the holder of the position says that the entity is held.
func (j *judge) held(q es.Quarantined) bool {
	t := j.db.table(es.Table{View: q.View, Revision: q.Revision})
	if item := t.item(q.EntityID); item != nil && item.Held != "" {
		return true
	}
	return t.markers[q.EntityID].Held != ""
}

// until are the histories, each up to where it stops.
func (j *judge) until(stops map[string]int64) map[string][]Object {
	cut := maps.Clone(j.histories)
	for id, version := range stops {
		if cut[id] = cut[id][:version-1]; version == 1 {
			delete(cut, id)
		}
	}
	return cut
}

func (j *judge) compareView(when string, name es.Table, want map[string]Object) {
	t := j.db.table(name)
	for _, key := range slices.Sorted(maps.Keys(t.items)) {
		if item := t.item(key); item.Payload != "" && want[key] == nil {
			j.breach(key, "%s: the view %s has a record %q that should not be there: %s", when, name.View, key, item.Payload)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		item := t.item(key)
		if item == nil || item.Payload == "" {
			j.breach(key, "%s: the view %s lacks the record %q: %v", when, name.View, key, want[key])
			continue
		}
		got := parse(item.Payload)
		if _, ok := want[key]["version"]; ok {
			got["version"] = json.Number(strconv.FormatInt(item.Version, 10))
		}
		if !Same(want[key], got) {
			j.breach(key, "%s: in the view %s the record %q is\n  %v\nand should be\n  %v", when, name.View, key, got, want[key])
		}
	}
}

// judgeStatus: at rest nobody is behind; who is held has an entry, and who has an entry is held.
func (j *judge) judgeStatus(p *es.Projector) {
	status, err := p.Status(context.Background())
	if err != nil {
		j.breach("", "status: %v", err)
	}
	for _, v := range status {
		if v.Behind != 0 || v.Left != 0 {
			j.breach("", "at rest, but %+v", v)
		}
	}
	entered := map[string]bool{}
	for _, q := range j.quarantine() {
		entered[q.View+" "+q.EntityID] = true
		if !j.held(q) {
			j.breach(q.EntityID, "%s has an entry in the quarantine of %s, and is not held", q.EntityID, q.View)
		}
	}
	for _, v := range j.service.Model(j.deployment).Views {
		t := j.db.table(es.Table{View: v.Name, Revision: v.Revision})
		for _, key := range slices.Sorted(maps.Keys(t.items)) {
			if item := t.item(key); item.Held != "" && !entered[v.Name+" "+key] {
				j.breach(key, "%s is held in %s without an entry that says why", key, v.Name)
			}
		}
		for _, id := range slices.Sorted(maps.Keys(t.markers)) {
			if m := t.markers[id]; m.Held != "" && !entered[v.Name+" "+id] {
				j.breach(id, "%s is held in %s without an entry that says why", id, v.Name)
			}
		}
	}
}

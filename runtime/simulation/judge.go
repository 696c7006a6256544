package simulation

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// judge compares a world that has come to rest with what was promised. It knows what is stored, what
// clients were told, and how the service's own fold makes views of histories.
type judge struct {
	*world
	histories map[string][]Object // as POST answers events
}

func (j *judge) judge() {
	j.current = nil
	for _, text := range j.db.misuse {
		j.breach("", "the stores were misused: %s", text)
	}
	j.gather()
	for _, id := range j.db.ids {
		j.judgeHistory(id)
	}
	j.judgePosts()
	if len(j.broken) > 0 {
		return // what follows stands on the histories
	}
	j.judgeGets()
	j.judgeConsumers()
	j.judgeViews()
}

// gather makes the histories of what is stored.
func (j *judge) gather() {
	j.histories = map[string][]Object{}
	for id, events := range j.db.events {
		for i := range events {
			j.histories[id] = append(j.histories[id], j.object(&events[i]))
		}
	}
}

func (j *judge) object(r *es.Recorded) Object {
	o := parse(r.Payload)
	if o == nil {
		o = Object{}
	}
	o["type"], o[j.clients.key], o["eventId"] = r.Type, r.EntityID, r.EventID
	o["version"] = json.Number(strconv.FormatInt(r.Version, 10))
	o["time"] = r.Time.Format(time.RFC3339Nano)
	return o
}

// judgeHistory: versions 1 to n without holes, every event once, states obeyed.
func (j *judge) judgeHistory(id string) {
	m := j.service.Model(1)
	seen := map[string]bool{}
	state := ""
	for i, r := range j.db.events[id] {
		if r.Version != int64(i)+1 {
			j.breach(id, "%s: version %d stands in place %d", id, r.Version, i+1)
		}
		if seen[r.EventID] {
			j.breach(id, "%s: the event %q is stored twice, the second time as version %d", id, r.EventID, r.Version)
		}
		seen[r.EventID] = true
		t := m.EventType(r.Type)
		if t == nil {
			j.breach(id, "%s: version %d is of the unknown type %q", id, r.Version, r.Type)
			continue
		}
		if len(m.States) == 0 {
			continue
		}
		if !follows(t, i == 0, state) {
			j.breach(id, "%s: version %d, a %s, does not fit the state %q", id, r.Version, r.Type, state)
		}
		if t.To != "" {
			state = t.To
		}
		if r.State != state {
			j.breach(id, "%s: version %d was stored with state %q, it is %q", id, r.Version, r.State, state)
		}
	}
}

// follows reports whether the lifecycle lets an event follow.
func follows(t *es.EventType, first bool, state string) bool {
	if first || t.FromNone {
		return first && t.FromNone
	}
	return t.From == nil || slices.Contains(t.From, state)
}

// stateAt is the state of an entity after a version.
func (j *judge) stateAt(id string, version int64) (state string) {
	m := j.service.Model(1)
	for _, r := range j.db.events[id][:version] {
		if t := m.EventType(r.Type); t != nil && t.To != "" {
			state = t.To
		}
	}
	return state
}

// judgePosts: what clients were told is so.
func (j *judge) judgePosts() {
	answers := map[string]string{} // by entity and event id
	for i := range j.clients.posts {
		p := &j.clients.posts[i]
		id := p.intent.entity
		switch p.status {
		case 200, 201:
			j.judgeAcknowledged(p)
			key := id + " " + p.text("eventId")
			if first, ok := answers[key]; ok && first != p.raw {
				j.breach(id, "%s: the event %q was answered as\n  %s\nand as\n  %s", id, p.text("eventId"), first, p.raw)
			}
			answers[key] = p.raw
		case 409, 412:
			j.judgeRefused(p)
		case 422:
			j.judgeReused(p)
		case 0, 503:
		default:
			j.breach(id, "%s: POST was answered with %d %s", id, p.status, p.raw)
		}
	}
	j.judgeInvented()
}

func (r *response) text(name string) string {
	text, _ := r.body[name].(string)
	return text
}

// stored is the event of an id in an entity's history.
func (j *judge) stored(id, eventID string) Object {
	for _, e := range j.histories[id] {
		if e["eventId"] == eventID {
			return e
		}
	}
	return nil
}

// judgeReused: an id was refused that is stored with other content.
func (j *judge) judgeReused(p *post) {
	id, eventID := p.intent.entity, p.intent.eventID
	if j.stored(id, eventID) == nil {
		j.breach(id, "%s: the event id %q was refused as used, and no event has it", id, eventID)
	}
	for i := range j.clients.posts {
		q := &j.clients.posts[i]
		if q.status/100 == 2 && q.intent.entity == id && q.intent.eventID == eventID && Same(q.intent.event, p.intent.event) {
			j.breach(id, "%s: the event %q was acknowledged, and refused as another than it is", id, eventID)
		}
	}
}

// contains reports whether an object has all members of another with the same values.
func contains(o, part Object) bool {
	for name, v := range part {
		if !Same(v, o[name]) && !sameUUID(v, o[name]) {
			return false
		}
	}
	return true
}

// sameUUID: either case is taken, the lower is kept.
func sameUUID(sent, stored any) bool {
	text, _ := sent.(string)
	u, err := es.ParseUUID(text)
	return err == nil && u.String() == stored
}

func (j *judge) judgeAcknowledged(p *post) {
	id := p.intent.entity
	version := integer(p.body["version"])
	if version < 1 || version > int64(len(j.histories[id])) {
		j.breach(id, "%s: version %d was acknowledged, the history ends at %d", id, version, len(j.histories[id]))
		return
	}
	stored := j.histories[id][version-1]
	if p.intent.eventID != "" && stored["eventId"] != p.intent.eventID {
		j.breach(id, "%s: the event %q was acknowledged as version %d, where %q is stored", id, p.intent.eventID, version, stored["eventId"])
	}
	if !contains(stored, p.intent.event) || !Same(stored, p.body) {
		j.breach(id, "%s: version %d was sent as\n  %v\nanswered as\n  %s\nand stored as\n  %v", id, version, p.intent.event, p.raw, stored)
	}
	if p.status == 201 && p.expected != nil && version != *p.expected+1 {
		j.breach(id, "%s: version %d was stored, version %d was expected before it", id, version, *p.expected)
	}
}

// judgeRefused: an event was refused at a version that the entity had meanwhile, and for a reason.
func (j *judge) judgeRefused(p *post) {
	id := p.intent.entity
	at := integer(p.body["currentVersion"])
	if at < p.known || at > int64(len(j.histories[id])) {
		j.breach(id, "%s: refused at version %d; %d was acknowledged before, and there are %d", id, at, p.known, len(j.histories[id]))
		return
	}
	switch p.text("code") {
	case "version":
		if p.expected == nil || *p.expected == at {
			j.breach(id, "%s: refused for its version, which is as expected: %s", id, p.raw)
		}
	case "state":
		m := j.service.Model(1)
		name, _ := p.intent.event["type"].(string)
		if state := j.stateAt(id, at); follows(m.EventType(name), at == 0, state) || p.text("currentState") != state {
			j.breach(id, "%s: a %s was refused at version %d, in state %q: %s", id, name, at, state, p.raw)
		}
	default:
		j.breach(id, "%s: refused with %d %s", id, p.status, p.raw)
	}
}

// judgeInvented: what is stored was sent; and of an event whose id the service made, without an answer to
// say so, there is not more than was sent.
func (j *judge) judgeInvented() {
	named, nameless := map[string]bool{}, map[string]int{}
	for i := range j.clients.posts {
		p := &j.clients.posts[i]
		switch id := p.intent.entity; {
		case p.intent.eventID != "":
			named[id+" "+p.intent.eventID] = true
		case p.text("eventId") != "":
			named[id+" "+p.text("eventId")] = true
		case p.status == 0:
			nameless[id]++
		}
	}
	for _, id := range slices.Sorted(maps.Keys(j.histories)) {
		for i, e := range j.histories[id] {
			if appendedBy(&j.db.events[id][i]) != "" {
				continue
			}
			eventID, _ := e["eventId"].(string)
			if !named[id+" "+eventID] {
				nameless[id]--
			}
			if nameless[id] < 0 || !j.wasSent(id, eventID, e) {
				j.breach(id, "%s: nobody sent %v", id, e)
			}
		}
	}
}

func (j *judge) wasSent(id, eventID string, e Object) bool {
	return slices.ContainsFunc(j.clients.posts, func(p post) bool {
		return p.intent.entity == id && (p.intent.eventID == eventID || p.intent.eventID == "") && contains(e, p.intent.event)
	})
}

// judgeGets: every record that was read is the fold of a history up to some version, one
// that the question allows.
func (j *judge) judgeGets() {
	for i := range j.clients.gets {
		g := &j.clients.gets[i]
		if g.status != 200 && g.status != 404 {
			if g.status != 0 && g.status != 503 {
				j.breach(g.entity, "%s of %s was answered with %d %s", g.entity, g.view, g.status, g.raw)
			}
			continue
		}
		least, most := int64(0), int64(len(j.histories[g.entity]))
		if g.minVersion != nil {
			least = *g.minVersion
		}
		if g.version != nil {
			least, most = *g.version, *g.version
		}
		if !j.wasSo(g, least, most) {
			j.breach(g.entity, "%s: a read of %s (minVersion %s, version %s) was answered with %d %s; at no version from %d to %d was it so",
				g.entity, g.view, number(g.minVersion), number(g.version), g.status, g.raw, least, most)
		}
	}
}

func number(n *int64) string {
	if n == nil {
		return "none"
	}
	return strconv.FormatInt(*n, 10)
}

// recordAt is a record of a view keyed by the entity as it was at a version.
func (j *judge) recordAt(view, id string, version int64) Object {
	if version == 0 {
		return nil
	}
	return j.service.Fold(map[string][]Object{id: j.histories[id][:version]})[view][id]
}

func (j *judge) wasSo(g *get, least, most int64) bool {
	for v := least; v <= most; v++ {
		record := j.recordAt(g.view, g.entity, v)
		if record == nil && g.status == 404 || record != nil && g.status == 200 && Same(record, g.body) {
			return true
		}
	}
	return false
}

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
	j.judgeIndexes()
}

// judgeRebuilds: when a rebuild has ended, readers get the new revision, complete.
func (j *judge) judgeRebuilds(p *es.Projector) {
	for _, v := range j.revised() {
		done, err := p.Rebuild(context.Background(), v.Name, es.RebuildOptions{Alone: true, Parallel: 1})
		if err != nil || done.Active != v.Revision || done.Left > 0 {
			j.breach("", "rebuild of %s: %+v, %v", v.Name, done, err)
		}
	}
	j.compare("all is rebuilt", false)
}

// atRest is a projector in a world where nothing goes wrong any more.
func (j *judge) atRest(deployment int) *es.Projector {
	return es.NewProjector(j.service.Model(deployment), direct(j.db), es.ProjectorOptions{
		Deployment: fmt.Sprint("deployment-", deployment), Logger: silent(),
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

// building reports whether readers get an older revision of a view.
func (j *judge) building(view string, revision int) bool {
	e := j.db.entry(es.PartActive, view)
	return e != nil && e.Value != strconv.Itoa(revision)
}

// compare compares all records with the fold of the histories. partial says that revisions that are
// being built may lack records.
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
		if partial && j.building(v.Name, v.Revision) {
			continue
		}
		want := whole[v.Name]
		if stop := stops[v.Name]; stop != nil {
			want = j.service.Fold(j.until(stop))[v.Name]
		}
		j.compareView(when, es.Table{View: v.Name, Revision: v.Revision}, want)
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
		for key := range t.items {
			if item := t.item(key); item.Held != "" && !entered[v.Name+" "+key] {
				j.breach(key, "%s is held in %s without an entry that says why", key, v.Name)
			}
		}
		for id, m := range t.markers {
			if m.Held != "" && !entered[v.Name+" "+id] {
				j.breach(id, "%s is held in %s without an entry that says why", id, v.Name)
			}
		}
	}
}

// judgeIndexes: an index has every record that has its key, and no other.
func (j *judge) judgeIndexes() {
	whole := j.service.Fold(j.histories)
	m := j.service.Model(j.deployment)
	for _, x := range j.service.Indexes {
		name := es.Table{View: x.View}
		for _, v := range m.Views {
			if v.Name == x.View {
				name.Revision = v.Revision
			}
		}
		want := map[string][]string{}
		for key, record := range whole[x.View] {
			if value := record[x.Key]; value != nil && fmt.Sprint(value) != "" && (x.Sort == "" || record[x.Sort] != nil) {
				want[fmt.Sprint(value)] = append(want[fmt.Sprint(value)], key)
			}
		}
		for _, value := range slices.Sorted(maps.Keys(want)) {
			slices.Sort(want[value])
			got := j.indexed(name, x.Name, value)
			if !slices.Equal(got, want[value]) {
				j.breach(value, "the index %s of %s has at %q the records %q, and should have %q", x.Name, x.View, value, got, want[value])
			}
		}
	}
}

func (j *judge) indexed(name es.Table, index, value string) (keys []string) {
	for after := ""; ; {
		page, err := direct(j.db).Views.Query(context.Background(), name, index, value, false, es.PageRequest{Limit: 3, After: after})
		if err != nil {
			j.breach("", "query of %s: %v", index, err)
			return keys
		}
		for i := range page.Items {
			keys = append(keys, page.Items[i].Key)
		}
		if after = page.Next; after == "" {
			slices.Sort(keys)
			return keys
		}
	}
}

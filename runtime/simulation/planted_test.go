package simulation_test

import (
	"encoding/json"
	"fmt"
	"go/format"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/esgen/esgen/runtime/simulation"
)

// The proof that the simulation can fail: mistakes that are easily made are planted, one at a time,
// and each must be found within a number of seeds.
//
// They are planted where they would be made, in the code itself, by the compiler's -overlay: the code that
// ships has no switches. A passage that is no longer in its file fails the test; then
// the mistake is to be planted anew, where the code makes it possible now.

// planted is a mistake.
type planted struct {
	name   string
	within int // seeds until it is found, at most
	edits  []edit
}

// edit replaces a passage of a file below runtime that is in it once. In what replaces it, PLANTED stands for
// the condition that the mistake is the one to be made now.
type edit struct {
	file, passage, mistake string
}

// before has something stand before a passage.
func before(file, passage, mistake string) edit {
	return edit{file, passage, mistake + "\n" + passage}
}

var mistakes = []planted{
	{"an event is put without its condition", 60, []edit{
		before("simulation/database.go", "\tif taken {\n\t\to := h[i]", `	if taken && PLANTED {
		h[i] = r
		d.onEvent(r)
		return nil, nil
	}`)}},
	{"the event id is looked up before the head is read", 1000, []edit{
		before("append.go", "\thead, err := w.events.Head(ctx, s.EntityID)\n\tif err != nil {\n\t\treturn at, nil, err", `	if PLANTED {
		if known, err = w.events.Lookup(ctx, s.EntityID, s.EventID); err != nil || known != nil {
			return at, known, err
		}
		head, err := w.events.Head(ctx, s.EntityID)
		if err != nil || head == nil {
			return at, nil, err
		}
		at, err = w.standing(ctx, head)
		return at, nil, err
	}`)}},
	{"what came since a lost race is not searched for the event id", 1000, []edit{
		{"append.go", "\t\tif e.EventID == s.EventID {", "\t\tif e.EventID == s.EventID && !PLANTED {"}}},
	{"version and state are checked at the first try only", 60, []edit{
		{"append.go", "if err := w.check(s, at); err != nil {", "if err := w.check(s, at); err != nil && !(PLANTED && try > 0) {"}}},
	{"an event is acknowledged before it is stored", 300, []edit{
		before("append.go", "\t\tcase err != nil:\n\t\t\treturn nil, false, &UnavailableError{EventID: s.EventID, Err: err}", `		case err != nil && PLANTED:
			return slot, false, nil`)}},
	{"a time-out counts as a failure, and the next try gives the event a new id", 300, []edit{
		before("append.go", "\t\tcase err != nil:\n\t\t\treturn nil, false, &UnavailableError{EventID: s.EventID, Err: err}", `		case err != nil && PLANTED && len(s.EventID) == 36:
			s.EventID = NewUUID(s.time).String()
			continue`),
		{"append.go", "\t\t\tunknown = true\n", "\t\t\tunknown = true\n\t\t\tif PLANTED {\n return nil, true, err\n}\n"}}},
	{"content is not compared when an event id comes again", 100, []edit{
		{"append.go", "if known.Digest == s.Digest && known.Type == s.Type.Name {", "if PLANTED || known.Digest == s.Digest && known.Type == s.Type.Name {"}}},
	{"who has the slot after a time-out is told by the event id alone", 3000, []edit{
		{"append.go", "unknown && same(occupant, slot):", "(PLANTED || unknown && same(occupant, slot)):"}}},
	{"gaps are not read from the table", 60, []edit{
		before("rounds.go", "\t\tcase !reach:", `		case !reach && PLANTED:
			s.status = done`)}},
	{"a marker for each record instead of for each entity", 60, []edit{
		{"rows.go", "m := rows.markers[s.entity]; m != nil", "m := rows.markers[s.marker()]; m != nil"},
		{"rows.go", "want.add(wantedRow{table: s.view.table, marker: true, key: s.entity})", "want.add(wantedRow{table: s.view.table, marker: true, key: s.marker()})"},
		{"plan.go", "\t\t\tEntityID: sh.s.entity,", "\t\t\tEntityID: sh.s.marker(),"},
		before("source.go", "func (s *source) fail(", `func (s *source) marker() string {
			for i := len(s.events) - 1; PLANTED && i >= 0; i-- {
				if k := &s.events[i]; len(k.keys) > 0 && len(k.keys[s.view.shared].keys) > 0 {
					return s.entity + "/" + k.keys[s.view.shared].keys[0]
				}
			}
			return s.entity
		}
		`)}},
	{"a record and its marker are written one after the other", 200, []edit{
		{"rounds.go", "errs[i] = w.p.stores.Views.Write(ctx, plans[i].step)", "errs[i] = w.writeStep(ctx, plans[i].step)"},
		before("rounds.go", "// ready decides which", `func (w *work) writeStep(ctx context.Context, step Step) error {
			if PLANTED && len(step.Markers) > 0 && len(step.Records) > 0 {
				if err := w.p.stores.Views.Write(ctx, Step{Table: step.Table, Markers: step.Markers}); err != nil {
					return err
				}
				step.Markers = nil
			}
			return w.p.stores.Views.Write(ctx, step)
		}
		`)}},
	{"a step is written without its conditions", 600, []edit{
		{"simulation/database.go", "if guardOf(t.item(w.Item.Key)) != w.Was {", "if !PLANTED && guardOf(t.item(w.Item.Key)) != w.Was {"},
		{"simulation/database.go", "if t.markers[w.Marker.EntityID].Position != w.Was {", "if !PLANTED && t.markers[w.Marker.EntityID].Position != w.Was {"}}},
	{"a deleted record loses its position", 100, []edit{
		before("simulation/database.go", "\titem.Entries = slices.Clone(item.Entries)", `	if PLANTED && item.Payload == "" && item.Held == "" {
			delete(t.items, item.Key)
			delete(t.changed, item.Key)
			return
		}`)}},
	{"a record that is loaded has lost its places in indexes", 60, []edit{
		{"simulation/database.go", "\tif item.Payload == \"\" {\n\t\tplaces = nil", "\tif PLANTED || item.Payload == \"\" {\n\t\tplaces = nil"}}},
	{"a record keeps the places in indexes that it had", 60, []edit{
		before("plan.go", "\titem.Key = sh.s.entity\n", `	if PLANTED && sh.record != nil && item.Payload != "" {
		places := item.Entries
		defer func() { item.Entries = places }()
	}`)}},
	{"an event that cannot be folded is passed over", 60, []edit{
		before("step.go", "\t\t\t\treturn f.spoil(s, k, err)", `	if PLANTED {
			sh.now.position, sh.now.state = k.r.Version, state
			sh.took++
			continue
		}`)}},
	{"the last failure of a batch is where it goes on", 300, []edit{
		{"projector.go", "s.first < retry", "(PLANTED && s.first > retry || !PLANTED && s.first < retry)"}}},
	{"what is delivered last counts as the latest", 60, []edit{
		{"step.go", "latest := !moment.before(r.latest)", "latest := PLANTED || !moment.before(r.latest)"}}},
	{"an entity is held before the quarantine says why", 600, []edit{
		{"rounds.go", "if !w.enterFailures(ctx, p) {", "if !PLANTED && !w.enterFailures(ctx, p) {"},
		before("rounds.go", "\t\tif conflicted {\n\t\t\tconflicts++", `		for i, p := range plans {
			if PLANTED && errs[i] == nil {
				w.enterFailures(ctx, p)
			}
		}`)}},
	{"an entity leaves the quarantine without what came meanwhile", 3000, []edit{
		{"rounds.go", `case at.held != "" && !s.past:`, `case at.held != "" && !s.past && !PLANTED:`}}},
	{"what a batch has no time for is not recorded", 300, []edit{
		before("catchup.go", "\t\tif err := w.p.leaveBehind(ctx, s, c.goals[i]); err != nil {", `		if PLANTED {
			s.status = left
			continue
		}`)}},
	{"minVersion is answered with what is stored", 60, []edit{
		{"minversion.go", "if item != nil && item.Guard >= version {", "if item != nil && (PLANTED || item.Guard >= version) {"}}},
	{"a page of a history goes on one event too far", 60, []edit{
		{"history.go", "next = strconv.FormatInt(events[len(events)-1].Version, 10)", `next = strconv.FormatInt(events[len(events)-1].Version, 10)
		if PLANTED {
			next = strconv.FormatInt(events[len(events)-1].Version+1, 10)
		}`}}},
	{"a consumer remembers before it handles", 60, []edit{
		before("consumer.go", "\tif err := r.protect(withCause(ctx, c), handle); err != nil {", `	if PLANTED {
			if err := r.progress.PutProgress(ctx, -1, Entry{Part: part, ID: id, Guard: 1}); err != nil {
				return err
			}
		}`)}},
	{"what a handler appends gets a new id each time", 60, []edit{
		{"appender.go", "id = DeriveUUID(c.consumer, c.id, strconv.FormatInt(c.appended.Add(1), 10)).String()",
			"if !PLANTED {\n id = DeriveUUID(c.consumer, c.id, strconv.FormatInt(c.appended.Add(1), 10)).String()\n}"}}},
	{"a rebuild's changes are written as live ones", 100, []edit{
		{"plan.go", "Rebuild: f.w.rebuild || f.view.building()", "Rebuild: !PLANTED && (f.w.rebuild || f.view.building())"}}},
	{"a relay does not say that a rebuild has made a change", 200, []edit{
		{"message.go", "if c.Rebuilding {", "if c.Rebuilding && !PLANTED {"}}},
	{"readers switch while another process rebuilds", 200, []edit{
		{"segment.go", "now.Sub(s.seen) < patience {\n\t\t\tothers = true", "now.Sub(s.seen) < patience {\n\t\t\tothers = !PLANTED"}}},
	{"an old revision is dropped while readers have not noticed", 1000, []edit{
		{"droprevision.go", "if len(views) > 0 {", "if len(views) > 0 && !PLANTED {"}}},
	{"a rebuild takes what it has read for folded", 500, []edit{
		{"rebuild.go", "\t\tif s.status == failed {\n\t\t\treturn s.err", "\t\tif s.status == failed && !PLANTED {\n\t\t\treturn s.err"},
	}},
	{"what a message refers to is not fetched", 1500, []edit{
		{"lambda/consumer.go", "if m.Elsewhere > 0 {", "if m.Elsewhere > 0 && !PLANTED {"}}},
	{"the relay takes what the topic refused for published", 300, []edit{
		{"lambda/relay.go", "errs[i] = errNotTaken", "if !PLANTED {\n errs[i] = errNotTaken\n}"}}},
}

// TestPlantedMistakesAreFound also makes sure that the same program without a mistake finds nothing.
func TestPlantedMistakesAreFound(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the simulation with every mistake planted")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "planted.test")
	build := exec.Command("go", "test", "-c", "-overlay", overlay(t, dir), "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the mistakes do not compile: %v\n%s", err, out)
	}
	found := make([]string, len(mistakes)+1)
	var wait sync.WaitGroup
	slots := make(chan struct{}, 2)
	for i := range found {
		m := planted{name: "none", within: 30}
		if i < len(mistakes) {
			m = mistakes[i]
		}
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			found[i] = search(t, program, filepath.Join(dir, fmt.Sprint(i)), m)
		})
	}
	wait.Wait()
	t.Log("mistake: seeds until it is found (at most)\n" + strings.Join(found, "\n"))
}

// search runs seeds with a mistake until it is found.
func search(t *testing.T, program, report string, m planted) string {
	cmd := exec.Command(program, "-test.run=^TestLedger$", fmt.Sprint("-simulation.seeds=", m.within), "-simulation.workers=1", "-simulation.report="+report)
	cmd.Env = append(os.Environ(), "ESGEN_PLANTED="+m.name)
	out, _ := cmd.CombinedOutput()
	var sum simulation.Summary
	text, err := os.ReadFile(report)
	if err == nil {
		err = json.Unmarshal(text, &sum)
	}
	switch {
	case err != nil:
		t.Errorf("%s: %v\n%s", m.name, err, out)
		return ""
	case m.name == "none":
		if len(sum.Failures) > 0 {
			t.Errorf("without a mistake seed %d fails: %s", sum.Failures[0].Seed, sum.Failures[0].Texts[0])
		}
		return fmt.Sprintf("%-76s nothing in %d", "no mistake", sum.Seeds)
	case len(sum.Failures) == 0:
		t.Errorf("%s: not found in %d seeds", m.name, m.within)
		return fmt.Sprintf("%-76s not found in %d", m.name, m.within)
	}
	f := sum.Failures[0]
	what, history, _ := strings.Cut(f.Texts[0], "\n")
	t.Logf("%s: seed %d: %s", m.name, f.Seed, what)
	if strings.Count(history, "\n") < 3 {
		t.Errorf("%s: the failure comes with no history: %s", m.name, f.Texts[0])
	}
	again := exec.Command(program, "-test.run=^TestLedger$", fmt.Sprint("-simulation.seed=", f.Seed))
	again.Env = cmd.Env
	if out, err := again.CombinedOutput(); err == nil || !strings.Contains(string(out), what) {
		t.Errorf("%s: seed %d again: %v\n%s", m.name, f.Seed, err, out)
	}
	return fmt.Sprintf("%-76s %4d (%d)", m.name, sum.Seeds, m.within)
}

// overlay writes the files with the mistakes, and which files they stand for.
func overlay(t *testing.T, dir string) string {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, m := range mistakes {
		for _, e := range m.edits {
			path := filepath.Join(root, filepath.FromSlash(e.file))
			if texts[path] == "" {
				text, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				texts[path] = string(text)
			}
			if n := strings.Count(texts[path], e.passage); n != 1 {
				t.Fatalf("%s: the passage %q is %d times in %s; plant the mistake anew", m.name, e.passage, n, e.file)
			}
			mistake := strings.ReplaceAll(e.mistake, "PLANTED", fmt.Sprintf("planted(%q)", m.name))
			texts[path] = strings.Replace(texts[path], e.passage, mistake, 1)
		}
	}
	packages := map[string]string{}
	for path, text := range texts {
		name, _, _ := strings.Cut(strings.SplitN("\n"+text, "\npackage ", 2)[1], "\n")
		packages[filepath.Dir(path)] = name
	}
	for folder, name := range packages {
		texts[filepath.Join(folder, "planted.go")] = "package " + name + `
import "os"
var plantedNow = os.Getenv("ESGEN_PLANTED")
func planted(name string) bool { return plantedNow == name }
`
	}
	replaced := map[string]string{}
	for i, path := range slices.Sorted(maps.Keys(texts)) {
		text, err := format.Source([]byte(texts[path]))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		replaced[path] = filepath.Join(dir, fmt.Sprintf("%d.go", i))
		if err := os.WriteFile(replaced[path], text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, _ := json.Marshal(map[string]any{"Replace": replaced})
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

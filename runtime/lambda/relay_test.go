package lambda_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/lambda"
)

// topic is where messages are published to. It takes none that refuse says no to.
type topic struct {
	t      *testing.T
	calls  [][]lambda.Publication
	taken  []lambda.Publication
	refuse func(lambda.Publication) bool
	fail   error
}

func (p *topic) Publish(_ context.Context, messages []lambda.Publication) (failed []int, err error) {
	p.calls = append(p.calls, messages)
	size, groups := 0, map[string]bool{}
	for _, m := range messages {
		size += len(m.Body) + len(m.Type)
		if groups[m.Group] {
			p.t.Error("a call has two messages of a group: the second alone may be taken")
		}
		groups[m.Group] = true
		if len(m.Group) > 128 || len(m.Identity) > 128 || m.Group == "" || m.Identity == "" {
			p.t.Errorf("group %q, identity %q", m.Group, m.Identity)
		}
	}
	if len(messages) == 0 || len(messages) > lambda.MaxPublications || size > lambda.MaxPublished {
		p.t.Errorf("a call of %d messages, %d bytes", len(messages), size)
	}
	if p.fail != nil {
		return nil, p.fail
	}
	for i, m := range messages {
		if p.refuse != nil && p.refuse(m) {
			failed = append(failed, i)
			continue
		}
		p.taken = append(p.taken, m)
	}
	return failed, nil
}

func relay(t *testing.T, n *notes, source string, to lambda.Publisher) lambda.Handler {
	t.Helper()
	h, err := lambda.RelayHandler(source, to, n.stores.Progress, n.options())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (n *notes) event(id string, version int64, text string) es.Recorded {
	return es.Recorded{EntityID: id, Version: version, EventID: fmt.Sprint("e-", version), Type: "NoteTaken", Revision: 1, Time: time.Now().UTC(),
		Payload: `{"text":"` + text + `"}`}
}

func TestRelayPublishesEventsInOrder(t *testing.T) {
	n := newNotes(t)
	to := &topic{t: t}
	h := relay(t, n, "events", to)
	var batch []es.Recorded
	for i := range 40 {
		batch = append(batch, n.event(fmt.Sprint("e", i%13), int64(i/13+1), strings.Repeat("x", i*1000)))
	}
	if got := invoke(t, h, streamOf(t, batch...)); got != `{"batchItemFailures":[]}` {
		t.Errorf("answer %s", got)
	}
	last := map[string]int64{}
	identities := map[string]bool{}
	for _, p := range to.taken {
		m, err := es.ParseMessage(p.Body)
		if err != nil {
			t.Fatal(err)
		}
		if m.Event.Version != last[m.Event.EntityID]+1 || p.Type != "NoteTaken" || m.Elsewhere != 0 {
			t.Errorf("version %d of %s after %d, type %q", m.Event.Version, m.Event.EntityID, last[m.Event.EntityID], p.Type)
		}
		last[m.Event.EntityID] = m.Event.Version
		identities[p.Identity] = true
	}
	if len(to.taken) != 40 || len(identities) != 40 {
		t.Errorf("%d taken, %d identities", len(to.taken), len(identities))
	}
	line := n.line()
	checkMetrics(t, line, "Lag", "Took", "Records", "Published")
	if line["Published"] != 40.0 || line["Records"] != 40.0 {
		t.Errorf("%v", line)
	}
	n.quiet()
}

// TestAGroupStopsAtItsFirstFailure: a later message must not overtake one that was not taken.
func TestAGroupStopsAtItsFirstFailure(t *testing.T) {
	for seed := range uint64(50) {
		n := newNotes(t)
		random := rand.New(rand.NewPCG(seed, 1))
		to := &topic{t: t, refuse: func(lambda.Publication) bool { return random.IntN(4) == 0 }}
		h := relay(t, n, "events", to)
		next := map[string]int64{}
		var batch []es.Recorded
		for range 60 {
			id := fmt.Sprint("e", random.IntN(7))
			next[id]++
			batch = append(batch, n.event(id, next[id], strings.Repeat("x", random.IntN(40_000))))
		}
		answer := invoke(t, h, streamOf(t, batch...))
		got := map[string]int64{}
		for _, p := range to.taken {
			m, err := es.ParseMessage(p.Body)
			if err != nil {
				t.Fatal(err)
			}
			if m.Event.Version != got[m.Event.EntityID]+1 {
				t.Fatalf("seed %d: version %d of %s after %d", seed, m.Event.Version, m.Event.EntityID, got[m.Event.EntityID])
			}
			got[m.Event.EntityID] = m.Event.Version
		}
		first := slices.IndexFunc(batch, func(e es.Recorded) bool { return e.Version > got[e.EntityID] })
		if want := fmt.Sprintf(`{"batchItemFailures":[{"itemIdentifier":"%d"}]}`, first+1); first >= 0 && answer != want {
			t.Errorf("seed %d: %s, want %s", seed, answer, want)
		}
		if first >= 0 {
			n.says("relayed in part")
		}
	}
}

func TestRelayGoesOnAfterACallThatFails(t *testing.T) {
	n := newNotes(t)
	to := &topic{t: t, fail: errors.New("no such host")}
	h := relay(t, n, "events", to)
	batch := streamOf(t, n.event("a", 1, "x"), n.event("a", 2, "x"), n.event("b", 1, "x"))
	if got := invoke(t, h, batch); got != `{"batchItemFailures":[{"itemIdentifier":"1"}]}` {
		t.Errorf("answer %s", got)
	}
	if len(to.calls) != 1 {
		t.Errorf("%d calls: those of a group that has failed are not even tried", len(to.calls))
	}
	if line := n.line(); line["Failed"] != 3.0 || line["Published"] != 0.0 {
		t.Errorf("%v", line)
	}
	n.says("no such host")
}

func TestLargeEventsAreReferredTo(t *testing.T) {
	n := newNotes(t)
	to := &topic{t: t}
	h := relay(t, n, "events", to)
	large := n.event("a", 3, strings.Repeat("x", 220<<10))
	invoke(t, h, streamOf(t, large, n.event("b", 1, "small")))
	m, err := es.ParseMessage(to.taken[0].Body)
	if err != nil || m.Elsewhere != 1 || m.Event.EntityID != "a" || m.Event.Version != 3 || len(to.taken[0].Body) > 1000 || to.taken[0].Type != "NoteTaken" {
		t.Errorf("%+v, %v", m, err)
	}
	if line := n.line(); line["Stored"] != 1.0 {
		t.Errorf("%v", line)
	}
}

func TestRelayOfAView(t *testing.T) {
	n := newNotes(t)
	to := &topic{t: t}
	h := relay(t, n, "view:default", to)
	at := time.Unix(1770091506, 0).UTC()
	large := strings.Repeat("é日😀", 30<<10) // 270 KB; parts end between characters
	changes := []es.RecordChange{
		{View: "default", Key: "a", Guard: 1, Time: at, New: `{"text":"1"}`},
		{View: "default", Key: "a", Guard: 2, Time: at, Old: `{"text":"1"}`, New: `{"text":"` + large + `"}`},
		{View: "default", Key: "b", Guard: 1, Time: at, New: `{"text":"1"}`},
	}
	if got := invoke(t, h, viewStreamOf(t, changes...)); got != `{"batchItemFailures":[]}` {
		t.Errorf("answer %s", got)
	}
	if len(to.taken) != 3 || to.taken[0].Type != "" {
		t.Fatalf("%d taken", len(to.taken))
	}
	stored, err := n.stores.Progress.ListProgress(t.Context(), "relayed/default", "", 10)
	if err != nil || len(stored) != 2 {
		t.Fatalf("%d parts, %v", len(stored), err)
	}
	for _, e := range stored {
		if left := time.Until(e.Expires); len(e.Value) > 200<<10 || left < 13*24*time.Hour || left > 15*24*time.Hour {
			t.Errorf("a part of %d bytes expires in %v", len(e.Value), left)
		}
	}
	for _, source := range []string{"", "view:", "views"} {
		if _, err := lambda.RelayHandler(source, to, n.stores.Progress, n.options()); err == nil {
			t.Errorf("a relay of %q", source)
		}
	}
}

// brokenProgress cannot be written.
type brokenProgress struct{ es.ProgressStore }

func (brokenProgress) PutProgress(context.Context, int64, es.Entry) error {
	return errors.New("throttled")
}

func TestAChangeThatCannotBeLeftElsewhereStopsItsGroup(t *testing.T) {
	n := newNotes(t)
	n.stores.Progress = brokenProgress{n.stores.Progress}
	to := &topic{t: t}
	h := relay(t, n, "view:default", to)
	change := func(key string, guard int64, size int) es.RecordChange {
		return es.RecordChange{View: "default", Key: key, Guard: guard, Time: time.Now(), New: `{"text":"` + strings.Repeat("x", size) + `"}`}
	}
	got := invoke(t, h, viewStreamOf(t, change("a", 1, 1), change("b", 1, 300<<10), change("b", 2, 1), change("c", 1, 1)))
	if got != `{"batchItemFailures":[{"itemIdentifier":"2"}]}` || len(to.taken) != 2 {
		t.Errorf("answer %s, %d taken", got, len(to.taken))
	}
	n.says("throttled")
}

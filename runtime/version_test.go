package es_test

import (
	"fmt"
	"strings"
	"testing"

	es "github.com/esgen/esgen/runtime"
)

func TestMinVersion(t *testing.T) {
	s := newService(t, ordersModel())
	s.mustPost(t, placed("o"))
	s.project(t)
	s.mustPost(t, noted("o", "x"), shipped("o"), noted("o", "y"))
	check := func(target string, version float64, status string) {
		t.Helper()
		a := s.get(t, target)
		if m := object(t, a); a.Status != 200 || m["version"] != version || m["status"] != status {
			t.Errorf("%s: %d %s", target, a.Status, a.Body)
		}
	}
	check("/o", 1, "placed")
	check("/o?minVersion=0", 1, "placed")
	check("/o?minVersion=1", 1, "placed")
	check("/o?minVersion=2", 1, "placed") // nothing listed is missing
	check("/o?minVersion=3", 3, "shipped")
	check("/default?id=o&minVersion=4", 3, "shipped")
	check("/o", 1, "placed") // a read stores nothing
	wantProblem(t, s.get(t, "/o?minVersion=5"), 400, "parameter")
	wantProblem(t, s.get(t, "/o?minVersion=9223372036854775807"), 400, "parameter")
	wantProblem(t, s.get(t, "/nobody?minVersion=1"), 400, "parameter")
	wantProblem(t, s.get(t, "/nobody?minVersion=0"), 404, "not-found")
	folded := s.get(t, "/o?minVersion=4")
	s.project(t)
	check("/o?minVersion=4", 3, "shipped")
	if stored := s.get(t, "/o?minVersion=4"); string(stored.Body) != string(folded.Body) || header(stored, "ETag") != header(folded, "ETag") {
		t.Errorf("folded on the way %s, by the projector %s", folded.Body, stored.Body)
	}
}

func TestMinVersionWithoutStoredRecord(t *testing.T) {
	s := newService(t, ordersModel())
	s.mustPost(t, placed("o"), `{"type":"OrderCancelled","orderId":"o","reason":"delete"}`, noted("o", "x"))
	if m := object(t, s.get(t, "/o?minVersion=1")); m["version"] != float64(1) {
		t.Errorf("%v", m)
	}
	// met without a record: deleted, before and after the projector says so
	wantProblem(t, s.get(t, "/o?minVersion=2"), 404, "not-found")
	wantProblem(t, s.get(t, "/o?minVersion=3"), 404, "not-found")
	s.project(t)
	wantProblem(t, s.get(t, "/o?minVersion=2"), 404, "not-found")
	wantProblem(t, s.get(t, "/o?minVersion=3"), 404, "not-found")
	wantProblem(t, s.get(t, "/o"), 404, "not-found")
}

func TestMinVersionIsBounded(t *testing.T) {
	m := ordersModel()
	m.States = nil
	s := newService(t, m)
	for i := range int64(501) {
		s.put(t, es.Recorded{EntityID: "o", Version: i + 1, Type: "OrderShipped", Revision: 2, Payload: fmt.Sprintf(`{"carrier":"c%d"}`, i+1)})
	}
	if m := object(t, s.get(t, "/o?minVersion=500")); m["carrier"] != "c500" || m["version"] != float64(500) {
		t.Errorf("%v", m)
	}
	wantProblem(t, s.get(t, "/o?minVersion=501"), 503, "behind")
	if m := object(t, s.get(t, "/o?version=501")); m["carrier"] != "c501" {
		t.Errorf("%v", m)
	}
	// events that the view does not list are read, not folded
	for i := range int64(600) {
		s.put(t, es.Recorded{EntityID: "p", Version: i + 1, Type: "OrderNoted", Payload: `{"text":"x"}`})
	}
	wantProblem(t, s.get(t, "/p?minVersion=600"), 404, "not-found")
}

func TestMinVersionInQuarantine(t *testing.T) {
	fail := `{"type":"OrderCancelled","orderId":"o","reason":"fail"}`
	for name, project := range map[string]bool{"noted by the projector": true, "met by the read": false} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, ordersModel())
			s.mustPost(t, placed("o"))
			s.project(t)
			s.mustPost(t, fail)
			if project {
				s.project(t)
			}
			if m := object(t, s.get(t, "/o")); m["status"] != "placed" { // the last good state
				t.Errorf("%v", m)
			}
			if a := s.get(t, "/o?minVersion=1"); a.Status != 200 {
				t.Errorf("%d %s", a.Status, a.Body)
			}
			wantProblem(t, s.get(t, "/o?minVersion=2"), 503, "quarantined")
			wantProblem(t, s.get(t, "/o?version=2"), 503, "quarantined")
			wantProblem(t, s.get(t, "/o?minVersion=3"), 400, "parameter")
		})
	}
	t.Run("panics, with nothing of it shown", func(t *testing.T) {
		s := newService(t, ordersModel())
		s.mustPost(t, placed("o", `"note":"panic"`))
		a := s.get(t, "/o?minVersion=1")
		wantProblem(t, a, 503, "quarantined")
		if strings.Contains(string(a.Body), "secret") || strings.Contains(string(a.Body), "panic") {
			t.Errorf("%s", a.Body)
		}
	})
}

func TestDuringARebuild(t *testing.T) {
	m := ordersModel()
	s := newService(t, m)
	s.mustPost(t, placed("o"))
	s.project(t)
	m.Views[0].Revision = 2
	s.query = es.NewQuery(m, s.stores, es.QueryOptions{Clock: s.tick})
	if err := s.stores.Progress.PutProgress(t.Context(), -1, es.Entry{Part: es.PartActive, ID: "default", Guard: 1, Value: "1"}); err != nil {
		t.Fatal(err)
	}
	s.mustPost(t, shipped("o"))
	if m := object(t, s.get(t, "/o")); m["status"] != "placed" {
		t.Errorf("%v", m)
	}
	if a := s.get(t, "/o?minVersion=1"); a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	wantProblem(t, s.get(t, "/o?minVersion=2"), 503, "rebuilding")
	s.project(t)
	if err := s.stores.Progress.DeleteProgress(t.Context(), es.PartActive, "default"); err != nil {
		t.Fatal(err)
	}
	s.tick()
	s.tick()
	if m := object(t, s.get(t, "/o")); m["status"] != "shipped" { // reads switch by themselves
		t.Errorf("%v", m)
	}
}

func TestAsOf(t *testing.T) {
	s := newService(t, ordersModel())
	s.mustPost(t, placed("o"), noted("o", "x"), shipped("o"), noted("o", "y"))
	s.mustPost(t, placed("d"), `{"type":"OrderCancelled","orderId":"d","reason":"delete"}`)
	for version, want := range map[int]string{1: "1 placed", 2: "1 placed", 3: "3 shipped", 4: "3 shipped"} {
		for _, projected := range []bool{false, true} {
			if projected {
				s.project(t)
			}
			m := object(t, s.get(t, fmt.Sprintf("/o?version=%d", version)))
			if got := fmt.Sprint(m["version"], " ", m["status"]); got != want {
				t.Errorf("version %d: %s, want %s", version, got, want)
			}
		}
	}
	wantProblem(t, s.get(t, "/o?version=0"), 404, "not-found")
	wantProblem(t, s.get(t, "/o?version=5"), 400, "parameter")
	wantProblem(t, s.get(t, "/nobody?version=1"), 404, "not-found")
	wantProblem(t, s.get(t, "/d?version=2"), 404, "not-found")
	if a := s.get(t, "/d?version=1"); a.Status != 200 || header(a, "ETag") == "" {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}

func TestFoldCarriesTheStateOfOlderHistories(t *testing.T) {
	s := newService(t, ordersModel())
	s.put(t, es.Recorded{EntityID: "o", Version: 1, Type: "OrderPlaced", Payload: `{"customerId":"c","quantity":1,"total":1}`})
	s.put(t, es.Recorded{EntityID: "o", Version: 2, Type: "OrderShipped", Payload: `{"carrier":"x"}`, State: "sent"})
	for version, state := range map[int]string{1: "placed", 2: "shipped"} {
		if m := object(t, s.get(t, fmt.Sprint("/o?version=", version))); m["status"] != state {
			t.Errorf("version %d: %v", version, m)
		}
	}
}

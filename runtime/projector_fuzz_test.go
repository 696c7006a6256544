package es_test

import (
	"fmt"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// FuzzStreamRecords hands the projector records that no append made, beside a sound
// history: it must not panic, nor fail for good, nor do more than its share of
// requests, and what it says must add up. The views of the sound entity stay right.
func FuzzStreamRecords(f *testing.F) {
	for _, kind := range append([]string{"", "Unknown", "opened"}, ledgerKinds...) {
		for _, payload := range []string{`{}`, `{"owner":"ann","keys":["red","red",""],"n":1}`, ``, `{`, `[]`, `null`, `{"n":"1"}`, `{"owner":{}}`,
			"\xff", `{"keys":[null]}`, `{"n":1e400}`, `{"owner":"a","owner":"b"}`} {
			f.Add("hostile", int64(1), kind, 1, "open", payload)
		}
	}
	for _, version := range []int64{0, -1, 2, 3, 500, 1 << 62, -1 << 63, 1<<63 - 1} {
		f.Add("sound", version, "Added", 1, "", `{"n":1}`)
		f.Add("", version, "Added", 1, "", `{"n":1}`)
	}
	for _, revision := range []int{0, -1, 2, 1 << 30} {
		f.Add("hostile", int64(1), "Added", revision, "bygone", `{"n":1}`)
	}
	f.Fuzz(func(t *testing.T, id string, version int64, kind string, revision int, state, payload string) {
		b := newBench(t)
		sound := b.happen("sound", opened("ann", "red"), added(1), added(2))
		hostile := es.Recorded{EntityID: id, Version: version, Type: kind, Revision: revision, State: state, Payload: payload, Time: time.Unix(version, 0)}
		if id == "sound" && version > 0 && version <= 4 {
			return // a lie about an event of the table is for the stream to rule out
		}
		p := b.projector("d")
		report := b.project(p, hostile, sound[0], hostile, sound[2], sound[1], hostile)
		if report.Records != 6 || report.Ignored > 3 || report.Quarantined > len(b.model.Views) || b.store.requests() > 50 {
			t.Errorf("report %+v, requests %v", report, b.store.calls)
		}
		got, err := contents(t.Context(), b.store, b.model)
		if err != nil {
			t.Fatal(err)
		}
		want := expectLedger(map[string][]es.Recorded{"sound": sound}, false)
		for _, view := range []string{"diary", "chronicle"} {
			if got[view]["sound"] != want[view]["sound"] {
				t.Errorf("%s: got %s, want %s", view, got[view]["sound"], want[view]["sound"])
			}
		}
		if n := len(b.quarantine(p)); n != report.Quarantined {
			t.Errorf("%d quarantined, report %+v", n, fmt.Sprintf("%+v", report))
		}
	})
}

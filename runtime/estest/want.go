package estest

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	es "github.com/esgen/esgen/runtime"
)

// Want fails the test unless the view has exactly these records, whatever their
// order. Each is a View of the view's package. When there is only one, its key may be
// left empty.
func (s *Scenario) Want(views ...any) *Scenario {
	s.t.Helper()
	got := s.must()
	want := s.wanted(views, got)
	for _, key := range slices.Sorted(maps.Keys(want)) {
		switch payload, ok := got[key]; {
		case !ok:
			s.t.Errorf("view %s: no record %q; there %s", s.view.Name, key, listed(got))
		case payload != want[key]:
			s.t.Errorf("view %s, record %q: want (-), got (+)\n%s", s.view.Name, key, diff(want[key], payload))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[key]; !ok {
			s.t.Errorf("view %s: a record that is not wanted:\n%s", s.view.Name, diff(got[key], got[key]))
		}
	}
	return s
}

// WantDeleted fails the test if the view has a record of one of the keys, without
// keys if it has any record.
func (s *Scenario) WantDeleted(keys ...string) *Scenario {
	s.t.Helper()
	got := s.must()
	if len(keys) == 0 {
		keys = slices.Sorted(maps.Keys(got))
	}
	for _, key := range keys {
		if payload, ok := got[key]; ok {
			s.t.Errorf("view %s: record %q is not deleted:\n%s", s.view.Name, key, diff(payload, payload))
		}
	}
	return s
}

// WantError fails the test unless the last event's fold fails, and with an error
// that contains each of the texts. In the service such an event quarantines its entity in
// the view.
func (s *Scenario) WantError(texts ...string) *Scenario {
	s.t.Helper()
	o := s.fold(s.history)
	if o.err == nil {
		s.t.Errorf("view %s: the last event folds without an error", s.view.Name)
		return s
	}
	if last := &s.history[len(s.history)-1]; o.failed != last {
		s.t.Errorf("view %s: not the last event fails, but %s: %v", s.view.Name, describe(o.failed), o.err)
	}
	for _, text := range texts {
		if !strings.Contains(o.err.Error(), text) {
			s.t.Errorf("view %s: the error %q does not contain %q", s.view.Name, o.err, text)
		}
	}
	return s
}

// must folds the history and returns the records. Where any order must do, it
// compares the others.
func (s *Scenario) must() map[string]string {
	s.t.Helper()
	o := s.fold(s.history)
	if o.err != nil {
		s.t.Fatalf("view %s cannot fold %s: %v", s.view.Name, describe(o.failed), o.err)
	}
	got := o.payloads()
	if s.anyOrder {
		s.compareOrders(got)
	}
	return got
}

// wanted returns the payloads of the records that a test wants, by key.
func (s *Scenario) wanted(views []any, got map[string]string) map[string]string {
	s.t.Helper()
	all := map[string]string{}
	for _, v := range views {
		payload := string(s.record(v).AppendJSON(nil))
		key := s.keyOf(payload)
		if key == "" && len(views) == 1 && len(got) == 1 {
			for only := range got {
				payload, key = s.withKey(payload, only), only
			}
		}
		if _, ok := all[key]; ok {
			s.t.Fatalf("two wanted records have the key %q", key)
		}
		all[key] = payload
	}
	return all
}

// record makes a record of what a test wants: a View or a pointer to one.
func (s *Scenario) record(v any) es.Record {
	s.t.Helper()
	record, ok := v.(es.Record)
	if !ok && v != nil {
		p := reflect.New(reflect.TypeOf(v))
		p.Elem().Set(reflect.ValueOf(v))
		record, ok = p.Interface().(es.Record)
	}
	if want := s.view.New(""); !ok || reflect.TypeOf(record) != reflect.TypeOf(want) {
		s.t.Fatalf("Want takes values of type %s, not %T", reflect.TypeOf(want).Elem(), v)
	}
	return record
}

// keyOf reads the key of a record from its payload.
func (s *Scenario) keyOf(payload string) string {
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(payload), &members) != nil {
		return ""
	}
	raw := members[s.view.KeyName]
	var text string
	if json.Unmarshal(raw, &text) != nil { // a number
		return string(raw)
	}
	return text
}

// withKey fills in a key that was left empty. The key is a record's first member.
func (s *Scenario) withKey(payload, key string) string {
	head := es.AppendString([]byte{'{'}, s.view.KeyName)
	empty := string(head) + `:""`
	if rest, ok := strings.CutPrefix(payload, empty); ok {
		return string(es.AppendString(append(head, ':'), key)) + rest
	}
	return payload
}

func listed(records map[string]string) string {
	if len(records) == 0 {
		return "is none"
	}
	keys := slices.Sorted(maps.Keys(records))
	return fmt.Sprintf("are %d: %q", len(keys), keys)
}

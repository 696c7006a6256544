package estest

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// folded is one record of the view on the way.
type folded struct {
	payload string // "" when it was deleted
	latest  es.Moment
}

// outcome is what the view makes of a history: its records by key, or the event
// whose fold failed.
type outcome struct {
	records map[string]*folded
	failed  *es.Recorded
	err     error
}

// payloads returns the records that exist.
func (o *outcome) payloads() map[string]string {
	all := map[string]string{}
	for key, r := range o.records {
		if r.payload != "" {
			all[key] = r.payload
		}
	}
	return all
}

// fold folds a history in the given order, until an event fails.
func (s *Scenario) fold(history []es.Recorded) *outcome {
	o := &outcome{records: map[string]*folded{}}
	for i := range history {
		if !slices.Contains(s.view.Events, history[i].Type) {
			continue
		}
		if err := s.step(o, &history[i]); err != nil {
			o.failed, o.err = &history[i], err
			return o
		}
	}
	return o
}

// step folds one event into every record that it names.
func (s *Scenario) step(o *outcome, stored *es.Recorded) error {
	event, err := s.model.LoadEvent(stored)
	if err != nil {
		return fmt.Errorf("read back the stored event: %w", err)
	}
	keys := []string{stored.EntityID}
	if !s.view.KeyedByEntity() {
		keys = s.view.Keys(event)
	}
	for _, key := range keys {
		r := o.records[key]
		if r == nil {
			r = &folded{}
			o.records[key] = r
		}
		if err := s.apply(r, key, event, stored); err != nil {
			return err
		}
	}
	return nil
}

func (s *Scenario) apply(r *folded, key string, event es.Event, stored *es.Recorded) error {
	moment := es.Moment{Time: stored.Time, EntityID: stored.EntityID, Version: stored.Version}
	latest := s.view.KeyedByEntity() || !later(r.latest, moment)
	if latest {
		r.latest = moment
	}
	record, err := s.load(key, r.payload)
	if err != nil {
		return err
	}
	err = foldGuarded(record, event, es.Meta{
		EventID: stored.EventID, Type: stored.Type, EntityID: stored.EntityID, Version: stored.Version,
		Time: stored.Time, State: stored.State, Key: key, Latest: latest, Actor: stored.Actor,
	})
	if errors.Is(err, es.Delete) {
		r.payload = ""
		return nil
	}
	if err != nil {
		return err
	}
	r.payload = string(record.AppendJSON(nil))
	return s.checkStorable(key, r.payload)
}

// load returns the record of a key as it was stored, a new one for "".
func (s *Scenario) load(key, payload string) (es.Record, error) {
	record := s.view.New(key)
	if payload == "" {
		return record, nil
	}
	if err := record.Load(payload); err != nil {
		return nil, fmt.Errorf("read back the stored record %q: %w", key, err)
	}
	return record, nil
}

// checkStorable makes sure that a record is the same after it was stored.
func (s *Scenario) checkStorable(key, payload string) error {
	record, err := s.load(key, payload)
	if err != nil {
		return err
	}
	if again := string(record.AppendJSON(nil)); again != payload {
		return fmt.Errorf("the record %q changes when it is stored:\n%s", key, diff(payload, again))
	}
	return nil
}

func later(a, b es.Moment) bool {
	if !a.Time.Equal(b.Time) {
		return a.Time.After(b.Time)
	}
	if a.EntityID != b.EntityID {
		return a.EntityID > b.EntityID
	}
	return a.Version > b.Version
}

// foldGuarded makes an error of a panic, as the service does.
func foldGuarded(record es.Record, event es.Event, meta es.Meta) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return record.Fold(event, meta)
}

func describe(r *es.Recorded) string {
	return fmt.Sprintf("%s, version %d of %q at %s", r.Type, r.Version, r.EntityID, r.Time.Format(time.RFC3339))
}

package es

import (
	"encoding/json"
	"errors"
	"time"
)

// UnstorableError is what a generated Fold returns when the aggregator left a
// value in the record that cannot be written down: an invalid [Decimal], a float that
// is not a number, a year beyond 9999, a json.RawMessage that is no JSON. It holds
// no value.
type UnstorableError struct {
	Field  string // of the view, as the schema calls it
	Reason string
}

func (e *UnstorableError) Error() string {
	return "the aggregator left a value in " + e.Field + " that cannot be stored: " + e.Reason
}

// Checks gathers what is wrong with a record; generated code uses it. It keeps
// the first mistake.
type Checks struct{ err *UnstorableError }

// Err returns the first mistake as an *[UnstorableError], or nil.
func (c *Checks) Err() error {
	if c.err == nil {
		return nil
	}
	return c.err
}

func (c *Checks) note(field string, err error) {
	if err != nil && c.err == nil {
		c.err = &UnstorableError{Field: field, Reason: err.Error()}
	}
}

// Decimal checks that a number is not the result of a calculation beyond 38 digits.
func (c *Checks) Decimal(field string, x Decimal) { c.note(field, x.Err()) }

// Float checks that a number is finite.
func (c *Checks) Float(field string, f float64) { c.note(field, checkFloat(f)) }

// Time checks that a timestamp can be written as RFC 3339.
func (c *Checks) Time(field string, t time.Time) { c.note(field, checkTime(t)) }

// JSON checks that a text is JSON; nil is absent.
func (c *Checks) JSON(field string, raw json.RawMessage) {
	if raw != nil && !json.Valid(raw) {
		c.note(field, errors.New("not a JSON text"))
	}
}

// Date checks that a date is a day of the calendar.
func (c *Checks) Date(field string, d Date) { c.note(field, checkDate(d)) }

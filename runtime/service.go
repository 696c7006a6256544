package es

import (
	"errors"
	"time"
)

// Delete is returned by an aggregator to remove the record it folds into.
//
//lint:ignore ST1012 it is a wish, not a failure, and reads as one: return es.Delete
var Delete = errors.New("es: delete the record")

// Stores are the three kinds of store that a service works on.
type Stores struct {
	Events   EventStore
	Views    ViewStore
	Progress ProgressStore
}

// Clock tells the time; nil means time.Now.
type Clock func() time.Time

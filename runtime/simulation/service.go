package simulation

import (
	"math/rand/v2"

	es "github.com/esgen/esgen/runtime"
)

// Object is a JSON object; its numbers are json.Number or int.
type Object = map[string]any

// Service is what a simulation runs, and how it is judged.
type Service struct {
	Name string
	// Model makes the service, anew each time, as a deployment has it, from 1 up to Deployments (at least 1). A
	// later one may fold what an earlier one cannot, and may have views of a higher revision.
	Model       func(deployment int) *es.Model
	Deployments int
	// Entity is the id of the i-th entity.
	Entity func(i int) string
	// Next makes some event of an entity, as a client posts it: type and fields, without the key. Many
	// need not fit the entity's state. Fields that it gives are stored as they are, UUIDs in small letters.
	Next func(r *rand.Rand, entity string) Object
	// Fold makes the records of all views from the histories, by view and key. Events are as POST answers
	// them. It is the judge: it shares no code with what it judges. A record may have the
	// member "version".
	Fold func(histories map[string][]Object) map[string]map[string]Object
	// Fails says which events a deployment cannot fold into a view; nil for none. Of what the last one
	// cannot fold the history stops before it, for Fold.
	Fails   func(deployment int, view string, event Object) bool
	Indexes []Index
}

// Index is an index of a view whose pages are compared, too.
type Index struct {
	View, Name string
	Key, Sort  string // the fields; a record without one of them is not in the index
}

func (s *Service) fails(deployment int, view string, event Object) bool {
	return s.Fails != nil && s.Fails(deployment, view, event)
}

// Package dynamo is the store of a deployed service: events, views and progress in
// Amazon DynamoDB tables.
//
// # Layout
//
// What is keyed, indexed or asked for in a condition is an attribute; an event's or a
// record's payload is one JSON text. All names of attributes begin with "_" and are
// frozen. Absent texts and zeros are left out, but for guards.
//
//	events      _id, _version (number)      one item per event; stream of new images
//	  byEvent   _id, _eventId               local index, keys only
//	a table for each view and revision      stream of new and old images
//	            _key                        record, tombstone or shell; _guard is the condition
//	  by-NAME   _k.NAME, _s.NAME            a global index for each of the view's: _payload, _version
//	progress    _part, _id                  no stream; time to live in _expires
//	            "entry/PART", ID            an entry
//	            "marker/VIEW/REVISION/SHARD", entity   a marker
//
// _k.NAME is the shard of the record, "=", the value; _s.NAME is the sort value in an encoding
// that orders as its bytes do, then a hash of the record's key. A record without a payload has
// neither, so it is in no index. All shards of a value have one order without equals: a page
// merges them, and one place is the position in each.
//
// An index projects what a page shows, not all: a change of a record's guard or state alone
// then costs the index nothing, and nor does another index's key.
//
// # Requests
//
// A request is built, signed and read without the SDK's client, of which a function would pay
// for far more than it needs. The store itself tries again, within the deadline of the call, and
// knows of each failure whether the write may have been done. A condition that fails because an
// earlier try has done the write is success; a transaction has a token for that. What stays
// unknown is an error that wraps none of package es. A conflict with a transaction under way is
// [es.ErrThrottled]: nothing was written, and the next look tells more.
//
// What an append, a fold and a page consume stands in COST.md, measured by a test.
package dynamo

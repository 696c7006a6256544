// Package bolt is the embedded store of the local program: events, views,
// progress and a change feed in one file, by go.etcd.io/bbolt.
//
// Every write that was acknowledged has been synced to the disk, and the file
// opens again after the process was killed at any moment. Writers that come
// together share one transaction; a writer that is alone waits for nobody.
// One process has the file open at a time.
//
// Layout, by bucket. Ids are length-prefixed wherever something follows them, so
// that no id reaches into the range of another, whatever bytes it has.
//
//	meta        "format" -> number of the layout
//	events      id, version -> event (envelope, then the payload as it is)
//	eventids    id, event id -> version
//	feed        sequence number -> id, version
//	views       one bucket per view and revision:
//	  live        key -> record with a payload
//	  gone        key -> tombstone or shell: never listed
//	  index       index, key, sort, hash of the record's key, record's key -> nothing
//	  markers     entity id -> position, state, held
//	changes     one bucket per view with consumers: sequence number -> change
//	progress    part, id -> guard, expiry, value
//	expiry      time, part, id -> nothing
//	positions   reader -> sequence number
//
// A record, an event or a marker takes up to [MaxItem] bytes, as in the tables
// that the store stands for. A history has no bound of its own: the store never
// returns [es.ErrEntityFull], nor [es.ErrThrottled].
package bolt

// Package simulation runs a service in a world of its own, in one process: a store, streams, queues,
// projectors, consumers, clients, and everything that goes wrong with them. One seed decides what
// happens in which order; time is virtual; nothing sleeps. The same seed gives the same run, byte
// for byte, so that every failure can be looked at again.
//
// What runs is the real code: the command, the query, the projector, the consumers of package es,
// with the decoders and folds of the service. Only what lies outside a program is simulated.
//
// All goroutines of a run live in a bubble of testing/synctest. Every call of a store blocks
// until the scheduler lets it happen; the scheduler waits until everybody is blocked, and
// draws who goes next. So a run is a sequence of calls of the store, one after the other, and two runs
// of a seed differ in nothing.
//
// When the world has come to rest, the run is judged: by a fold of the histories that shares no
// code with the projector, and by what clients were told and consumers were handed.
package simulation

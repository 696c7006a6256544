// Package lambda has the programs of a deployed service's functions. Each runs Lambda's runtime
// loop and never returns:
//
//	func main() { lambda.Query(service.Views(), tables.Views()) }
//
// Behind each stands a [Handler], raw bytes in and raw bytes out: the generic types for events
// would cost more than everything else that a function does. Clients are built by hand from what
// Lambda sets in the environment.
//
// A function ends its own work a little before Lambda would end the process, so that what cannot
// be done in time is answered as a problem. It does nothing between two invocations. It writes a
// line only when something is wrong (slog, JSON, to standard output; the variable ESGEN_LOG_LEVEL
// chooses another level), and projector, relay and reconcile one line of metrics for each batch or run. Payloads
// are in no line.
package lambda

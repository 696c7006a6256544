// Package local is the local program of a service: the same command, query,
// projector and consumers as deployed, on an embedded store, behind an HTTP
// server that serves this machine only. Generated services call [Main] in cmd/local.
//
// Flags:
//
//	-addr HOST:PORT        where to listen, default 127.0.0.1:8080; port 0 takes a free one. HOST is
//	                       127.0.0.1, ::1 or localhost: the server authenticates nobody,
//	                       so every other address is refused.
//	-store FILE            the store, default .esgen/local/store.db; created with its folder.
//	-fold VIEW=FINGERPRINT repeatable: what the code of a view depends on, as any text. A view whose
//	                       fingerprint is not the one that its records were folded with is
//	                       emptied and folded again from the first event, beside the service. So is,
//	                       named or not, a view that the store has not seen. Any other view that is
//	                       not named is left as it is; a new revision of it is built beside the old one,
//	                       which readers get until it has been rebuilt.
//	-deployment ID         names the code that folds; an entity that another deployment
//	                       quarantined is tried again at its next event. Default: a hash of the
//	                       program's own file.
//	-parent                exit when standard input closes, which it does when the parent ends.
//	-verbose               log each batch of events, too.
//	-faults SPEC           for tests: how the stream misbehaves, as a comma-separated list of
//	                       seed=N, duplicate=P, reorder=P, drop=P with P from 0 to 1.
//
// Requests are answered only if their Host, and their Origin if they have one, names
// this machine, so a proxy in front hands on both as they came, or checks them itself.
// A consumer whose handler fails is handed the same event or change again, with
// growing pauses of up to five seconds, until it succeeds; the others go on.
//
// When it serves, and the views have caught up or two seconds have passed, it prints exactly one line to standard output, its URL
// ("http://127.0.0.1:8080"). Logs go to standard error. SIGINT and SIGTERM end
// it gracefully with status 0; trouble at the start is status 2.
//
// While it runs, the file STORE.addr beside the store holds that URL, so that
// operations find it. Paths under /-/ other than health are for them and speak JSON:
//
//	GET  /-/status
//	GET  /-/quarantine
//	POST /-/quarantine/retry?view=V&entity=E   both optional
//	POST /-/reconcile?full=true&entities=N     both optional
//	POST /-/rebuild?view=V&rate=R&parallel=N&accept=true   all but view optional; answers lines of JSON as it goes on
//	POST /-/drop-old?view=V
package local

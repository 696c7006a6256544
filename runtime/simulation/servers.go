package simulation

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// server is a program that answers requests, again and again a new one.
type server struct {
	process *process
	command *es.Command
	query   *es.Query
}

// serversAtOnce share the requests.
const serversAtOnce = 2

// server is one of the servers; where one has crashed or is of an older deployment, a new one
// takes its place.
func (w *world) server(a *actor) *server {
	i := a.rand.IntN(serversAtOnce)
	for len(w.servers) <= i {
		w.servers = append(w.servers, &server{})
	}
	s := w.servers[i]
	if s.process == nil || s.process.crashed() || s.process.deployment < w.deployment && a.chance(0.3) {
		p := w.spawn("server", w.deployment)
		m := w.model(p.deployment)
		s = &server{
			process: p,
			command: es.NewCommand(m, p.stores().Events, es.CommandOptions{Clock: p.clock, Logger: silent()}),
			query:   es.NewQuery(m, p.stores(), es.QueryOptions{Clock: p.clock, Logger: silent()}),
		}
		w.servers[i] = s
	}
	return s
}

// response is what a client gets; status 0 when the connection was lost.
type response struct {
	status int
	raw    string
	body   Object
	header map[string]string
}

// request has a server answer. The actor has the turn before and after it.
func (a *actor) request(r *es.Request) response {
	a.world.requests++
	s := a.world.server(a)
	timeout := 29 * time.Second
	if a.chance(0.1) {
		timeout = between(a.rand, 5*time.Millisecond, time.Second)
	}
	ctx, cancel := s.process.context(a, timeout)
	answer := s.handle(ctx, r)
	cancel()
	a.turn()
	if s.process.crashed() {
		return response{}
	}
	got := response{status: answer.Status, raw: string(answer.Body), header: map[string]string{}}
	for _, h := range answer.Header {
		got.header[h.Name] = h.Value
	}
	got.body = parse(got.raw)
	return got
}

func (s *server) handle(ctx context.Context, r *es.Request) *es.Response {
	if r.Method == "POST" {
		return s.command.Handle(ctx, r)
	}
	return s.query.Handle(ctx, r)
}

// parse reads a JSON object, nil when it is none.
func parse(text string) (o Object) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if d.Decode(&o) != nil {
		return nil
	}
	return o
}

package simulation

import (
	"maps"
	"math/rand/v2"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"
)

// Result is what one run came to.
type Result struct {
	Seed     uint64
	Broken   []string // promises that did not hold; none when all is well
	Sum      uint64   // of all that happened: the same for the same seed
	Events   int      // stored
	Requests int      // of clients
	Calls    int      // steps of the scheduler
	Faults   map[string]int
	Happened map[string]int // what else, of some kinds
	Time     time.Duration  // of the world's own clock
	Lines    []string       // all that happened, when asked for
}

// Run simulates a service once. It must not run beside another Run of the same process, for the
// seed decides on all randomness.
func Run(t *testing.T, s Service, seed uint64, verbose bool) (result Result) {
	cryptotest.SetGlobalRandom(t, seed)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(&s, seed)
		w.run()
		w.answers()
		seen := maps.Clone(w.happened.counts)
		(&judge{world: w}).judge()
		result = w.result(verbose)
		result.Happened = seen
	})
	return result
}

func newWorld(s *Service, seed uint64) *world {
	w := &world{
		service: s, seed: seed, rand: rand.New(rand.NewPCG(seed, 0)), db: newDatabase(time.Now), trace: newTrace(),
		actors: map[role]int{}, rebuilt: map[string]bool{}, switched: map[string]int{}, bell: make(chan struct{}, 1), deployment: 1,
		happened: &happened{counts: map[string]int{}}, down: map[store]time.Time{},
	}
	w.faults = drawFaults(w.rand)
	w.stream = newStream(w)
	w.listen()
	w.clients = newClients(w)
	w.start("deployer", surrounding, w.deploy)
	w.start("operator", surrounding, w.operate)
	return w
}

func (w *world) result(verbose bool) Result {
	r := Result{Seed: w.seed, Broken: w.broken, Calls: w.steps, Requests: w.requests, Sum: w.trace.sum.Sum64(), Faults: map[string]int{}, Time: time.Since(w.trace.begin)}
	for id := range w.db.events {
		r.Events += len(w.db.events[id])
	}
	w.faults.injected[refused] = w.refused
	for kind, n := range w.faults.injected {
		r.Faults[string(kind)] += n
	}
	if verbose {
		r.Lines = append(r.Lines, "at each opportunity: "+w.faults.String())
		for _, l := range w.trace.lines {
			r.Lines = append(r.Lines, l.String())
		}
	}
	return r
}

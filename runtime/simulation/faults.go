package simulation

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// fault is a kind of what goes wrong.
type fault string

const (
	throttled  fault = "throttled"              // a call is refused, nothing done
	lost       fault = "lost before the store"  // a call fails, nothing done
	unanswered fault = "done, answer lost"      // a call fails, all done
	late       fault = "failed, done later"     // a call fails, and is done some time after
	stalled    fault = "stalled"                // a call takes long
	outage     fault = "store out of reach"     // all of one kind of tables, for a while: its calls are refused or fail
	conflicted fault = "transaction conflict"   // a step is refused though its conditions hold
	refused    fault = "condition failed"       // because of what others have written: not injected, counted
	behind     fault = "stale read"             // an eventual read answers what was
	short      fault = "short page"             // fewer items than were asked for, though there are more
	starved    fault = "process stands still"   // none of its calls gets through for some time
	crashed    fault = "process crashed"        // between two of its calls
	duplicated fault = "record duplicated"      // by a stream
	reordered  fault = "record out of order"    // within its shard
	scattered  fault = "record in other shard"  // so that it is unordered with those of its entity
	delayed    fault = "record delayed"         //
	dropped    fault = "batch dropped for ever" //
	resharded  fault = "stream re-sharded"      //
	replayed   fault = "old records replayed"   //
	overlapped fault = "batch delivered twice at once"
	skewed     fault = "clock is wrong"
	jumped     fault = "clock jumped"
	failing    fault = "handler failed"
	forgotten  fault = "queue delivered again"
)

// usual is how often each fault happens in a world where it happens at all, per opportunity.
var usual = map[fault]float64{
	throttled: 0.04, lost: 0.02, unanswered: 0.03, late: 0.02, stalled: 0.02, outage: 0.0007, conflicted: 0.05, behind: 0.5, short: 0.2,
	starved: 0.002, crashed: 0.004, duplicated: 0.1, reordered: 0.15, scattered: 0.15, delayed: 0.05,
	dropped: 0.04, resharded: 0.02, replayed: 0.05, overlapped: 0.08, skewed: 0.3, jumped: 0.003, failing: 0.08, forgotten: 0.1,
}

// faults are what goes wrong in one run. Each run has some of the kinds, each with a rate of
// its own: what only shows when something else does not happen is found, too.
type faults struct {
	rate     map[fault]float64
	injected map[fault]int
}

func drawFaults(r *rand.Rand) *faults {
	f := &faults{rate: map[fault]float64{}, injected: map[fault]int{}}
	strength := []float64{0, 0.3, 1, 1, 1, 2, 4}[r.IntN(7)]
	for _, kind := range slices.Sorted(maps.Keys(usual)) {
		if r.IntN(10) < 6 {
			f.rate[kind] = min(0.6, usual[kind]*strength*(0.3+1.4*r.Float64()))
		}
	}
	return f
}

// happens draws whether a fault happens now.
func (f *faults) happens(r *rand.Rand, kind fault) bool {
	rate := f.rate[kind]
	if rate == 0 || r.Float64() >= rate {
		return false
	}
	f.injected[kind]++
	return true
}

func (f *faults) String() string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(f.rate)) {
		parts = append(parts, fmt.Sprintf("%s %.3f", kind, f.rate[kind]))
	}
	return strings.Join(parts, ", ")
}

// between draws a time, short ones more often.
func between(r *rand.Rand, least, most time.Duration) time.Duration {
	x := r.Float64()
	return least + time.Duration(x*x*x*float64(most-least))
}

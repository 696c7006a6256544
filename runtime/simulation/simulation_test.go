package simulation_test

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/simulation"
)

var (
	seeds = flag.Int("simulation.seeds", 100, "how many seeds to run")
	first = flag.Uint64("simulation.seed", 1, "the first seed; with -v and one seed, all that happens is shown")
)

func timeOf(e simulation.Object) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, textOf(e["time"]))
	return t
}

func TestLedger(t *testing.T) {
	faults := map[string]int{}
	begin := time.Now()
	events, calls := 0, 0
	for i := range *seeds {
		r := simulation.Run(t, ledger, *first+uint64(i), *seeds == 1 && testing.Verbose())
		for _, l := range r.Lines {
			fmt.Println(l)
		}
		for _, b := range r.Broken {
			t.Errorf("seed %d: %s", r.Seed, b)
		}
		events += r.Events
		calls += r.Calls
		for k, n := range r.Faults {
			faults[k] += n
		}
	}
	fmt.Println(events, calls, faults, time.Since(begin)/time.Duration(*seeds))
}

func TestSameSeedSameRun(t *testing.T) {
	for seed := range uint64(20) {
		a := simulation.Run(t, ledger, seed, true)
		b := simulation.Run(t, ledger, seed, true)
		if a.Sum != b.Sum {
			for i := range a.Lines {
				if i >= len(b.Lines) || a.Lines[i] != b.Lines[i] {
					t.Errorf("seed %d, line %d:\n%s\n%s", seed, i, a.Lines[i], b.Lines[min(i, len(b.Lines)-1)])
					break
				}
			}
		}
	}
}

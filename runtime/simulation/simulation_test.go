package simulation_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/simulation"
)

func timeOf(e simulation.Object) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, textOf(e["time"]))
	return t
}

func TestLedger(t *testing.T) {
	simulation.Seeds(t, ledger, 200, "go test ./runtime/simulation -run '^TestLedger$'")
}

// TestSameSeedSameRun: byte for byte, all that happened, on however many processors.
func TestSameSeedSameRun(t *testing.T) {
	usual := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(usual)
	for seed := uint64(1); seed <= 20; seed++ {
		runtime.GOMAXPROCS(usual)
		a := simulation.Run(t, ledger, seed, true)
		runtime.GOMAXPROCS([]int{1, usual, 4 * usual}[seed%3])
		b := simulation.Run(t, ledger, seed, true)
		for i := range a.Lines {
			if i >= len(b.Lines) || a.Lines[i] != b.Lines[i] {
				t.Fatalf("seed %d, line %d:\n%s\n%s", seed, i, a.Lines[i], b.Lines[min(i, len(b.Lines)-1)])
			}
		}
		if a.Sum != b.Sum || len(a.Lines) != len(b.Lines) || len(a.Lines) < 100 {
			t.Errorf("seed %d: %d lines %x, again %d lines %x", seed, len(a.Lines), a.Sum, len(b.Lines), b.Sum)
		}
	}
}

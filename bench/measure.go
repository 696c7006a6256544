package main

import (
	"fmt"
	"io"
	"slices"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"
)

// A suite is measured in one go: its rows take turns, so that a busy moment of the
// machine meets all of them.
type suite struct {
	title  string
	rows   []row
	goals  []goal
	rounds int // at most; 0: as many as are asked for
}

// row is one way to do the suite's work. run does it once.
type row struct {
	name string
	run  func() error
}

// goal is a ratio of two rows, a count of allocations or a time that has to stay at or
// below a limit.
type goal struct {
	id, says     string
	row, against string // against "": see limit
	limit        float64
	within       time.Duration // against "" and not 0: the limit of row's time; else limit is one of allocations
}

// result is what a row took.
type result struct {
	nanos  []float64 // round by round
	allocs float64
}

func (r result) median() float64 { return median(slices.Clone(r.nanos)) }

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// over is the median of the ratios of two rows, each of one round: what else the machine
// does in a round meets both.
func (r result) over(other result) float64 {
	ratios := make([]float64, len(r.nanos))
	for i := range ratios {
		ratios[i] = r.nanos[i] / other.nanos[i]
	}
	return median(ratios)
}

// measure runs each row for about the given time in each round.
func (s *suite) measure(rounds int, each time.Duration) (map[string]result, error) {
	counts := map[string]int{}
	results := map[string]result{}
	for _, r := range s.rows {
		if err := r.run(); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", s.title, r.name, err)
		}
		counts[r.name] = calibrate(r.run, each)
	}
	if s.rounds > 0 {
		rounds = min(rounds, s.rounds)
	}
	times := map[string][]float64{}
	for range rounds {
		for _, r := range s.rows {
			n := counts[r.name]
			start := used()
			for range n {
				r.run()
			}
			times[r.name] = append(times[r.name], float64(used()-start)/float64(n))
		}
	}
	for _, r := range s.rows {
		allocs := testing.AllocsPerRun(min(counts[r.name], 1000), func() { r.run() }) // of this process only
		results[r.name] = result{times[r.name], allocs}
	}
	return results, nil
}

// used is the processor time that this process and those it has waited for have
// had: unlike the clock it does not run on while others have the processor.
func used() time.Duration {
	var sum int64
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			return time.Duration(time.Now().UnixNano())
		}
		sum += u.Utime.Nano() + u.Stime.Nano()
	}
	return time.Duration(sum)
}

// calibrate finds how often run fits into a time.
func calibrate(run func() error, each time.Duration) int {
	for n := 1; ; n *= 2 {
		start := used()
		for range n {
			run()
		}
		if took := used() - start; took > each/4 {
			return max(1, int(float64(n)*float64(each)/float64(took)))
		}
	}
}

// print writes the rows against the first, then the goals, and reports whether
// all are met.
func (s *suite) print(w io.Writer, results map[string]result) bool {
	fmt.Fprintf(w, "\n%s\n", s.title)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "µs\tratio\tallocs\t \t")
	first := results[s.rows[0].name]
	for _, r := range s.rows {
		got := results[r.name]
		fmt.Fprintf(t, "%.2f\t%.3f\t%.0f\t  %s\t\n", got.median()/1000, got.over(first), got.allocs, r.name)
	}
	t.Flush()
	met := true
	for _, g := range s.goals {
		got, limit := results[g.row].allocs, g.limit
		switch {
		case g.against != "":
			got = results[g.row].over(results[g.against])
		case g.within > 0:
			got, limit = results[g.row].median()/float64(time.Millisecond), float64(g.within.Milliseconds())
		}
		verdict := "met"
		if got > limit {
			verdict, met = "MISSED", false
		}
		fmt.Fprintf(w, "%-4s %-6s %.3g, at most %.4g: %s\n", g.id, verdict, got, limit, g.says)
	}
	return met
}

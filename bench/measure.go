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
	rounds int  // at most; 0: as many as are asked for
	more   int  // so many times as many as are asked for; 0: once
	once   bool // one run makes a turn: it takes long, or stands for itself
}

// row is one way to do the suite's work. run does it once.
type row struct {
	name string
	run  func() error
	// clock is what the row's time is read from; nil is the processor time of this process. Of
	// a row with a clock of its own no allocations are counted: its work is done elsewhere.
	clock func() time.Duration
}

// read reads the clock of the row.
func (r *row) read() time.Duration {
	if r.clock == nil {
		return used()
	}
	return r.clock()
}

// goal is a ratio of two rows, a count or a time that has to stay at or below a limit.
type goal struct {
	id, says     string
	row, against string // against "": see limit
	limit        float64
	within       time.Duration  // against "" and not 0: the limit of row's time
	measured     func() float64 // against "" and not nil: what is limited; else row's allocations are
	exactly      bool           // less is a miss, too
}

// result is what a row took.
type result struct {
	nanos  []float64 // round by round
	allocs float64   // not counted: negative
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
	for i := range s.rows {
		r := &s.rows[i]
		if err := r.run(); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", s.title, r.name, err)
		}
		if counts[r.name] = 1; !s.once {
			counts[r.name] = r.calibrate(each)
		}
	}
	if rounds *= max(s.more, 1); s.rounds > 0 {
		rounds = min(rounds, s.rounds)
	}
	times := map[string][]float64{}
	for range rounds {
		for i := range s.rows {
			r := &s.rows[i]
			n := counts[r.name]
			start := r.read()
			for range n {
				if err := r.run(); err != nil {
					return nil, fmt.Errorf("%s: %s: %w", s.title, r.name, err)
				}
			}
			times[r.name] = append(times[r.name], float64(r.read()-start)/float64(n))
		}
	}
	results := map[string]result{}
	for _, r := range s.rows {
		allocs := -1.0
		if r.clock == nil {
			allocs = testing.AllocsPerRun(min(counts[r.name], 1000), func() { _ = r.run() }) // of this process only
		}
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
func (r *row) calibrate(each time.Duration) int {
	for n := 1; ; n *= 2 {
		start := r.read()
		for range n {
			_ = r.run() // measure has seen it succeed
		}
		if took := r.read() - start; took > each/4 {
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
		got, allocs := results[r.name], "-"
		if got.allocs >= 0 {
			allocs = fmt.Sprintf("%.0f", got.allocs)
		}
		fmt.Fprintf(t, "%.2f\t%.3f\t%s\t  %s\t\n", got.median()/1000, got.over(first), allocs, r.name)
	}
	t.Flush()
	met := true
	for _, g := range s.goals {
		met = g.print(w, results) && met
	}
	return met
}

// print writes how far a goal is met.
func (g *goal) print(w io.Writer, results map[string]result) bool {
	got, limit, bound := results[g.row].allocs, g.limit, "at most"
	switch {
	case g.against != "":
		got = results[g.row].over(results[g.against])
	case g.within > 0:
		got, limit = results[g.row].median()/float64(time.Millisecond), float64(g.within.Milliseconds())
	case g.measured != nil:
		got = g.measured()
	}
	met := got <= limit
	if g.exactly {
		met, bound = got == limit, "exactly"
	}
	verdict := "met"
	if !met {
		verdict = "MISSED"
	}
	fmt.Fprintf(w, "%-4s %-6s %.3g, %s %.4g: %s\n", g.id, verdict, got, bound, limit, g.says)
	return met
}

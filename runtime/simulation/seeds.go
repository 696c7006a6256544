package simulation

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	seedFlag    = flag.Uint64("simulation.seed", 0, "the first seed; without -simulation.seeds the only one, and all that happens is shown")
	seedsFlag   = flag.Int("simulation.seeds", 0, "how many seeds to run; 0: as many as the test usually does")
	workersFlag = flag.Int("simulation.workers", 0, "processes beside each other; 0: one for each processor")
	shareFlag   = flag.Int("simulation.share", 0, "which share of the seeds this process is to run, from 0")
	reportFlag  = flag.String("simulation.report", "", "the file that the process writes what it found to, for the process that has started it")
)

// Summary is what many runs came to.
type Summary struct {
	Seeds, Events, Requests, Calls int
	Faults, Happened               map[string]int
	World                          time.Duration // that passed in the simulated worlds
	Took                           time.Duration // of real time, of all processes together
	Sum                            uint64        // of all that happened: the same for the same seeds
	Failures                       []Failure     // by seed
}

// Failure is a run that broke a promise.
type Failure struct {
	Seed  uint64
	Texts []string
}

// Seeds runs a service with many seeds, usually so many, on all processors, and fails the test for each
// promise that was broken: with the command that runs the seed again, and what happened to the entity
// concerned. command is how the test is run, for that.
func Seeds(t *testing.T, s Service, usual int, command string) Summary {
	t.Helper()
	if *seedFlag != 0 && *seedsFlag == 0 {
		return replay(t, s, *seedFlag)
	}
	first, n := max(*seedFlag, 1), usual
	if *seedsFlag > 0 {
		n = *seedsFlag
	}
	workers := *workersFlag
	if workers == 0 {
		const perWorker = 40 // below, starting one takes longer than it helps
		workers = max(1, min(runtime.GOMAXPROCS(0), n/perWorker))
	}
	var sum Summary
	switch {
	case *reportFlag != "":
		sum = share(t, s, first, n, workers, *shareFlag)
		text, _ := json.Marshal(sum)
		if err := os.WriteFile(*reportFlag, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return sum
	case workers == 1:
		sum = share(t, s, first, n, 1, 0)
	default:
		sum = spread(t, first, n, workers)
	}
	for _, f := range sum.Failures {
		t.Errorf("seed %d: %s\nrun it again, from the root of the repository, and see all that happens:\n  %s -count=1 -v -simulation.seed=%d", f.Seed, strings.Join(f.Texts, "\n"), command, f.Seed)
	}
	t.Log(s.Name + ": " + sum.String())
	return sum
}

// replay runs one seed and shows all that happens.
func replay(t *testing.T, s Service, seed uint64) (sum Summary) {
	r := Run(t, s, seed, true)
	t.Log(s.Name + ", all that happens with seed " + fmt.Sprint(seed) + ":\n" + strings.Join(r.Lines, "\n"))
	for _, text := range r.Broken {
		t.Error(text)
	}
	sum.add(r)
	t.Log(s.Name + ": " + sum.String())
	return sum
}

// share runs every workers-th seed. It ends with the first failure.
func share(t *testing.T, s Service, first uint64, n, workers, at int) (sum Summary) {
	began := time.Now()
	for i := at; i < n && len(sum.Failures) == 0; i += workers {
		sum.add(Run(t, s, first+uint64(i), false))
	}
	sum.Took = time.Since(began)
	return sum
}

func (s *Summary) add(r Result) {
	s.Seeds++
	s.Events += r.Events
	s.Requests += r.Requests
	s.Calls += r.Calls
	s.World += r.Time
	s.Sum ^= r.Sum
	s.Faults, s.Happened = added(s.Faults, r.Faults), added(s.Happened, r.Happened)
	if len(r.Broken) > 0 {
		s.Failures = append(s.Failures, Failure{r.Seed, r.Broken})
	}
}

// spread has other processes of this program run shares: one process runs one world at a time.
func spread(t *testing.T, first uint64, n, workers int) (sum Summary) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	parts, errs := make([]Summary, workers), make([]error, workers)
	var wait sync.WaitGroup
	for i := range workers {
		wait.Go(func() {
			report := filepath.Join(dir, fmt.Sprint(i))
			cmd := exec.Command(program, "-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$", "-test.timeout=0",
				fmt.Sprint("-simulation.seed=", first), fmt.Sprint("-simulation.seeds=", n),
				fmt.Sprint("-simulation.workers=", workers), fmt.Sprint("-simulation.share=", i), "-simulation.report="+report)
			parts[i], errs[i] = reportOf(cmd, report)
		})
	}
	wait.Wait()
	for i := range parts {
		if errs[i] != nil {
			t.Error(errs[i])
		}
		sum.merge(parts[i])
	}
	slices.SortFunc(sum.Failures, func(a, b Failure) int { return int(a.Seed) - int(b.Seed) })
	return sum
}

// reportOf runs a process that writes a summary.
func reportOf(cmd *exec.Cmd, report string) (sum Summary, err error) {
	out, failed := cmd.CombinedOutput()
	text, err := os.ReadFile(report)
	if err == nil {
		err = json.Unmarshal(text, &sum)
	}
	if err != nil {
		return sum, fmt.Errorf("a process of the simulation ended without a report: %v\n%s", failed, out)
	}
	return sum, nil
}

func (s *Summary) merge(o Summary) {
	s.Seeds += o.Seeds
	s.Events += o.Events
	s.Requests += o.Requests
	s.Calls += o.Calls
	s.World += o.World
	s.Sum ^= o.Sum
	s.Took += o.Took
	s.Faults, s.Happened = added(s.Faults, o.Faults), added(s.Happened, o.Happened)
	s.Failures = append(s.Failures, o.Failures...)
}

func added(to, counts map[string]int) map[string]int {
	if to == nil {
		to = map[string]int{}
	}
	for kind, n := range counts {
		to[kind] += n
	}
	return to
}

// String is the summary in some lines.
func (s *Summary) String() string {
	var b strings.Builder
	faults := 0
	for _, n := range s.Faults {
		faults += n
	}
	n := max(s.Seeds, 1)
	fmt.Fprintf(&b, "%d seeds, %d requests, %d events, %d calls of the stores, %d faults\n", s.Seeds, s.Requests, s.Events, s.Calls, faults)
	fmt.Fprintf(&b, "  a seed takes %.1f ms, %s in its own world; sum of all that happened: %016x",
		float64(s.Took.Microseconds())/1000/float64(n), (s.World / time.Duration(n)).Round(time.Second), s.Sum)
	for _, counts := range []struct {
		of  string
		all map[string]int
	}{{"faults", s.Faults}, {"and beside them", s.Happened}} {
		b.WriteString("\n  " + counts.of + ":")
		for _, kind := range slices.Sorted(maps.Keys(counts.all)) {
			fmt.Fprintf(&b, "\n  %8d  %s", counts.all[kind], kind)
		}
	}
	return b.String()
}

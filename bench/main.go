// Command bench measures the toolkit's goals for speed. Each is a ratio of two
// rows of one run, so that it holds on any machine; absolute times only show scale.
//
// It is a module of its own, so that what it compares with never enters the toolkit's
// dependencies. Times are of the processor, medians of rounds in which the rows of a suite
// take turns. A suite that misses a goal makes the exit status 1.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// suites are what can be measured, by name.
var suites = []struct {
	name string
	make func() (*suite, error)
}{
	{"post", postSuite},
	{"decode", decodeSuite},
	{"envelope", envelopeSuite},
	{"warm", warmSuite},
	{"start", startSuite},
	{"stream", streamSuite},
	{"fold", foldSuite},
	{"replay", replaySuite},
	{"batch", batchSuite},
	{"generate", generateSuite},
	{"again", againSuite},
}

// cleanup removes what suites left on the disk.
var cleanup []func()

func main() {
	rounds := flag.Int("rounds", 31, "rounds of which the median counts; fewer where a row takes long")
	each := flag.Duration("each", 20*time.Millisecond, "time of each row in each round")
	only := flag.String("only", "", "names of suites, with commas between; all unless given")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	// The packages of all peers keep some megabytes alive, which would be marked again for
	// every few that a row allocates: a cost of their being in one program, not of the row.
	debug.SetGCPercent(400)
	met, err := measureAll(*rounds, *each, *only)
	for _, clean := range cleanup {
		clean()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	if !met {
		os.Exit(1)
	}
}

// measureAll measures the suites and reports whether all goals that were measured are met.
func measureAll(rounds int, each time.Duration, only string) (bool, error) {
	met := true
	var missing []*notRunError
	for _, entry := range suites {
		if only != "" && !strings.Contains(","+only+",", ","+entry.name+",") {
			continue
		}
		s, err := entry.make()
		if notRun, ok := errors.AsType[*notRunError](err); ok {
			missing = append(missing, notRun)
			continue
		}
		if err != nil {
			return false, err
		}
		results, err := s.measure(rounds, each)
		if err != nil {
			return false, err
		}
		met = s.print(os.Stdout, results) && met
	}
	for _, notRun := range missing {
		fmt.Printf("\n%v\n", notRun)
	}
	return met, nil
}

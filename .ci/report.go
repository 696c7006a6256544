// Command report reads "go test -json" and prints what a person wants of it:
// a line per package, the output of what failed, what was not run and why, and a
// closing line that machines count.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

type event struct {
	Action, Package, Test, Output string
	ImportPath                    string // of build output
	Elapsed                       float64
}

type count struct{ passed, failed, skipped int }

func main() {
	var total count
	broken := false
	packages := map[string]*count{}
	output := map[string][]string{}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Println(lines.Text()) // what the go command says outside of tests
			continue
		}
		key := e.Package + " " + e.Test
		if packages[e.Package] == nil {
			packages[e.Package] = &count{}
		}
		c := packages[e.Package]
		switch e.Action {
		case "output", "build-output":
			if e.Action == "build-output" {
				fmt.Print(e.Output)
			}
			output[key] = append(output[key], e.Output)
			continue
		case "pass", "fail", "skip":
		default:
			continue
		}
		if e.Test != "" {
			switch e.Action {
			case "pass":
				c.passed++
				total.passed++
			case "skip":
				c.skipped++
				total.skipped++
				fmt.Printf("not run: %s %s: %s\n", e.Package, e.Test, reason(output[key]))
			case "fail":
				c.failed++
				total.failed++
				fmt.Printf("--- FAIL: %s %s\n%s", e.Package, e.Test, strings.Join(output[key], ""))
			}
		} else {
			if e.Action == "fail" {
				broken = true
				if c.failed == 0 {
					fmt.Print(strings.Join(output[key], ""))
				}
			}
			if e.Action != "skip" {
				fmt.Printf("%-4s %s %.1fs (%d tests)\n", map[string]string{"pass": "ok", "fail": "FAIL"}[e.Action], e.Package, e.Elapsed, c.passed+c.failed)
			}
		}
		delete(output, key)
	}
	if broken && total.failed == 0 {
		total.failed = 1
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", total.passed, total.failed, total.skipped)
	if total.failed > 0 || total.passed == 0 {
		os.Exit(1)
	}
}

// reason is what the test said when it skipped itself.
func reason(output []string) string {
	for _, line := range output {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
			return line
		}
	}
	return "no reason given"
}

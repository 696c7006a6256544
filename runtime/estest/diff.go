package estest

import (
	"bytes"
	"encoding/json"
	"strings"
)

// diff shows two JSON texts line by line: "-" before what only want has, "+"
// before what only got has. "" is a record that does not exist.
func diff(want, got string) string {
	a, b := lines(want), lines(got)
	common := commonLengths(a, b)
	var out strings.Builder
	line := func(mark, text string) { out.WriteString("  " + mark + " " + text + "\n") }
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			line(" ", a[i])
			i++
			j++
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			line("-", a[i])
			i++
		default:
			line("+", b[j])
			j++
		}
	}
	return out.String()
}

// lines lays a JSON text out for reading. Commas go, so that a line does not differ for
// what follows it.
func lines(text string) []string {
	if text == "" {
		return nil
	}
	var b bytes.Buffer
	if json.Indent(&b, []byte(text), "", "  ") != nil {
		return []string{text}
	}
	all := strings.Split(b.String(), "\n")
	for i := range all {
		all[i] = strings.TrimSuffix(all[i], ",")
	}
	return all
}

// commonLengths[i][j] is the length of the longest common subsequence of a[i:] and b[j:].
func commonLengths(a, b []string) [][]int {
	t := make([][]int, len(a)+1)
	for i := range t {
		t[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				t[i][j] = t[i+1][j+1] + 1
			} else {
				t[i][j] = max(t[i+1][j], t[i][j+1])
			}
		}
	}
	return t
}

package estest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	es "github.com/esgen/esgen/runtime"
)

// maxOrders bounds how many orders InAnyOrder tries.
const maxOrders = 400

// compareOrders folds the history in other orders and compares what comes out.
func (s *Scenario) compareOrders(want map[string]string) {
	s.t.Helper()
	parts := s.byEntity()
	if len(parts) < 2 {
		s.t.Errorf("InAnyOrder needs events of at least two entities")
		return
	}
	for order := range orders(parts) {
		o := s.fold(order)
		if o.err != nil {
			s.t.Errorf("view %s cannot fold %s: %v\nin the order\n%s", s.view.Name, describe(o.failed), o.err, listOrder(order))
			return
		}
		if got := o.payloads(); !maps.Equal(got, want) {
			s.t.Errorf("view %s depends on the order of events: as given (-), in the order below (+)\n%s\n%s",
				s.view.Name, diffRecords(want, got), listOrder(order))
			return
		}
	}
}

// byEntity splits the history, in the order in which the entities appear.
func (s *Scenario) byEntity() [][]es.Recorded {
	var parts [][]es.Recorded
	place := map[string]int{}
	for _, r := range s.history {
		i, ok := place[r.EntityID]
		if !ok {
			i = len(parts)
			place[r.EntityID] = i
			parts = append(parts, nil)
		}
		parts[i] = append(parts[i], r)
	}
	return parts
}

// orders yields the ways to merge the parts that keep each part's own order: all
// of them if they are few, else a sample that is the same in every run.
func orders(parts [][]es.Recorded) func(yield func([]es.Recorded) bool) {
	if countOrders(parts) <= maxOrders {
		return func(yield func([]es.Recorded) bool) { merge(nil, parts, yield) }
	}
	return func(yield func([]es.Recorded) bool) {
		random := rand.New(rand.NewPCG(1, 2))
		for range maxOrders {
			if !yield(shuffle(parts, random)) {
				return
			}
		}
	}
}

// countOrders counts the ways to merge the parts, up to maxOrders+1.
func countOrders(parts [][]es.Recorded) int {
	count, total := 1, 0
	for _, part := range parts {
		for i := range part { // one more of n events, of which i+1 are of this part: times n/(i+1)
			total++
			count = count * total / (i + 1)
			if count > 1<<20 {
				return maxOrders + 1
			}
		}
	}
	return min(count, maxOrders+1)
}

// merge yields every continuation of a beginning.
func merge(begun []es.Recorded, parts [][]es.Recorded, yield func([]es.Recorded) bool) bool {
	done := true
	for i, part := range parts {
		if len(part) == 0 {
			continue
		}
		done = false
		rest := slices.Clone(parts)
		rest[i] = part[1:]
		if !merge(append(slices.Clip(begun), part[0]), rest, yield) {
			return false
		}
	}
	return !done || yield(begun)
}

// shuffle merges the parts at random.
func shuffle(parts [][]es.Recorded, random *rand.Rand) []es.Recorded {
	rest := slices.Clone(parts)
	var turns []int
	for i, part := range parts {
		for range part {
			turns = append(turns, i)
		}
	}
	random.Shuffle(len(turns), func(i, j int) { turns[i], turns[j] = turns[j], turns[i] })
	var order []es.Recorded
	for _, i := range turns {
		order = append(order, rest[i][0])
		rest[i] = rest[i][1:]
	}
	return order
}

func listOrder(order []es.Recorded) string {
	var b strings.Builder
	for i := range order {
		fmt.Fprintf(&b, "  %d. %s\n", i+1, describe(&order[i]))
	}
	return b.String()
}

// diffRecords compares sets of records.
func diffRecords(want, got map[string]string) string {
	keys := maps.Clone(want)
	maps.Copy(keys, got)
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if want[key] != got[key] {
			b.WriteString(diff(want[key], got[key]))
		}
	}
	return b.String()
}

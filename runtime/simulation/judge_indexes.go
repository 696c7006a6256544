package simulation

import (
	"context"
	"fmt"
	"maps"
	"slices"

	es "github.com/esgen/esgen/runtime"
)

// compareIndex: an index has at each value the records that have it, in order, and no other. Records of
// entities in quarantine are there as they were before.
func (j *judge) compareIndex(when string, name es.Table, x Index, records map[string]Object) {
	want := map[string][]string{}
	for value := range j.db.places(name, x.Name) {
		want[value] = nil // where no record is to be
	}
	for key, record := range records {
		if value := record[x.Key]; value != nil && fmt.Sprint(value) != "" && (x.Sort == "" || record[x.Sort] != nil) {
			want[fmt.Sprint(value)] = append(want[fmt.Sprint(value)], key)
		}
	}
	for _, value := range slices.Sorted(maps.Keys(want)) {
		got := j.indexed(name, x.Name, value)
		if x.Sort != "" {
			for i := 1; i < len(got); i++ {
				if a, b := records[got[i-1]], records[got[i]]; a != nil && b != nil && compareValues(a[x.Sort], b[x.Sort]) > 0 {
					j.breach(got[i], "%s: in the index %s of %s %q comes before %q", when, x.Name, x.View, got[i-1], got[i])
				}
			}
		}
		slices.Sort(got)
		slices.Sort(want[value])
		if !slices.Equal(got, want[value]) {
			about := value
			if i := slices.IndexFunc(want[value], func(key string) bool { return !slices.Contains(got, key) }); i >= 0 {
				about = want[value][i]
			}
			j.breach(about, "%s: the index %s of %s has at %q the records %q, and should have %q", when, x.Name, x.View, value, got, want[value])
		}
	}
}

// places are the values of an index that records have.
func (d *database) places(name es.Table, index string) map[string]bool {
	values, t := map[string]bool{}, d.table(name)
	for key := range t.items {
		if item := t.item(key); item.Payload != "" {
			for _, e := range item.Entries {
				if e.Index == index {
					values[e.Key] = true
				}
			}
		}
	}
	return values
}

// indexed are the keys of the records at a value, as the index orders them.
func (j *judge) indexed(name es.Table, index, value string) (keys []string) {
	for after := ""; ; {
		page, err := direct(j.db).Views.Query(context.Background(), name, index, value, false, es.PageRequest{Limit: 3, After: after})
		if err != nil {
			j.breach("", "query of %s: %v", index, err)
			return keys
		}
		for i := range page.Items {
			keys = append(keys, page.Items[i].Key)
		}
		if after = page.Next; after == "" {
			return keys
		}
	}
}

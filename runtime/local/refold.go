package local

import (
	"context"
	"encoding/json"
	"fmt"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/bolt"
)

// folded is what the store remembers of a view: the code that its records were folded
// with, and up to which event of the feed that was done for a refold rather than live.
type folded struct {
	Fingerprint string `json:"fingerprint"`
	Revision    int    `json:"revision"`
	Until       uint64 `json:"until"`
}

const partFolded = "folded"

// refold empties the views whose code has changed, or that the store has not seen, and sends
// the projector back to the first event: for all other views what comes
// again is a duplicate. It returns, by table, up to where the stream is a rebuild.
func refold(ctx context.Context, m *es.Model, store *bolt.Store, fingerprints map[string]string) (map[es.Table]uint64, error) {
	for name := range fingerprints {
		if !hasView(m, name) {
			return nil, fmt.Errorf("-fold %s: the service has no such view", name)
		}
	}
	if err := forgetRemoved(ctx, m, store); err != nil {
		return nil, err
	}
	last, err := store.LastSeq()
	if err != nil {
		return nil, err
	}
	until := map[es.Table]uint64{}
	for _, v := range m.Views {
		entry, err := store.Progress(ctx, partFolded, v.Name)
		if err != nil {
			return nil, err
		}
		var was folded
		if entry != nil {
			if err := json.Unmarshal([]byte(entry.Value), &was); err != nil {
				was = folded{} // as if unknown: fold again
			}
		}
		is := folded{Fingerprint: was.Fingerprint, Revision: v.Revision, Until: was.Until}
		if f, named := fingerprints[v.Name]; named {
			is.Fingerprint = f
		}
		table := es.Table{View: v.Name, Revision: v.Revision}
		if is != was {
			is.Until = last
			err := store.Refold(ctx, undo(table, was.Revision, is))
			if err != nil {
				return nil, err
			}
		}
		until[table] = is.Until
	}
	return until, nil
}

// undo is what a refold of a view takes back: its table and that of its revision before.
func undo(table es.Table, before int, note folded) bolt.Refold {
	value, _ := json.Marshal(note) // text and numbers
	r := bolt.Refold{
		Tables: []es.Table{table},
		Reader: projectorReader,
		Note:   es.Entry{Part: partFolded, ID: table.View, Guard: 1, Value: string(value)},
	}
	if before != 0 && before != table.Revision {
		r.Tables = append(r.Tables, es.Table{View: table.View, Revision: before})
	}
	return r
}

func hasView(m *es.Model, name string) bool {
	for i := range m.Views {
		if m.Views[i].Name == name {
			return true
		}
	}
	return false
}

// forgetRemoved forgets views that the service no longer has: should one come back, it has
// missed events and starts anew.
func forgetRemoved(ctx context.Context, m *es.Model, store *bolt.Store) error {
	entries, err := store.ListProgress(ctx, partFolded, "", 10_000)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if hasView(m, e.ID) {
			continue
		}
		if err := store.DeleteProgress(ctx, partFolded, e.ID); err != nil {
			return err
		}
	}
	return nil
}

// rebuildMarks marks what the projector writes for a refold, so that consumers of the
// view's changes do not take the past for news.
type rebuildMarks struct {
	es.ViewStore
	store *bolt.Store
	until map[es.Table]uint64
}

// Write implements es.ViewStore. The projector's place moves after its writes, and no batch
// reaches across an end of a refold.
func (r *rebuildMarks) Write(ctx context.Context, step es.Step) error {
	if r.store.Position(projectorReader) < r.until[step.Table] {
		step.Rebuild = true
	}
	return r.ViewStore.Write(ctx, step)
}

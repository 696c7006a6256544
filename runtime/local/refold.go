package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

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
//
// A new revision of a view without a fingerprint is no refold: it is built beside the one before,
// as in a deployed service.
func refold(ctx context.Context, m *es.Model, store *bolt.Store, fingerprints map[string]string) (map[es.Table]uint64, error) {
	for name := range fingerprints {
		if !hasView(m, name) {
			return nil, fmt.Errorf("-fold %s: the service has no such view", name)
		}
	}
	if err := forgetRemoved(ctx, m, store); err != nil {
		return nil, err
	}
	if err := enterActive(ctx, m, store); err != nil {
		return nil, err
	}
	last, err := store.LastSeq()
	if err != nil {
		return nil, err
	}
	until := map[es.Table]uint64{}
	for i := range m.Views {
		v := &m.Views[i]
		was, err := foldedOf(ctx, store, v.Name)
		if err != nil {
			return nil, err
		}
		is := folded{Fingerprint: was.Fingerprint, Revision: v.Revision, Until: was.Until}
		fingerprint, named := fingerprints[v.Name]
		if named {
			is.Fingerprint = fingerprint
		}
		switch beside := !named && was.Revision > 0 && was.Revision < v.Revision; {
		case beside:
			is.Until = 0
			err = store.PutProgress(ctx, -1, is.note(v.Name))
		case is != was:
			is.Until = last
			err = startOver(ctx, store, v, is)
		}
		if err != nil {
			return nil, err
		}
		until[es.Table{View: v.Name, Revision: v.Revision}] = is.Until
	}
	return until, nil
}

// foldedOf reads what the store remembers of a view. What cannot be read is as if unknown.
func foldedOf(ctx context.Context, store *bolt.Store, view string) (was folded, err error) {
	entry, err := store.Progress(ctx, partFolded, view)
	if err != nil || entry == nil {
		return was, err
	}
	if err := json.Unmarshal([]byte(entry.Value), &was); err != nil {
		return folded{}, nil
	}
	return was, nil
}

func (f folded) note(view string) es.Entry {
	value, _ := json.Marshal(f) // text and numbers
	return es.Entry{Part: partFolded, ID: view, Guard: 1, Value: string(value)}
}

// startOver empties all tables of a view; readers get its revision while it fills up.
func startOver(ctx context.Context, store *bolt.Store, v *es.View, is folded) error {
	guard := int64(0)
	entry, err := store.Progress(ctx, es.PartActive, v.Name)
	if err != nil {
		return err
	}
	if entry != nil {
		guard = entry.Guard
	}
	read := es.Entry{Part: es.PartActive, ID: v.Name, Guard: guard + 1, Value: strconv.Itoa(v.Revision)}
	r := bolt.Refold{Reader: projectorReader, Notes: []es.Entry{is.note(v.Name), read}}
	r.Tables, err = tablesOf(ctx, store, v.Name)
	r.Tables = append(r.Tables, es.Table{View: v.Name, Revision: v.Revision}) // what is known of it, too
	if err != nil {
		return err
	}
	return store.Refold(ctx, r)
}

func tablesOf(ctx context.Context, store *bolt.Store, view string) (tables []es.Table, err error) {
	all, err := store.Tables(ctx)
	for _, t := range all {
		if t.View == view {
			tables = append(tables, t)
		}
	}
	return tables, err
}

// enterActive says of views that have a new revision since the store was last folded which one
// readers get. The projector enters the first revision of each view itself; this is for what was
// folded before it did.
func enterActive(ctx context.Context, m *es.Model, store *bolt.Store) error {
	for i := range m.Views {
		v := &m.Views[i]
		was, err := foldedOf(ctx, store, v.Name)
		if err != nil {
			return err
		}
		if was.Revision < 1 || was.Revision >= v.Revision {
			continue
		}
		entry := es.Entry{Part: es.PartActive, ID: v.Name, Guard: 1, Value: strconv.Itoa(was.Revision)}
		if err := store.PutProgress(ctx, 0, entry); err != nil && !errors.Is(err, es.ErrConflict) {
			return err
		}
	}
	return nil
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

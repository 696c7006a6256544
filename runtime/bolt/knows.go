package bolt

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"

	bbolt "go.etcd.io/bbolt"

	es "github.com/esgen/esgen/runtime"
)

// CountEvents implements es.EventCounter.
func (s *Store) CountEvents(ctx context.Context) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	seq, err := s.LastSeq()
	return int64(seq), err
}

// Tables lists the tables that something has been written to, by view and revision.
func (s *Store) Tables(ctx context.Context) (tables []es.Table, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = s.view(func(tx *bbolt.Tx) error {
		for _, name := range keysOf(tx.Bucket(bucketViews)) {
			view, revision, ok := cutPrefixed(name)
			if !ok || len(revision) != 4 {
				return errCorrupt
			}
			tables = append(tables, es.Table{View: view, Revision: int(binary.BigEndian.Uint32(revision))})
		}
		return nil
	})
	slices.SortFunc(tables, func(a, b es.Table) int {
		return cmp.Or(cmp.Compare(a.View, b.View), cmp.Compare(a.Revision, b.Revision))
	})
	return tables, err
}

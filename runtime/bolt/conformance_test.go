package bolt_test

import (
	"path/filepath"
	"testing"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/bolt"
	"github.com/esgen/esgen/runtime/storetest"
)

func open(t testing.TB, path string, o bolt.Options) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) es.Stores {
		return open(t, filepath.Join(t.TempDir(), "store.db"), bolt.Options{}).Stores()
	})
}

package simulation

import (
	"context"
	"sync"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/storetest"
)

// TestDatabaseIsAStore: what the simulation stands on is what every store is.
func TestDatabaseIsAStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) es.Stores {
		var mu sync.Mutex
		d := newDatabase(time.Now)
		a := &access{database: d, behind: func(*table) int { return 0 }}
		a.do = func(ctx context.Context, _ calling, run func() error) error {
			mu.Lock()
			defer mu.Unlock()
			if err := ctx.Err(); err != nil {
				return err
			}
			return run()
		}
		return a.stores()
	})
}

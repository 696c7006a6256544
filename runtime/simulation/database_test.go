package simulation

import (
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/storetest"
)

// TestDatabaseIsAStore: what the simulation stands on is what every store is.
func TestDatabaseIsAStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) es.Stores { return direct(newDatabase(time.Now)) })
}

package bolt_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/esgen/esgen/runtime/bolt"
)

// TestTurns: one at a time with an entity, in the order in which they came; who gives up is passed over.
func TestTurns(t *testing.T) {
	store, err := bolt.Open(filepath.Join(t.TempDir(), "store.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	synctest.Test(t, func(t *testing.T) {
		turn := func(ctx context.Context, entity string) func() {
			leave, err := store.Turn(ctx, entity)
			if err != nil {
				t.Fatal(err)
			}
			return leave
		}
		leave := turn(t.Context(), "hot")
		var order []int
		impatient, giveUp := context.WithCancel(t.Context())
		for i := range 5 {
			go func() {
				if i == 2 {
					if _, err := store.Turn(impatient, "hot"); !errors.Is(err, context.Canceled) {
						t.Errorf("who gives up gets %v", err)
					}
					return
				}
				leave := turn(t.Context(), "hot")
				order = append(order, i)
				leave()
			}()
			synctest.Wait()
		}
		turn(t.Context(), "cold")() // waits for nobody
		giveUp()
		synctest.Wait()
		if len(order) > 0 {
			t.Fatalf("%v did not wait", order)
		}
		leave()
		synctest.Wait()
		if len(order) != 4 || order[0] != 0 || order[1] != 1 || order[2] != 3 || order[3] != 4 {
			t.Errorf("turns in the order %v", order)
		}
		if _, err := store.Turn(impatient, "hot"); !errors.Is(err, context.Canceled) {
			t.Errorf("who is late gets %v", err)
		}
		turn(t.Context(), "hot")()
	})
}

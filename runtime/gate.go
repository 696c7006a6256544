package es

import (
	"context"
	"slices"
	"sync/atomic"
)

// gate lets one in at a time. It is a channel, not a mutex, because it is held while a store is
// asked, and who waits may give up.
type gate chan struct{}

func newGate() gate { return make(gate, 1) }

// pass waits for the gate; leave must follow if it is nil.
func (g gate) pass(ctx context.Context) error {
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (g gate) leave() { <-g }

// turns is who writes the records of a view that entities share, within this process, while it is
// rebuilt here. Beside each other, batches and the rebuild would mostly be in each other's way: the
// records that all entities share change with every write.
type turns struct {
	gate     gate
	rebuilds atomic.Int32 // that are at it in this process
}

// takeTurns waits for the views of sources that are being rebuilt in this process. When it cannot,
// the sources fail for now.
func (w *work) takeTurns(ctx context.Context, sources []*source) (leave func(), ok bool) {
	var held []gate
	leave = func() {
		for _, g := range held {
			g.leave()
		}
	}
	for _, v := range w.p.views { // in one order, so that two do not wait for each other
		if v.shared < 0 || v.turns.rebuilds.Load() == 0 || !slices.ContainsFunc(sources, func(s *source) bool { return s.view == v }) {
			continue
		}
		if err := v.turns.gate.pass(ctx); err != nil {
			leave()
			for _, s := range sources {
				if s.status == pending {
					s.fail(err)
				}
			}
			return nil, false
		}
		held = append(held, v.turns.gate)
	}
	return leave, true
}

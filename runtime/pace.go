package es

import (
	"context"
	"sync"
	"time"
)

// pace holds work to a number of events a second, over all who share it. Nothing is saved up:
// after a pause the rate is what it was.
type pace struct {
	rate  float64
	clock Clock
	sleep func(ctx context.Context, d time.Duration) error

	mu   sync.Mutex
	free time.Time // when what has been taken so far is used up
}

// take returns when n more events may be read. A nil pace knows no limit.
func (p *pace) take(ctx context.Context, n int) error {
	if p == nil || n < 1 {
		return nil
	}
	p.mu.Lock()
	now := p.clock()
	if p.free.Before(now) {
		p.free = now
	}
	wait := p.free.Sub(now)
	p.free = p.free.Add(time.Duration(float64(n) / p.rate * float64(time.Second)))
	p.mu.Unlock()
	if wait <= 0 {
		return nil
	}
	return p.sleep(ctx, wait)
}

// sleepFor waits, or returns early with the error of the context.
func sleepFor(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

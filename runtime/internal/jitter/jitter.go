// Package jitter gives the random waits that keep writers of one thing from colliding again. A
// simulation seeds them: what a run does must follow from its seed alone.
package jitter

import (
	"context"
	"math/rand/v2"
	"time"
)

type source struct{}

// Seeded returns a context whose waits come from r, which is for one goroutine at a time.
func Seeded(ctx context.Context, r *rand.Rand) context.Context {
	return context.WithValue(ctx, source{}, r)
}

// Below returns a random time from 0 up to most, which is above 0.
func Below(ctx context.Context, most time.Duration) time.Duration {
	if r, ok := ctx.Value(source{}).(*rand.Rand); ok {
		return time.Duration(r.Int64N(int64(most)))
	}
	return rand.N(most)
}

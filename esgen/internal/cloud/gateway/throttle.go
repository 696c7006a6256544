package gateway

import (
	"sync"
	"time"
)

// Throttle bounds requests: Rate a second, and Burst at once. The zero Throttle is Amazon's
// default of an account, which nobody meets here: none.
type Throttle struct {
	Rate  float64
	Burst int
}

// bucket is a token bucket.
type bucket struct {
	Throttle
	mu     sync.Mutex
	tokens float64
	at     time.Time
}

func newBucket(t Throttle) *bucket { return &bucket{Throttle: t, tokens: float64(t.Burst)} }

func (b *bucket) take(now time.Time) bool {
	if b.Throttle == (Throttle{}) {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.at.IsZero() {
		b.tokens = min(float64(b.Burst), b.tokens+max(0, now.Sub(b.at).Seconds())*b.Rate)
	}
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

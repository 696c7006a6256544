package scheduler_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/esgen/esgen/esgen/internal/cloud/scheduler"
)

func TestRate(t *testing.T) {
	for expression, want := range map[string]time.Duration{
		"rate(1 minute)": time.Minute, "rate(90 minutes)": 90 * time.Minute, "rate(1 hour)": time.Hour, "rate(12 hours)": 12 * time.Hour,
		"rate(7 days)":  7 * 24 * time.Hour,
		"rate(0 hours)": 0, "rate(-1 hours)": 0, "rate(1 week)": 0, "rate(1)": 0, "rate 1 hour": 0, "rate(1 hour": 0, "1 hour": 0, "": 0,
		"cron(0 3 * * ? *)": 0, "at(2030-01-01T00:00:00)": 0,
	} {
		if got, err := scheduler.Rate(expression); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %v, %v; want %v", expression, got, err, want)
		}
	}
}

// The first invocation is at once, and one that takes long holds up none of the later ones.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Minute)
		defer cancel()
		start := time.Now()
		var begun []time.Duration
		ended := 0
		scheduler.Run(ctx, time.Hour, func() {
			begun = append(begun, time.Since(start))
			time.Sleep(100 * time.Minute)
			ended++
		})
		if want := []time.Duration{0, time.Hour, 2 * time.Hour}; !slices.Equal(begun, want) || ended != 3 {
			t.Errorf("begun at %v, %d ended; want %v", begun, ended, want)
		}
	})
}

// Package scheduler is a stand-in for the timer of EventBridge Scheduler.
package scheduler

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

var units = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}

// Rate reads the expression of a schedule that invokes at a rate: "rate(1 hour)", "rate(90 minutes)".
func Rate(expression string) (time.Duration, error) {
	inner, ok := strings.CutPrefix(expression, "rate(")
	inner, closed := strings.CutSuffix(inner, ")")
	words := strings.Fields(inner)
	if !ok || !closed || len(words) != 2 {
		return 0, fmt.Errorf("%q: only rates are supported here, such as rate(1 hour)", expression)
	}
	n, err := strconv.Atoi(words[0])
	unit := units[strings.TrimSuffix(words[1], "s")]
	if err != nil || n < 1 || n > 100_000 || unit == 0 {
		return 0, fmt.Errorf("%q is no rate: a number of minutes, hours or days", expression)
	}
	return time.Duration(n) * unit, nil
}

// Run invokes at a rate until ctx ends: at once to begin with, as a schedule does that has no start.
// No invocation waits for the one before; Run returns when all have ended.
func Run(ctx context.Context, rate time.Duration, invoke func()) {
	var running sync.WaitGroup
	defer running.Wait()
	ticker := time.NewTicker(rate)
	defer ticker.Stop()
	for ctx.Err() == nil {
		running.Go(invoke)
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

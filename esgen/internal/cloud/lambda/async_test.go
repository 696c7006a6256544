package lambda

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestInvocationsThatNobodyWaitsForAreTriedAgain(t *testing.T) {
	for _, c := range []struct {
		async    Async
		failures int
		tries    []time.Duration
	}{
		{Async{2, time.Hour}, 0, []time.Duration{0}},
		{Async{2, time.Hour}, 1, []time.Duration{0, time.Minute}},
		{Async{2, time.Hour}, 9, []time.Duration{0, time.Minute, 3 * time.Minute}},
		{Async{1, time.Hour}, 9, []time.Duration{0, time.Minute}},
		{Async{0, time.Hour}, 9, []time.Duration{0}},
		{Async{2, 2 * time.Minute}, 9, []time.Duration{0, time.Minute}},
	} {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			var tries []time.Duration
			result, err := c.async.try(t.Context(), func() (Result, error) {
				tries = append(tries, time.Since(begun))
				if len(tries) <= c.failures {
					return Result{FunctionError: "Unhandled"}, nil
				}
				return Result{}, nil
			})
			if err != nil || !slices.Equal(tries, c.tries) || (result.FunctionError == "") != (c.failures < len(tries)) {
				t.Errorf("%+v, %d failures: tried at %v, %+v, %v; want %v", c.async, c.failures, tries, result, err, c.tries)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := defaultAsync.try(ctx, func() (Result, error) { return Result{FunctionError: "Unhandled"}, nil }); err == nil {
			t.Error("it goes on after its end")
		}
	})
}

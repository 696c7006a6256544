package lambda

import (
	"context"
	"time"
)

// Async says what becomes of invocations that nobody waits for, when the function fails.
type Async struct {
	Retries int           // 0 to 2
	MaxAge  time.Duration // of an invocation that is still tried
}

// defaultAsync is Lambda's for functions of which nothing else is said.
var defaultAsync = Async{Retries: 2, MaxAge: 6 * time.Hour}

// SetAsync says what becomes of a function's invocations that nobody waits for.
func (h *Host) SetAsync(function string, a Async) error {
	f, err := h.find(function)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.async[f.Name] = a
	return nil
}

// InvokeAsync runs a function as for somebody who does not wait: when it fails it is tried again after
// one minute, and after two more. It returns what the last try came to.
func (h *Host) InvokeAsync(ctx context.Context, function string, payload []byte) (Result, error) {
	f, err := h.find(function)
	if err != nil {
		return Result{}, err
	}
	h.mu.Lock()
	a, ok := h.async[f.Name]
	h.mu.Unlock()
	if !ok {
		a = defaultAsync
	}
	return a.try(ctx, func() (Result, error) { return h.Invoke(ctx, function, payload) })
}

func (a Async) try(ctx context.Context, invoke func() (Result, error)) (Result, error) {
	begun := time.Now()
	for retry := 1; ; retry++ {
		result, err := invoke()
		pause := time.Duration(retry) * time.Minute
		if err != nil || result.FunctionError == "" || retry > a.Retries || time.Since(begun)+pause > a.MaxAge {
			return result, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return result, ctx.Err()
		}
	}
}

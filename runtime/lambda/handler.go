package lambda

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"time"
)

// Handler answers invocations of a function. Its answer does not share memory with the
// event. An error is Lambda's to report and, where the caller does so, to try again.
type Handler func(ctx context.Context, event []byte) ([]byte, error)

// Invoke implements the interface of Amazon's library for handlers of raw bytes.
func (h Handler) Invoke(ctx context.Context, event []byte) ([]byte, error) { return h(ctx, event) }

// Options are what all handlers have in common; the zero value serves.
type Options struct {
	Logger   *slog.Logger // nil is slog.Default
	Metrics  io.Writer    // where lines of metrics go; nil is standard output
	Function string       // the function's name, the dimension of its metrics
	// Origins are those whose pages may read answers, "*" for all. For a REST API only: an HTTP
	// API sees to that itself.
	Origins []string
}

func (o *Options) defaults() {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Metrics == nil {
		o.Metrics = os.Stdout
	}
}

// How long before its deadline a function stops working. Half of the time is left where that is
// little.
const margin = 300 * time.Millisecond

// guarded gives a handler a deadline before Lambda's, and makes an error of a panic: with the
// process the next invocation would lose what it has at hand.
func (o *Options) guarded(h Handler) Handler {
	return func(ctx context.Context, event []byte) (answer []byte, err error) {
		defer func() {
			if v := recover(); v != nil {
				o.Logger.ErrorContext(ctx, "panic", "stack", string(debug.Stack()))
				answer, err = nil, errPanicked
			}
		}()
		if deadline, ok := ctx.Deadline(); ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, deadline.Add(-min(margin, time.Until(deadline)/2)))
			defer cancel()
		}
		return h(ctx, event)
	}
}

var errPanicked = errors.New("lambda: the function panicked; its log has the stack")

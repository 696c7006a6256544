package lambda

import (
	"context"
	"io"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

const envLogLevel = "ESGEN_LOG_LEVEL"

// newLogger writes lines of JSON from a level on; a level that is none counts as "warn".
func newLogger(w io.Writer, level string) *slog.Logger {
	least := slog.LevelWarn
	if level != "" && least.UnmarshalText([]byte(level)) != nil {
		least = slog.LevelWarn
	}
	return slog.New(named{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: least})})
}

// named adds to each line the id of the invocation, by which Lambda's own lines have it.
type named struct{ slog.Handler }

func (n named) Handle(ctx context.Context, r slog.Record) error {
	if lc, ok := lambdacontext.FromContext(ctx); ok && lc.AwsRequestID != "" {
		r = r.Clone()
		r.AddAttrs(slog.String("awsRequestId", lc.AwsRequestID))
	}
	return n.Handler.Handle(ctx, r)
}

func (n named) WithAttrs(attrs []slog.Attr) slog.Handler { return named{n.Handler.WithAttrs(attrs)} }
func (n named) WithGroup(name string) slog.Handler       { return named{n.Handler.WithGroup(name)} }

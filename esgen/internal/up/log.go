package up

import (
	"context"
	"log/slog"
	"strings"
)

// logHandler turns what mappings log into lines.
type logHandler struct {
	log        func(source, line string)
	attributes []slog.Attr
}

func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo
}

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(strings.ToLower(r.Level.String()) + ": " + r.Message)
	write := func(a slog.Attr) bool {
		b.WriteString(" " + a.Key + "=" + a.Value.String())
		return true
	}
	for _, a := range h.attributes {
		write(a)
	}
	r.Attrs(write)
	h.log("mapping", b.String())
	return nil
}

func (h *logHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return &logHandler{h.log, append(h.attributes[:len(h.attributes):len(h.attributes)], attributes...)}
}

func (h *logHandler) WithGroup(string) slog.Handler { return h }

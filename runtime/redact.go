package es

import (
	"fmt"
	"log/slog"
)

// The functions of this file make the attributes of generated LogValue methods.

// LogSensitive stands for a field whose value never shows in logs or formatted text.
func LogSensitive(name string) slog.Attr { return slog.String(name, "[sensitive]") }

// LogOptional shows what an optional field points at; nothing when it is absent.
func LogOptional[T any](name string, v *T) slog.Attr {
	if v == nil {
		return slog.Attr{}
	}
	return slog.Any(name, *v)
}

// LogText shows a list or a map of values that redact themselves. As text it stays
// redacted, whatever the handler; encoding/json would ask its elements for their fields.
func LogText(name string, v any) slog.Attr { return slog.String(name, fmt.Sprint(v)) }

package es

import (
	"encoding/json"
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

// MarshalLog gives a value as a handler that writes JSON shows it: a group as an object.
func MarshalLog(v slog.Value) ([]byte, error) {
	v = v.Resolve()
	if v.Kind() != slog.KindGroup {
		return json.Marshal(v.Any())
	}
	dst := []byte{'{'}
	for _, a := range v.Group() {
		if a.Equal(slog.Attr{}) { // an optional that is absent
			continue
		}
		text, err := MarshalLog(a.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.Key, err)
		}
		if len(dst) > 1 {
			dst = append(dst, ',')
		}
		dst = append(AppendString(dst, a.Key), ':')
		dst = append(dst, text...)
	}
	return append(dst, '}'), nil
}

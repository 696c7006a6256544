package es

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode"
)

const longestReason = 300 // bytes

// reason tells operators why an event cannot be folded. Of an aggregator's own error
// it keeps the words: numbers, quoted text and whatever stands in the entity's events or in
// the records that they name is blotted out, for it may be sensitive.
func (w *work) reason(err error, s *source, k *known) string {
	e, ok := errors.AsType[*FoldError](err)
	if !ok {
		return "the event cannot be folded"
	}
	if e.Reason != aggregatorFailed || e.Err == nil {
		return bounded(e.Reason)
	}
	return bounded(aggregatorFailed + ": " + blot(textOf(e.Err), w.texts(s, k)))
}

// texts are what a fold that failed may have taken a value from: the records that the event
// names, and the event with those before it.
func (w *work) texts(s *source, k *known) (payloads []string) {
	const latest = 20
	for i := range s.events {
		if r := s.events[i].r; r.Version <= k.r.Version {
			payloads = append(payloads, r.Payload)
		}
	}
	payloads = payloads[max(0, len(payloads)-latest):]
	keys := []string{s.entity}
	if s.view.shared >= 0 {
		keys, _ = k.named(w.p, s.view)
	}
	for _, key := range keys {
		if item := w.rows.of(s.view.table).items[key]; item != nil {
			payloads = append(payloads, item.Payload)
		}
	}
	return payloads
}

// textOf calls Error of the user's own error type, which may panic.
func textOf(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = "(its text panics)"
		}
	}()
	return err.Error()
}

func bounded(text string) string {
	text = strings.ToValidUTF8(text, "�")
	if len(text) <= longestReason {
		return text
	}
	return strings.ToValidUTF8(text[:longestReason], "") + "…"
}

const blotted = "…"

// blot takes values out of a text.
func blot(text string, payloads []string) string {
	const longest = 4096
	text = text[:min(len(text), longest)]
	var values []string
	for _, p := range payloads {
		var v any
		if json.Unmarshal([]byte(p), &v) == nil {
			values = stringsIn(v, values)
		}
	}
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	for _, v := range slices.Compact(values) {
		text = blotWord(text, v)
	}
	text = blotQuoted(text)
	words := strings.FieldsFunc(text, unicode.IsSpace)
	for i, word := range words {
		if strings.ContainsFunc(word, unicode.IsDigit) {
			words[i] = blotted
		}
	}
	return strings.Join(words, " ")
}

func stringsIn(v any, found []string) []string {
	switch v := v.(type) {
	case string:
		found = append(found, v)
	case []any:
		for _, e := range v {
			found = stringsIn(e, found)
		}
	case map[string]any:
		for _, e := range v {
			found = stringsIn(e, found)
		}
	}
	return found
}

// blotWord takes a value out wherever it is not a part of a longer word.
func blotWord(text, value string) string {
	if strings.TrimSpace(value) == "" {
		return text
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, value)
		if !found {
			return b.String() + text
		}
		b.WriteString(before)
		if endsInLetter(before) || startsWithLetter(after) {
			b.WriteString(value)
		} else {
			b.WriteString(blotted)
		}
		text = after
	}
}

func startsWithLetter(s string) bool {
	for _, r := range s {
		return unicode.IsLetter(r)
	}
	return false
}

func endsInLetter(s string) bool {
	last := ' '
	for _, r := range s[max(0, len(s)-4):] {
		last = r
	}
	return unicode.IsLetter(last)
}

// blotQuoted takes out what stands between double quotes or backquotes.
func blotQuoted(text string) string {
	for _, quote := range []string{`"`, "`"} {
		parts := strings.Split(text, quote)
		for i := 1; i < len(parts); i += 2 {
			parts[i] = blotted
		}
		text = strings.Join(parts, quote)
	}
	return text
}

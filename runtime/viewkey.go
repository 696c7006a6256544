package es

import (
	"slices"
	"strconv"
	"unicode/utf8"
)

// maxKeyLength bounds the key of a view's record, in characters.
const maxKeyLength = 256

// AppendKey appends a key of a record that an event names, unless it is there
// already, is empty or is over 256 characters: such a key never refuses an event, it
// just names no record.
func AppendKey(keys []string, key string) []string {
	if key == "" || len(key) > maxKeyLength && utf8.RuneCountInString(key) > maxKeyLength || slices.Contains(keys, key) {
		return keys
	}
	return append(keys, key)
}

// The functions of this page are the ParseKey of an [Index] or a [View], by the type of its
// key: they turn the text of a request into the form that AppendIndexEntries and Keys
// write.

// StringKey takes any text.
func StringKey(text string) (string, bool) { return text, true }

// EnumKey takes the listed values.
func EnumKey(values ...string) func(text string) (string, bool) {
	return func(text string) (string, bool) { return text, slices.Contains(values, text) }
}

// IntKey takes an integer of 64 bits as JSON spells one: 2 is 2.0 and 2e0, too.
func IntKey(text string) (string, bool) {
	d := newDecoder(text)
	defer d.release()
	var n int64
	ok := text != "" && (text[0] == '-' || '0' <= text[0] && text[0] <= '9') && d.Int(&n) && d.s.Pos == len(text)
	return strconv.FormatInt(n, 10), ok
}

// BoolKey takes "true" and "false".
func BoolKey(text string) (string, bool) { return text, text == "true" || text == "false" }

// UUIDKey takes a UUID in either case.
func UUIDKey(text string) (string, bool) {
	u, err := ParseUUID(text)
	if err != nil {
		return "", false
	}
	return u.String(), true
}

// DateKey takes a date such as "2026-01-31".
func DateKey(text string) (string, bool) {
	d, err := ParseDate(text)
	if err != nil {
		return "", false
	}
	return d.String(), true
}

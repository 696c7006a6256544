package es

import (
	"encoding/json"
	"time"
)

// The functions of this file append values in canonical form: no white space,
// no more escapes than JSON asks for, one spelling per value. Generated AppendJSON
// methods are made of them:
//
//	func (e OrderPlaced) AppendJSON(dst []byte) []byte {
//		start := len(dst)
//		dst = append(dst, `,"customerId":`...)
//		dst = es.AppendString(dst, e.CustomerID)
//		if e.Note != nil {
//			dst = append(dst, `,"note":`...)
//			dst = es.AppendString(dst, *e.Note)
//		}
//		return es.AppendObjectEnd(dst, start)
//	}

// AppendObjectEnd closes an object whose members were appended from dst[start] on, each
// with a comma before it: the first comma becomes the brace.
func AppendObjectEnd(dst []byte, start int) []byte {
	if len(dst) == start {
		return append(dst, '{', '}')
	}
	dst[start] = '{'
	return append(dst, '}')
}

// AppendString appends a JSON string. Bytes that are not UTF-8 become U+FFFD.
func AppendString(dst []byte, s string) []byte { return dst }

// AppendInt appends a number.
func AppendInt(dst []byte, n int64) []byte { return dst }

// AppendFloat appends the shortest number that reads back as f, spelled as
// encoding/json does; null for what JSON cannot say (see [CheckFloat]).
func AppendFloat(dst []byte, f float64) []byte { return dst }

// AppendDecimal appends a number; null for an invalid one (see [Decimal.Err]).
func AppendDecimal(dst []byte, x Decimal) []byte { return dst }

// AppendBool appends true or false.
func AppendBool(dst []byte, b bool) []byte { return dst }

// AppendTime appends a timestamp: RFC 3339, with t's own offset, no trailing
// zeros in the fraction.
func AppendTime(dst []byte, t time.Time) []byte { return dst }

// AppendDate appends a date.
func AppendDate(dst []byte, d Date) []byte { return dst }

// AppendUUID appends a UUID.
func AppendUUID(dst []byte, u UUID) []byte { return dst }

// AppendBytes appends padded base64.
func AppendBytes(dst []byte, b []byte) []byte { return dst }

// AppendRaw appends a JSON text compactly; null for nil and for what is no JSON.
func AppendRaw(dst []byte, raw json.RawMessage) []byte { return dst }

// CheckFloat says why AppendFloat cannot write f: it is infinite or not a number.
func CheckFloat(f float64) error { return nil }

// CheckTime says why a timestamp cannot be stored: its year is not 0 to 9999, or
// its offset is not of whole minutes within a day.
func CheckTime(t time.Time) error { return nil }

package es

import (
	"encoding/json"
	"regexp"
	"time"
)

// Decoder reads one JSON text in a single pass, checks it while it reads, and
// notes every violation with its pointer. Generated Decode methods are written
// against it; one method serves requests, where everything is checked, and stored
// texts, where nothing but the JSON type is.
//
// A Decode method of an object looks like this:
//
//	func (e *OrderPlaced) Decode(d *es.Decoder) {
//		if !d.Object() {
//			return
//		}
//		var seen uint64 // a bit per member that is required or has a default
//		for d.Member() {
//			switch d.Name() {
//			case "customerId":
//				seen |= 1 << 0
//				if d.String(&e.CustomerID) {
//					d.MinLength(1)
//				}
//			case "currency":
//				seen |= 1 << 1
//				if d.String((*string)(&e.Currency)) {
//					d.EnumStrings("EUR", "USD", "GBP")
//				}
//			case "items":
//				seen |= 1 << 2
//				if d.List() {
//					e.Items = es.NewList[types.LineItem](d)
//					for d.Element() {
//						es.Append(&e.Items).Decode(d)
//					}
//					d.MinItems(1)
//					d.MaxItems(100)
//				}
//			case "tags": // list<string>
//				if d.List() {
//					e.Tags = es.NewList[string](d)
//					for d.Element() {
//						if d.String(es.Append(&e.Tags)) {
//							d.MaxLength(20)
//						}
//					}
//					d.UniqueItems()
//				}
//			case "prices": // map<decimal>
//				if d.Object() {
//					e.Prices = map[string]es.Decimal{}
//					for d.Member() {
//						name := d.Name() // before the value: a nested object changes it
//						var value es.Decimal
//						if d.Decimal(&value) {
//							d.Minimum("0")
//						}
//						e.Prices[name] = value
//					}
//					d.MinProperties(1)
//				}
//			case "note": // optional
//				if !d.Null() {
//					e.Note = new(string)
//					if d.String(e.Note) {
//						d.MaxLength(500)
//					}
//				}
//			case "tip": // an optional list, map, bytes or json is nil when absent
//				if !d.Null() {
//					d.Bytes(&e.Tip)
//				}
//			default:
//				d.Unknown()
//			}
//		}
//		if seen&(1<<0) == 0 {
//			d.Missing("customerId")
//		}
//		if seen&(1<<1) == 0 {
//			e.Currency = types.CurrencyEUR
//		}
//		if seen&(1<<3) == 0 {
//			e.PlacedAt = d.Now()
//		}
//	}
//
// Every method that reads a value reads exactly one, whatever it is, and reports
// whether it was of that type; if not it has noted the violation, and the checks are
// not called. The checks (MinLength, Minimum, MinItems, ...) speak of the value that was
// read or closed last. In stored texts checks, Unknown and Missing do nothing.
//
// Members of the envelope (type, the entity's key, eventId, expectedVersion, meta) are taken
// by the Decoder itself, as are repeated members, which get the code "duplicate".
// Text that is not JSON ends the reading: every method then reports false.
//
// A Decoder is used by one goroutine and not kept after the call that was handed it.
type Decoder struct{}

// Object opens an object, for a struct or a map, or reports false.
func (d *Decoder) Object() bool { return false }

// Member goes on to the next member of the object and reports whether there is
// one; if not, the object is closed. A value that was not read is skipped.
func (d *Decoder) Member() bool { return false }

// Name is the name of the member that [Decoder.Member] came to.
func (d *Decoder) Name() string { return "" }

// Unknown skips the value of a member that the type does not have: a violation
// "unknown-field" in a request, nothing in a stored text.
func (d *Decoder) Unknown() {}

// Missing notes that the object just closed lacks a required member.
func (d *Decoder) Missing(name string) {}

// Null reads a null, if there is one, for an optional member: it counts as absent.
// Otherwise it reads nothing and reports false.
func (d *Decoder) Null() bool { return false }

// List opens a list, or reports false.
func (d *Decoder) List() bool { return false }

// Element goes on to the next element of the list and reports whether there is
// one; if not, the list is closed.
func (d *Decoder) Element() bool { return false }

// NewList returns an empty list, not nil, for the list that d has just opened.
func NewList[T any](d *Decoder) []T { return []T{} }

// Append adds a zero element to a list and returns its place, valid until the
// next Append.
func Append[T any](list *[]T) *T {
	var zero T
	*list = append(*list, zero)
	return &(*list)[len(*list)-1]
}

// String reads a string. It may share memory with the text that is decoded.
func (d *Decoder) String(v *string) bool { return false }

// Int reads a number without a fraction (2.0 and 2e0 have none) that fits into 64 bits.
func (d *Decoder) Int(v *int64) bool { return false }

// Float reads a number. Checks on it see its digits as sent, not the nearest binary number.
func (d *Decoder) Float(v *float64) bool { return false }

// Decimal reads a number of at most 38 digits.
func (d *Decoder) Decimal(v *Decimal) bool { return false }

// Bool reads true or false.
func (d *Decoder) Bool(v *bool) bool { return false }

// Time reads a timestamp: RFC 3339 in upper case, at most nine digits of
// fraction, seconds to 59. The offset is kept.
func (d *Decoder) Time(v *time.Time) bool { return false }

// Date reads a date, "2006-01-02".
func (d *Decoder) Date(v *Date) bool { return false }

// UUID reads a UUID in either case.
func (d *Decoder) UUID(v *UUID) bool { return false }

// Bytes reads padded base64 of the standard alphabet, without line breaks and with
// zero padding bits. The result is not nil.
func (d *Decoder) Bytes(v *[]byte) bool { return false }

// JSON reads any value, null included, and keeps it compact: no white space,
// strings in canonical form, members in their order, numbers as they were spelled.
func (d *Decoder) JSON(v *json.RawMessage) bool { return false }

// Now is the time of the request; of a stored event, the event's time.
func (d *Decoder) Now() time.Time { return time.Time{} }

// Today is the day of [Decoder.Now] in UTC.
func (d *Decoder) Today() Date { return Date{} }

// NewUUID is a new UUID, version 7, for the absent member of that name of the object
// just closed; of a stored event, the same one each time, derived from
// entity, version and the member's pointer.
func (d *Decoder) NewUUID(name string) UUID { return UUID{} }

// MinLength checks the code points of the string.
func (d *Decoder) MinLength(n int) {}

// MaxLength checks the code points of the string.
func (d *Decoder) MaxLength(n int) {}

// Pattern checks that the string has a match of re somewhere.
func (d *Decoder) Pattern(re *regexp.Regexp) {}

// Format checks the string against a format: email, uri, hostname, ipv4 or ipv6.
func (d *Decoder) Format(name string) {}

// EnumStrings checks the string as it was sent, also the text of a uuid, date,
// timestamp or bytes.
func (d *Decoder) EnumStrings(values ...string) {}

// EnumNumbers checks an int, float or decimal: 1.0 is 1.
func (d *Decoder) EnumNumbers(values ...string) {}

// EnumBool checks a bool that may have one value only.
func (d *Decoder) EnumBool(value bool) {}

// MinBytes checks the length of what [Decoder.Bytes] has decoded.
func (d *Decoder) MinBytes(n int) {}

// MaxBytes checks the length of what [Decoder.Bytes] has decoded.
func (d *Decoder) MaxBytes(n int) {}

// MinInt checks an int: minimum.
func (d *Decoder) MinInt(limit int64) {}

// MaxInt checks an int: maximum.
func (d *Decoder) MaxInt(limit int64) {}

// Minimum checks an int, float or decimal exactly; limit is a JSON number.
func (d *Decoder) Minimum(limit string) {}

// Maximum checks an int, float or decimal exactly; limit is a JSON number.
func (d *Decoder) Maximum(limit string) {}

// ExclusiveMinimum checks an int, float or decimal exactly; limit is a JSON number.
func (d *Decoder) ExclusiveMinimum(limit string) {}

// ExclusiveMaximum checks an int, float or decimal exactly; limit is a JSON number.
func (d *Decoder) ExclusiveMaximum(limit string) {}

// MultipleOf checks an int, float or decimal exactly; step is a JSON number above 0.
func (d *Decoder) MultipleOf(step string) {}

// MinItems checks the list just closed.
func (d *Decoder) MinItems(n int) {}

// MaxItems checks the list just closed.
func (d *Decoder) MaxItems(n int) {}

// UniqueItems checks that no two elements of the list just closed are equal as
// JSON values: numbers by value, objects whatever the order of their members.
func (d *Decoder) UniqueItems() {}

// MinProperties checks the members of the map just closed.
func (d *Decoder) MinProperties(n int) {}

// MaxProperties checks the members of the map just closed.
func (d *Decoder) MaxProperties(n int) {}

// DecodeStored reads a stored text, such as a view's record, without validating
// it: unknown members are ignored, absent ones get their literal default or the zero
// value. Now is the zero time and NewUUID the zero UUID.
func DecodeStored(text string, v interface{ Decode(*Decoder) }) error { return nil }

// Fields are the members of an older event while upcasts rewrite them: raw JSON by name.
type Fields map[string]string

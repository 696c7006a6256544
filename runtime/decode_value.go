package es

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/esgen/esgen/runtime/scan"
)

// readString reads a string at the scanner's position.
func (d *Decoder) readString() (string, bool) {
	s, ok := d.s.String()
	if !ok {
		d.malformed("the rest of a string, control characters escaped,")
	}
	return s, ok
}

// string reads a string as the text of a type, or notes that there is none.
func (d *Decoder) string(wanted string) (string, bool) {
	if d.failed {
		return "", false
	}
	text, i := d.s.Text, d.s.Pos
	if i >= len(text) || text[i] != '"' {
		if d.s.Space() != '"' {
			d.mistyped(wanted)
			return "", false
		}
		i = d.s.Pos
	}
	from := i + 1
	to := scan.Plain(text, from)
	var s string
	if to < len(text) && text[to] == '"' {
		s = text[from:to]
		d.s.Pos = to + 1
		d.from, d.to = from, to
		if d.unescaped != "" {
			d.unescaped = ""
		}
	} else {
		var ok bool
		if s, ok = d.readString(); !ok {
			return "", false
		}
		d.unescaped = s
	}
	d.length = len(s)
	if d.sums {
		d.digest = hashString(s)
	}
	return s, true
}

// text is the string read last, as it was sent.
func (d *Decoder) text() string {
	if d.unescaped != "" {
		return d.unescaped
	}
	return d.s.Text[d.from:d.to]
}

// String reads a string. It may share memory with the text that is decoded.
func (d *Decoder) String(v *string) bool {
	s, ok := d.string("must be a string")
	if ok {
		*v = s
	}
	return ok
}

// Bool reads true or false.
func (d *Decoder) Bool(v *bool) bool {
	if d.failed {
		return false
	}
	switch d.s.Space() {
	case 't':
		*v = true
		return d.word("true", digestTrue)
	case 'f':
		*v = false
		return d.word("false", digestFalse)
	}
	d.mistyped("must be true or false")
	return false
}

// Time reads a timestamp: RFC 3339 in upper case, at most nine digits of
// fraction, seconds to 59. The offset is kept.
func (d *Decoder) Time(v *time.Time) bool {
	s, ok := d.string("must be a string with a timestamp")
	if !ok {
		return false
	}
	t, ok := parseTime(s)
	if !ok {
		d.violate("format", `must be a timestamp such as "2006-01-02T15:04:05Z", upper case, at most nine digits of a second`)
		return false
	}
	*v = t
	return true
}

// Date reads a date, "2006-01-02".
func (d *Decoder) Date(v *Date) bool {
	s, ok := d.string("must be a string with a date")
	if !ok {
		return false
	}
	date, ok := parseDate(s)
	if !ok {
		d.violate("format", `must be a date such as "2006-01-02"`)
		return false
	}
	*v = date
	return true
}

// UUID reads a UUID in either case.
func (d *Decoder) UUID(v *UUID) bool {
	s, ok := d.string("must be a string with a UUID")
	if !ok {
		return false
	}
	u, ok := parseUUID(s)
	if !ok {
		d.violate("format", "must be a UUID: 32 hexadecimal digits in groups of 8-4-4-4-12")
		return false
	}
	*v = u
	return true
}

var base64Strict = base64.StdEncoding.Strict()

// Bytes reads padded base64 of the standard alphabet, without line breaks and with
// zero padding bits. The result is not nil.
func (d *Decoder) Bytes(v *[]byte) bool {
	s, ok := d.string("must be a string with base64")
	if !ok {
		return false
	}
	b := make([]byte, base64Strict.DecodedLen(len(s)))
	n, err := base64Strict.Decode(b, []byte(s))
	if err != nil || base64.StdEncoding.EncodedLen(n) != len(s) { // the decoder skips line breaks
		d.violate("format", "must be base64, padded, of the standard alphabet, without line breaks")
		return false
	}
	*v = b[:n:n]
	d.count = n
	return true
}

// maxExponent bounds the exponents of numbers in requests: nobody down the line
// should be made to write out 1e5000000.
const maxExponent = 400

// readNumber reads a number at the scanner's position, or notes what is wrong.
func (d *Decoder) readNumber() bool {
	n := &d.number
	if !d.s.Number(n) {
		d.malformed("a value")
		return false
	}
	if d.stored {
		return true
	}
	if n.Exp > maxExponent || n.Exp < -maxExponent {
		d.violate("range", "must have an exponent from -400 to 400")
		return false
	}
	if d.sums {
		d.digest = hashNumber(n)
	}
	return true
}

// numeric reads a number of a type, or notes that there is none.
func (d *Decoder) numeric(wanted string) bool {
	if d.failed {
		return false
	}
	if c := d.s.Space(); c != '-' && c-'0' > 9 {
		d.mistyped(wanted)
		return false
	}
	return d.readNumber()
}

const wantInt = "must be a number without a fraction"

// Int reads a number without a fraction (2.0 and 2e0 have none) that fits into 64 bits.
func (d *Decoder) Int(v *int64) bool {
	if !d.numeric(wantInt) {
		return false
	}
	n := &d.number
	magnitude, code := n.Coef, ""
	if !n.Small || n.Exp != 0 || n.Frac != 0 {
		magnitude, code = integer(n)
	}
	switch {
	case code == "type":
		d.violate(code, wantInt)
		return false
	case code == "range", magnitude > math.MaxInt64 && !(n.Neg && magnitude == 1<<63):
		d.violate("range", "must be a number from -9223372036854775808 to 9223372036854775807")
		return false
	}
	*v = int64(magnitude)
	if n.Neg {
		*v = -*v
	}
	d.integer = *v
	return true
}

// integer returns the magnitude of a number that may be spelled with a fraction
// or an exponent, or the code of what is wrong with it.
func integer(n *scan.Number) (magnitude uint64, code string) {
	digits, exp := n.Digits()
	switch {
	case digits == "":
		return 0, ""
	case exp < 0:
		return 0, "type"
	case len(digits)+exp > 19:
		return 0, "range"
	}
	magnitude, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return 0, "range"
	}
	return magnitude * pow10[exp], "" // 19 digits fit
}

// pow10 are the powers of ten that fit into 64 bits.
var pow10 = func() (p [20]uint64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}()

// Float reads a number. Checks on it see its digits as sent, not the nearest binary number.
func (d *Decoder) Float(v *float64) bool {
	if !d.numeric("must be a number") {
		return false
	}
	f, err := strconv.ParseFloat(d.number.Text, 64)
	if err != nil {
		d.violate("range", "must be a number that a 64-bit float can come near to")
		return false
	}
	*v = f
	return true
}

// Decimal reads a number of at most 38 digits.
func (d *Decoder) Decimal(v *Decimal) bool {
	if !d.numeric("must be a number") {
		return false
	}
	x, ok := decimalOf(&d.number)
	if !ok {
		d.violate("range", "must have at most 38 digits, and at most 38 of them after the point")
		return false
	}
	*v = x
	return true
}

// JSON reads the free form of a member: any value but null, which would stand for
// an absent one, and may stand deeper. See [Decoder.JSONOrNull].
func (d *Decoder) JSON(v *json.RawMessage) bool {
	if !d.stored && !d.failed && d.s.Space() == 'n' {
		d.mistyped("must not be null")
		return false
	}
	return d.JSONOrNull(v)
}

// JSONOrNull reads any value and keeps it compact: no white space, strings in
// canonical form, members in their order, numbers as they were spelled.
func (d *Decoder) JSONOrNull(v *json.RawMessage) bool {
	if d.failed {
		return false
	}
	d.s.Space()
	start, before := d.s.Pos, len(d.violations)
	d.skip()
	if d.failed || len(d.violations) > before {
		return false
	}
	*v = AppendRaw(make([]byte, 0, d.s.Pos-start), json.RawMessage(d.s.Text[start:d.s.Pos]))
	return true
}

// Now is the time of the request; of a stored event, the event's time.
func (d *Decoder) Now() time.Time { return d.now }

// Today is the day of [Decoder.Now] in UTC.
func (d *Decoder) Today() Date { return DateOf(d.now.UTC()) }

// NewUUID is a new UUID, version 7, for the absent member of that name of the object
// just closed; of a stored event, the same one each time, derived from
// entity, version and the member's pointer.
func (d *Decoder) NewUUID(name string) UUID {
	if !d.stored {
		return NewUUID(d.now)
	}
	if d.recorded == nil {
		return UUID{}
	}
	pointer := appendStep(d.appendPointer(nil), name)
	return DeriveUUID(d.recorded.EntityID, strconv.FormatInt(d.recorded.Version, 10), string(pointer))
}

package es

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/esgen/esgen/runtime/scan"
)

// off reports whether checks are off: stored texts are never validated again.
func (d *Decoder) off() bool { return d.stored || d.failed }

// counted writes "1 item", "2 items".
func counted(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	if strings.HasSuffix(one, "y") {
		return strconv.Itoa(n) + " " + strings.TrimSuffix(one, "y") + "ies"
	}
	return strconv.Itoa(n) + " " + one + "s"
}

// Most values pass: what a check costs then is a comparison in the generated code,
// and a call only where that does not settle it.

// MinLength checks the code points of the string.
func (d *Decoder) MinLength(n int) {
	if d.length < 4*n { // a code point has at most four bytes
		d.checkMinLength(n)
	}
}

func (d *Decoder) checkMinLength(n int) {
	if !d.off() && utf8.RuneCountInString(d.text()) < n {
		d.violate("minLength", "must have at least "+counted(n, "character"))
	}
}

// MaxLength checks the code points of the string.
func (d *Decoder) MaxLength(n int) {
	if d.length > n {
		d.checkMaxLength(n)
	}
}

func (d *Decoder) checkMaxLength(n int) {
	if !d.off() && utf8.RuneCountInString(d.text()) > n {
		d.violate("maxLength", "must have at most "+counted(n, "character"))
	}
}

// Pattern checks that the string has a match of re somewhere.
func (d *Decoder) Pattern(re *regexp.Regexp) {
	if !d.off() && !re.MatchString(d.text()) {
		d.violate("pattern", "must match "+re.String())
	}
}

// Format checks the string against a format: email, uri, hostname, ipv4 or ipv6.
func (d *Decoder) Format(name string) {
	if d.off() {
		return
	}
	if f, ok := formats[name]; ok && !f.check(d.text()) {
		d.violate("format", "must be "+f.noun)
	}
}

// EnumStrings checks the string as it was sent, also the text of a uuid, date,
// timestamp or bytes.
func (d *Decoder) EnumStrings(values ...string) {
	if d.stored {
		return
	}
	text := d.text()
	for _, v := range values {
		if v == text {
			return
		}
	}
	d.notOneOf(values)
}

// EnumNumbers checks an int, float or decimal: 1.0 is 1.
func (d *Decoder) EnumNumbers(values ...string) {
	if d.off() {
		return
	}
	for _, v := range values {
		if d.compare(v) == 0 {
			return
		}
	}
	d.notOneOf(values)
}

// EnumBool checks a bool that may have one value only.
func (d *Decoder) EnumBool(value bool) {
	wanted := uint64(digestFalse)
	if value {
		wanted = digestTrue
	}
	if !d.off() && d.digest != wanted {
		d.violate("enum", "must be "+strconv.FormatBool(value))
	}
}

func (d *Decoder) notOneOf(values []string) {
	if len(values) == 1 {
		d.violate("enum", "must be "+values[0])
		return
	}
	// The values must not escape, or every call would allocate them.
	message := append(make([]byte, 0, 64), "must be one of "...)
	for i, v := range values {
		if i > 0 {
			message = append(message, ", "...)
		}
		message = append(message, v...)
	}
	d.violate("enum", string(message))
}

// MinBytes checks the length of what [Decoder.Bytes] has decoded.
func (d *Decoder) MinBytes(n int) {
	if !d.off() && d.count < n {
		d.violate("minLength", "must have at least "+counted(n, "byte"))
	}
}

// MaxBytes checks the length of what [Decoder.Bytes] has decoded.
func (d *Decoder) MaxBytes(n int) {
	if !d.off() && d.count > n {
		d.violate("maxLength", "must have at most "+counted(n, "byte"))
	}
}

// MinItems checks the list just closed.
func (d *Decoder) MinItems(n int) {
	if d.count < n {
		d.checkMinItems(n)
	}
}

func (d *Decoder) checkMinItems(n int) {
	if !d.off() {
		d.violate("minItems", "must have at least "+counted(n, "item"))
	}
}

// MaxItems checks the list just closed.
func (d *Decoder) MaxItems(n int) {
	if d.count > n {
		d.checkMaxItems(n)
	}
}

func (d *Decoder) checkMaxItems(n int) {
	if !d.off() {
		d.violate("maxItems", "must have at most "+counted(n, "item"))
	}
}

// MinProperties checks the members of the map just closed.
func (d *Decoder) MinProperties(n int) {
	if !d.off() && d.count < n {
		d.violate("minProperties", "must have at least "+counted(n, "entry"))
	}
}

// MaxProperties checks the members of the map just closed.
func (d *Decoder) MaxProperties(n int) {
	if !d.off() && d.count > n {
		d.violate("maxProperties", "must have at most "+counted(n, "entry"))
	}
}

// UniqueItems checks that no two elements of the list just closed are equal as
// JSON values: numbers by value, objects whatever the order of their members.
func (d *Decoder) UniqueItems() {
	if d.off() || d.count < 2 || d.s.Text[d.open] != '[' {
		return
	}
	if !uniqueElements(d.s.Text[d.open:d.s.Pos]) {
		d.violate("uniqueItems", "must not have two equal items")
	}
}

// compare compares the number read last with a limit, exactly.
func (d *Decoder) compare(limit string) int {
	var l scan.Number
	if len(limit) == 1 { // most are "0"
		l.Text, l.Small, l.Coef = limit, true, uint64(limit[0]-'0')
	} else {
		l, _ = scan.ParseNumber(limit)
	}
	return compareNumbers(&d.number, &l)
}

// MinInt checks an int: minimum.
func (d *Decoder) MinInt(limit int64) {
	if d.integer < limit {
		d.belowInt(limit)
	}
}

func (d *Decoder) belowInt(limit int64) {
	if !d.off() {
		d.violate("minimum", "must be at least "+strconv.FormatInt(limit, 10))
	}
}

// MaxInt checks an int: maximum.
func (d *Decoder) MaxInt(limit int64) {
	if d.integer > limit {
		d.aboveInt(limit)
	}
}

func (d *Decoder) aboveInt(limit int64) {
	if !d.off() {
		d.violate("maximum", "must be at most "+strconv.FormatInt(limit, 10))
	}
}

// Minimum checks an int, float or decimal exactly; limit is a JSON number.
func (d *Decoder) Minimum(limit string) {
	if limit != "0" || d.number.Neg {
		d.checkMinimum(limit)
	}
}

func (d *Decoder) checkMinimum(limit string) {
	if !d.off() && d.compare(limit) < 0 {
		d.violate("minimum", "must be at least "+limit)
	}
}

// Maximum checks an int, float or decimal exactly; limit is a JSON number.
func (d *Decoder) Maximum(limit string) {
	if !d.off() && d.compare(limit) > 0 {
		d.violate("maximum", "must be at most "+limit)
	}
}

// ExclusiveMinimum checks an int, float or decimal exactly; limit is a JSON number.
func (d *Decoder) ExclusiveMinimum(limit string) {
	if !d.off() && d.compare(limit) <= 0 {
		d.violate("exclusiveMinimum", "must be above "+limit)
	}
}

// ExclusiveMaximum checks an int, float or decimal exactly; limit is a JSON number.
func (d *Decoder) ExclusiveMaximum(limit string) {
	if !d.off() && d.compare(limit) >= 0 {
		d.violate("exclusiveMaximum", "must be below "+limit)
	}
}

// MultipleOf checks an int, float or decimal exactly; step is a JSON number above 0.
func (d *Decoder) MultipleOf(step string) {
	if d.off() {
		return
	}
	s, ok := scan.ParseNumber(step)
	if ok && !isMultiple(&d.number, &s) {
		d.violate("multipleOf", "must be a multiple of "+step)
	}
}

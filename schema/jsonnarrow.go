package schema

import (
	"math/big"
	"regexp"
	"strconv"
)

// jsonTypes says as what kind of JSON value a kind travels.
var jsonTypes = map[Kind]string{
	String: "string", Int: "integer", Float: "number", Decimal: "number", Bool: "boolean", Timestamp: "string",
	Date: "string", UUID: "string", Bytes: "string", Enum: "string", Object: "object", List: "array", Map: "object",
}

const (
	minInt64 = "-9223372036854775808"
	maxInt64 = "9223372036854775807"
	// beyondFloat64 is 2^1024 - 2^970, the least number that a float64 rounds to
	// infinity.
	beyondFloat64 = "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880177904174497792"
)

// Patterns of the scalars that are narrower than any format of JSON Schema.
const (
	datePattern      = `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`
	timestampPattern = `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$`
	uuidPattern      = `^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`
	// The last character before the padding has no bits that decoding would drop.
	bytesPattern = `^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$`
)

// narrow writes the keywords that hold a JSON value to what a scalar takes.
func narrow(o *jsonObject, t *Type) {
	format, pattern := "", ""
	switch t.Kind {
	case Timestamp:
		format, pattern = "date-time", timestampPattern
	case Date:
		format, pattern = "date", datePattern
	case UUID:
		format, pattern = "uuid", uuidPattern
	case Bytes:
		pattern = bytesPattern
		o.str("contentEncoding", "base64")
	}
	o.str("format", format)
	if t.Pattern == "" {
		o.str("pattern", pattern)
	}
}

// byteLengths says in characters of base64 how many bytes they may stand for. Four
// characters are three bytes, less one for each "=" at the end.
func byteLengths(o *jsonObject, least, most *int) {
	var either []string
	if least != nil {
		groups := (*least + 2) / 3
		o.raw("minLength", strconv.Itoa(4*groups))
		switch 3*groups - *least { // as many "=" may stand in the last group
		case 0:
			either = append(either, anyOf("minLength", 4*groups+4, "[^=]$"))
		case 1:
			either = append(either, anyOf("minLength", 4*groups+4, "[^=]=?$"))
		}
		if groups == 0 {
			either = nil // nothing is enough
		}
	}
	if most != nil {
		groups := (*most + 2) / 3
		o.raw("maxLength", strconv.Itoa(4*groups))
		switch 3*groups - *most { // as many "=" must stand in the last group
		case 1:
			either = append(either, anyOf("maxLength", 4*groups-4, "=$"))
		case 2:
			either = append(either, anyOf("maxLength", 4*groups-4, "==$"))
		}
	}
	if len(either) > 0 {
		o.list("allOf", either)
	}
}

// anyOf is met by a text of a length or by one that ends in a certain way.
func anyOf(keyword string, length int, ending string) string {
	long, ends, o := &jsonObject{}, &jsonObject{}, &jsonObject{}
	long.raw(keyword, strconv.Itoa(length))
	ends.str("pattern", ending)
	o.list("anyOf", []string{long.String(), ends.String()})
	return o.String()
}

// tighter returns the one of two bounds that leaves less: of lower bounds
// (sign +1) the greater, of upper ones (sign -1) the lesser. "" is no bound.
func tighter(a, b string, sign int) string {
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	switch {
	case !okX:
		return b
	case !okY || x.Cmp(y)*sign >= 0:
		return a
	}
	return b
}

// re2Only finds what RE2 has and the patterns of ECMA-262, JSON Schema's own, lack:
// flags and names in groups, classes by name, text anchors, quotation.
var re2Only = regexp.MustCompile(`\(\?[a-zA-Z-]|\\[AzQECaG]|\\[pP]|\[\[:|\\x\{`)

// pattern writes a pattern, and says so if other validators may not read it.
func pattern(o *jsonObject, re2 string) {
	o.str("pattern", re2)
	if re2Only.MatchString(re2) {
		o.str("$comment", "The pattern is RE2 and uses what ECMA-262 regular expressions do not have.")
	}
}

package schema

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// The core schema of YAML 1.2 says what a plain scalar is.
var (
	coreInt      = regexp.MustCompile(`^[-+]?[0-9]+$`)
	coreOctal    = regexp.MustCompile(`^0o[0-7]+$`)
	coreHex      = regexp.MustCompile(`^0x[0-9a-fA-F]+$`)
	coreFloat    = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
	coreInfinity = regexp.MustCompile(`^[-+]?\.(inf|Inf|INF)$`)
	coreNaN      = regexp.MustCompile(`^\.(nan|NaN|NAN)$`)
)

// Numbers beyond these bounds are refused before anything computes with them:
// exact arithmetic on 1e5000000 takes minutes and the JSON Schema validator panics.
const (
	maxNumberDigits   = 400
	maxNumberExponent = 400
)

// resolvePlain says what an unquoted scalar is and gives its text: of a number
// the same number in JSON, digits kept. A number that cannot be held has bad set.
func resolvePlain(raw string) (kind nodeKind, text string, bad bool) {
	switch raw {
	case "", "~", "null", "Null", "NULL":
		return nullNode, "", false
	case "true", "True", "TRUE":
		return boolNode, "true", false
	case "false", "False", "FALSE":
		return boolNode, "false", false
	}
	if c := raw[0]; c != '-' && c != '+' && c != '.' && (c < '0' || c > '9') {
		return stringNode, raw, false
	}
	switch {
	case coreOctal.MatchString(raw):
		return resolveRadix(raw[2:], 8)
	case coreHex.MatchString(raw):
		return resolveRadix(raw[2:], 16)
	case coreInt.MatchString(raw), coreFloat.MatchString(raw):
		text, ok := jsonNumber(raw)
		return numberNode, text, !ok
	case coreInfinity.MatchString(raw), coreNaN.MatchString(raw):
		return numberNode, "0", true
	}
	return stringNode, raw, false
}

func resolveRadix(digits string, base int) (nodeKind, string, bool) {
	if len(digits) > maxNumberDigits {
		return numberNode, "0", true
	}
	n, ok := new(big.Int).SetString(digits, base)
	if !ok {
		return numberNode, "0", true
	}
	return numberNode, n.String(), false
}

// jsonNumber writes a decimal number of YAML as JSON has it, or reports false
// for one beyond our bounds.
func jsonNumber(raw string) (string, bool) {
	negative := strings.HasPrefix(raw, "-")
	raw = strings.TrimLeft(raw, "+-")
	mantissa, exponent, hasExponent := raw, "", false
	if i := strings.IndexAny(raw, "eE"); i >= 0 {
		mantissa, exponent, hasExponent = raw[:i], raw[i+1:], true
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	whole = strings.TrimLeft(whole, "0")
	if whole == "" {
		whole = "0"
	}
	if len(whole)+len(fraction) > maxNumberDigits {
		return "0", false
	}
	text := whole
	if fraction != "" {
		text += "." + fraction
	}
	if hasExponent {
		e, err := strconv.Atoi(exponent)
		if err != nil || e < -maxNumberExponent || e > maxNumberExponent {
			return "0", false
		}
		text += "e" + strconv.Itoa(e)
	}
	if negative && strings.Trim(text, "0.") != "" {
		text = "-" + text
	}
	return text, true
}

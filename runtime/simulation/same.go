package simulation

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Same reports whether two values are the same JSON value; numbers are compared as numbers.
func Same(a, b any) bool {
	if x, ok := numeral(a); ok {
		y, ok := numeral(b)
		return ok && (x == y || equal(x, y))
	}
	switch a := a.(type) {
	case Object:
		b, ok := b.(Object)
		if !ok || len(a) != len(b) {
			return false
		}
		for name := range a {
			if v, ok := b[name]; !ok || !Same(a[name], v) {
				return false
			}
		}
		return true
	case []any:
		b, ok := list(b)
		return ok && slices.EqualFunc(a, b, Same)
	case []string:
		a2, _ := list(a)
		return Same(a2, b)
	}
	return reflect.DeepEqual(a, b)
}

func list(v any) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case []string:
		all := make([]any, len(v))
		for i := range v {
			all[i] = v[i]
		}
		return all, true
	}
	return nil, false
}

func numeral(v any) (string, bool) {
	switch v := v.(type) {
	case json.Number:
		return string(v), true
	case int, int64, uint64, float64:
		return fmt.Sprint(v), true
	}
	return "", false
}

// compareValues orders numbers, instants and texts, each among themselves.
func compareValues(a, b any) int {
	if x, ok := numeral(a); ok {
		y, _ := numeral(b)
		p, ok := new(big.Rat).SetString(x)
		q, ok2 := new(big.Rat).SetString(y)
		if ok && ok2 {
			return p.Cmp(q)
		}
	}
	s, t := fmt.Sprint(a), fmt.Sprint(b)
	if p, err := time.Parse(time.RFC3339Nano, s); err == nil {
		if q, err := time.Parse(time.RFC3339Nano, t); err == nil {
			return p.Compare(q)
		}
	}
	return strings.Compare(s, t)
}

func equal(a, b string) bool {
	x, ok := new(big.Rat).SetString(a)
	y, ok2 := new(big.Rat).SetString(b)
	return ok && ok2 && x.Cmp(y) == 0
}

package sample

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"

	"github.com/esgen/esgen/schema"
)

// fieldValue returns the JSON text of a value of a field; values for other n differ.
func fieldValue(f *schema.Field, n int) (string, bool) {
	if n < len(f.Examples) {
		return f.Examples[n], true
	}
	return value(f.Type, f.Name, n)
}

// value makes a value up. name is that of the field, for texts.
func value(t *schema.Type, name string, n int) (string, bool) {
	if t.Kind == schema.Enum {
		return choose(quoted(t.Values), n)
	}
	if len(t.Enum) > 0 {
		return choose(t.Enum, n)
	}
	switch t.Kind {
	case schema.String:
		text, ok := text(t, name, n)
		return quote(text), ok
	case schema.Int, schema.Float, schema.Decimal:
		return number(t, n)
	case schema.Bool:
		return choose([]string{"true", "false"}, n)
	case schema.Timestamp:
		return fmt.Sprintf(`"2026-01-%02dT12:00:00Z"`, n%28+1), true
	case schema.Date:
		return fmt.Sprintf(`"2026-01-%02d"`, n%28+1), true
	case schema.UUID:
		return fmt.Sprintf(`"01890a5d-ac96-774b-bcce-%012x"`, 0xb302099a8057+int64(n)), true
	case schema.Bytes:
		return bytesValue(t, n)
	case schema.JSON:
		return fmt.Sprintf(`{"example":%d}`, n+1), true
	case schema.Object:
		var b bytes.Buffer
		b.WriteByte('{')
		ok := members(&b, t.Fields, n, true)
		b.WriteByte('}')
		return b.String(), ok
	case schema.List:
		return list(t, name)
	case schema.Map:
		return mapping(t)
	}
	return "", false
}

func quoted(values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = quote(v)
	}
	return out
}

func choose(values []string, n int) (string, bool) {
	if n >= len(values) {
		return values[len(values)-1], len(values) > 0 && n == 0
	}
	return values[n], true
}

// bound limits how many elements are made up.
const bound = 50

func list(t *schema.Type, name string) (string, bool) {
	count := 1
	if t.MinItems != nil {
		count = *t.MinItems
	}
	if t.MaxItems != nil {
		count = min(max(count, 1), *t.MaxItems)
	} else {
		count = max(count, 1)
	}
	if count > bound {
		return "", false
	}
	parts := make([]string, count)
	for i := range parts {
		n := 0
		if t.UniqueItems {
			n = i
		}
		var ok bool
		if parts[i], ok = value(t.Elem, strings.TrimSuffix(name, "s"), n); !ok {
			return "", false
		}
	}
	return "[" + strings.Join(parts, ",") + "]", true
}

func mapping(t *schema.Type) (string, bool) {
	count := 1
	if t.MinProperties != nil {
		count = max(*t.MinProperties, 1)
	}
	if t.MaxProperties != nil {
		count = min(count, *t.MaxProperties)
	}
	if count > bound {
		return "", false
	}
	parts := make([]string, count)
	for i := range parts {
		v, ok := value(t.Elem, "value", 0)
		if !ok {
			return "", false
		}
		parts[i] = fmt.Sprintf(`"key%d":%s`, i+1, v)
	}
	return "{" + strings.Join(parts, ",") + "}", true
}

func bytesValue(t *schema.Type, n int) (string, bool) {
	text := fmt.Sprintf("example %d", n+1)
	text, ok := fit(text, t.MinLength, t.MaxLength)
	return quote(base64.StdEncoding.EncodeToString([]byte(text))), ok
}

// number looks for the plainest number that the constraints take.
func number(t *schema.Type, n int) (string, bool) {
	step := rat(t.MultipleOf)
	if step == nil || step.Sign() <= 0 {
		step = big.NewRat(1, 1)
	}
	starts := []*big.Rat{big.NewRat(int64(n)+1, 1), new(big.Rat).Mul(step, big.NewRat(int64(n)+1, 1))}
	for _, at := range []*big.Rat{rat(t.Minimum), rat(t.ExclusiveMinimum), rat(t.Maximum), rat(t.ExclusiveMaximum)} {
		if at == nil {
			continue
		}
		on := new(big.Rat).Mul(step, new(big.Rat).SetInt(floor(new(big.Rat).Quo(at, step))))
		for i := range 3 {
			move := new(big.Rat).Mul(step, big.NewRat(int64(n+i), 1))
			starts = append(starts, new(big.Rat).Add(on, move), new(big.Rat).Sub(on, move))
		}
		starts = append(starts, at)
	}
	if low, high := lowest(t), highest(t); low != nil && high != nil {
		starts = append(starts, new(big.Rat).Quo(new(big.Rat).Add(low, high), big.NewRat(2, 1)))
	}
	for _, r := range starts {
		if admits(t, r) {
			return decimal(r), true
		}
	}
	return "", false
}

func lowest(t *schema.Type) *big.Rat {
	if r := rat(t.Minimum); r != nil {
		return r
	}
	return rat(t.ExclusiveMinimum)
}

func highest(t *schema.Type) *big.Rat {
	if r := rat(t.Maximum); r != nil {
		return r
	}
	return rat(t.ExclusiveMaximum)
}

// admits reports whether a number keeps to the type and its constraints.
func admits(t *schema.Type, r *big.Rat) bool {
	if t.Kind == schema.Int && !(r.IsInt() && r.Num().IsInt64()) {
		return false
	}
	if step := rat(t.MultipleOf); step != nil && step.Sign() > 0 && !new(big.Rat).Quo(r, step).IsInt() {
		return false
	}
	compare := func(bound string, ok func(int) bool) bool {
		b := rat(bound)
		return b == nil || ok(r.Cmp(b))
	}
	return compare(t.Minimum, func(c int) bool { return c >= 0 }) &&
		compare(t.Maximum, func(c int) bool { return c <= 0 }) &&
		compare(t.ExclusiveMinimum, func(c int) bool { return c > 0 }) &&
		compare(t.ExclusiveMaximum, func(c int) bool { return c < 0 }) &&
		decimal(r) != ""
}

// rat reads a number of the schema, nil for "" and for one too large to calculate with.
func rat(text string) *big.Rat {
	if text == "" || len(text) > 500 || !json.Valid([]byte(text)) {
		return nil
	}
	if _, exp, ok := strings.Cut(strings.ToLower(text), "e"); ok && len(strings.TrimLeft(exp, "+-0")) > 3 {
		return nil
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil
	}
	return r
}

func floor(r *big.Rat) *big.Int { return new(big.Int).Div(r.Num(), r.Denom()) }

// decimal writes a number out, "" for one that a decimal cannot hold.
func decimal(r *big.Rat) string {
	if r.IsInt() {
		text := r.Num().String()
		if len(strings.TrimPrefix(text, "-")) > 38 {
			return ""
		}
		return text
	}
	text := strings.TrimRight(r.FloatString(38), "0")
	back, _ := new(big.Rat).SetString(text)
	if back.Cmp(r) != 0 || len(strings.Trim(text, "-0.")) > 37 {
		return ""
	}
	return text
}

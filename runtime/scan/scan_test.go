package scan_test

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/esgen/esgen/runtime/scan"
)

// value reads one value with the scanner, as encoding/json reads it with UseNumber.
func value(s *scan.Scanner, depth int) (any, bool) {
	switch s.Space() {
	case '{':
		return object(s, depth)
	case '[':
		return list(s, depth)
	case '"':
		return s.String()
	case 't':
		return true, s.Word("true")
	case 'f':
		return false, s.Word("false")
	case 'n':
		return nil, s.Word("null")
	}
	var n scan.Number
	ok := s.Number(&n)
	return json.Number(n.Text), ok
}

func list(s *scan.Scanner, depth int) (any, bool) {
	s.Pos++
	out := []any{}
	if s.Space() == ']' {
		s.Pos++
		return out, true
	}
	for depth > 0 {
		v, ok := value(s, depth-1)
		if !ok {
			return nil, false
		}
		out = append(out, v)
		c := s.Space()
		s.Pos++
		if c != ',' {
			return out, c == ']'
		}
	}
	return nil, false
}

func object(s *scan.Scanner, depth int) (any, bool) {
	s.Pos++
	out := map[string]any{}
	if s.Space() == '}' {
		s.Pos++
		return out, true
	}
	for depth > 0 {
		s.Space()
		name, ok := s.String()
		if !ok || s.Space() != ':' {
			return nil, false
		}
		s.Pos++
		v, ok := value(s, depth-1)
		if !ok {
			return nil, false
		}
		out[name] = v
		c := s.Space()
		s.Pos++
		if c != ',' {
			return out, c == '}'
		}
	}
	return nil, false
}

func FuzzScan(f *testing.F) {
	for _, text := range []string{
		`{"a":[1,2.50,-0e+1,1E5],"b":{"c":null},"":true}`, `"\ud83d\ude00 \ud800 \udc00\ud800 \u0000\/\b"`, `"12345678\"9"`, "\"a\tb\"", `"\ud800\u0041"`,
		"[]", " { } ", "-", "01", "1.", ".5", "1e", "tru", "nul", `"`, `"\`, `"\u12`, "[1,]", "{,}", `{"a"}`, "\x00", "[[[[", "1 2", "12345678901234567890.5",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		s := scan.Scanner{Text: text}
		got, ok := value(&s, 200)
		ok = ok && s.End()
		if ok != json.Valid([]byte(text)) {
			if strings.Count(text, "[")+strings.Count(text, "{") > 200 {
				return // deeper than the test reads
			}
			t.Fatalf("%q: valid %v, encoding/json says otherwise", text, ok)
		}
		if !ok {
			return
		}
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Fatal(err)
		}
		g, _ := json.Marshal(got)
		w, _ := json.Marshal(want)
		if string(g) != string(w) {
			t.Fatalf("%q\n got %s\nwant %s", text, g, w)
		}
		skip := scan.Scanner{Text: text}
		if !skip.Skip() || !skip.End() {
			t.Fatalf("%q: skip ended at %d", text, skip.Pos)
		}
	})
}

func FuzzNumber(f *testing.F) {
	for _, text := range []string{"0", "-0.0", "1.50e2", "0.00012345678901234567890", "12345678901234567890123", "9999999999999999999", "1e-300", "0.0000000000000000000000000000001"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, ok := scan.ParseNumber(text)
		valid := json.Valid([]byte(text)) && text != "" && strings.Trim(text, "-+.eE0123456789") == ""
		if ok != valid {
			t.Fatalf("%q: number %v", text, ok)
		}
		if !ok || n.Exp > 1000 || n.Exp < -1000 || len(text) > 1000 {
			return
		}
		want, _ := new(big.Rat).SetString(text)
		if n.Small && exact(new(big.Int).SetUint64(n.Coef), n.Exp-n.Frac, n.Neg).Cmp(want) != 0 {
			t.Fatalf("%q: %+v", text, n)
		}
		digits, exp := n.Digits()
		coef, _ := new(big.Int).SetString("0"+digits, 10)
		if exact(coef, exp, n.Neg).Cmp(want) != 0 {
			t.Fatalf("%q: digits %q exponent %d", text, digits, exp)
		}
		if strings.HasPrefix(digits, "0") || strings.HasSuffix(digits, "0") {
			t.Fatalf("%q: digits %q", text, digits)
		}
	})
}

func exact(coef *big.Int, exp int, neg bool) *big.Rat {
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(exp, -exp))), nil)
	r := new(big.Rat).SetInt(coef)
	if exp < 0 {
		r.Quo(r, new(big.Rat).SetInt(power))
	} else {
		r.Mul(r, new(big.Rat).SetInt(power))
	}
	if neg {
		r.Neg(r)
	}
	return r
}

// A text that is nothing but brackets is skipped without recursion.
func TestSkipDeep(t *testing.T) {
	text := strings.Repeat("[", 1<<20) + strings.Repeat("]", 1<<20)
	s := scan.Scanner{Text: text}
	if !s.Skip() || s.Pos != len(text) {
		t.Errorf("ended at %d of %d", s.Pos, len(text))
	}
	if s = (scan.Scanner{Text: text[:1<<20]}); s.Skip() {
		t.Error("skipped a text without end")
	}
}

package es_test

import (
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	es "github.com/esgen/esgen/runtime"
)

func TestParseDecimal(t *testing.T) {
	nines := strings.Repeat("9", 38)
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "-0.00": "0.00", "1.50": "1.50", "1e2": "100", "1.5e1": "15", "1.50e1": "15.0", "100e-2": "1.00",
		"1e-2": "0.01", "-12.5": "-12.5", "0e5": "0", "0e-3": "0.000", "1E+3": "1000", "12345678901234567890.1": "12345678901234567890.1",
		nines: nines, "-0." + nines: "-0." + nines, "1e37": "1" + strings.Repeat("0", 37), "1e-38": "0." + strings.Repeat("0", 37) + "1",
		"0." + strings.Repeat("0", 38): "0." + strings.Repeat("0", 38), "100000000000000000000e-20": "1.00000000000000000000",
		"1e38": "", nines + "0": "", "1e-39": "", "0." + strings.Repeat("0", 39): "", "0e-39": "", "1e1000000000000": "",
		"": "", "+1": "", "1.": "", ".1": "", "01": "", "1 ": "", "NaN": "", "0x1": "", "1_0": "",
	} {
		x, err := es.ParseDecimal(text)
		if want == "" {
			if err == nil {
				t.Errorf("%q: read as %s", text, x)
			}
			continue
		}
		if err != nil || x.String() != want {
			t.Errorf("%q: got %s, %v; want %s", text, x, err, want)
		}
	}
}

// rat returns what x is, exactly.
func rat(x es.Decimal) *big.Rat {
	r, ok := new(big.Rat).SetString(x.String())
	if !ok {
		panic(x.String())
	}
	return r
}

var power38 = new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil))

// fits reports whether an exact result is a decimal of 38 digits.
func fits(r *big.Rat) bool {
	n := new(big.Rat).Mul(r, power38)
	if !n.IsInt() {
		return false
	}
	digits := strings.TrimPrefix(n.Num().String(), "-")
	for range 38 { // zeros after the point need not be written
		digits = strings.TrimSuffix(digits, "0")
	}
	return len(digits) <= 38
}

func checkArithmetic(t interface{ Fatalf(string, ...any) }, x, y es.Decimal) {
	for _, c := range []struct {
		name string
		got  es.Decimal
		want *big.Rat
	}{
		{"+", x.Add(y), new(big.Rat).Add(rat(x), rat(y))},
		{"-", x.Sub(y), new(big.Rat).Sub(rat(x), rat(y))},
		{"*", x.Mul(y), new(big.Rat).Mul(rat(x), rat(y))},
	} {
		if !fits(c.want) {
			if c.got.Err() == nil || c.got.Add(x).Err() == nil || c.got.Mul(es.Decimal{}).Err() == nil || c.got.Neg().Err() == nil {
				t.Fatalf("%s %s %s: %s is beyond 38 digits and not invalid for good", x, c.name, y, c.got)
			}
			continue
		}
		if c.got.Err() != nil || rat(c.got).Cmp(c.want) != 0 {
			t.Fatalf("%s %s %s: got %s, want %s", x, c.name, y, c.got, c.want.FloatString(80))
		}
		if again, err := es.ParseDecimal(c.got.String()); err != nil || again != c.got {
			t.Fatalf("%s does not read back: %s, %v", c.got, again, err)
		}
	}
	if got, want := x.Cmp(y), rat(x).Cmp(rat(y)); got != want {
		t.Fatalf("%s Cmp %s = %d, want %d", x, y, got, want)
	}
	if got, want := slices.Compare(es.AppendSortDecimal(nil, x), es.AppendSortDecimal(nil, y)), rat(x).Cmp(rat(y)); got != want {
		t.Fatalf("sorting %s before %s: %d, want %d", x, y, got, want)
	}
}

func drawDecimal(t *rapid.T, label string) es.Decimal {
	text := rapid.StringMatching(`-?(0|[1-9][0-9]{0,37})(\.[0-9]{1,38})?`).Draw(t, label)
	x, err := es.ParseDecimal(text)
	if err != nil {
		t.Skip("too long")
	}
	return x
}

func TestDecimalArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkArithmetic(t, drawDecimal(t, "x"), drawDecimal(t, "y")) })
}

// Long numbers with few digits between zeros meet every carry and every limit.
func TestDecimalEdges(t *testing.T) {
	var edges []es.Decimal
	for _, text := range []string{"0", "0.00", "1", "1.0", "9", "10", "18446744073709551615", "18446744073709551616", "1e19", "1e37", "9.9999999999999999999999999999999999999",
		"99999999999999999999999999999999999999", "0.99999999999999999999999999999999999999", "1e-38", "1e-19", "0.5", "5e-20", "9223372036854775808", "1.000000000000000000"} {
		x := es.MustDecimal(text)
		edges = append(edges, x, x.Neg())
	}
	for _, x := range edges {
		for _, y := range edges {
			checkArithmetic(t, x, y)
		}
	}
}

func FuzzDecimal(f *testing.F) {
	f.Add("1.50", "-2e3")
	f.Add("99999999999999999999999999999999999999", "0.00000000000000000000000000000000000001")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, err := es.ParseDecimal(a)
		y, err2 := es.ParseDecimal(b)
		if err != nil || err2 != nil {
			return
		}
		if want, _ := new(big.Rat).SetString(a); rat(x).Cmp(want) != 0 {
			t.Fatalf("%q read as %s", a, x)
		}
		checkArithmetic(t, x, y)
	})
}

func TestDecimalJSON(t *testing.T) {
	var v struct{ A, B es.Decimal }
	if err := json.Unmarshal([]byte(`{"A":1.50,"B":null}`), &v); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(v)
	if err != nil || string(out) != `{"A":1.50,"B":0}` {
		t.Errorf("%s %v", out, err)
	}
	if err := json.Unmarshal([]byte(`{"A":"1"}`), &v); err == nil {
		t.Error("read a string")
	}
	beyond := es.MustDecimal("1e37").Mul(es.MustDecimal("10"))
	if _, err := json.Marshal(beyond); err == nil || beyond.String() != "invalid" || string(es.AppendDecimal(nil, beyond)) != "null" {
		t.Errorf("%s %v", beyond, err)
	}
	if es.DecimalFromInt(-1<<63).String() != "-9223372036854775808" || es.DecimalFromInt(7).Sign() != 1 {
		t.Error("from int")
	}
}

// Sums and products of usual size take no memory.
func TestDecimalAllocations(t *testing.T) {
	x, y := es.MustDecimal("1234567.89"), es.MustDecimal("-0.07")
	var sum es.Decimal
	if n := testing.AllocsPerRun(100, func() { sum = sum.Add(x).Sub(y); _ = x.Mul(y); _ = x.Cmp(y) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

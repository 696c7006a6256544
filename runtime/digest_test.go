package es_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

// The digests of stored events and the ids derived from them must never change.
const (
	frozenDigest = "1ffb296508ce9215"
	frozenUUID   = "c4a58ba0-9a6a-8869-bc20-1a945bfaa58a"
)

func digest(t testing.TB, body string) string {
	t.Helper()
	s, err := parcelModel().DecodeSubmission([]byte(body), noon)
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return s.Digest
}

func TestDigestFrozen(t *testing.T) {
	if got := digest(t, goodParcel); got != frozenDigest {
		t.Errorf("the digest is frozen: %s became %s", frozenDigest, got)
	}
}

func TestDigestSameContent(t *testing.T) {
	want := digest(t, goodParcel)
	for name, change := range map[string][2]string{
		"white space":    {`,"count":6,`, " ,\n\t\"count\" : 6 , "},
		"escape":         {"Zoë", `Zo\u00eb`},
		"number":         {`"count":6`, `"count":60.00e-1`},
		"number in json": {`[1.0, null`, `[10e-1,null`},
		"envelope":       {`"parcelId":"p-1"`, `"parcelId":"p-1","eventId":"x","expectedVersion":0,"meta":{"correlationId":"c"}`},
		"other entity":   {`"parcelId":"p-1"`, `"parcelId":"p-2"`},
		"absent is null": {`"code":"C",`, `"code":"C","deep":null,`},
		"order in json":  {`{"b": [1.0, null, "\u00e9"], "a":{}}`, `{"a":{},"b":[1,null,"é"]}`},
	} {
		if body := strings.Replace(goodParcel, change[0], change[1], 1); body == goodParcel || digest(t, body) != want {
			t.Errorf("%s: another digest", name)
		}
	}
}

func TestDigestOtherContent(t *testing.T) {
	seen := map[string]string{digest(t, goodParcel): "the original"}
	for name, change := range map[string][2]string{
		"string":          {"Zoë", "Zoe"},
		"number":          {`"count":6`, `"count":9`},
		"sign":            {`"count":6`, `"count":-3`},
		"bool in json":    {`"a":{}`, `"a":true`},
		"list, no object": {`"a":{}`, `"a":[]`},
		"null in json":    {`"a":{}`, `"a":null`},
		"absent in json":  {`, "a":{}`, ``},
		"nested null":     {`[1.0, null`, `[1.0`},
		"order of a list": {`["x","y"]`, `["y","x"]`},
		"moved":           {`"tags":["x","y"]`, `"tags":["xy"]`},
		"uuid's case":     {"A0B1C2D3-0000", "a0b1c2d3-0000"},
		"timestamp":       {"10:00:00.120+", "10:00:00.12+"},
		"default sent":    {`"size":"small"`, `"size":"small","ref":"00000000-0000-0000-0000-000000000001"`},
		"optional":        {`"mail":"a@b.example",`, ``},
		"string, number":  {`"b": [1.0`, `"b": ["1.0"`},
		"key of a map":    {`"prices":{"x"`, `"prices":{"y"`},
	} {
		body := strings.Replace(goodParcel, change[0], change[1], 1)
		if body == goodParcel {
			t.Fatalf("%s changes nothing", name)
		}
		d := digest(t, body)
		if other, ok := seen[d]; ok {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[d] = name
	}
}

// FuzzDigest: equal JSON values have equal digests, others do not.
func FuzzDigest(f *testing.F) {
	f.Add(`{"a":[1,2.0],"b":null}`, `{"b":null,"a":[1.0,2]}`, uint64(1))
	f.Add(`[0,-0]`, `[-0.0,0e5]`, uint64(2))
	f.Add(`"a"`, `"b"`, uint64(3))
	f.Add(`12345678901234567890`, `1234567890123456789e1`, uint64(3))
	f.Fuzz(func(t *testing.T, a, b string, seed uint64) {
		m := parcelModel()
		first, err1 := m.DecodeSubmission([]byte(with(t, "extra", a)), noon)
		second, err2 := m.DecodeSubmission([]byte(with(t, "extra", b)), noon)
		if err1 != nil || err2 != nil {
			return
		}
		if same := normal(t, a) == normal(t, b); same != (first.Digest == second.Digest) {
			t.Fatalf("%s and %s: same %v, digests %s %s", a, b, same, first.Digest, second.Digest)
		}
		r := rand.New(rand.NewPCG(seed, seed))
		if again := digest(t, with(t, "extra", shuffled(r, a))); again != first.Digest {
			t.Fatalf("%s written otherwise has another digest", a)
		}
	})
}

func parse(text string) any {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	d.Decode(&v)
	return v
}

// normal writes a value so that equal ones are written alike.
func normal(t testing.TB, text string) string {
	var walk func(v any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case json.Number:
			r, _ := new(big.Rat).SetString(v.String())
			return map[string]any{"number": r.String()}
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case map[string]any:
			out := map[string]any{}
			for name := range v {
				out["member "+name] = walk(v[name])
			}
			return out
		}
		return v
	}
	out, _ := json.Marshal(walk(parse(text)))
	return string(out)
}

// shuffled writes a JSON text with its members in another order.
func shuffled(r *rand.Rand, text string) string {
	var write func(v any) string
	write = func(v any) string {
		switch v := v.(type) {
		case map[string]any:
			var members []string
			for name, value := range v {
				quoted, _ := json.Marshal(name)
				members = append(members, fmt.Sprintf("%s :%s", quoted, write(value)))
			}
			r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
			return "{" + strings.Join(members, " , ") + "}"
		case []any:
			var elements []string
			for _, e := range v {
				elements = append(elements, write(e))
			}
			return "[ " + strings.Join(elements, ",") + "]"
		}
		out, _ := json.Marshal(v)
		return string(out)
	}
	return write(parse(text))
}

package es_test

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	es "github.com/esgen/esgen/runtime"
)

// one reads a single value with every check.
type one[T any] struct {
	v    T
	read func(*es.Decoder, *T) bool
}

func (o *one[T]) Decode(d *es.Decoder) { o.read(d, &o.v) }

func decodeOne[T any](text string, read func(*es.Decoder, *T) bool) (T, error) {
	o := one[T]{read: read}
	err := es.DecodeChecked(text, &o, noon)
	return o.v, err
}

func TestTimestamps(t *testing.T) {
	for text, want := range map[string]string{
		"2026-03-01T10:00:00Z":                "2026-03-01T10:00:00Z",
		"2026-03-01T10:00:00.100+00:00":       "2026-03-01T10:00:00.1Z",
		"2026-03-01T10:00:00-00:00":           "2026-03-01T10:00:00Z",
		"2026-03-01T10:00:00.123456789-23:59": "2026-03-01T10:00:00.123456789-23:59",
		"0000-01-01T00:00:00+23:59":           "0000-01-01T00:00:00+23:59",
		"9999-12-31T23:59:59.999999999-23:59": "9999-12-31T23:59:59.999999999-23:59",
		"2024-02-29T00:00:00Z":                "2024-02-29T00:00:00Z",
		"2023-02-29T00:00:00Z":                "", "1900-02-29T00:00:00Z": "", "2026-13-01T00:00:00Z": "", "2026-00-01T00:00:00Z": "", "2026-01-00T00:00:00Z": "",
		"2026-03-01T24:00:00Z": "", "2026-03-01T10:60:00Z": "", "2026-03-01T10:00:60Z": "", "2026-03-01T10:00:00+24:00": "", "2026-03-01T10:00:00+01:60": "",
		"2026-03-01T10:00:00+0100": "", "2026-03-01 10:00:00Z": "", "2026-03-01T10:00:00z": "", "2026-03-01T10:00:00,5Z": "", "2026-03-01T10:00:00.Z": "",
		"2026-03-01T10:00:00.1234567891Z": "", "2026-03-01T10:00:00": "", "2026-03-01T10:00Z": "", "02026-03-01T10:00:00Z": "", "2026-03-01T10:00:00Z ": "", "+026-03-01T10:00:00Z": "",
	} {
		v, err := decodeOne(`"`+text+`"`, (*es.Decoder).Time)
		switch {
		case want == "" && err == nil:
			t.Errorf("%s: read as %v", text, v)
		case want != "" && (err != nil || string(es.AppendTime(nil, v)) != `"`+want+`"`):
			t.Errorf("%s: %s %v", text, es.AppendTime(nil, v), err)
		}
	}
}

func FuzzTimestamp(f *testing.F) {
	for _, text := range []string{"2026-03-01T10:00:00Z", "2026-03-01T10:00:00.5+01:30", "2026-02-30T10:00:00Z", "2026-03-01T1:00:00Z", "2026-03-01T10:00:00,5Z"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		got, err := decodeOne(string(es.AppendString(nil, text)), (*es.Decoder).Time)
		want, wantErr := time.Parse(time.RFC3339Nano, text)
		// time.Parse is laxer: one digit of an hour, a comma, any length of a fraction.
		if err == nil && (wantErr != nil || !got.Equal(want)) {
			t.Fatalf("%q: read as %v; time.Parse: %v, %v", text, got, want, wantErr)
		}
		if wantErr == nil && err != nil && want.Format(time.RFC3339Nano) == text {
			t.Fatalf("%q: refused", text)
		}
		if err == nil {
			if utc := got.UTC(); writable(utc) && string(es.AppendTime(nil, utc)) != `"`+utc.Format(time.RFC3339Nano)+`"` {
				t.Fatalf("%v: written %s", utc, es.AppendTime(nil, utc))
			}
			again, err := decodeOne(string(es.AppendTime(nil, got)), (*es.Decoder).Time)
			_, offset := got.Zone()
			_, offset2 := again.Zone()
			if err != nil || !again.Equal(got) || offset != offset2 {
				t.Fatalf("%q: written %s", text, es.AppendTime(nil, got))
			}
		}
	})
}

func TestUnwritable(t *testing.T) {
	odd := time.Date(2026, 1, 1, 0, 0, 0, 0, time.FixedZone("", 3601))
	for name, check := range map[string]func(*es.Checks){
		"year 10000": func(c *es.Checks) { c.Time("f", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)) },
		"year -1":    func(c *es.Checks) { c.Time("f", time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)) },
		"odd offset": func(c *es.Checks) { c.Time("f", odd) },
		"NaN":        func(c *es.Checks) { c.Float("f", math.NaN()) },
		"infinite":   func(c *es.Checks) { c.Float("f", math.Inf(-1)) },
		"no day":     func(c *es.Checks) { c.Date("f", es.Date{}) },
	} {
		var c es.Checks
		if check(&c); c.Err() == nil {
			t.Errorf("%s passes", name)
		}
	}
	for _, got := range [][]byte{es.AppendTime(nil, odd), es.AppendFloat(nil, math.NaN()), es.AppendDate(nil, es.Date{}), es.AppendRaw(nil, json.RawMessage("{")), es.AppendRaw(nil, nil)} {
		if string(got) != "null" {
			t.Errorf("wrote %s", got)
		}
	}
}

func TestDates(t *testing.T) {
	d := es.MustDate("2024-02-28")
	if d.AddDays(2) != es.MustDate("2024-03-01") || d.AddDays(-59) != es.MustDate("2023-12-31") || d.Weekday() != time.Wednesday {
		t.Error(d.AddDays(2), d.AddDays(-59), d.Weekday())
	}
	if !d.Before(es.MustDate("2024-03-01")) || !d.After(es.MustDate("2023-12-31")) || d.Compare(d) != 0 || es.DateOf(d.Time()) != d {
		t.Error("order")
	}
	text, err := json.Marshal(map[es.Date]es.Date{d: d})
	if err != nil || string(text) != `{"2024-02-28":"2024-02-28"}` {
		t.Errorf("%s %v", text, err)
	}
}

func TestUUIDs(t *testing.T) {
	u := es.MustUUID("A0b1C2d3-0000-4000-8000-00000000000f")
	if u.String() != "a0b1c2d3-0000-4000-8000-00000000000f" {
		t.Error(u)
	}
	for _, bad := range []string{"", "a0b1c2d3-0000-4000-8000-00000000000", "a0b1c2d3-0000-4000-8000-00000000000g", "a0b1c2d30-000-4000-8000-00000000000f", "{a0b1c2d3-0000-4000-8000-00000000000f}"} {
		if _, err := es.ParseUUID(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
	a, b := es.NewUUID(noon), es.NewUUID(noon.Add(time.Millisecond))
	if a[6]>>4 != 7 || a[8]>>6 != 2 || a == es.NewUUID(noon) || a.String() >= b.String() {
		t.Error("version 7:", a, b)
	}
	if es.DeriveUUID("ab", "c") == es.DeriveUUID("a", "bc") {
		t.Error("parts run together")
	}
	if got := es.DeriveUUID("order-1", "2", "/ref").String(); got != frozenUUID {
		t.Errorf("what is derived is frozen: %s became %s", frozenUUID, got)
	}
}

func TestSortOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		if got := slices.Compare(es.AppendSortInt(nil, a), es.AppendSortInt(nil, b)); (got < 0) != (a < b) || (got == 0) != (a == b) {
			t.Fatalf("%d and %d", a, b)
		}
		zone := time.FixedZone("", rapid.IntRange(-80000, 80000).Draw(t, "zone"))
		x, y := time.Unix(a%200_000_000_000, b&0x1fffffff).In(zone), time.Unix(b%200_000_000_000, a&0x1fffffff)
		if got := slices.Compare(es.AppendSortTime(nil, x), es.AppendSortTime(nil, y)); got != x.Compare(y) {
			t.Fatalf("%v and %v", x, y)
		}
		d, e := es.MustDate("2000-01-01").AddDays(int(a%700_000)), es.MustDate("2000-01-01").AddDays(int(b%700_000))
		if got := slices.Compare(es.AppendSortDate(nil, d), es.AppendSortDate(nil, e)); got != d.Compare(e) {
			t.Fatalf("%v and %v", d, e)
		}
	})
}

func FuzzString(f *testing.F) {
	f.Add("a\"\\\n\u2028<&>\xff\x00é😀")
	f.Fuzz(func(t *testing.T, s string) {
		text := es.AppendString(nil, s)
		var back string
		if err := json.Unmarshal(text, &back); err != nil || back != strings.ToValidUTF8(s, "\ufffd") && utf8.ValidString(s) {
			t.Fatalf("%q: %s %q %v", s, text, back, err)
		}
		got, err := decodeOne(string(text), (*es.Decoder).String)
		if err != nil || got != back {
			t.Fatalf("%q: %q %v", s, got, err)
		}
		if again := es.AppendString(nil, got); string(again) != string(text) {
			t.Fatalf("%s became %s", text, again)
		}
	})
}

func FuzzFloat(f *testing.F) {
	f.Add(1e21)
	f.Add(1e-7)
	f.Add(math.Copysign(0, -1))
	f.Fuzz(func(t *testing.T, x float64) {
		want, err := json.Marshal(x)
		if err != nil {
			want = []byte("null")
		}
		if got := es.AppendFloat(nil, x); string(got) != string(want) {
			t.Fatalf("%s, encoding/json %s", got, want)
		}
	})
}

func TestUpcasts(t *testing.T) {
	m := parcelModel()
	m.Events[0].Revision = 3
	m.Events[0].Upcasts = []func(es.Fields) error{
		func(f es.Fields) error { f["name"] = f["title"]; delete(f, "title"); return nil },
		func(f es.Fields) error {
			switch f["count"] {
			case "13":
				return errors.New("no")
			case "14":
				panic("no")
			case "15":
				f["extra"] = "{"
			}
			f["extra"] = f["extra"] + ` `
			return nil
		},
	}
	load := func(revision int, payload string) (es.Event, error) {
		return m.LoadEvent(&es.Recorded{EntityID: "p-1", Version: 4, Type: "ParcelSent", Revision: revision, Time: noon, Payload: payload})
	}
	event, err := load(1, `{"title":"old","extra":[1],"gone":{"a":"}"},"boxes":[{}]}`)
	if err != nil {
		t.Fatal(err)
	}
	p := event.(*parcelSent)
	if p.Name != "old" || p.Count != 0 || !p.SentAt.Equal(noon) || p.Mail != nil || p.ParcelID != "p-1" {
		t.Errorf("%+v", p)
	}
	again, _ := load(1, `{"extra":0,"boxes":[{}]}`)
	if q := again.(*parcelSent); q.Ref != p.Ref || q.Boxes[0].ID != p.Boxes[0].ID || q.Ref == q.Boxes[0].ID || q.Ref.IsZero() {
		t.Errorf("derived ids: %v %v %v %v", p.Ref, q.Ref, p.Boxes[0].ID, q.Boxes[0].ID)
	}
	if e, err := load(3, `{"name":7}`); err == nil {
		t.Errorf("a number was read as a name: %+v", e)
	}
	for _, payload := range []string{`{"count":13,"extra":0}`, `{"count":14,"extra":0}`, `{"count":15}`, `{"count":1`, `[]`, ``} {
		if _, err := load(1, payload); err == nil {
			t.Errorf("%s was read", payload)
		}
	}
	if _, err := m.LoadEvent(&es.Recorded{Type: "Other"}); !errors.Is(err, es.ErrUnknownType) {
		t.Error(err)
	}
	// What is stored is not validated: no rule of the schema holds here.
	if _, err := load(3, `{"name":"far too long a name","size":"none","tags":["",""],"boxes":[],"price":-1,"x":{"y":1},"x":2}`); err != nil {
		t.Error(err)
	}
}

func writable(t time.Time) bool {
	var c es.Checks
	c.Time("t", t)
	return c.Err() == nil
}

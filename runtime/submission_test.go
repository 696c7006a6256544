package es_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v5"

	es "github.com/esgen/esgen/runtime"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

// violations returns "pointer code" of each violation, sorted; nil of a valid body.
func violations(t testing.TB, m *es.Model, body string) []string {
	t.Helper()
	_, err := m.DecodeSubmission([]byte(body), noon)
	if err == nil {
		return nil
	}
	var invalid *es.InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("%.200q: error is a %T: %v", body, err, err)
	}
	var out []string
	for _, v := range invalid.Violations {
		out = append(out, v.Pointer+" "+v.Code)
	}
	if len(out) == 0 {
		t.Fatalf("%.200q: refused without a violation", body)
	}
	slices.Sort(out)
	return out
}

// with returns goodParcel with the JSON of one member replaced, or added.
func with(t testing.TB, name, value string) string {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(goodParcel), &members); err != nil {
		t.Fatal(err)
	}
	members[name] = json.RawMessage(`"@"`)
	out, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	key, _ := json.Marshal(name)
	return strings.Replace(string(out), string(key)+`:"@"`, string(key)+":"+value, 1)
}

func TestSubmissionCanonical(t *testing.T) {
	s, err := parcelModel().DecodeSubmission([]byte(goodParcel), noon)
	if err != nil {
		t.Fatal(err)
	}
	p := s.Event.(*parcelSent)
	want := `{"name":"Zoë","count":6,"weight":1.05,"price":2.50,"fragile":true,"sentAt":"2026-03-01T10:00:00.12+01:00",` +
		`"due":"2026-03-02","label":"a0b1c2d3-0000-4000-8000-00000000000f","seal":"AAE=","extra":{"b":[1.0,null,"é"],"a":{}},` +
		`"size":"small","mail":"a@b.example","tags":["x","y"],"boxes":[{"code":"AB","deep":{"k":1},"id":"` + p.Boxes[0].ID.String() +
		`"},{"code":"C","id":"00000000-0000-0000-0000-000000000001"}],"prices":{"x":0.50},"ref":"` + p.Ref.String() + `"}`
	if s.Payload != want {
		t.Errorf("payload\n got %s\nwant %s", s.Payload, want)
	}
	if s.EntityID != "p-1" || p.ParcelID != "p-1" || s.Type.Name != "ParcelSent" || s.EventID != "" || s.ExpectedVersion != nil {
		t.Errorf("envelope: %+v", s)
	}
	if p.Ref[6]>>4 != 7 {
		t.Errorf("new gave %s, not of version 7", p.Ref)
	}
}

func TestSubmissionEnvelope(t *testing.T) {
	m := parcelModel()
	rest := goodParcel[len(`{"type":"ParcelSent","parcelId":"p-1"`):]
	body := `{"meta":{"causationId":"c","correlationId":"k"},"expectedVersion":2.0,"eventId":"e~1"` + strings.TrimSuffix(rest, "}") +
		`,"parcelId":"p-2","type":"ParcelSent"}`
	s, err := m.DecodeSubmission([]byte(body), noon)
	if err != nil {
		t.Fatal(err)
	}
	if s.EntityID != "p-2" || s.EventID != "e~1" || *s.ExpectedVersion != 2 || s.CorrelationID != "k" || s.CausationID != "c" {
		t.Errorf("envelope at the end: %+v", s)
	}
	s, err = m.DecodeSubmission([]byte(strings.TrimSuffix(goodParcel, "}")+`,"eventId":null,"expectedVersion":null,"meta":null}`), noon)
	if err != nil || s.EventID != "" || s.ExpectedVersion != nil {
		t.Errorf("null is not absent: %+v %v", s, err)
	}
}

// One wrong value at a time, with pointer and code.
func TestViolations(t *testing.T) {
	m := parcelModel()
	for _, c := range []struct {
		member, value string
		want          []string
	}{
		{"name", `"x"`, []string{"/name minLength"}},
		{"name", `"日本語日本語"`, nil},
		{"name", `"日本語日本語x"`, []string{"/name maxLength"}},
		{"name", `null`, []string{"/name type"}},
		{"name", `7`, []string{"/name type"}},
		{"name", `"\ud800a"`, nil},
		{"name", `"a\u0000"`, nil},
		{"count", `3.0`, nil},
		{"count", `3e0`, nil},
		{"count", `0.3e1`, nil},
		{"count", `-0`, nil},
		{"count", `300e-2`, nil},
		{"count", `1.5`, []string{"/count type"}},
		{"count", `1e-1`, []string{"/count type"}},
		{"count", `"3"`, []string{"/count type"}},
		{"count", `4`, []string{"/count multipleOf"}},
		{"count", `-4`, []string{"/count minimum", "/count multipleOf"}},
		{"count", `1000002`, []string{"/count maximum"}},
		{"count", `9223372036854775808`, []string{"/count range"}},
		{"count", `-9223372036854775808`, []string{"/count minimum", "/count multipleOf"}},
		{"count", `1e400`, []string{"/count range"}},
		{"count", `1e401`, []string{"/count range"}},
		{"weight", `0.1`, []string{"/weight exclusiveMinimum"}},
		{"weight", `0.10000000000000000000001`, []string{"/weight multipleOf"}},
		{"weight", `0.15000000000000000000000`, nil},
		{"weight", `1e30`, []string{"/weight exclusiveMaximum"}},
		{"weight", `1e308`, []string{"/weight exclusiveMaximum"}},
		{"weight", `1e309`, []string{"/weight range"}},
		{"weight", `1e5000000`, []string{"/weight range"}},
		{"weight", `1e-5000000`, []string{"/weight range"}},
		{"price", `2.5`, nil},
		{"price", `-0.00`, nil},
		{"price", `99999999999999999999.5`, nil},
		{"price", `99999999999999999999.50000000000000001`, []string{"/price enum", "/price maximum"}},
		{"price", `1e38`, []string{"/price range"}},
		{"price", `-1`, []string{"/price enum", "/price minimum"}},
		{"fragile", `false`, []string{"/fragile enum"}},
		{"fragile", `1`, []string{"/fragile type"}},
		{"sentAt", `"2026-02-29T00:00:00Z"`, []string{"/sentAt format"}},
		{"sentAt", `"2026-02-28t00:00:00Z"`, []string{"/sentAt format"}},
		{"sentAt", `"2026-02-28T00:00:60Z"`, []string{"/sentAt format"}},
		{"sentAt", `"2026-02-28T00:00:00.1234567890Z"`, []string{"/sentAt format"}},
		{"sentAt", `"2026-02-28T00:00:00.Z"`, []string{"/sentAt format"}},
		{"sentAt", `"2026-02-28T00:00:00"`, []string{"/sentAt format"}},
		{"sentAt", `null`, []string{"/sentAt type"}},
		{"due", `"2026-2-01"`, []string{"/due format"}},
		{"label", `"a0b1c2d3000040008000000000000000"`, []string{"/label format"}},
		{"seal", `"AAE"`, []string{"/seal format"}},
		{"seal", `"AAF="`, []string{"/seal format"}},
		{"seal", `"AA\nE="`, []string{"/seal format"}},
		{"seal", `""`, []string{"/seal minLength"}},
		{"seal", `"AAAAAA=="`, []string{"/seal maxLength"}},
		{"extra", `null`, []string{"/extra type"}},
		{"extra", `[null]`, nil},
		{"extra", `{"a":1,"a":2}`, []string{"/extra/a duplicate"}},
		{"extra", `[{"a~/b":{"c":1e999}}]`, []string{"/extra/0/a~0~1b/c range"}},
		{"size", `"medium"`, []string{"/size enum"}},
		{"mail", `null`, nil},
		{"mail", `"nobody"`, []string{"/mail format"}},
		{"tags", `[]`, nil},
		{"tags", `["a","b","\u0061"]`, []string{"/tags uniqueItems"}},
		{"tags", `["a",null,""]`, []string{"/tags/1 type", "/tags/2 minLength"}},
		{"tags", `{}`, []string{"/tags type"}},
		{"boxes", `[]`, []string{"/boxes minItems"}},
		{"boxes", `[{"code":"A"},{"code":"B"},{"code":"C"}]`, []string{"/boxes maxItems"}},
		{"boxes", `[{"code":"A","deep":{"x":1,"y":2}},{"deep":{"y":2.0,"x":1e0},"code":"A"}]`, []string{"/boxes uniqueItems"}},
		{"boxes", `[{"code":"A","deep":null},{"code":"A"}]`, nil},
		{"boxes", `[{"kode":"A"}]`, []string{"/boxes/0/code required", "/boxes/0/kode unknown-field"}},
		{"boxes", `[{"code":"a","deep":{}}]`, []string{"/boxes/0/code pattern", "/boxes/0/deep minProperties"}},
		{"boxes", `[{"code":"A","deep":{"a":1,"b":10,"c":-1,"d":0}}]`, []string{"/boxes/0/deep maxProperties", "/boxes/0/deep/b maximum", "/boxes/0/deep/c minimum"}},
		{"prices", `{"":1,"x":0.49}`, []string{"/prices/x minimum"}},
		{"version", `1`, []string{"/version unknown-field"}},
		{"parcelId", `"p"`, []string{"/parcelId minLength"}},
		{"parcelId", `"p-1-2-3-4"`, []string{"/parcelId maxLength"}},
		{"parcelId", `"P1"`, []string{"/parcelId pattern"}},
		{"parcelId", `17`, []string{"/parcelId type"}},
		{"type", `"ParcelLost"`, []string{"/type unknown-event"}},
		{"type", `["ParcelSent"]`, []string{"/type type"}},
		{"eventId", `""`, []string{"/eventId minLength"}},
		{"eventId", `"a b"`, []string{"/eventId pattern"}},
		{"eventId", `"é"`, []string{"/eventId pattern"}},
		{"eventId", `"` + strings.Repeat("x", 129) + `"`, []string{"/eventId maxLength"}},
		{"expectedVersion", `-1`, []string{"/expectedVersion minimum"}},
		{"expectedVersion", `"1"`, []string{"/expectedVersion type"}},
		{"meta", `{"actor":"me"}`, []string{"/meta/actor unknown-field"}},
		{"meta", `[]`, []string{"/meta type"}},
	} {
		if got := violations(t, m, with(t, c.member, c.value)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %.60s\n got %q\nwant %q", c.member, c.value, got, c.want)
		}
	}
}

// Bodies that are refused as a whole.
func TestBodies(t *testing.T) {
	m := parcelModel()
	deep := func(n int) string {
		return with(t, "extra", strings.Repeat("[", n)+strings.Repeat("]", n))
	}
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"empty":             {"", []string{" json"}},
		"white space":       {" \n", []string{" json"}},
		"NUL":               {"\x00", []string{" json"}},
		"byte order mark":   {"\ufeff" + goodParcel, []string{" json"}},
		"not UTF-8":         {strings.Replace(goodParcel, "Zoë", "Zo\xff", 1), []string{" json"}},
		"cut":               {goodParcel[:len(goodParcel)-1], []string{" json"}},
		"more after it":     {goodParcel + "{}", []string{" json"}},
		"trailing comma":    {strings.TrimSuffix(goodParcel, "}") + ",}", []string{" json"}},
		"control character": {strings.Replace(goodParcel, "Zoë", "Zo\n", 1), []string{" json"}},
		"bad escape":        {strings.Replace(goodParcel, "Zoë", `Zo\x`, 1), []string{" json"}},
		"leading zero":      {strings.Replace(goodParcel, `"count":6`, `"count":06`, 1), []string{" json"}},
		"bare word":         {strings.Replace(goodParcel, `"count":6`, `"count":NaN`, 1), []string{" json"}},
		"single quotes":     {"{'type':'ParcelSent'}", []string{" json"}},
		"list":              {"[]", []string{" type"}},
		"string":            {`"x"`, []string{" type"}},
		"null":              {"null", []string{" type"}},
		"word":              {"nul", []string{" json"}},
		"no member":         {"{}", []string{"/parcelId required", "/type required"}},
		"no type":           {`{"parcelId":"p-1","x":1}`, []string{"/type required"}},
		"duplicate":         {strings.TrimSuffix(goodParcel, "}") + `,"name":"Zoe"}`, []string{"/name duplicate"}},
		"duplicate type":    {strings.TrimSuffix(goodParcel, "}") + `,"\u0074ype":"X"}`, []string{"/type duplicate"}},
		"64 deep":           {deep(63), nil},
		"65 deep":           {deep(64), []string{" json"}},
		"a million deep":    {deep(1 << 20), []string{" json"}},
		"deep without end":  {strings.Repeat(`{"a":`, 1<<18), []string{" json"}},
	} {
		if got := violations(t, m, c.body); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	missing := violations(t, m, `{"type":"ParcelSent"}`)
	if len(missing) != len(parcelRequired)+1 || !slices.Contains(missing, "/boxes required") {
		t.Errorf("not every missing member is listed: %q", missing)
	}
}

// No message may quote what was sent.
func TestMessagesWithoutValues(t *testing.T) {
	const secret = "s3cr3t"
	for _, member := range []string{"name", "count", "sentAt", "due", "label", "seal", "size", "mail", "parcelId", "type", "eventId"} {
		_, err := parcelModel().DecodeSubmission([]byte(with(t, member, `"`+secret+` x"`)), noon)
		var invalid *es.InvalidError
		if !errors.As(err, &invalid) {
			t.Fatalf("%s: %v", member, err)
		}
		for _, v := range invalid.Violations {
			if strings.Contains(v.Message, secret) {
				t.Errorf("%s: %s", v.Pointer, v.Message)
			}
		}
	}
}

// A body made of nothing but mistakes is answered with a bounded list, in
// memory that is bounded too.
func TestViolationsBounded(t *testing.T) {
	m := parcelModel()
	many := with(t, "tags", "["+strings.Repeat("1,", 300_000)+"1]")
	long := with(t, "prices", `{"`+strings.Repeat("k", 500_000)+`":[`+strings.Repeat(`{"a":1,"a":1},`, 30_000)+`0]}`)
	for name, body := range map[string]string{"many": many, "long names": long} {
		_, err := m.DecodeSubmission([]byte(body), noon)
		var invalid *es.InvalidError
		if !errors.As(err, &invalid) || !invalid.More {
			t.Fatalf("%s: %.200v", name, err)
		}
		size := 0
		for _, v := range invalid.Violations {
			size += len(v.Pointer) + len(v.Message)
		}
		if len(invalid.Violations) > 500 || size > 2<<20 {
			t.Errorf("%s: %d violations of %d bytes", name, len(invalid.Violations), size)
		}
	}
}

// random makes JSON values near to what a schema wants.
type random struct{ *rand.Rand }

var (
	atoms = []string{`null`, `true`, `false`, `0`, `-0`, `1`, `3`, `6`, `-3`, `2.5`, `2.50`, `0.15`, `1.05`, `1e2`, `30e-1`, `1e22`, `1e300`, `1e-300`,
		`99999999999999999999.5`, `""`, `"ab"`, `"x"`, `"ABCD"`, `"ABCDE"`, `"small"`, `"\ud83d\ude00\ud800"`, `"a@b.c"`, `"AAE="`, `"AAEC"`, `"2026-03-01"`,
		`"2026-03-01T10:00:00Z"`, `"2026-03-01T23:59:60Z"`, `"2026-03-01T10:00:00.1+00:59"`, `"00000000-0000-0000-0000-00000000000A"`, `"p-1"`, `[]`, `{}`}
	// The name "" is left out: the validator's pointers have no step for it.
	names = []string{"a", "code", "deep", "id", "k", "name", "tags", "é/~"}
)

func (r random) pick(list []string) string { return list[r.IntN(len(list))] }

func (r random) value(depth int) string {
	if depth == 0 || r.IntN(3) > 0 {
		return r.pick(atoms)
	}
	var parts []string
	object := r.IntN(2) == 0
	used := map[string]bool{}
	for range r.IntN(4) {
		part := r.value(depth - 1)
		if object {
			name := r.pick(names)
			if used[name] {
				continue
			}
			used[name] = true
			quoted, _ := json.Marshal(name)
			part = string(quoted) + ":" + part
		}
		parts = append(parts, part)
	}
	if object {
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return "[" + strings.Join(parts, " ,") + "]"
}

// body is goodParcel with some members replaced, dropped or added.
func (r random) body(t testing.TB) string {
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(goodParcel), &members); err != nil {
		t.Fatal(err)
	}
	all := slices.Sorted(func(yield func(string) bool) {
		for name := range members {
			if !yield(name) {
				return
			}
		}
	})
	all = append(all, "mail", "ref", "more", "eventId", "expectedVersion", "meta")
	for range r.IntN(4) {
		name := r.pick(all)
		switch {
		case name == "type":
		case r.IntN(6) == 0:
			delete(members, name)
		case name == "boxes" && r.IntN(2) == 0:
			members[name] = json.RawMessage(fmt.Sprintf(`[{"code":%s,"deep":{"a":%s}},%s]`, r.pick(atoms), r.pick(atoms), r.value(2)))
		default:
			members[name] = json.RawMessage(r.value(3))
		}
	}
	var b strings.Builder
	for name, value := range members {
		quoted, _ := json.Marshal(name)
		fmt.Fprintf(&b, ",%s: %s", quoted, value)
	}
	return "{" + b.String()[1:] + "}"
}

// schemaPointers returns where the JSON Schema validator finds a mistake.
// Missing and unknown members it reports at their parent.
func schemaPointers(s *jsonschema.Schema, body string) []string {
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()
	var v any
	if decoder.Decode(&v) != nil {
		return []string{""}
	}
	err := s.Validate(v)
	if err == nil {
		return nil
	}
	var out []string
	var walk func(*jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		if len(e.Causes) == 0 {
			out = append(out, strings.ReplaceAll(e.InstanceLocation, "%C3%A9", "é"))
		}
		for _, c := range e.Causes {
			walk(c)
		}
	}
	walk(err.(*jsonschema.ValidationError))
	slices.Sort(out)
	return slices.Compact(out)
}

// ourPointers is the same of the decoder.
func ourPointers(t testing.TB, m *es.Model, body string) []string {
	var out []string
	for _, v := range violations(t, m, body) {
		pointer, code, _ := strings.Cut(v, " ")
		if code == "required" || code == "unknown-field" {
			pointer = pointer[:strings.LastIndexByte(pointer, '/')]
		}
		out = append(out, pointer)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestAgreesWithJSONSchema(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	compiler.Draft = jsonschema.Draft2020
	compiler.AssertFormat = true
	if err := compiler.AddResource("parcel.json", strings.NewReader(parcelSchema)); err != nil {
		t.Fatal(err)
	}
	schema := compiler.MustCompile("parcel.json")
	m := parcelModel()
	r := random{rand.New(rand.NewPCG(1, 2))}
	valid := 0
	for i := range 10_000 {
		body := r.body(t)
		if slices.ContainsFunc(violations(t, m, body), func(v string) bool {
			return strings.HasPrefix(v, "/price") && strings.HasSuffix(v, " range")
		}) {
			continue // the digits of a decimal are a rule of ours alone
		}
		want, got := schemaPointers(schema, body), ourPointers(t, m, body)
		if !slices.Equal(got, want) {
			t.Fatalf("body %d\n%s\n got %q\nwant %q", i, body, got, want)
		}
		if want == nil {
			valid++
		}
	}
	if valid < 500 {
		t.Errorf("only %d of the bodies were valid", valid)
	}
}

// What is accepted is stored as JSON that says the same, in UTF-8, and reads back as it was.
func TestCanonicalRoundTrip(t *testing.T) {
	m := parcelModel()
	r := random{rand.New(rand.NewPCG(3, 4))}
	for range 5_000 {
		body := r.body(t)
		s, err := m.DecodeSubmission([]byte(body), noon)
		if err != nil {
			continue
		}
		if !json.Valid([]byte(s.Payload)) || !utf8.ValidString(s.Payload) {
			t.Fatalf("payload %s", s.Payload)
		}
		var any1, any2 any
		json.Unmarshal([]byte(s.Payload), &any1)
		stored := &es.Recorded{EntityID: s.EntityID, Version: 1, Type: "ParcelSent", Revision: 1, Time: noon, Payload: s.Payload}
		event, err := m.LoadEvent(stored)
		if err != nil {
			t.Fatal(err)
		}
		again := string(event.AppendJSON(nil))
		if again != s.Payload {
			t.Fatalf("stored %s\nread   %s", s.Payload, again)
		}
		encoded, err := json.Marshal(any1)
		if err != nil {
			t.Fatal(err)
		}
		json.Unmarshal(encoded, &any2)
		if fmt.Sprint(any1) != fmt.Sprint(any2) {
			t.Fatalf("encoding/json reads %v", any2)
		}
	}
}

// FuzzSubmission: whatever is sent is either refused with a reason or read as an
// event whose stored form reads back.
func FuzzSubmission(f *testing.F) {
	for _, body := range []string{goodParcel, "", "{", "[]", `{"type":"ParcelSent"`, `{"type":"ParcelSent","parcelId":"p-1","boxes":[{"deep":{"a":1e400}}],"boxes":0}`} {
		f.Add([]byte(body))
	}
	m := parcelModel()
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := m.DecodeSubmission(body, noon)
		if err != nil {
			if got := violations(t, m, string(body)); len(got) == 0 {
				t.Fatalf("%q: refused without a reason", body)
			}
			return
		}
		if !json.Valid(body) {
			t.Fatalf("%q is no JSON and was read", body)
		}
		event, err := m.LoadEvent(&es.Recorded{EntityID: s.EntityID, Version: 1, Type: s.Type.Name, Revision: 1, Time: noon, Payload: s.Payload})
		if err != nil || string(event.AppendJSON(nil)) != s.Payload {
			t.Fatalf("%q stored as %s, %v", body, s.Payload, err)
		}
	})
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What a running service does with every type, constraint, default, form of a
// view's key and type of index: testdata/services/everything has them all.

// service is a running program that a test speaks to.
type service struct {
	t    *testing.T
	base string
}

// answer is a response with the members of its JSON object as they were written.
type answer struct {
	status  int
	header  http.Header
	members map[string]json.RawMessage
	body    string
}

func (s service) do(method, path, body string) answer {
	s.t.Helper()
	req, err := http.NewRequest(method, s.base+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, body: string(text)}
	if err := json.Unmarshal(text, &a.members); err != nil {
		s.t.Fatalf("%s %s: %d, not a JSON object: %v\n%s", method, path, a.status, err, text)
	}
	return a
}

func (s service) post(body string) answer { s.t.Helper(); return s.do("POST", "/", body) }
func (s service) get(path string) answer  { s.t.Helper(); return s.do("GET", path, "") }

// stored posts an event that must be accepted.
func (s service) stored(body string) answer {
	s.t.Helper()
	a := s.post(body)
	if a.status != http.StatusCreated {
		s.t.Fatalf("POST %s: %d %s", body, a.status, a.body)
	}
	return a
}

// items lists what a page holds, as texts.
func (a answer) items() []string {
	var items []json.RawMessage
	_ = json.Unmarshal(a.members["items"], &items)
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = string(item)
	}
	return texts
}

// violations are the pointers and codes of a 400.
func (a answer) violations() string {
	var list []struct{ Pointer, Code string }
	_ = json.Unmarshal(a.members["errors"], &list)
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = v.Pointer + " " + v.Code
	}
	slices.Sort(texts)
	return strings.Join(texts, ", ")
}

func compact(raw json.RawMessage) string {
	var b bytes.Buffer
	if len(raw) == 0 || json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}

func TestContractTypes(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs a service")
	}
	program := buildProgram(t, makeService(t, buildTool(t), "everything"))
	store := filepath.Join(t.TempDir(), "store.db")
	base, kill := startProgram(t, program, store)
	s := func(t *testing.T) service { return service{t, base} }

	t.Run("values", func(t *testing.T) { checkValues(s(t)) })
	t.Run("values refused", func(t *testing.T) { checkRefused(s(t)) })
	t.Run("constraints", func(t *testing.T) { checkConstraints(s(t)) })
	t.Run("required", func(t *testing.T) { checkRequired(s(t)) })
	t.Run("defaults", func(t *testing.T) { checkDefaults(s(t)) })
	t.Run("start values", func(t *testing.T) { checkStartValues(s(t)) })
	t.Run("view keys", func(t *testing.T) { checkViewKeys(s(t)) })
	t.Run("indexes", func(t *testing.T) { checkIndexes(s(t)) })
	t.Run("entity key", func(t *testing.T) { checkEntityKey(s(t)) })

	kill()
	base, _ = startProgram(t, program, store)
	t.Run("after a restart", func(t *testing.T) {
		for i, v := range keptValues {
			if got := compact(s(t).get(fmt.Sprintf("/default/v-%d", i)).members[v.field]); got != v.want {
				t.Errorf("%s %s is %q, want %q", v.field, v.sent, got, v.want)
			}
		}
	})
}

const (
	nines38 = "99999999999999999999999999999999999999"
	ones38  = "0.00000000000000000000000000000000000001"
)

// keptValues are values as they are sent and as they come back; "" is absent.
var keptValues = []struct{ field, sent, want string }{
	{"text", `""`, `""`},
	{"text", `"\u00e9\ud83d\ude00\u0000\n\"\\\/"`, `"é😀\u0000\n\"\\/"`},
	{"text", `null`, ``},
	{"int", `2.0`, `2`}, {"int", `1e3`, `1000`}, {"int", `1200e-2`, `12`}, {"int", `-0`, `0`}, {"int", `-0.0`, `0`}, {"int", `0e9`, `0`},
	{"int", `9223372036854775807`, `9223372036854775807`}, {"int", `-9223372036854775808`, `-9223372036854775808`},
	{"int", `9223372036854775807.000`, `9223372036854775807`},
	{"float", `1.5`, `1.5`}, {"float", `1e3`, `1000`}, {"float", `1.7976931348623157e308`, `1.7976931348623157e+308`}, {"float", `5e-324`, `5e-324`},
	{"decimal", `1.500`, `1.500`}, {"decimal", `0.00`, `0.00`}, {"decimal", `-0`, `0`}, {"decimal", `-0.00`, `0.00`}, {"decimal", `12.50e1`, `125.0`},
	{"decimal", `1.0E+1`, `10`}, {"decimal", `100e-2`, `1.00`}, {"decimal", `-1.10`, `-1.10`}, {"decimal", `1e37`, `1` + strings.Repeat("0", 37)},
	{"decimal", nines38, nines38}, {"decimal", `-` + nines38, `-` + nines38}, {"decimal", ones38, ones38}, {"decimal", `1e-38`, ones38},
	{"decimal", `0.` + nines38, `0.` + nines38}, {"decimal", `0e50`, `0`},
	{"bool", `true`, `true`}, {"bool", `false`, `false`},
	{"timestamp", `"2025-01-31T09:30:00+02:00"`, `"2025-01-31T09:30:00+02:00"`},
	{"timestamp", `"2025-01-31T09:30:59.123456789Z"`, `"2025-01-31T09:30:59.123456789Z"`},
	{"timestamp", `"2025-01-31T09:30:00-11:45"`, `"2025-01-31T09:30:00-11:45"`},
	{"timestamp", `"2024-02-29T23:59:59Z"`, `"2024-02-29T23:59:59Z"`},
	{"date", `"2024-02-29"`, `"2024-02-29"`},
	{"uuid", `"0190A1B2-3C4D-7E5F-8A6B-7C8D9E0F1A2B"`, `"0190a1b2-3c4d-7e5f-8a6b-7c8d9e0f1a2b"`},
	{"bytes", `"YWI="`, `"YWI="`}, {"bytes", `""`, `""`}, {"bytes", `"+\/8="`, `"+/8="`},
	{"json", `{"b":[1.50,null,{"c":null}],"a":"x"}`, `{"b":[1.50,null,{"c":null}],"a":"x"}`},
	{"json", `[]`, `[]`}, {"json", `"x"`, `"x"`}, {"json", `false`, `false`}, {"json", `null`, ``},
	{"colour", `"Dark Blue"`, `"Dark Blue"`}, {"colour", `""`, `""`}, {"size", `"small"`, `"small"`},
	{"ints", `[]`, `[]`}, {"ints", `[2.0,-1]`, `[2,-1]`}, {"ints", `null`, ``},
	{"uuids", `["0190A1B2-3C4D-7E5F-8A6B-7C8D9E0F1A2B"]`, `["0190a1b2-3c4d-7e5f-8a6b-7c8d9e0f1a2b"]`},
	{"decimals", `{}`, `{}`}, {"decimals", `{"b":1.0,"a/~":10e-1}`, `{"a/~":1.0,"b":1.0}`},
	{"nested", `[{"a":["x"],"b":[]},{}]`, `[{"a":["x"],"b":[]},{}]`},
}

// checkValues: what is sent is kept, and is the same in the event, the history and the view.
func checkValues(s service) {
	for i, v := range keptValues {
		id := fmt.Sprintf("v-%d", i)
		posted := s.post(fmt.Sprintf(`{"type":"ValueSet","thingId":%q,%q:%s}`, id, v.field, v.sent))
		if posted.status != http.StatusCreated {
			s.t.Errorf("%s %s: %d %s", v.field, v.sent, posted.status, posted.body)
			continue
		}
		history := s.get("/events/" + id).items()
		record := s.get("/default/" + id + "?minVersion=1")
		var event map[string]json.RawMessage
		if len(history) != 1 || json.Unmarshal([]byte(history[0]), &event) != nil {
			s.t.Fatalf("the history is %v", history)
		}
		for where, got := range map[string]json.RawMessage{"POST": posted.members[v.field], "history": event[v.field], "view": record.members[v.field]} {
			if compact(got) != v.want {
				s.t.Errorf("%s %s is %q in the answer of %s, want %q", v.field, v.sent, compact(got), where, v.want)
			}
		}
		if _, there := posted.members[v.field]; there != (v.want != "") {
			s.t.Errorf("%s %s: the member is there: %t", v.field, v.sent, there)
		}
	}
}

func checkRefused(s service) {
	for _, v := range []struct{ field, sent, want string }{
		{"text", `1`, `/text type`}, {"text", `true`, `/text type`}, {"text", `["a"]`, `/text type`},
		{"int", `1.5`, `/int type`}, {"int", `"1"`, `/int type`}, {"int", `true`, `/int type`},
		{"int", `9223372036854775808`, `/int range`}, {"int", `-9223372036854775809`, `/int range`}, {"int", `1e19`, `/int range`},
		{"float", `1e309`, `/float range`}, {"float", `"NaN"`, `/float type`},
		{"decimal", nines38 + `9`, `/decimal range`}, {"decimal", `1e38`, `/decimal range`}, {"decimal", `1e-39`, `/decimal range`}, {"decimal", `0e-39`, `/decimal range`},
		{"decimal", `"1.5"`, `/decimal type`},
		{"bool", `1`, `/bool type`}, {"bool", `"true"`, `/bool type`},
		{"timestamp", `"2025-01-31T09:30:60Z"`, `/timestamp format`}, {"timestamp", `"2025-01-31t09:30:00Z"`, `/timestamp format`},
		{"timestamp", `"2025-01-31T09:30:00z"`, `/timestamp format`}, {"timestamp", `"2025-01-31T09:30:00"`, `/timestamp format`},
		{"timestamp", `"2025-01-31T09:30:00.1234567890Z"`, `/timestamp format`}, {"timestamp", `"2025-01-31T24:00:00Z"`, `/timestamp format`},
		{"timestamp", `"2025-02-29T00:00:00Z"`, `/timestamp format`}, {"timestamp", `"2025-01-31T09:30:00.Z"`, `/timestamp format`},
		{"timestamp", `"2025-01-31 09:30:00Z"`, `/timestamp format`}, {"timestamp", `1738315800`, `/timestamp type`},
		{"date", `"2025-02-29"`, `/date format`}, {"date", `"2025-1-1"`, `/date format`}, {"date", `"2025-01-31T00:00:00Z"`, `/date format`},
		{"uuid", `"0190a1b23c4d7e5f8a6b7c8d9e0f1a2b"`, `/uuid format`}, {"uuid", `"{0190a1b2-3c4d-7e5f-8a6b-7c8d9e0f1a2b}"`, `/uuid format`}, {"uuid", `""`, `/uuid format`},
		{"bytes", `"YWI"`, `/bytes format`}, {"bytes", `"YWJ="`, `/bytes format`}, {"bytes", `"YW I="`, `/bytes format`}, {"bytes", `"-_8="`, `/bytes format`},
		{"colour", `"blue"`, `/colour enum`}, {"colour", `"dark blue"`, `/colour enum`}, {"size", `""`, `/size enum`},
		{"ints", `[1,null,"2"]`, `/ints/1 type, /ints/2 type`}, {"ints", `{"0":1}`, `/ints type`},
		{"decimals", `{"a/~":null}`, `/decimals/a~1~0 type`},
		{"nested", `[{"a":["x",1]},[]]`, `/nested/0/a/1 type, /nested/1 type`},
		{"points", `{"p":[{"x":1},{"y":1.5,"z":0}]}`, `/points/p/1/x required, /points/p/1/y type, /points/p/1/z unknown-field`},
		{"point", `{"x":1,"next":{"x":1,"next":{"y":1}}}`, `/point/next/next/x required`},
		{"point", `{"x":null,"tag":null,"y":null}`, `/point/x type, /point/y type`},
		{"nothing", `1`, `/nothing unknown-field`},
		{"text\":\"a\",\"text", `"a"`, `/text duplicate`},
	} {
		a := s.post(`{"type":"ValueSet","thingId":"refused","` + v.field + `":` + v.sent + `}`)
		if a.status != http.StatusBadRequest || a.violations() != v.want {
			s.t.Errorf("%s %s: %d [%s], want 400 [%s]\n%s", v.field, v.sent, a.status, a.violations(), v.want, a.body)
		}
	}
	if a := s.get("/events?id=refused"); a.status != http.StatusNotFound {
		s.t.Errorf("something was stored: %s", a.body)
	}
}

func checkConstraints(s service) {
	for _, c := range []struct {
		field      string
		good, bad  []string
		code, with string
	}{
		{"least", []string{`-2`, `4`, `4.0`}, []string{`-3`}, "minimum", ""},
		{"least", nil, []string{`5`, `5.0`}, "exclusiveMaximum", ""},
		{"above", []string{`0.3`, `0.2`}, []string{`0.1`, `1e-1`}, "exclusiveMinimum", ""},
		{"above", nil, []string{`0.30000000001`}, "maximum", ""},
		{"tenths", []string{`0.3`, `1.10`, `-0.7`, `0`, `3e-1`}, []string{`0.35`, `0.05`}, "multipleOf", ""},
		{"percent", []string{`0`, `100.00`, `0.75`}, []string{`-0.25`}, "minimum", ""},
		{"percent", nil, []string{`100.25`}, "maximum", ""},
		{"percent", nil, []string{`0.3`}, "multipleOf", ""},
		{"short", []string{`"ab"`, `"😀😀😀"`, `"e\u0301x"`}, []string{`"a"`, `"😀"`, `""`}, "minLength", ""},
		{"short", nil, []string{`"abcd"`}, "maxLength", ""},
		{"blob", []string{`"YWI="`, `"YWJjZA=="`, `"YWJj"`}, []string{`"YQ=="`, `""`}, "minLength", ""},
		{"blob", nil, []string{`"YWJjZGU="`}, "maxLength", ""},
		{"letters", []string{`"xxaxx"`, `"c"`}, []string{`"x"`, `""`, `"A"`}, "pattern", ""},
		{"sku", []string{`"a1"`}, []string{`"aa"`}, "pattern", ""},
		{"sku", nil, []string{`"1234567"`}, "maxLength", ""},
		{"email", []string{`"a@example.com"`}, []string{`"a"`, `"a@"`}, "format", ""},
		{"uri", []string{`"https://example.com/a?b#c"`, `"urn:isbn:1"`}, []string{`"/a"`, `"a b"`}, "format", ""},
		{"hostname", []string{`"example.com"`}, []string{`"-a.example"`, `"a_b"`}, "format", ""},
		{"ipv4", []string{`"127.0.0.1"`}, []string{`"127.0.0.01"`, `"::1"`}, "format", ""},
		{"ipv6", []string{`"::1"`}, []string{`"127.0.0.1"`, `"::1%eth0"`}, "format", ""},
		{"pair", []string{`[1]`, `[1,2]`}, []string{`[]`}, "minItems", ""},
		{"pair", nil, []string{`[1,2,3]`}, "maxItems", ""},
		{"pair", nil, []string{`[1,1.0]`, `[10,1e1]`}, "uniqueItems", ""},
		{"objects", []string{`[{"id":"0190a1b2-3c4d-7e5f-8a6b-7c8d9e0f1a2b"},{"id":"0190a1b2-3c4d-7e5f-8a6b-7c8d9e0f1a2b","player":"a"}]`},
			[]string{`[{"id":"0190a1b2-3c4d-7e5f-8a6b-7c8d9e0f1a2b","player":"a"},{"player":"\u0061","id":"0190a1b2-3c4d-7e5f-8a6b-7c8d9e0f1a2b"}]`}, "uniqueItems", ""},
		{"members", []string{`{"a":1}`}, []string{`{}`}, "minProperties", ""},
		{"members", nil, []string{`{"a":1,"b":2,"c":3}`}, "maxProperties", ""},
		{"level", []string{`1`, `1e3`, `2.0`}, []string{`3`}, "enum", ""},
		{"price", []string{`0.5`, `1.00`}, []string{`0.51`}, "enum", ""},
	} {
		for _, good := range c.good {
			if a := s.post(`{"type":"ConstraintMet","thingId":"met","` + c.field + `":` + good + `}`); a.status != http.StatusCreated {
				s.t.Errorf("%s %s: %d %s", c.field, good, a.status, a.body)
			}
		}
		for _, bad := range c.bad {
			a := s.post(`{"type":"ConstraintMet","thingId":"met","` + c.field + `":` + bad + `}`)
			if want := "/" + c.field + " " + c.code; a.status != http.StatusBadRequest || a.violations() != want {
				s.t.Errorf("%s %s: %d [%s], want 400 [%s]\n%s", c.field, bad, a.status, a.violations(), want, a.body)
			}
		}
	}
}

func checkRequired(s service) {
	a := s.post(`{"type":"Required","thingId":"r"}`)
	if want := "/json required, /jsonOf required, /jsons required, /list required, /point required, /text required"; a.status != http.StatusBadRequest || a.violations() != want {
		s.t.Errorf("nothing sent: %d [%s], want [%s]", a.status, a.violations(), want)
	}
	a = s.post(`{"type":"Required","thingId":"r","json":null,"jsons":null,"jsonOf":null,"text":null,"list":null,"point":null}`)
	if want := "/json type, /jsonOf type, /jsons type, /list type, /point type, /text type"; a.status != http.StatusBadRequest || a.violations() != want {
		s.t.Errorf("null sent: %d [%s], want [%s]\n%s", a.status, a.violations(), want, a.body)
	}
	a = s.stored(`{"type":"Required","thingId":"r","json":[null],"jsons":[null,1],"jsonOf":{"a":null},"text":"","list":[],"point":{"x":1}}`)
	for field, want := range map[string]string{"json": `[null]`, "jsons": `[null,1]`, "jsonOf": `{"a":null}`} { // free form below a field
		if got := compact(a.members[field]); got != want {
			s.t.Errorf("%s: got %s, want %s", field, got, want)
		}
	}
}

func checkDefaults(s service) {
	a := s.stored(`{"type":"DefaultsTaken","thingId":"d","given":{"x":9}}`)
	now, id := compact(a.members["time"]), compact(a.members["id"])
	for field, want := range map[string]string{"text": `"hello"`, "amount": `1.50`, "at": now, "day": now[:11] + `"`, "colour": `"green"`, "list": `[1,2]`} {
		if got := compact(a.members[field]); got != want {
			s.t.Errorf("%s: got %s, want %s", field, got, want)
		}
	}
	isNew := func(id string) bool { return len(id) == 38 && id[15] == '7' }
	if !isNew(id) {
		s.t.Errorf("id: %s is no UUID of version 7", id)
	}
	for _, field := range []string{"point", "given"} {
		var point struct {
			X, Y json.Number
			At   json.RawMessage
			ID   json.RawMessage
			Tag  json.RawMessage
		}
		if err := json.Unmarshal(a.members[field], &point); err != nil {
			s.t.Fatalf("%s: %v in %s", field, err, a.body)
		}
		if point.Y != "7" || string(point.At) != now || !isNew(string(point.ID)) || string(point.ID) == id || point.Tag != nil {
			s.t.Errorf("%s: %s", field, a.members[field])
		}
	}
	if items := s.get("/events/d").items(); len(items) != 1 || items[0] != strings.TrimSpace(a.body) {
		s.t.Errorf("history %v\n posted %s", items, a.body)
	}
	a = s.post(`{"type":"DefaultsTaken","thingId":"d","given":{"x":9},"text":null,"id":null}`)
	if want := "/id type, /text type"; a.status != http.StatusBadRequest || a.violations() != want {
		s.t.Errorf("null for a field with a default: %d [%s], want [%s]", a.status, a.violations(), want)
	}
}

func checkStartValues(s service) {
	s.stored(`{"type":"Started","thingId":"s"}`)
	want := `{"thingId":"s","text":"","int":0,"float":0,"decimal":0,"bool":false,"list":[],"map":{},"bytes":"",` +
		`"greeting":"hello","number":5,"price":1.50,"mood":"red","since":"2025-01-01T00:00:00+01:00","pair":[1,2],` +
		`"origin":{"x":1,"y":2,"at":"2025-01-01T00:00:00Z","id":"0190a1b2-3c4d-7e5f-8a6b-7c8d9e0f1a2b"},"version":1}`
	a := s.get("/start/s?minVersion=1")
	var got, wanted any
	_ = json.Unmarshal([]byte(a.body), &got)
	_ = json.Unmarshal([]byte(want), &wanted)
	if fmt.Sprint(got) != fmt.Sprint(wanted) {
		s.t.Errorf("got %s\nwant %s", a.body, want)
	}
}

// checkViewKeys: one fold per distinct value; what names no record is stored all the same.
func checkViewKeys(s service) {
	const a, b = "0190a1b2-3c4d-7e5f-8a6b-7c8d9e0f1a2b", "0190a1b2-3c4d-7e5f-8a6b-7c8d9e0f1a2c"
	long := strings.Repeat("é", 256)
	for _, fields := range []string{
		`"own":"x"`, `"own":"x","rows":[]`, `"own":""`, `"own":null`, `"own":"` + long + `"`, `"own":"` + long + `é"`, `"own":"a/b ?#%"`,
		`"number":-5.0`, `"number":-5`, `"number":0`,
		`"day":"2025-01-31"`, `"colour":"Dark Blue"`, `"colour":""`,
		`"rows":[{"player":"p","id":"` + a + `"},{"player":"p","id":"` + b + `"},{"id":"` + b + `"},{"player":"","id":"` + b + `"},{"player":"q","id":"` + a + `"}]`,
		`"fromId":"` + strings.ToUpper(a) + `","toId":"` + a + `"`, `"toId":"` + strings.ToUpper(b) + `"`,
	} {
		s.stored(`{"type":"Keyed","thingId":"k",` + fields + `}`)
	}
	records := func(view string) map[string]string {
		counts := map[string]string{}
		for _, item := range pages(s.t, s.base+"/"+view+"?limit=100") {
			for name, v := range item {
				if name != "count" {
					counts[name+" "+fmt.Sprint(v)] = fmt.Sprint(item["count"])
				}
			}
		}
		return counts
	}
	for view, want := range map[string]map[string]string{
		"by-own":     {"own x": "2", "own " + long: "1", "own a/b ?#%": "1"},
		"by-number":  {"number -5": "2", "number 0": "1"},
		"by-day":     {"day 2025-01-31": "1"},
		"by-colour":  {"colour Dark Blue": "1"},
		"by-player":  {"player p": "1", "player q": "1"},
		"by-account": {"account " + a: "2", "account " + b: "2"},
	} {
		eventually(s.t, func() error {
			if got := records(view); fmt.Sprint(got) != fmt.Sprint(want) {
				return fmt.Errorf("view %s: got %v, want %v", view, got, want)
			}
			return nil
		})
	}
	for path, status := range map[string]int{
		"/by-own?id=" + url.QueryEscape("a/b ?#%"): 200,
		"/by-own?id=" + url.QueryEscape(long):      200,
		"/by-own?id=" + url.QueryEscape(long+"é"):  404,
		"/by-number/-5":      200,
		"/by-day/2025-01-31": 200,
		"/by-colour?id=" + url.QueryEscape("Dark Blue"): 200,
		"/by-account/" + a: 200,
	} {
		if got := s.get(path); got.status != status {
			s.t.Errorf("GET %s: %d %s, want %d", path, got.status, got.body, status)
		}
	}
}

func checkIndexes(s service) {
	const u = "0190a1b2-3c4d-7e5f-8a6b-7c8d9e0f1a2"
	for i, fields := range []string{
		`"text":"t","timestamp":"2025-01-31T10:00:00+02:00","bool":true,"decimal":10,"uuid":"` + strings.ToUpper(u+"b") + `","date":"2025-02-01","int":5,"colour":"red"`,
		`"text":"t","timestamp":"2025-01-31T09:00:00Z","bool":true,"decimal":9.50,"uuid":"` + u + `a","date":"2025-01-31","int":6,"colour":"Dark Blue"`,
		`"text":"t","timestamp":"2025-01-31T08:00:00.000000001Z","bool":true,"decimal":-1e3,"uuid":"` + strings.ToUpper(u+"c") + `","date":"0001-12-31","int":-5,"colour":"green"`,
		`"text":"t","bool":true,"decimal":-0.5,"date":"2025-02-02","uuid":"` + u + `b"`,
		`"text":"","timestamp":"2025-01-31T09:00:00Z","bool":false,"colour":"","decimal":0,"int":5.0`,
		`"colour":"red","text":"é"`,
		`"colour":"red","text":"Z"`,
	} {
		s.stored(fmt.Sprintf(`{"type":"ValueSet","thingId":"x%d",%s}`, i, fields))
	}
	for query, want := range map[string]string{
		"text=t":                         "x0 x2 x1",
		"text=t&order=desc":              "x1 x2 x0",
		"text=":                          "",
		"colour=red":                     "x6 x0 x5",
		"colour=Dark%20Blue":             "x1",
		"colour=":                        "",
		"int=5":                          "x0 x4",
		"int=5&order=asc":                "x4 x0",
		"int=-5":                         "x2",
		"uuid=" + u + "b":                "x0 x3",
		"uuid=" + strings.ToUpper(u+"b"): "x0 x3",
		"by-uuid=true":                   "x1 x0 x3 x2",
		"by-decimal=true":                "x2 x3 x1 x0",
		"by-decimal=false":               "x4",
		"by-timestamp=true":              "x0 x2 x1",
		"by-timestamp=true&order=desc":   "x1 x2 x0",
		"by-colour=true":                 "x1 x2 x0",
		"bool=true":                      "x2 x0 x1",
		"date=2025-02-01":                "x0",
	} {
		eventually(s.t, func() error {
			var got []string
			for _, item := range pages(s.t, s.base+"/default?limit=2&"+query) {
				got = append(got, fmt.Sprint(item["thingId"]))
			}
			if got := strings.Join(slices.DeleteFunc(got, func(id string) bool { return id[0] != 'x' }), " "); got != want {
				return fmt.Errorf("?%s: got %s, want %s", query, got, want)
			}
			return nil
		})
	}
	for _, query := range []string{"int=five", "int=1.5", "bool=yes", "uuid=1", "date=2025-02-30", "colour=blue", "nothing=1", "text=t&text=u"} {
		if a := s.get("/default?" + query); a.status != http.StatusBadRequest {
			s.t.Errorf("?%s: %d %s, want 400", query, a.status, a.body)
		}
	}
}

func checkEntityKey(s service) {
	for id, want := range map[string]string{
		`"é /-1"`: "", `"` + strings.Repeat("é", 40) + `"`: "",
		`""`: "/thingId minLength, /thingId pattern", `"` + strings.Repeat("é", 41) + `"`: "/thingId maxLength", `"a_b"`: "/thingId pattern", `5`: "/thingId type", `null`: "/thingId type",
	} {
		a := s.post(`{"type":"Started","thingId":` + id + `}`)
		if got := a.violations(); got != want || (want == "") != (a.status == http.StatusCreated) {
			s.t.Errorf("%s: %d [%s], want [%s]\n%s", id, a.status, got, want, a.body)
		}
	}
	if a := s.post(`{"type":"Started"}`); a.violations() != "/thingId required" {
		s.t.Errorf("without a key: %d %s", a.status, a.body)
	}
}

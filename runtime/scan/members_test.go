package scan_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/esgen/esgen/runtime/scan"
)

// flat renders objects of lists as they are stepped through.
func flat(text string) (string, bool) {
	s := scan.Scanner{Text: text}
	out := ""
	m := s.Members()
	for m.Next() {
		out += m.Name + "="
		e := s.Elements()
		for e.Next() {
			start := s.Pos
			if !s.Skip() {
				return out, false
			}
			out += "<" + text[start:s.Pos] + ">"
		}
		if !e.Whole() {
			return out, false
		}
	}
	return out, m.Whole() && s.End()
}

func TestMembersAndElements(t *testing.T) {
	for _, c := range []struct {
		text, want string
		ok         bool
	}{
		{`{}`, "", true},
		{` { "a" : [ ] } `, "a=", true},
		{`{"a":[1, {"x":[2]} ,"]"],"\u0062":[null]}`, `a=<1><{"x":[2]}><"]">b=<null>`, true},
		{`{"a":[1,]}`, "a=<1>", false},
		{`{"a":[1 2]}`, "a=<1>", false},
		{`{"a":[1}`, "a=<1>", false},
		{`{"a":[1],}`, "a=<1>", false},
		{`{"a":[1]`, "a=<1>", false},
		{`{"a":[1],"b"`, "a=<1>", false},
		{`{,}`, "", false}, {`{`, "", false}, {``, "", false}, {`[]`, "", false}, {`{"a"}`, "", false}, {`{"a":`, "a=", false}, {`{}}`, "", false},
	} {
		if got, ok := flat(c.text); got != c.want || ok != c.ok {
			t.Errorf("%s: %q, %t; want %q, %t", c.text, got, ok, c.want, c.ok)
		}
	}
}

func FuzzMembers(f *testing.F) {
	for _, text := range []string{`{"a":[1,"x"],"b":[]}`, `{"a":[`, `{"a":[{}]]`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := flat(text)
		var v map[string][]json.RawMessage
		if json.Unmarshal([]byte(text), &v) != nil || v == nil {
			return
		}
		for name, list := range v {
			if list == nil { // null is no list to us
				return
			}
			_ = name
		}
		if !ok {
			t.Errorf("%s: not read, got %s", text, fmt.Sprintf("%.200q", got))
		}
	})
}

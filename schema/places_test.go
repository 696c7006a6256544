package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/esgen/esgen/schema"
)

// What stands where, counted in code points, and what is offered instead.
func TestPlacesAndHints(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string // code line:column-endColumn hint
	}{
		"an optional type in braces":      {with("events:\n  NoteTaken:\n    fields: {text: string, a: string?}"), []string{`quote-type 7:31-38 write "string?"`}},
		"in a mapping":                    {with("events:\n  NoteTaken: {fields: {text: {type: string?}}}"), []string{`quote-type 6:37-44 write "string?"`}},
		"a list in brackets":              {with("events:\n  NoteTaken:\n    fields: {text: [string[]]}"), []string{`quote-type 7:21-29 write "string[]"`}},
		"a path":                          {with("views: {by: {key: a, events: {NoteTaken: {key: rows[].player}}}}"), []string{`quote-type 7:48-61 write "rows[].player"`}},
		"an optional list with a comma":   {with("events:\n  NoteTaken: {fields: {a: LineItem[]?, b: list<string>?}}"), []string{`quote-type 6:27-38 write "LineItem[]?"`, `quote-type 6:43-56 write "list<string>?"`}},
		"over several lines":              {with("events:\n  NoteTaken:\n    fields: {text: string, # what?\n      b: LineItem[], c: \"string?\",\n      d: string? }"), []string{`quote-type 8:10-20 write "LineItem[]"`, `quote-type 9:10-17 write "string?"`}},
		"behind characters of four bytes": {with("events:\n  NoteTaken: {fields: {text: {type: string, description: \"𝒳😀é\"}, b: string?}}"), []string{`quote-type 6:69-76 write "string?"`}},
		"behind CRLF and a BOM":           {"\ufeff" + strings.ReplaceAll(with("events:\n  NoteTaken: {fields: {b: string?}}"), "\n", "\r\n"), []string{`quote-type 6:27-34 write "string?"`}},
		"what is wrong beside a type":     {with("events:\n  NoteTaken: {fields: {a: string?, b: x: y}}"), []string{`quote-type 6:27-34 write "string?"`, `yaml 6:40-41 *`}},
		"in block style none is needed":   {with("events:\n  NoteTaken:\n    fields:\n      text: string\n      a: string[]?"), nil},
		"an open quote":                   {with("events:\n  NoteTaken: {fields: {text: \"string}}"), []string{`yaml 6:30-31 close it, or double a ' inside '...'`}},
		"a tab":                           {with("events:\n\tNoteTaken: {}"), []string{`yaml 6:1-2 indent with blanks`}},
		"a directive":                     {"%YAML 1.2\n---\n" + minimal, []string{`yaml 1:9-10 remove the line`}},
		"a misspelt key of a view":        {with("views: {by: {key: noteid, events: [NoteTaken]}}"), []string{`view-key 7:36-45 did you mean "noteId"?`}},
		"a type from nowhere":             {with(events("a: Adress")), []string{`unknown-type 9:10-16 define it under types, or use a scalar: string, int, float, decimal, bool, timestamp, date, uuid, bytes, json`}},
		"a letter is like no other":       {with(events("a: {enum: [a, b], default: c}")), []string{`default-value 9:34-35 `}},
		"a bare number":                   {with("service: 2025"), []string{`quote-string 2:10-14 write "2025" in quotes`}},
		"a number in another base":        {with(events("a: {enum: [0x1F]}")), []string{`quote-string 9:18-22 write "0x1F" in quotes`}},
		"a bare default":                  {with(events("a: {type: string, default: 007}")), []string{`quote-string 9:34-37 write "007" in quotes`}},
		"a key that is a number":          {with(events("5: string")), []string{`quote-string 9:7-8 write "5" in quotes`}},
		"yes":                             {with(events("a: {type: string, optional: yes}")), []string{`wrong-type 9:35-38 write true, without quotes: every other word is a string`}},
		"yes as a default":                {with(events("a: {type: bool, default: no}")), []string{`default-value 9:32-34 write false, without quotes: every other word is a string`}},
		"a number with an underscore":     {with(events("a: {type: string, maxLength: 1_000}")), []string{`wrong-type 9:36-41 write 1000, as a plain number`}},
		"one state":                       {with("entity: {name: note, key: noteId, states: [open]}", "events:\n  NoteTaken: {from: none, to: open}\n  NoteRead: {from: open}"), []string{`bad-value 7:20-24 write [open], or none`}},
		"one event":                       {with("views: {all: {events: NoteTaken}}"), []string{`wrong-type 7:23-32 write [NoteTaken]`}},
		"a path without its key":          {with("views: {by: {key: text, events: {NoteTaken: text}}}"), []string{`wrong-type 7:45-49 write {key: text}`}},
		"fields that are not indented":    {with("events:\n  NoteTaken:\n  fields:\n    text: string"), []string{`bad-name 7:3-9 indent it, so that it is part of the event above`}},
		"a name in another script":        {with("service: café"), []string{`bad-name 2:10-14 such as customer-summary`}},
		"a type of Go":                    {with(events(`a: "[]string"`, `b: "map<string,int>"`, `c: "List<Foo>"`)), []string{`bad-type 9:10-20 write "string[]"`, `bad-type 10:10-27 write "map<int>"`, `bad-type 11:10-21 write "list<Foo>"`}},
		"now of a uuid":                   {with(events("a: {type: uuid, default: now}", "b: {type: date, default: new}")), []string{`default-value 9:32-35 write new for a new UUID`, `default-value 10:32-35 write now for the day of the request`}},
		"an int key needs no length":      {with(events("n: int?"), "views: {by: {key: n, events: [NoteTaken]}}"), []string{`key-value 10:31-40 make it required`}},
		"an enum key":                     {with(events(`c: {enum: [a, ""]}`), "views: {by: {key: c, events: [NoteTaken]}}"), []string{`key-value 10:31-40 take "" out of the enum`}},
		"elements as keys":                {with(events(`l: {type: "string[]", maxItems: 3}`), "views: {by: {key: l, events: {NoteTaken: {key: \"l[]\"}}}}"), []string{`key-value 10:48-53 give its elements a shared type with minLength: 1 and maxLength: 256`}},
		"an unclosed group":               {with(events(`a: {type: string, pattern: "("}`)), []string{`bad-pattern 9:34-37 `}},
	} {
		t.Run(name, func(t *testing.T) {
			_, found := schema.Load("esgen.yaml", []byte(c.text))
			var got []string
			for i, d := range found {
				text := fmt.Sprintf("%s %d:%d-%d %s", d.Code, d.Line, d.Column, d.EndColumn, d.Hint)
				if i < len(c.want) && strings.HasSuffix(c.want[i], "*") {
					text = strings.TrimSuffix(text, d.Hint) + "*"
				}
				got = append(got, text)
			}
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("got:\n%s\nwant:\n%s\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"), found)
			}
		})
	}
}

package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/esgen/esgen/schema"
)

// with puts other parts into the smallest schema: lines beginning with the
// name of a top-level key replace that key's part, all others are added.
func with(parts ...string) string {
	text := minimal
	for _, part := range parts {
		key, _, _ := strings.Cut(part, ":")
		if i := strings.Index(text, key+":"); i == 0 || i > 0 && text[i-1] == '\n' {
			end := i + len(text[i:])
			for j := i + 1; j < len(text); j++ {
				if text[j-1] == '\n' && text[j] != ' ' {
					end = j
					break
				}
			}
			text = text[:i] + part + "\n" + text[end:]
			continue
		}
		text += part + "\n"
	}
	return text
}

func events(fields ...string) string {
	return "events:\n  NoteTaken:\n    fields:\n      text: string\n      " + strings.Join(fields, "\n      ")
}

// Each case says which rules its schema breaks, in the order of the file.
func TestRules(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"the smallest":                      {minimal, ""},
		"a BOM":                             {"\ufeff" + minimal, ""},
		"lines that end as on Windows":      {strings.ReplaceAll(minimal, "\n", "\r\n"), ""},
		"words of YAML 1.1 are strings":     {with(events("a: {type: string, enum: [yes, no, on, off, y, n, 1_000, 12:30:45, 2025-01-31]}")), ""},
		"numbers in other bases":            {with(events("a: {type: int, minimum: 0o17, maximum: 0x1F, default: +16}")), ""},
		"an old octal is a decimal":         {with(events("a: {type: int, minimum: 017, maximum: 17}")), ""},
		"a count with a point":              {with(events("a: {type: string, minLength: 2.0, maxLength: 1e2}")), ""},
		"half a count":                      {with(events("a: {type: string, minLength: 2.5}")), "wrong-type"},
		"extensions everywhere":             {with("x-top: {any: [thing]}", "entity: {name: note, key: noteId, x-a: 1}", "api: {x-a: 1}", events("x-a: 1", "b: {type: string, x-a: 1}")), ""},
		"an alias":                          {with("x-f: &f {type: string, maxLength: 5}", events("a: *g")), "alias"},
		"an alias that works":               {"x-f: &f {type: string, maxLength: 5}\n" + with(events("a: *f", "b: *f")), ""},
		"fields may be empty":               {with("events:\n  NoteTaken: {fields: }\n  NoteRead:\n  NoteBurnt: {}", "views: {all: {events: [NoteTaken]}}"), ""},
		"no default view":                   {with("views: {all: {events: [NoteTaken]}}"), ""},
		"only extensions as events":         {with("events: {x-a: 1}", "views: {all: {events: [A]}}"), "empty unknown-event"},
		"types in all forms":                {with(events(`a: list<map<string>>?`, `b: string[][]?`, `c: "map<int[]>"`, `d: {type: "int[]?"}`)), ""},
		"optional inside":                   {with(events(`a: map<string?>`, `b: "string?[]"`)), "bad-type bad-type"},
		"a shared list":                     {with("types: {Tags: \"string[]\"}", events("a: Tags")), "bad-type"},
		"a shared type of a shared type":    {with("types: {A: string, B: A}", events("a: A", "b: B")), "bad-type"},
		"one wrong type is said once":       {with("types: {A: strin}", events("a: A", "b: \"A[]\"")), "unknown-type"},
		"a default of a shared type":        {with("types: {A: {type: string, default: x}}", events("a: A")), "unknown-key"},
		"now where it means the time":       {with(events("a: {type: timestamp, default: now}", "b: {type: date, default: now}", "c: {type: uuid, default: new}", "d: {type: string, default: now}")), ""},
		"now where it means nothing":        {with(events("a: {type: uuid, default: now}", "b: {type: int, default: new}")), "default-value default-value"},
		"now in a view":                     {with("views: {all: {events: [NoteTaken], fields: {at: {type: timestamp, default: now}}}}"), "default-value"},
		"a start value of a view":           {with("views: {all: {events: [NoteTaken], fields: {n: {type: int, default: many}}}}"), "default-value"},
		"a bare default":                    {with(events("a: {type: string, default: 5}", "b: {type: string, default: true}")), "quote-string quote-string"},
		"a constraint in a view":            {with("views: {all: {events: [NoteTaken], fields: {n: {type: int, minimum: 1}}}}"), "unknown-key"},
		"decimals keep their digits":        {with(events("a: {type: decimal, default: 1.500}", "b: {type: decimal, default: -0}", "c: {type: decimal, default: 12e3}")), ""},
		"too many digits":                   {with(events("a: {type: decimal, default: 123456789012345678901234567890123456789}", "b: {type: decimal, default: 1e-39}")), "default-value default-value"},
		"multiples of a tenth":              {with(events("a: {type: decimal, multipleOf: 0.1, default: 0.3}", "b: {type: decimal, multipleOf: 0.1, default: 0.35}")), "default-value"},
		"a multiple of nothing":             {with(events("a: {type: int, multipleOf: 0}")), "bad-value"},
		"bounds of type and use":            {with("types: {A: {type: int, minimum: 5}}", events("a: {type: A, maximum: 4}")), "constraint-range"},
		"an exclusive bound":                {with(events("a: {type: int, minimum: 5, exclusiveMaximum: 5}")), "constraint-range"},
		"an enum of an enum":                {with("types: {A: {enum: [a, b]}}", events("a: {type: A, enum: [a]}")), "constraint-twice"},
		"one number twice":                  {with(events("a: {type: int, enum: [1, 1.0]}", "b: {type: decimal, enum: [0.5, 5e-1]}")), "duplicate-item duplicate-item"},
		"one number twice in a default":     {with(events("a: {type: \"decimal[]\", uniqueItems: true, default: [1, 1.0]}")), "default-value"},
		"null is no json of a field":        {with(events("a: {type: json, default: null}", "b: {type: \"json[]\", default: [null]}", "c: {type: map<json>, default: {x: null}}")), "default-value"},
		"null in an enum":                   {with(events("a: {type: string, enum: [a, null]}")), "enum-value"},
		"a format":                          {with(events("a: {type: string, format: email, default: nobody}", "b: {type: string, format: phone}")), "bad-value"},
		"bytes":                             {with(events("a: {type: bytes, maxLength: 2, default: YWI=}", "b: {type: bytes, default: YWI}")), "default-value"},
		"days that are not":                 {with(events("a: {type: date, default: 2025-02-29}", "b: {type: timestamp, default: 2025-01-01t00:00:00Z}", "c: {type: timestamp, default: 2025-01-01T23:59:60Z}")), "default-value default-value default-value"},
		"a uuid in upper case":              {with(events("a: {type: uuid, default: 0190A1B2-3C4D-7E5F-8A6B-7C8D9E0F1A2B}")), ""},
		"a type that ends":                  {with("types:\n  A: {fields: {b: \"A[]\", c: \"A?\", d: map<A>}}", events("a: A")), ""},
		"a type that does not":              {with("types:\n  A: {fields: {b: {type: \"A[]\", minItems: 1}}}", events("a: A")), "cyclic-type"},
		"from without states":               {with("events:\n  NoteTaken: {from: none, to: open}"), "no-states no-states"},
		"a lifecycle":                       {with("entity: {name: note, key: noteId, states: [open, shut]}", "events:\n  NoteTaken: {from: none, to: open}\n  NoteShut: {from: [open], to: shut}\n  NoteRead:", "views: {all: {events: [NoteTaken]}}"), ""},
		"a state called none":               {with("entity: {name: note, key: noteId, states: [none]}", "events:\n  NoteTaken: {from: none, to: none}"), "reserved-name"},
		"a reserved key":                    {with("entity: {name: note, key: type}"), "reserved-name"},
		"reserved fields":                   {with(events("type: string", "eventId: string", "expectedVersion: int", "version: int", "revision: int", "time: date", "meta: json", "noteId: string")), strings.TrimSpace(strings.Repeat("reserved-name ", 8))},
		"reserved in a shared type is free": {with("types: {A: {fields: {type: string, version: int, time: date}}}", events("a: A")), ""},
		"reserved fields of a view":         {with("views: {all: {events: [NoteTaken], fields: {version: int, meta: json, noteId: string, type: string}}}"), "reserved-name reserved-name reserved-name"},
		"reserved indexes":                  {with("views: {all: {events: [NoteTaken], fields: {text: string}, indexes: {limit: {key: text}, q: {key: text}, text: {key: text}}}}"), "reserved-name reserved-name"},
		"names with an underscore":          {with(events("_a: string"), "views: {_all: {events: [NoteTaken]}}"), "reserved-name reserved-name"},
		"names in the wrong style":          {with("service: Notes", "entity: {name: Note, key: NoteId}", "views: {All: {events: [NoteTaken]}}", "consumers: {myMailer: {view: All}}"), "bad-name bad-name bad-name bad-name bad-name"},
		"a key of its own":                  {with(events("author: {type: string, minLength: 1, maxLength: 9}"), "views: {by: {key: author, events: [NoteTaken]}}"), ""},
		"a key that is the entity's":        {with("views: {by: {key: noteId, events: [NoteTaken]}}"), ""},
		"the entity's key and a field":      {with(events("to: {type: string, minLength: 1, maxLength: 9}"), "views: {by: {key: noteId, events: {NoteTaken: {key: [noteId, to]}}}}"), ""},
		"keys of two types":                 {with(events("a: uuid", "b: int"), "views: {by: {key: a, events: {NoteTaken: {key: [a, b]}}}}"), "view-key"},
		"a key that is not there":           {with("views: {by: {key: author, events: {NoteTaken: {}}}}"), "view-key"},
		"a path through a list without []":  {with("types: {A: {fields: {id: uuid}}}", events("a: {type: \"A[]\", maxItems: 9}"), "views: {by: {key: id, events: {NoteTaken: {key: a.id}}}}"), "bad-path"},
		"a path through what is no list":    {with("types: {A: {fields: {id: uuid}}}", events("a: A"), "views: {by: {key: id, events: {NoteTaken: {key: \"a[].id\"}}}}"), "bad-path"},
		"a hundred records":                 {with(events("a: {type: \"uuid[]\", maxItems: 100}"), "views: {by: {key: id, events: {NoteTaken: {key: \"a[]\"}}}}"), "fan-out"},
		"ninety-nine records":               {with(events("a: {type: \"uuid[]\", maxItems: 99}"), "views: {by: {key: id, events: {NoteTaken: {key: \"a[]\"}}}}"), ""},
		"a key that may be empty":           {with("views: {by: {key: text, events: [NoteTaken]}}"), "key-value"},
		"a key that a pattern bounds":       {with(events("iban: {type: string, pattern: \"^[A-Z]{2}[0-9]{2,30}$\"}"), "views: {by: {key: iban, events: [NoteTaken]}}"), ""},
		"a key that a pattern leaves open":  {with(events("iban: {type: string, pattern: \"^[A-Z]+$\"}"), "views: {by: {key: iban, events: [NoteTaken]}}"), "key-value"},
		"a key whose pattern is not bound":  {with(events("iban: {type: string, pattern: \"[A-Z]\"}"), "views: {by: {key: iban, events: [NoteTaken]}}"), "key-value"},
		"an audience of two":                {with("api: {auth: {jwt: {issuer: \"https://a.example\", audience: [a, b]}}}"), ""},
		"everything without a gateway":      {with("api: {gateway: none, auth: iam, throttle: {rate: 1, burst: 1}, cors: {origins: [\"*\"]}}"), "gateway-none gateway-none gateway-none"},
		"an account without quotes":         {with("pipeline: {github: {owner: a, repo: b}, stages: [{name: prod, account: 123456789012}]}"), "quote-string"},
		"two stages of one name":            {with("pipeline: {github: {owner: a, repo: b}, stages: [{name: prod}, {name: prod}]}"), "duplicate-item"},
		"a module that is no path":          {with("module: /a"), "module-path"},
		"module v1":                         {with("module: example.com/a/v1"), "module-path"},
		"module v2":                         {with("module: example.com/internal/a/v2"), ""},
		"initialisms":                       {with(events("userId: string", "userID: string")), "name-collision"},
		"a field called like the key in Go": {with(events("noteID: string")), "name-collision"},
		"names from hell":                   {with("events:\n  SelfTest: {fields: {type2: string, func: string, range: int, string: string, eventType: string, decode: int, load: int}}\n  DeviceWindows:\n  Error:\n  Linux:\n  Init:", "views: {func: {events: [SelfTest]}, internal: {events: [Init]}, main: {events: [Error]}, fmt: {events: [Linux]}}"), ""},
		"events called like functions":      {with("events: {Types: {}, Key: {}, States: {}}", "views: {all: {events: [Types]}}"), "name-collision name-collision name-collision"},
		"an x- view":                        {with("views: {all: {events: [NoteTaken]}, x-ray: {events: [NoteTaken]}}"), "ignored-name"},
		"all of a stage together":           {with("service: Notes", "api: {gateway: grpc}", "colour: red"), "bad-name bad-value unknown-key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, found := schema.Load("esgen.yaml", []byte(c.text))
			var got []string
			for _, d := range found {
				got = append(got, d.Code)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %v, want [%s]\n%s\n%s", got, c.want, found, c.text)
			}
		})
	}
}

func TestDefaultsAreCanonical(t *testing.T) {
	service, found := schema.Load("esgen.yaml", []byte(with(
		"types: {Item: {fields: {sku: string, note: \"string?\"}}}",
		events("a: {type: decimal, default: 1.500}", "b: {type: decimal, default: -0.0}", "c: {type: decimal, default: 12e3}", "d: {type: int, default: 2.0}",
			"e: {type: uuid, default: 0190A1B2-3C4D-7E5F-8A6B-7C8D9E0F1A2B}", "f: {type: \"Item[]\", default: [{note: null, sku: a}]}",
			"g: {type: json, default: {b: [1, null], a: 1.50}}", "h: {type: map<int>, default: {b: 1, a: 0x10}}"))))
	if service == nil {
		t.Fatal(found)
	}
	want := map[string]string{
		"a": "1.500", "b": "0.0", "c": "12000", "d": "2", "e": `"0190a1b2-3c4d-7e5f-8a6b-7c8d9e0f1a2b"`,
		"f": `[{"sku":"a"}]`, "g": `{"a":1.50,"b":[1,null]}`, "h": `{"a":16,"b":1}`,
	}
	for _, f := range service.Events[0].Fields {
		if f.Default != nil && f.Default.Literal != want[f.Name] {
			t.Errorf("%s: got %s, want %s", f.Name, f.Default.Literal, want[f.Name])
		}
	}
}

func TestViewKeys(t *testing.T) {
	service, found := schema.Load("esgen.yaml", []byte(with(
		"types: {Standing: {fields: {playerId: uuid}}}",
		events("standings: {type: \"Standing[]\", maxItems: 9}", "fromId: uuid", "toId: uuid", "playerId: uuid"),
		"views:\n  entity: {key: noteId, events: {NoteTaken: {key: noteId}}}\n  own: {key: playerId, events: {NoteTaken: {}}}\n"+
			"  fan: {key: playerId, events: {NoteTaken: {key: \"standings[].playerId\"}}}\n  two: {key: playerId, events: {NoteTaken: {key: [fromId, toId]}}}\n"+
			"  both: {events: {NoteTaken: {key: noteId}}}")))
	if service == nil {
		t.Fatal(found)
	}
	want := []string{"entity noteId true []", "own playerId false [playerId]", "fan playerId false [standings[].playerId]", "two playerId false [fromId toId]", "both noteId true []"}
	for i, v := range service.Views {
		var paths []string
		for _, p := range v.Events[0].Keys {
			paths = append(paths, p.Text)
		}
		if got := fmt.Sprintf("%s %s %t %v", v.Name, v.Key, v.KeyedByEntity, paths); got != want[i] {
			t.Errorf("got %s, want %s", got, want[i])
		}
	}
	fan := service.Views[2].Events[0].Keys[0].Steps
	if len(fan) != 2 || !fan[0].Each || fan[1].Each || fan[1].Field.Name != "playerId" {
		t.Errorf("the steps of standings[].playerId are %+v", fan)
	}
}

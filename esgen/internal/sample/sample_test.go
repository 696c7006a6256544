package sample_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/esgen/esgen/esgen/internal/sample"
	"github.com/esgen/esgen/schema"
)

const hard = `
esgen: 1
service: hard
module: example.com/hard
entity: {name: thing, key: {name: thingId, pattern: "^T-[0-9]{4}$"}, states: [new, open, closed]}
types:
  Color: {enum: [red, green]}
  Line: {fields: {sku: {type: string, pattern: "^[A-Z]{3}-[0-9]+$"}, n: {type: int, minimum: 5}}}
events:
  Closed: {from: [open], to: closed}
  Opened:
    from: [new]
    to: open
    fields:
      code: {type: string, pattern: "^(ab|cd)+[xyz]$", minLength: 6, maxLength: 7}
      exact: {type: string, minLength: 40}
      few: {type: string, maxLength: 2}
      mail: {type: string, format: email}
      site: {type: string, format: uri}
      host: {type: string, format: hostname}
      four: {type: string, format: ipv4}
      six: {type: string, format: ipv6}
      odd: {type: int, minimum: 10, maximum: 20, multipleOf: 7}
      tiny: {type: decimal, exclusiveMinimum: 0, maximum: 0.5}
      below: {type: decimal, exclusiveMaximum: -3}
      ratio: {type: float, minimum: 0.25, maximum: 0.75}
      colors: {type: "Color[]", minItems: 2, uniqueItems: true}
      lines: {type: "Line[]", minItems: 3}
      tags: {type: map<string>, minProperties: 2}
      raw: {type: bytes, minLength: 3, maxLength: 5}
      any: json
      id: uuid
      day: date
      at: timestamp
      picked: {type: int, enum: [7, 8]}
      shown: {type: string, examples: [as shown]}
      absent: "string?"
  Made: {from: none, to: new}
  Noted: {fields: {text: string}}
views:
  default: {events: [Made, Opened, Closed, Noted]}
`

// Each event is one that its own JSON Schema takes, and that the lifecycle takes in this order.
func TestEventsAreValidInTheirOrder(t *testing.T) {
	texts := map[string][]byte{"hard": []byte(hard)}
	files, _ := filepath.Glob("../../../testdata/services/*/esgen.yaml")
	more, _ := filepath.Glob("../../../testdata/schemas/good/*.yaml")
	for _, name := range append(files, more...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = text
	}
	for name, text := range texts {
		t.Run(filepath.Base(filepath.Dir(name))+filepath.Base(name), func(t *testing.T) {
			s, found := schema.Load(name, text)
			if s == nil {
				t.Fatal(found)
			}
			events, missing := sample.Events(s)
			if len(missing) > 0 {
				t.Errorf("no example for %v", missing)
			}
			checkEvents(t, s, events)
		})
	}
}

func checkEvents(t *testing.T, s *schema.Service, events []sample.Event) {
	states := map[string]string{}
	seen := map[string]bool{}
	for _, e := range events {
		var body map[string]any
		d := json.NewDecoder(bytes.NewReader(e.Body))
		d.UseNumber()
		if err := d.Decode(&body); err != nil {
			t.Fatalf("%s: %v", e.Body, err)
		}
		for _, x := range s.Events {
			if x.Name != e.Type {
				continue
			}
			state, exists := states[e.Entity]
			if err := fits(s, x, state, exists); err != nil {
				t.Errorf("%s: %v", e.Body, err)
			}
			if x.To != "" {
				state = x.To
			}
			states[e.Entity] = state
			if err := validate(s, x, body); err != nil {
				t.Errorf("%s\n%v", e.Body, err)
			}
		}
		if e.Again != seen[e.Type] {
			t.Errorf("%s: again is %v", e.Type, e.Again)
		}
		seen[e.Type] = true
	}
	for _, x := range s.Events {
		if !seen[x.Name] {
			t.Errorf("no %s among the events", x.Name)
		}
	}
}

func fits(s *schema.Service, e *schema.Event, state string, exists bool) error {
	if len(s.Entity.States) == 0 {
		return nil
	}
	ok := e.FromNone && !exists
	if exists && !e.FromNone {
		ok = e.From == nil
		for _, from := range e.From {
			ok = ok || from == state
		}
	}
	if !ok {
		return fmt.Errorf("%s does not fit the state %q", e.Name, state)
	}
	return nil
}

func validate(s *schema.Service, e *schema.Event, body any) error {
	c := jsonschema.NewCompiler()
	c.Draft = jsonschema.Draft2020
	c.AssertFormat = true
	text := s.EventSchema(e)
	if err := c.AddResource("event.json", bytes.NewReader(text)); err != nil {
		return err
	}
	compiled, err := c.Compile("event.json")
	if err != nil {
		return err
	}
	return compiled.Validate(body)
}

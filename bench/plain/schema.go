package plain

import (
	"encoding/json"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// Compile compiles the schema of the request's body.
func Compile() (*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.Draft, c.AssertFormat = jsonschema.Draft2020, true
	if err := c.AddResource("order.json", strings.NewReader(Schema)); err != nil {
		return nil, err
	}
	return c.Compile("order.json")
}

// Validate checks a body by a schema.
func Validate(schema *jsonschema.Schema, body string) error {
	d := json.NewDecoder(strings.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return err
	}
	return schema.Validate(v)
}

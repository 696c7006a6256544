package assembly

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// template is a CloudFormation template. Rules are left out: the one that CDK writes asks for
// the bootstrap stack, which nothing here needs.
type template struct {
	Parameters map[string]struct {
		Default value `json:"Default"`
	} `json:"Parameters"`
	Mappings   map[string]map[string]map[string]value `json:"Mappings"`
	Conditions map[string]value                       `json:"Conditions"`
	Resources  map[string]rawResource                 `json:"Resources"`
	Outputs    map[string]rawOutput                   `json:"Outputs"`
	Transform  value                                  `json:"Transform"`
}

type rawResource struct {
	Type           string           `json:"Type"`
	Properties     map[string]value `json:"Properties"`
	DependsOn      value            `json:"DependsOn"`
	Condition      string           `json:"Condition"`
	DeletionPolicy string           `json:"DeletionPolicy"`
	Metadata       map[string]value `json:"Metadata"`
}

type rawOutput struct {
	Value     value  `json:"Value"`
	Condition string `json:"Condition"`
	Export    struct {
		Name value `json:"Name"`
	} `json:"Export"`
}

// value is a JSON value of a template as encoding/json decodes it, with numbers as they are
// written: map[string]any, []any, string, json.Number, bool, nil.
type value struct{ any }

func (v *value) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(&v.any)
}

// dependsOn is the logical ids in a DependsOn, which may be one or a list.
func (r *rawResource) dependsOn() ([]string, error) {
	switch d := r.DependsOn.any.(type) {
	case nil:
		return nil, nil
	case string:
		return []string{d}, nil
	case []any:
		var ids []string
		for _, id := range d {
			s, ok := id.(string)
			if !ok {
				return nil, fmt.Errorf("DependsOn holds %s, not a logical id", kind(id))
			}
			ids = append(ids, s)
		}
		return ids, nil
	}
	return nil, fmt.Errorf("DependsOn is %s, not a logical id", kind(r.DependsOn.any))
}

// kind names what a value is, for messages: values themselves may be secrets.
func kind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case []any:
		return "a list"
	}
	return "an object"
}

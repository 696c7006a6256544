package schema_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"
	"gopkg.in/yaml.v3"

	"github.com/esgen/esgen/schema"
)

// These tests tie the editor schema and the model: full.yaml and rest.yaml use every
// key that the editor schema has; each key, taken away, changes what Load gives; and
// every field of the model gets a value from it.

func TestEditorSchemaIsAJSONSchema(t *testing.T) {
	c := jsonschema.NewCompiler()
	if err := c.AddResource("editor", strings.NewReader(string(schema.EditorSchema()))); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Compile("editor"); err != nil {
		t.Fatal(err)
	}
	var document any
	if err := json.Unmarshal(schema.EditorSchema(), &document); err != nil {
		t.Fatal(err)
	}
	meta := jsonschema.MustCompile("http://json-schema.org/draft-07/schema")
	if err := meta.Validate(document); err != nil {
		t.Errorf("%#v", err)
	}
}

func TestEveryKeyReachesTheModel(t *testing.T) {
	var editor map[string]any
	if err := json.Unmarshal(schema.EditorSchema(), &editor); err != nil {
		t.Fatal(err)
	}
	w := keyWalker{defs: editor["definitions"].(map[string]any), want: map[string]bool{}, used: map[string]bool{}}
	w.collect("service", editor)
	for _, name := range []string{"full.yaml", "rest.yaml"} {
		text, err := os.ReadFile(filepath.Join(schemas, "good", name))
		if err != nil {
			t.Fatal(err)
		}
		whole := modelText(load(t, string(text)))
		var doc yaml.Node
		if err := yaml.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		w.visit = func(key string, mapping *yaml.Node, i int) {
			kept := mapping.Content
			mapping.Content = append(slices.Clone(kept[:i]), kept[i+2:]...)
			without, err := yaml.Marshal(&doc)
			mapping.Content = kept
			if err != nil {
				t.Fatal(err)
			}
			if service, _ := schema.Load(name, without); service == nil || modelText(service) != whole {
				w.used[key] = true
			}
		}
		w.walk("service", editor, doc.Content[0])
	}
	for key := range w.want {
		if !w.used[key] {
			t.Errorf("no file has the key %s, or Load takes no notice of it", key)
		}
	}
}

func load(t *testing.T, text string) *schema.Service {
	t.Helper()
	service, found := schema.Load("full.yaml", []byte(text))
	if service == nil {
		t.Fatalf("does not load:\n%s", found)
	}
	return service
}

// keyWalker goes through editor schema and file at once. A key is named by the
// definition that it is in: "field.minLength".
type keyWalker struct {
	defs       map[string]any
	want, used map[string]bool
	visit      func(key string, mapping *yaml.Node, i int)
}

func (w *keyWalker) resolve(name string, s map[string]any) (string, map[string]any) {
	if ref, ok := s["$ref"].(string); ok {
		name = strings.TrimPrefix(ref, "#/definitions/")
		return name, w.defs[name].(map[string]any)
	}
	return name, s
}

func (w *keyWalker) collect(name string, s map[string]any) {
	properties := func(name string, s map[string]any) {
		members, _ := s["properties"].(map[string]any)
		for key := range members {
			w.want[name+"."+key] = true
		}
	}
	properties(name, s)
	for name, def := range w.defs {
		properties(name, def.(map[string]any))
	}
}

func (w *keyWalker) walk(name string, s map[string]any, n *yaml.Node) {
	name, s = w.resolve(name, s)
	switch n.Kind {
	case yaml.SequenceNode:
		if items, ok := s["items"].(map[string]any); ok {
			for _, item := range n.Content {
				w.walk(name+"[]", items, item)
			}
		}
	case yaml.MappingNode:
		members, _ := s["properties"].(map[string]any)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if member, ok := members[key].(map[string]any); ok {
				w.visit(name+"."+key, n, i)
				w.walk(name+"."+key, member, n.Content[i+1])
				continue
			}
			patterns, _ := s["patternProperties"].(map[string]any) // none in a literal
			for pattern, values := range patterns {
				if values, ok := values.(map[string]any); ok && pattern != "^x-" {
					w.walk(name+".*", values, n.Content[i+1])
				}
			}
		}
	}
}

func TestEveryFieldOfTheModelIsReached(t *testing.T) {
	text, err := os.ReadFile(schemas + "/good/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	set := map[string]bool{}
	walkModel(reflect.ValueOf(load(t, string(text))), map[uintptr]bool{}, set, &strings.Builder{})
	var missing []string
	for name, reached := range set {
		if !reached {
			missing = append(missing, name)
		}
	}
	sort.Strings(missing)
	if len(missing) > 0 {
		t.Errorf("full.yaml gives these fields of the model no value: %s", strings.Join(missing, ", "))
	}
}

// modelText writes a model so that two can be compared; what was written before is not followed again.
func modelText(s *schema.Service) string {
	var b strings.Builder
	walkModel(reflect.ValueOf(s), map[uintptr]bool{}, map[string]bool{}, &b)
	return b.String()
}

// walkModel notes for each field of each struct whether it has a value anywhere.
func walkModel(v reflect.Value, seen map[uintptr]bool, set map[string]bool, out *strings.Builder) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || seen[v.Pointer()] {
			fmt.Fprintf(out, "(%t)", v.IsNil())
			return
		}
		seen[v.Pointer()] = true
		walkModel(v.Elem(), seen, set, out)
	case reflect.Slice:
		for i := range v.Len() {
			walkModel(v.Index(i), seen, set, out)
			out.WriteByte(';')
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name := v.Type().Name() + "." + v.Type().Field(i).Name
			set[name] = set[name] || !v.Field(i).IsZero()
			fmt.Fprintf(out, "%s=", name)
			walkModel(v.Field(i), seen, set, out)
			out.WriteByte('\n')
		}
	default:
		fmt.Fprint(out, v.Interface())
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// stage is what one deployment of a service consists of: the resources of both its stacks. Logical
// ids of the stack with the data have "data/" in front.
type stage struct {
	resources map[string]resource
	outputs   map[string]any // of the stack with the functions
	dataOut   map[string]any
	dataStack string
}

// resource is a resource of a template as it stands there.
type resource struct {
	Type                                string
	Properties                          map[string]any
	DependsOn                           any
	DeletionPolicy, UpdateReplacePolicy string
}

type templateFile struct {
	Resources map[string]resource
	Outputs   map[string]struct{ Value any }
}

// stageOf reads the stacks of a stage from an assembly, by the names of their stacks.
func stageOf(t testing.TB, assembly, service, name string) *stage {
	t.Helper()
	stack := service + "-" + name
	main, data := templateOf(t, assembly, stack), templateOf(t, assembly, stack+"-data")
	s := &stage{resources: main.Resources, outputs: map[string]any{}, dataOut: map[string]any{}, dataStack: stack + "-data"}
	for id, r := range data.Resources {
		r.Properties, _ = prefixed(r.Properties).(map[string]any)
		s.resources["data/"+id] = r
	}
	for id, o := range main.Outputs {
		s.outputs[id] = o.Value
	}
	for id, o := range data.Outputs {
		s.dataOut[id] = prefixed(o.Value)
	}
	return s
}

func templateOf(t testing.TB, assembly, stack string) templateFile {
	t.Helper()
	var template templateFile
	readInto(t, templatesOf(t, assembly)[stack], &template)
	return template
}

// templatesOf are the files of an assembly's templates, by the names of the stacks.
func templatesOf(t testing.TB, assembly string) map[string]string {
	t.Helper()
	var manifest struct {
		Artifacts map[string]struct {
			Type       string
			Properties struct{ StackName, TemplateFile string }
		}
	}
	readInto(t, filepath.Join(assembly, "manifest.json"), &manifest)
	files := map[string]string{}
	for id, a := range manifest.Artifacts {
		if a.Type != "aws:cloudformation:stack" {
			continue
		}
		name := a.Properties.StackName
		if name == "" {
			name = id
		}
		files[name] = filepath.Join(assembly, a.Properties.TemplateFile)
	}
	return files
}

// pipelineStage is the assembly of a stage that a pipeline deploys.
func pipelineStage(assembly, service, stage string) string {
	return filepath.Join(assembly, "assembly-"+service+"-pipeline-"+stage)
}

func readInto(t testing.TB, file string, to any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// prefixed puts "data/" in front of all that is referred to within the stack with the data.
func prefixed(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = prefixed(v[i])
		}
	case map[string]any:
		if id, ok := v["Ref"].(string); ok && !strings.HasPrefix(id, "AWS::") {
			return map[string]any{"Ref": "data/" + id}
		}
		if attribute, ok := v["Fn::GetAtt"].([]any); ok {
			return map[string]any{"Fn::GetAtt": []any{"data/" + text(attribute[0]), attribute[1]}}
		}
		for k := range v {
			v[k] = prefixed(v[k])
		}
	}
	return v
}

// text spells a value, references as ${Id} and ${Id.Attribute}. It panics on what no template of
// ours has.
func (s *stage) text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case map[string]any:
		for name, argument := range v {
			return s.call(name, argument)
		}
	case []any:
		panic(fmt.Sprintf("a list where a text is wanted: %v", v))
	}
	return fmt.Sprint(v)
}

func (s *stage) call(name string, argument any) string {
	switch name {
	case "Ref":
		return "${" + text(argument) + "}"
	case "Fn::GetAtt":
		a := argument.([]any)
		return "${" + text(a[0]) + "." + text(a[1]) + "}"
	case "Fn::Sub":
		return text(argument)
	case "Fn::Join":
		a := argument.([]any)
		var parts []string
		for _, part := range a[1].([]any) {
			parts = append(parts, s.text(part))
		}
		return strings.Join(parts, text(a[0]))
	case "Fn::GetStackOutput":
		a := argument.(map[string]any)
		if stack := text(a["StackName"]); stack != s.dataStack {
			panic("a reference to the stack " + stack)
		}
		value, ok := s.dataOut[text(a["OutputName"])]
		if !ok {
			panic("there is no output " + text(a["OutputName"]))
		}
		return s.text(value)
	}
	panic("the intrinsic function " + name)
}

// texts spells a text or a list of them.
func (s *stage) texts(v any) []string {
	list, ok := v.([]any)
	if !ok {
		if v == nil {
			return nil
		}
		return []string{s.text(v)}
	}
	var all []string
	for _, item := range list {
		all = append(all, s.text(item))
	}
	return all
}

// of lists the logical ids of the resources of a type, sorted.
func (s *stage) of(kind string) []string {
	var ids []string
	for id, r := range s.resources {
		if r.Type == kind {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// at follows names through mappings and lists of one.
func at(v any, names ...string) any {
	for _, name := range names {
		if list, ok := v.([]any); ok && len(list) == 1 {
			v = list[0]
		}
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

// property spells a property.
func (s *stage) property(id string, names ...string) string {
	return s.text(at(s.resources[id].Properties, names...))
}

// operations is the output that the operations of esgen read.
type operations struct {
	Service, Stage, Events, Progress, Views, GivenUp string
	Functions, DeadLetters                           map[string]string
}

func (s *stage) operations(t testing.TB) operations {
	t.Helper()
	var o operations
	if err := json.Unmarshal([]byte(s.text(s.outputs["Operations"])), &o); err != nil {
		t.Fatalf("the output Operations: %v", err)
	}
	return o
}

// functions are the logical ids of the functions, by the names of their programs.
func (s *stage) functions(t testing.TB) map[string]string {
	t.Helper()
	ids := map[string]string{}
	for name, ref := range s.operations(t).Functions {
		ids[name] = referred(ref)
	}
	return ids
}

// referred is the logical id in ${Id} or ${Id.Attribute}.
func referred(reference string) string {
	id, _, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(reference, "${"), "}"), ".")
	return id
}

// viewTables are the references to the tables of ESGEN_VIEWS, by "view.revision".
func viewTables(names string) map[string]string {
	tables := map[string]string{}
	for word := range strings.FieldsSeq(names) {
		view, name, _ := strings.Cut(word, "=")
		tables[view] = referred(name)
	}
	return tables
}

// permission is that an action is allowed on a resource.
type permission struct{ action, resource string }

// permissions are what the role of a function is allowed. Managed policies are none of ours.
func (s *stage) permissions(t testing.TB, function string) []permission {
	t.Helper()
	return s.permissionsOf(t, referred(s.property(function, "Role")))
}

func (s *stage) permissionsOf(t testing.TB, role string) []permission {
	t.Helper()
	if s.resources[role].Type != "AWS::IAM::Role" {
		t.Fatalf("the role %q is none", role)
	}
	if p := s.resources[role].Properties; p["ManagedPolicyArns"] != nil || p["Policies"] != nil {
		t.Errorf("%s has policies beside its own: %v", role, p)
	}
	var all []permission
	for _, id := range s.of("AWS::IAM::Policy") {
		if !slices.Contains(s.texts(s.resources[id].Properties["Roles"]), "${"+role+"}") {
			continue
		}
		for _, statement := range statements(s.resources[id]) {
			for _, action := range s.texts(statement["Action"]) {
				for _, resource := range s.texts(statement["Resource"]) {
					all = append(all, permission{action, resource})
				}
			}
		}
	}
	return all
}

func statements(r resource) []map[string]any {
	var all []map[string]any
	list, _ := at(r.Properties, "PolicyDocument", "Statement").([]any)
	for _, item := range list {
		all = append(all, item.(map[string]any))
	}
	return all
}

// environment spells the variables of a function.
func (s *stage) environment(function string) map[string]string {
	variables, _ := at(s.resources[function].Properties, "Environment", "Variables").(map[string]any)
	env := map[string]string{}
	for name, value := range variables {
		env[name] = s.text(value)
	}
	return env
}

func (s *stage) dependsOn(id string) []string {
	switch v := s.resources[id].DependsOn.(type) {
	case string:
		return []string{v}
	case []any:
		return s.texts(v)
	}
	return nil
}

// after reports whether a resource is made after another: by what it depends on and refers to.
func (s *stage) after(id, other string) bool {
	seen := map[string]bool{}
	var leads func(from string) bool
	leads = func(from string) bool {
		if from == other {
			return true
		}
		if seen[from] {
			return false
		}
		seen[from] = true
		return slices.ContainsFunc(slices.Concat(s.dependsOn(from), references(s.resources[from].Properties)), leads)
	}
	return leads(id)
}

func references(v any) []string {
	var ids []string
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			ids = append(ids, references(item)...)
		}
	case map[string]any:
		if id, ok := v["Ref"].(string); ok {
			return []string{id}
		}
		if attribute, ok := v["Fn::GetAtt"].([]any); ok {
			return []string{text(attribute[0])}
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			ids = append(ids, references(v[name])...)
		}
	}
	return ids
}

package assembly_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/esgen/esgen/esgen/internal/assembly"
)

// write makes an assembly of stacks: name -> template. A stack depends on all that are given
// before it.
func write(t *testing.T, templates ...[2]string) string {
	t.Helper()
	dir := t.TempDir()
	artifacts := map[string]any{}
	var before []string
	for _, s := range templates {
		name, text := s[0], s[1]
		artifacts[name+".assets"] = map[string]any{"type": "cdk:asset-manifest", "properties": map[string]any{"file": name + ".assets.json"}}
		artifacts[name] = map[string]any{
			"type": "aws:cloudformation:stack", "environment": "aws://unknown-account/unknown-region",
			"properties":   map[string]any{"templateFile": name + ".template.json"},
			"dependencies": append([]string{name + ".assets"}, before...),
			"metadata":     map[string]any{"/" + name + "/Old": []any{map[string]any{"type": "aws:cdk:logicalId", "data": "Old"}}},
		}
		put(t, filepath.Join(dir, name+".template.json"), text)
		put(t, filepath.Join(dir, name+".assets.json"), `{"files":{"abc":{"source":{"path":"asset.abc","packaging":"zip"},"destinations":{"here":{"objectKey":"abc.zip"}}},
			"out":{"source":{"path":"../elsewhere"},"destinations":{"here":{"objectKey":"out.zip"}}},"gone":{"source":{"path":"asset.gone"},"destinations":{"here":{"objectKey":"gone.zip"}}}}}`)
		before = append(before, name)
	}
	text, err := json.Marshal(map[string]any{"version": "54.0.0", "artifacts": artifacts})
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "manifest.json"), string(text))
	return dir
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func deploy(t *testing.T, stacks []string, templates ...[2]string) (*assembly.Deployment, error) {
	t.Helper()
	a, err := assembly.Read(write(t, templates...))
	if err != nil {
		return nil, err
	}
	return a.Deploy(assembly.Options{Stacks: stacks, Region: "eu-north-1", Account: "123456789012"})
}

// one is a stack with one resource whose properties are given.
func one(properties, rest string) [2]string {
	return [2]string{"one", `{"Resources":{"Thing":{"Type":"A::B::C","Properties":` + properties + `},"Other":{"Type":"A::B::D"}}` + rest + `}`}
}

func TestIntrinsicsResolve(t *testing.T) {
	const rest = `,
		"Parameters":{"Size":{"Type":"Number","Default":7},"None":{"Type":"String"}},
		"Mappings":{"M":{"eu-north-1":{"k":"mapped"}}},
		"Conditions":{"Yes":{"Fn::Equals":[{"Ref":"AWS::Region"},"eu-north-1"]},"No":{"Fn::Not":[{"Condition":"Yes"}]},
			"Both":{"Fn::And":[{"Condition":"Yes"},{"Condition":"No"}]},"Either":{"Fn::Or":[{"Condition":"No"},{"Condition":"Yes"}]}}`
	for value, want := range map[string]string{
		`{"Ref":"Other"}`:                                                                      `"physical"`,
		`{"Ref":"AWS::Region"}`:                                                                `"eu-north-1"`,
		`{"Ref":"AWS::AccountId"}`:                                                             `"123456789012"`,
		`{"Ref":"AWS::StackName"}`:                                                             `"one"`,
		`{"Ref":"Size"}`:                                                                       `"7"`,
		`{"Fn::GetAtt":["Other","Arn"]}`:                                                       `"arn:1"`,
		`{"Fn::GetAtt":"Other.Deep.Name"}`:                                                     `"deep"`,
		`{"Fn::Join":["-",["a",{"Ref":"Other"},1,true]]}`:                                      `"a-physical-1-true"`,
		`{"Fn::Join":["",{"Fn::Split":["|","a|b"]}]}`:                                          `"ab"`,
		`{"Fn::Sub":"${AWS::Partition}:${Other}:${Other.Arn}:${!kept}"}`:                       `"aws:physical:arn:1:${kept}"`,
		`{"Fn::Sub":["${x}-${Other}",{"x":{"Ref":"Size"}}]}`:                                   `"7-physical"`,
		`{"Fn::Select":["1",{"Fn::Split":[":",{"Fn::GetAtt":["Other","Arn"]}]}]}`:              `"1"`,
		`{"Fn::Select":[0,["x","y"]]}`:                                                         `"x"`,
		`{"Fn::FindInMap":["M",{"Ref":"AWS::Region"},"k"]}`:                                    `"mapped"`,
		`{"Fn::If":["Either","yes","no"]}`:                                                     `"yes"`,
		`{"Fn::If":["Both","yes",{"Ref":"AWS::NoValue"}]}`:                                     `null`,
		`["a",{"Ref":"AWS::NoValue"},{"b":{"Ref":"AWS::NoValue"},"c":1.50}]`:                   `["a",{"c":1.50}]`,
		`{"Fn::GetStackOutput":{"StackName":"zero","OutputName":"Out"}}`:                       `"zero's"`,
		`{"Fn::ImportValue":"zero:Out"}`:                                                       `"zero's"`,
		`{"Condition":{"StringEquals":{"a":"b"}}}`:                                             `{"Condition":{"StringEquals":{"a":"b"}}}`,
		`{"Fn::Select":["1",{"Fn::Split":["||",{"Fn::ImportValue":{"Fn::Sub":"zero:Out"}}]}]}`: ``,
		`{"Ref":"Nobody"}`:                                                                     ``,
		`{"Ref":"None"}`:                                                                       ``,
		`{"Fn::GetAtt":["Other","Unknown"]}`:                                                   ``,
		`{"Fn::Base64":"x"}`:                                                                   ``,
		`{"Fn::Join":["",["a",{"x":1}]]}`:                                                      ``,
		`{"Fn::Join":["",5]}`:                                                                  ``,
		`{"Fn::If":["Maybe",1,2]}`:                                                             ``,
		`{"Fn::ImportValue":"of-nobody"}`:                                                      ``,
		`{"Fn::Sub":"${open"}`:                                                                 ``,
		`{"Fn::Select":["-1",["x"]]}`:                                                          ``,
	} {
		d, err := deploy(t, nil, [2]string{"zero", `{"Outputs":{"Out":{"Value":"zero's","Export":{"Name":"zero:Out"}}}}`}, one(`{"P":`+value+`}`, rest))
		if err != nil {
			t.Fatalf("%s: %v", value, err)
		}
		d.Find("one", "Other").Created("physical", map[string]any{"Arn": "arn:1", "Deep.Name": "deep"})
		r := d.Read(d.Find("one", "Thing"))
		if want == "" {
			if r != nil || d.Err() == nil {
				t.Errorf("%s is no error", value)
			}
			continue
		}
		if r == nil {
			t.Errorf("%s: %v", value, d.Err())
			continue
		}
		wantText := want
		if json.Unmarshal([]byte(want), &wantText) != nil || want == "null" {
			wantText = strings.TrimSuffix(want, "null")
		}
		if got := string(r.JSON("P")); got != wantText {
			t.Errorf("%s gives %s, not %s", value, got, wantText)
		}
	}
}

func TestResourcesComeAfterWhatTheyReferTo(t *testing.T) {
	d, err := deploy(t, []string{"main"},
		[2]string{"data", `{"Resources":{"Table":{"Type":"T"}},"Outputs":{"O":{"Value":{"Fn::GetAtt":["Table","Arn"]},"Export":{"Name":"data:O"}}}}`},
		[2]string{"main", `{"Conditions":{"Never":{"Fn::Equals":["a","b"]}},"Resources":{
			"A":{"Type":"T","DependsOn":["Z"],"Properties":{"x":{"Fn::Sub":"${M.Arn}"}}},
			"M":{"Type":"T","Properties":{"x":[{"y":{"Fn::ImportValue":"data:O"}}]}},
			"Z":{"Type":"T","DependsOn":"M"},
			"Left":{"Type":"T","Condition":"Never"},
			"CDKMetadata":{"Type":"AWS::CDK::Metadata"}}}`},
		[2]string{"pipeline", `{"Resources":{"P":{"Type":"T"}}}`})
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, r := range d.Resources() {
		order = append(order, r.Stack.Name+"."+r.LogicalID)
	}
	if got := strings.Join(order, " "); got != "data.Table main.M main.Z main.A" {
		t.Errorf("the order is %s", got)
	}
}

func TestHostileAssemblies(t *testing.T) {
	deep := strings.Repeat(`[`, 200) + strings.Repeat(`]`, 200)
	growing := `"Outputs":{"O0":{"Value":"","Export":{"Name":"e0"}}`
	for i := range 16 {
		again := fmt.Sprintf(`{"Fn::ImportValue":"e%d"}`, i)
		growing += fmt.Sprintf(`,"O%d":{"Value":{"Fn::Join":["",[%s,%s,%s]]},"Export":{"Name":"e%d"}}`, i+1, again, again, again, i+1)
	}
	for want, template := range map[string]string{
		"in a circle: A → B → A":   `{"Resources":{"A":{"Type":"T","DependsOn":"B"},"B":{"Type":"T","Properties":{"x":{"Ref":"A"}}}}}`,
		"circle: Self → Self":      `{"Resources":{"Self":{"Type":"T","Properties":{"x":{"Fn::GetAtt":["Self","Arn"]}}}}}`,
		"nested deeper":            `{"Resources":{"A":{"Type":"T","Properties":{"x":` + deep + `}}}}`,
		"cannot unmarshal":         `{"Resources":[]}`,
		"has no type":              `{"Resources":{"A":{}}}`,
		"which the stack does not": `{"Resources":{"A":{"Type":"T","DependsOn":"Nobody"}}}`,
		"is a number, not":         `{"Resources":{"A":{"Type":"T","DependsOn":5}}}`,
		"no condition Nobody":      `{"Resources":{"A":{"Type":"T","Condition":"Nobody"}}}`,
		"uses a transform":         `{"Transform":"AWS::Serverless-2016-10-31"}`,
		"unexpected end":           `{"Resources":`,
		"deeper than":              `{"Conditions":{"A":{"Condition":"B"},"B":{"Condition":"A"}},"Resources":{"R":{"Type":"T","Condition":"A"}}}`,
		"too long to follow":       `{"Resources":{"A":{"Type":"T","Properties":{"x":{"Fn::ImportValue":"e16"}}}},` + growing + `}}`,
	} {
		d, err := deploy(t, nil, [2]string{"s", template})
		if err == nil {
			for _, r := range d.Resources() {
				d.Read(r)
			}
			err = d.Err()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("wanted %q, got %v", want, err)
		}
	}
	if _, err := assembly.Read(t.TempDir()); err == nil || !strings.Contains(err.Error(), "synthesize the CDK app") {
		t.Errorf("an empty folder: %v", err)
	}
	dir := write(t, [2]string{"s", `{}`})
	put(t, filepath.Join(dir, "manifest.json"), `{"artifacts":{"s":{"type":"aws:cloudformation:stack","properties":{"templateFile":"../../etc/passwd"}}}}`)
	if _, err := assembly.Read(dir); err == nil || !strings.Contains(err.Error(), "which is not in it") {
		t.Errorf("a template elsewhere: %v", err)
	}
	put(t, filepath.Join(dir, "manifest.json"), `{"artifacts":{"s":{"type":"aws:cloudformation:stack","dependencies":["t"],"properties":{"templateFile":"s.template.json"}},
		"t":{"type":"aws:cloudformation:stack","dependencies":["s"],"properties":{"templateFile":"s.template.json"}}}}`)
	a, err := assembly.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Deploy(assembly.Options{}); err == nil || !strings.Contains(err.Error(), "depends on itself") {
		t.Errorf("stacks in a circle: %v", err)
	}
	if _, err := a.Deploy(assembly.Options{Stacks: []string{"u"}}); err == nil || !strings.Contains(err.Error(), "there are: s, t") {
		t.Errorf("a stack that is not there: %v", err)
	}
}

func TestAssetsAreFoldersOfTheAssembly(t *testing.T) {
	dir := write(t, [2]string{"s", `{}`})
	if err := os.Mkdir(filepath.Join(dir, "asset.abc"), 0o755); err != nil {
		t.Fatal(err)
	}
	a, err := assembly.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := a.Stacks[0].Asset("abc.zip"); err != nil || got != filepath.Join(dir, "asset.abc") {
		t.Errorf("the asset is %s, %v", got, err)
	}
	for key, want := range map[string]string{"x.zip": "no asset", "out.zip": "outside", "gone.zip": "missing"} {
		if _, err := a.Stacks[0].Asset(key); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestWhatNobodyTakesIsReportedAllAtOnce(t *testing.T) {
	d, err := deploy(t, nil, [2]string{"s", `{"Resources":{
		"New":{"Type":"A::B::C","Metadata":{"aws:cdk:path":"s/New/Resource"},"Properties":{"Name":"n","Count":"3","On":"true","List":["a","b"],"Vars":{"K":"v","N":5},
			"Policy":{"Version":"2012"},"Tags":[],"Inner":{"Known":1,"Strange":{"Ref":"Old"}},"Items":[{"Known":1},{"Odd":2}],"Unheard":{"of":1}}},
		"Old":{"Type":"X::Y::Z","Properties":{"Count":"many","On":"maybe","Mode":"FAST","List":{"no":1},"Inner":"text"}}}}`})
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	err = d.Rehearse(func(r *assembly.Resource, p *assembly.Reader) {
		read++
		p.Ignore("Tags")
		name, count, on, list, mode := p.String("Name"), p.Int("Count", 1), p.Bool("On", false), p.Strings("List"), p.Choice("Mode", "SLOW", "SLOWER")
		vars, policy, inner, items := p.Texts("Vars"), p.JSON("Policy"), p.Object("Inner"), p.Objects("Items")
		inner.Int("Known", 0)
		for _, item := range items {
			item.Int("Known", 0)
		}
		if r.LogicalID == "New" && (name != "n" || count != 3 || !on || mode != "SLOW" || !slices.Equal(list, []string{"a", "b"}) || vars["K"] != "v" || vars["N"] != "5" || string(policy) != `{"Version":"2012"}`) {
			t.Errorf("read %q %d %v %q %q %v %s", name, count, on, mode, list, vars, policy)
		}
		p.Object("Absent").Needed("Text")
	})
	if read != 2 || err == nil {
		t.Fatalf("read %d resources, %v", read, err)
	}
	for _, want := range []string{
		"s/New/Resource: Inner.Strange of A::B::C (New in stack s): not supported here",
		"s/New/Resource: Items[1].Odd of A::B::C (New in stack s): not supported here",
		"s/New/Resource: Unheard of A::B::C (New in stack s): not supported here",
		"s/Old: Count of X::Y::Z (Old in stack s): it is not a whole number",
		"s/Old: On of X::Y::Z (Old in stack s): it is neither true nor false",
		`s/Old: Mode of X::Y::Z (Old in stack s): "FAST" is not supported here, only SLOW, SLOWER`,
		"s/Old: List of X::Y::Z (Old in stack s): an object where a list is needed",
		"s/Old: Inner of X::Y::Z (Old in stack s): a string where an object is needed",
		"s/Old: Absent.Text of X::Y::Z (Old in stack s): it is missing",
	} {
		if !strings.Contains(err.Error(), want+"\n") && !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
	if got := len(d.List()); got != 10 { // Absent.Text of both
		t.Errorf("%d problems:\n%v", got, err)
	}
}

func TestOutputs(t *testing.T) {
	d, err := deploy(t, nil, [2]string{"s", `{"Conditions":{"Never":{"Fn::Equals":["a","b"]}},"Resources":{"A":{"Type":"T"}},
		"Outputs":{"Url":{"Value":{"Fn::Join":["",["https://",{"Ref":"A"},".x/"]]}},"Not":{"Condition":"Never","Value":"x"}}}`})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Outputs("s"); err == nil {
		t.Error("an output of what does not exist yet is no error")
	}
	d.Find("s", "A").Created("id", nil)
	got, err := d.Outputs("s")
	if err != nil || len(got) != 1 || got["Url"] != "https://id.x/" {
		t.Errorf("the outputs are %v, %v", got, err)
	}
}

func FuzzTemplate(f *testing.F) {
	f.Add(`{"Resources":{"A":{"Type":"T","Properties":{"x":{"Fn::Sub":"${A.b}"}}}},"Outputs":{"O":{"Value":{"Ref":"A"}}}}`)
	f.Add(`{"Conditions":{"C":{"Fn::Or":[{"Condition":"C"}]}},"Resources":{"A":{"Type":"T","Condition":"C","DependsOn":["B"]}}}`)
	f.Fuzz(func(t *testing.T, template string) {
		d, err := deploy(t, nil, [2]string{"s", template})
		if err != nil {
			return
		}
		_ = d.Rehearse(func(_ *assembly.Resource, p *assembly.Reader) { _ = p.String("x") })
		for _, r := range d.Resources() {
			r.Created("id", map[string]any{"Arn": "a", "List": []string{"x"}})
		}
		_, _ = d.Outputs("s")
	})
}

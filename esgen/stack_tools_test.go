package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Programs of others look at the templates: the specifications of AWS, cdk-nag, cfn-lint and
// checkov. Their versions are pinned in testdata/stackcheck. They are fetched when they are first
// needed and kept in the user's cache folder.

// finding is what a program has to say of a template.
type finding struct {
	Template, Resource, Rule, Path, Message string
}

func (f finding) String() string {
	return fmt.Sprintf("%s/%s %s [%s] %s", f.Template, f.Resource, f.Path, f.Rule, f.Message)
}

// acknowledgement is a rule that we do not follow, where, and why. Rule, resource and variant are
// regular expressions of the whole; a resource is the name of the stack, a slash and the logical id,
// and no variant is each.
type acknowledgement struct{ Tool, Rule, Variant, Resource, Reason string }

const stackcheck = "../testdata/stackcheck"

// checker runs a program on templates.
type checker struct {
	name string
	run  func(t *testing.T, templates []string) []finding
}

var checkers = []checker{{"spec", checkSpec}, {"cdk-nag", checkNag}, {"cfn-lint", checkLint}, {"checkov", checkCheckov}}

// TestStacksSatisfyCheckers: no finding that is not acknowledged with a reason, and no
// acknowledgement of what is not found any more.
func TestStacksSatisfyCheckers(t *testing.T) {
	needsCDK(t)
	names := map[string]string{} // template -> how findings name it
	for v, assembly := range assembliesOfVariants(t) {
		for stack, file := range templatesOf(t, assembly) {
			names[file] = v.String() + " " + stack
		}
		if v.pipeline { // the other stages differ in nothing that is checked here
			for stack, file := range templatesOf(t, pipelineStage(assembly, "shop", "prod")) {
				names[file] = v.String() + " " + stack
			}
		}
	}
	var templates []string
	for file := range names {
		templates = append(templates, file)
	}
	slices.Sort(templates)
	for _, c := range checkers {
		t.Run(c.name, func(t *testing.T) {
			acknowledged := acknowledgements(t, c.name)
			used := make([]bool, len(acknowledged))
			for _, f := range c.run(t, templates) {
				f.Template = names[f.Template]
				if !acknowledge(f, acknowledged, used) {
					t.Error(f)
				}
			}
			for i, a := range acknowledged {
				if !used[i] {
					t.Errorf("nothing is found any more that acknowledged.json explains: %s on %s", a.Rule, a.Resource)
				}
			}
		})
	}
}

// assembliesOfVariants makes those that are missing, as many at a time as may run.
func assembliesOfVariants(t *testing.T) map[variant]string {
	t.Helper()
	var mu sync.Mutex
	all := map[variant]string{}
	t.Run("assemblies", func(t *testing.T) {
		for _, v := range variants {
			t.Run(v.String(), func(t *testing.T) {
				t.Parallel()
				dir := assemblyOf(t, v.schema())
				mu.Lock()
				defer mu.Unlock()
				all[v] = dir
			})
		}
	})
	return all
}

func acknowledgements(t *testing.T, tool string) []acknowledgement {
	t.Helper()
	var all []acknowledgement
	readInto(t, filepath.Join(stackcheck, "acknowledged.json"), &all)
	return slices.DeleteFunc(all, func(a acknowledgement) bool {
		if a.Reason == "" {
			t.Errorf("%s on %s is acknowledged without a reason", a.Rule, a.Resource)
		}
		return a.Tool != tool
	})
}

// acknowledge reports whether one of the list explains a finding, and marks all that do.
func acknowledge(f finding, list []acknowledgement, used []bool) bool {
	variant, stack, _ := strings.Cut(f.Template, " ")
	explained := false
	for i, a := range list {
		if whole(a.Rule, f.Rule) && whole(a.Resource, stack+"/"+f.Resource) && (a.Variant == "" || whole(a.Variant, variant)) {
			used[i], explained = true, true
		}
	}
	return explained
}

func whole(pattern, text string) bool {
	return regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString(text)
}

// TestSpecSeesFaults: what compares templates with the specifications sees what does not fit them.
func TestSpecSeesFaults(t *testing.T) {
	needsCDK(t)
	for name, c := range map[string]struct{ resource, rule, path string }{
		"type":       {`{"Type": "AWS::DynamoDB::GlobalTabel"}`, "unknown-type", "Type"},
		"property":   {`{"Type": "AWS::SQS::Queue", "Properties": {"FifoQeue": true}}`, "unknown-property", "Properties/FifoQeue"},
		"missing":    {`{"Type": "AWS::Lambda::EventSourceMapping", "Properties": {}}`, "missing-property", "Properties/FunctionName"},
		"number":     {`{"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": "soon"}}`, "type", "Properties/VisibilityTimeout"},
		"list":       {`{"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"FunctionName": "f", "FunctionResponseTypes": "ReportBatchItemFailures"}}`, "type", "Properties/FunctionResponseTypes"},
		"nested":     {`{"Type": "AWS::Lambda::Function", "Properties": {"Code": {}, "Role": "r", "TracingConfig": {"Mod": "Active"}}}`, "unknown-property", "Properties/TracingConfig/Mod"},
		"in lists":   {`{"Type": "AWS::DynamoDB::GlobalTable", "Properties": {"AttributeDefinitions": [{"AttributeName": "a"}], "KeySchema": [], "Replicas": []}}`, "missing-property", "Properties/AttributeDefinitions/0/AttributeType"},
		"tag":        {`{"Type": "AWS::SQS::Queue", "Properties": {"Tags": [{"Key": "a", "Val": "b"}]}}`, "unknown-property", "Properties/Tags/0/Val"},
		"reference":  {`{"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Nobody"}}}`, "reference", "Properties/QueueName"},
		"attribute":  {`{"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::GetAtt": ["R", "Arm"]}}}`, "attribute", "Properties/QueueName"},
		"dependency": {`{"Type": "AWS::SQS::Queue", "DependsOn": "Nobody"}`, "reference", "DependsOn"},
	} {
		t.Run(name, func(t *testing.T) {
			file := templateWith(t, c.resource)
			want := finding{Template: file, Resource: "R", Rule: c.rule, Path: c.path}
			for _, f := range checkSpec(t, []string{file}) {
				if f.Message = ""; f == want {
					return
				}
			}
			t.Errorf("nobody reports %v", want)
		})
	}
}

// TestCheckersSeeFaults: each program is really run with its rules, and its answer is understood.
func TestCheckersSeeFaults(t *testing.T) {
	needsCDK(t)
	table := `{"Type": "AWS::DynamoDB::Table", "Properties": {"BillingMode": "PAY_PER_REQ",
		"AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}]}}`
	file := templateWith(t, table)
	for tool, rule := range map[string]string{"cdk-nag": "AwsSolutions-DDB3", "cfn-lint": "E3030", "checkov": "CKV_AWS_28"} {
		t.Run(tool, func(t *testing.T) {
			i := slices.IndexFunc(checkers, func(c checker) bool { return c.name == tool })
			found := checkers[i].run(t, []string{file})
			if !slices.ContainsFunc(found, func(f finding) bool { return f.Template == file && f.Resource == "R" && f.Rule == rule }) {
				t.Errorf("%s is not reported, only %v", rule, found)
			}
		})
	}
}

// templateWith is a template of one resource, R.
func templateWith(t *testing.T, resource string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "broken.template.json")
	if err := os.WriteFile(file, []byte(`{"Resources": {"R": `+resource+`}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func checkSpec(t *testing.T, templates []string) []finding { return runNode(t, "spec.js", templates) }

func checkNag(t *testing.T, templates []string) []finding { return runNode(t, "nag.js", templates) }

// runNode runs one of our programs, which print findings as they are here.
func runNode(t *testing.T, program string, templates []string) []finding {
	t.Helper()
	modules := filepath.Join(fetched(t, nodeModules), "node_modules")
	args := append([]string{filepath.Join(stackcheck, program)}, templates...)
	out, err := outputOf(".", append(quietNode, "NODE_PATH="+modules), "node", args...)
	if err != nil {
		t.Fatal(err)
	}
	var found []finding
	if err := json.Unmarshal([]byte(out), &found); err != nil {
		t.Fatalf("%s printed %q: %v", program, out, err)
	}
	return found
}

func checkLint(t *testing.T, templates []string) []finding {
	args := append([]string{"--format", "json", "--include-checks", "I", "--"}, templates...)
	out := runPython(t, "cfn-lint", args)
	var report []struct {
		Filename, Message string
		Rule              struct{ Id string }
		Location          struct{ Path []any }
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("cfn-lint printed %q: %v", out, err)
	}
	var found []finding
	for _, r := range report {
		f := finding{Template: r.Filename, Rule: r.Rule.Id, Message: r.Message}
		for i, step := range r.Location.Path {
			if i == 1 && r.Location.Path[0] == "Resources" {
				f.Resource = fmt.Sprint(step)
			}
			f.Path += "/" + fmt.Sprint(step)
		}
		found = append(found, f)
	}
	return found
}

func checkCheckov(t *testing.T, templates []string) []finding {
	args := []string{"--framework", "cloudformation", "--skip-download", "--soft-fail", "--quiet", "--compact", "--output", "json"}
	for _, file := range templates {
		args = append(args, "--file", file)
	}
	out := runPython(t, "checkov", args)
	var report struct {
		Results struct {
			Failed []struct {
				Check    string `json:"check_id"`
				Name     string `json:"check_name"`
				File     string `json:"file_abs_path"`
				Resource string
			} `json:"failed_checks"`
		}
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("checkov printed %q: %v", out, err)
	}
	var found []finding
	for _, r := range report.Results.Failed {
		_, id, _ := strings.Cut(r.Resource, ".")
		found = append(found, finding{Template: r.File, Resource: id, Rule: r.Check, Message: r.Name})
	}
	return found
}

// runPython runs a program that is judged by what it prints: its status only says that it found something.
func runPython(t *testing.T, name string, args []string) string {
	t.Helper()
	program := filepath.Join(fetched(t, pythonPackages), "bin", name)
	out, err := outputOf(".", []string{"LOG_LEVEL=ERROR"}, program, args...)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || out == "" {
		t.Fatalf("%s printed nothing: %v", name, err)
	}
	return out
}

// fetching is how a set of programs is had: into a folder, as a file of stackcheck pins it.
type fetching struct {
	pins, needs, install string
	into                 func(folder string) error
}

var (
	nodeModules = fetching{
		pins: "package-lock.json", needs: "npm", install: "apt-get install npm",
		into: func(folder string) error {
			for _, name := range []string{"package.json", "package-lock.json"} {
				if err := copyFile(filepath.Join(stackcheck, name), filepath.Join(folder, name)); err != nil {
					return err
				}
			}
			return execute(folder, nil, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
		},
	}
	pythonPackages = fetching{
		pins: "requirements.txt", needs: "python3", install: "apt-get install python3 python3-venv",
		into: func(folder string) error {
			if err := execute(".", nil, "python3", "-m", "venv", folder); err != nil {
				return err
			}
			return execute(".", nil, filepath.Join(folder, "bin", "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
				"--only-binary=:all:", "--requirement", filepath.Join(stackcheck, "requirements.txt"))
		},
	}
)

// fetched returns the folder of a set, which is fetched if it is not there yet. A test that cannot
// have it is not run.
func fetched(t *testing.T, f fetching) string {
	t.Helper()
	if _, err := exec.LookPath(f.needs); err != nil {
		t.Skipf("this check needs %s; to get it: %s", f.needs, f.install)
	}
	pins, err := os.ReadFile(filepath.Join(stackcheck, f.pins))
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("there is no cache folder to keep the programs in: %v", err)
	}
	sum := sha256.Sum256(pins)
	folder := filepath.Join(cache, "esgen", "stackcheck-"+f.needs+"-"+hex.EncodeToString(sum[:])[:12])
	ready := filepath.Join(folder, ".ready")
	fetchingOne.Lock()
	defer fetchingOne.Unlock()
	if _, err := os.Stat(ready); err == nil {
		return folder
	}
	if err := errors.Join(os.RemoveAll(folder), os.MkdirAll(folder, 0o755)); err != nil {
		t.Fatal(err)
	}
	if err := f.into(folder); err != nil {
		t.Skipf("what this check runs cannot be fetched; besides %s it takes the registry (%s): %v", f.needs, f.install, err)
	}
	if err := os.WriteFile(ready, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return folder
}

var fetchingOne sync.Mutex

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}

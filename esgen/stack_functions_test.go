package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// relayed reports whether the consumers of the events, of the one view that has some, are behind a relay.
func (v variant) relayed() (events, view bool) { return v.events > 1, v.views > 2 }

// programs are the functions that a variant has, each with the program that it runs.
func (v variant) programs() map[string]string {
	all := map[string]string{"command": "command", "query": "query", "projector": "projector", "reconcile": "reconcile"}
	events, view := v.relayed()
	if events {
		all["relay"] = "relay"
	}
	if view {
		all["relay-customer-summary"] = "relay"
	}
	if v.auth == "custom" {
		all["authorizer"] = "authorizer"
	}
	for i := range v.events {
		name := fmt.Sprintf("consumer-mailer-%d", i+1)
		all[name] = name
	}
	for i := range v.views {
		name := fmt.Sprintf("consumer-watcher-%d", i+1)
		all[name] = name
	}
	return all
}

// checkFunctions: each function is there, made alike, and told what it reads and nothing else.
func checkFunctions(t testing.TB, v variant, s *stage) {
	ids := s.functions(t)
	if want, got := slices.Sorted(maps.Keys(v.programs())), slices.Sorted(maps.Keys(ids)); !slices.Equal(want, got) {
		t.Fatalf("there are the functions %v, want %v", got, want)
	}
	if all := s.of("AWS::Lambda::Function"); len(all) != len(ids) {
		t.Errorf("there are the functions %v; the operations know %v", all, ids)
	}
	architecture := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	roles := map[string]bool{}
	for name, id := range ids {
		p := s.resources[id].Properties
		for property, want := range map[string]string{"Runtime": "provided.al2023", "Handler": "bootstrap"} {
			if p[property] != want {
				t.Errorf("%s: %s is %v, want %s", name, property, p[property], want)
			}
		}
		if got := s.texts(p["Architectures"]); !slices.Equal(got, []string{architecture}) {
			t.Errorf("%s is for %v, want %s", name, got, architecture)
		}
		if mode := s.property(id, "TracingConfig", "Mode"); mode != "Active" {
			t.Errorf("%s: tracing is %q", name, mode)
		}
		timeout, memory := p["Timeout"], p["MemorySize"]
		if !within(timeout, 1, longest(name)) || !within(memory, 128, 1024) {
			t.Errorf("%s: timeout %v, memory %v", name, timeout, memory)
		}
		if p["VpcConfig"] != nil || p["Layers"] != nil || p["ReservedConcurrentExecutions"] != nil {
			t.Errorf("%s has what nobody asked for: %v", name, p)
		}
		checkLogs(t, s, name, s.text(at(p, "LoggingConfig", "LogGroup")), s.property(id, "LoggingConfig", "LogFormat"))
		role := s.property(id, "Role")
		if roles[role] {
			t.Errorf("%s shares its role", name)
		}
		roles[role] = true
		checkEnvironment(t, v, s, name, id)
	}
}

// longest is how many seconds a function may take: API Gateway waits for 29 at most.
func longest(function string) float64 {
	switch function {
	case "command", "query", "authorizer":
		return 29
	case "reconcile":
		return 300
	}
	return 60
}

func within(v any, least, most float64) bool {
	n, ok := v.(float64)
	return ok && n >= least && n <= most
}

// checkLogs: a log group of its own that forgets.
func checkLogs(t testing.TB, s *stage, name, group, format string) {
	t.Helper()
	r := s.resources[referred(group)]
	if r.Type != "AWS::Logs::LogGroup" || format != "JSON" {
		t.Errorf("%s logs %q to %s", name, format, group)
		return
	}
	if !within(r.Properties["RetentionInDays"], 1, 90) {
		t.Errorf("%s: logs are kept for %v days", name, r.Properties["RetentionInDays"])
	}
}

var hash = regexp.MustCompile(`^[0-9a-f]{16,64}$`)

func checkEnvironment(t testing.TB, v variant, s *stage, name, id string) {
	o := s.operations(t)
	relay := map[string]string{"relay": "events", "relay-customer-summary": "view:customer-summary"}
	all := map[string]string{"ESGEN_EVENTS": o.Events, "ESGEN_PROGRESS": o.Progress, "ESGEN_VIEWS": o.Views, "ESGEN_RELAY": relay[name]}
	env := s.environment(id)
	size := 0
	for variable, value := range env {
		size += len(variable) + len(s.physical(value))
	}
	if size > 4096 {
		t.Errorf("%s: an environment of %d bytes is more than Lambda takes", name, size)
	}
	if d := env["ESGEN_DEPLOYMENT"]; name == "projector" && !hash.MatchString(d) {
		t.Errorf("the projector's deployment is %q", d)
	} else if projectors := s.environment(s.functions(t)["projector"])["ESGEN_DEPLOYMENT"]; name == "reconcile" && d != projectors {
		t.Errorf("what the projector, %s, has in quarantine reconcile, %s, takes for the work of other code", projectors, d)
	}
	if n := env["ESGEN_ENTITIES"]; name == "reconcile" && n != "1000" {
		t.Errorf("reconcile compares %q entities", n)
	}
	if topic := env["ESGEN_TOPIC"]; relay[name] != "" && s.resources[referred(topic)].Type != "AWS::SNS::Topic" {
		t.Errorf("%s is told the topic %q", name, topic)
	}
	var told []string
	switch kind, _, _ := strings.Cut(name, "-"); kind {
	case "command":
		told = []string{"ESGEN_EVENTS"}
	case "query":
		told = []string{"ESGEN_EVENTS", "ESGEN_PROGRESS", "ESGEN_VIEWS"}
	case "projector":
		told = []string{"ESGEN_DEPLOYMENT", "ESGEN_EVENTS", "ESGEN_PROGRESS", "ESGEN_VIEWS"}
	case "reconcile":
		told = []string{"ESGEN_DEPLOYMENT", "ESGEN_ENTITIES", "ESGEN_EVENTS", "ESGEN_PROGRESS", "ESGEN_VIEWS"}
	case "consumer":
		told = []string{"ESGEN_EVENTS", "ESGEN_PROGRESS"}
	case "relay":
		told = []string{"ESGEN_PROGRESS", "ESGEN_RELAY", "ESGEN_TOPIC"}
	}
	if got := slices.Sorted(maps.Keys(env)); !slices.Equal(got, told) {
		t.Errorf("%s is told %v, want %v", name, got, told)
	}
	for variable, want := range all {
		if got, ok := env[variable]; ok && (got != want || want == "") {
			t.Errorf("%s: %s is %q, want %q", name, variable, got, want)
		}
	}
	if tables, want := viewTables(o.Views), len(v.service(t).Views); len(tables) != want {
		t.Errorf("ESGEN_VIEWS names %v, want %d", tables, want)
	}
}

var reference = regexp.MustCompile(`\$\{[^}]*\}`)

// physical puts the longest names that CloudFormation gives into the place of references.
func (s *stage) physical(value string) string {
	return reference.ReplaceAllStringFunc(value, func(ref string) string {
		id := strings.TrimPrefix(referred(ref), "data/")
		name := s.dataStack + "-" + id + "-ABCDEFGHIJKLM"
		if strings.HasPrefix(s.resources[referred(ref)].Type, "AWS::SNS::") {
			return "arn:aws-us-gov:sns:us-gov-east-1:123456789012:" + name
		}
		return name
	})
}

// checkPrograms: what functions are deployed with is a program that Lambda can start. The file's mode is
// deployed with it.
func checkPrograms(t testing.TB, s *stage, assembly string) {
	for name, id := range s.functions(t) {
		asset := strings.TrimSuffix(s.property(id, "Code", "S3Key"), ".zip")
		files, err := os.ReadDir(filepath.Join(assembly, "asset."+asset))
		if err != nil {
			t.Error(err)
			continue
		}
		if len(files) != 1 || files[0].Name() != "bootstrap" {
			t.Errorf("%s is deployed with %v", name, files)
			continue
		}
		if info, err := files[0].Info(); err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("%s: the program's mode is %v (%v)", name, info.Mode(), err)
		}
	}
}

// Names in the account are CloudFormation's: with names of our own, a resource could not be
// replaced, and two stacks could not stand side by side.
func checkNames(t testing.TB, _ variant, s *stage) {
	for id, r := range s.resources {
		switch r.Type {
		case "AWS::Lambda::Permission", "AWS::Lambda::EventSourceMapping", "AWS::Lambda::EventInvokeConfig": // whose FunctionName is a reference
			continue
		case "AWS::SNS::Topic":
			// The CDK makes the names of FIFO topics, of the stack's name and a hash, since they end in .fifo.
			if name := text(r.Properties["TopicName"]); !strings.HasPrefix(name, "shopdev-") || !strings.HasSuffix(name, ".fifo") {
				t.Errorf("%s has the name %s", id, name)
			}
			continue
		}
		for _, property := range []string{
			"TableName", "FunctionName", "QueueName", "RoleName", "BucketName", "LogGroupName", "DashboardName", "AlarmName", "ManagedPolicyName",
		} {
			if name, ok := r.Properties[property]; ok {
				t.Errorf("%s has the name %v", id, name)
			}
		}
	}
}

// checkOperations: what the operations of esgen are told leads to what it says.
func checkOperations(t testing.TB, v variant, s *stage) {
	o := s.operations(t)
	if o.Service != "shop" || o.Stage != "dev" {
		t.Errorf("Operations are of service %q, stage %q", o.Service, o.Stage)
	}
	if s.resources[referred(o.GivenUp)].Type != "AWS::S3::Bucket" {
		t.Errorf("what is given up is in %q", o.GivenUp)
	}
	want := []string{}
	events, view := v.relayed()
	for _, c := range v.service(t).Consumers {
		if events && c.View == nil || view && c.View != nil {
			want = append(want, c.Name)
		}
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(o.DeadLetters)); !slices.Equal(got, want) {
		t.Errorf("dead letters of %v, want %v", got, want)
	}
	for name, queue := range o.DeadLetters {
		if s.resources[referred(queue)].Type != "AWS::SQS::Queue" {
			t.Errorf("dead letters of %s are in %q", name, queue)
		}
	}
	if url := s.text(s.outputs["Url"]); (v.gateway == "none") != (url == "") || url != "" && !strings.HasSuffix(url, "/") {
		t.Errorf("the output Url is %q", url)
	}
	checkBucket(t, s, referred(o.GivenUp))
}

// checkBucket: given-up batches have the payloads of events in them.
func checkBucket(t testing.TB, s *stage, id string) {
	r := s.resources[id]
	for _, name := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
		if at(r.Properties, "PublicAccessBlockConfiguration", name) != true {
			t.Errorf("%s: %s is not set", id, name)
		}
	}
	if at(r.Properties, "BucketEncryption", "ServerSideEncryptionConfiguration", "ServerSideEncryptionByDefault", "SSEAlgorithm") == nil {
		t.Errorf("%s is not encrypted", id)
	}
	if !within(at(r.Properties, "LifecycleConfiguration", "Rules", "ExpirationInDays"), 30, 400) {
		t.Errorf("%s keeps things for ever, or not long enough: %v", id, r.Properties["LifecycleConfiguration"])
	}
	if r.DeletionPolicy != "Retain" {
		t.Errorf("%s goes with its stack", id)
	}
	for _, policy := range s.of("AWS::S3::BucketPolicy") {
		if s.property(policy, "Bucket") == "${"+id+"}" && refusesPlainText(s, s.resources[policy]) {
			return
		}
	}
	t.Errorf("%s takes requests without TLS", id)
}

func refusesPlainText(s *stage, policy resource) bool {
	return slices.ContainsFunc(statements(policy), func(statement map[string]any) bool {
		return statement["Effect"] == "Deny" && s.text(at(statement, "Condition", "Bool", "aws:SecureTransport")) == "false"
	})
}

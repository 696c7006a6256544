package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// Whoever tests stacks takes them as users do: init, then the CDK app in infra, which builds
// the functions and writes a cloud assembly. That takes seconds, so one assembly serves all tests.

// assemblies are those made so far, by schema.
var assemblies sync.Map // string -> *assembled

type assembled struct {
	once sync.Once
	dir  string
	err  error
}

// synthesizing bounds how many CDK apps run at a time: each takes over a gigabyte.
var synthesizing = make(chan struct{}, 2)

// scratch is a folder for what several tests use. It is removed after the last one.
var scratch = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "esgen-stacks-") })

// RemoveScratch removes what tests of stacks have made.
func RemoveScratch() {
	dir, err := scratch()
	if err == nil {
		_ = os.RemoveAll(dir)
	}
}

// assemblyOf returns the cloud assembly of the service that init makes of a schema: stage dev, functions
// for this machine. It is made once, and nobody may change it.
func assemblyOf(t *testing.T, schema string) string {
	t.Helper()
	needsCDK(t)
	entry, _ := assemblies.LoadOrStore(schema, &assembled{})
	a := entry.(*assembled)
	a.once.Do(func() {
		var service string
		if service, a.err = initialized(schema); a.err == nil {
			a.dir = filepath.Join(service, "infra", "cdk.out")
			a.err = synthesize(service, a.dir)
		}
	})
	if a.err != nil {
		t.Fatal(a.err)
	}
	return a.dir
}

// needsCDK skips a test where CDK apps cannot run.
func needsCDK(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs CDK apps")
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("CDK apps need Node.js; to get it: apt-get install nodejs npm")
	}
}

// initialized makes a service of a schema in a folder of its own below scratch.
func initialized(schema string) (service string, err error) {
	root, err := scratch()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(root, "service-")
	if err != nil {
		return "", err
	}
	from := filepath.Join(dir, "esgen.yaml")
	if err := os.WriteFile(from, []byte(schema), 0o644); err != nil {
		return "", err
	}
	service = filepath.Join(dir, "service")
	return service, esgen("init", service, "--from", from)
}

// tool is the command, built once for all tests of stacks.
var tool = sync.OnceValues(func() (string, error) {
	root, err := scratch()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, "esgen")
	return path, execute(".", nil, "go", "build", "-o", path, ".")
})

func esgen(args ...string) error {
	path, err := tool()
	if err != nil {
		return err
	}
	return execute(".", nil, path, args...)
}

// synthesize runs the CDK app of a service for this machine, as the CDK's command would.
func synthesize(service, out string) error {
	synthesizing <- struct{}{}
	defer func() { <-synthesizing }()
	infra := filepath.Join(service, "infra")
	app := filepath.Join(filepath.Dir(service), "app")
	if err := execute(infra, nil, "go", "build", "-o", app, "."); err != nil {
		return err
	}
	all, err := contextOf(infra)
	if err != nil {
		return err
	}
	all["target"] = "linux/" + runtime.GOARCH
	all["aws:cdk:enable-path-metadata"] = true // as the CDK's command does
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return execute(infra, append(quietNode, "CDK_OUTDIR="+out, "CDK_CONTEXT_JSON="+string(text)), app)
}

// quietNode keeps the CDK from filling logs with what it thinks of the version of Node.
var quietNode = []string{
	"JSII_DEPRECATED=quiet", "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=18,20,21,23", "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION=1",
}

func contextOf(infra string) (map[string]any, error) {
	text, err := os.ReadFile(filepath.Join(infra, "cdk.json"))
	if err != nil {
		return nil, err
	}
	config := struct{ Context map[string]any }{Context: map[string]any{}}
	err = json.Unmarshal(text, &config)
	return config.Context, err
}

// execute runs a program and has what it printed in the error.
func execute(dir string, env []string, name string, args ...string) error {
	_, err := outputOf(dir, env, name, args...)
	return err
}

func outputOf(dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var said, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complaints
	if err := cmd.Run(); err != nil {
		return said.String(), fmt.Errorf("%s %s: %w\n%s%s", filepath.Base(name), strings.Join(args, " "), err, said.String(), complaints.String())
	}
	return said.String(), nil
}

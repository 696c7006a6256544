package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
)

// TestMain ends the process that the CDK runs in. A check of the CDK that fails panics.
func TestMain(m *testing.M) {
	code := m.Run()
	os.Stderr = nil // jsii waits twice for the process that it ends, and would report that one of the two failed
	jsii.Close()
	os.Exit(code)
}

// described describes a stage, with programs that are placeholders: what they do is no matter here.
func described(t *testing.T, stage string) *ServiceStack {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("the CDK needs Node.js: apt-get install nodejs npm, or see nodejs.org")
	}
	folder := t.TempDir()
	for _, program := range programs {
		bootstrap := filepath.Join(folder, program, "bootstrap")
		if err := os.MkdirAll(filepath.Dir(bootstrap), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(bootstrap, []byte(program), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(t.TempDir())})
	s, err := addStage(app, stage, Programs{Folder: folder, Target: "linux/arm64"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEventsCannotBeLost(t *testing.T) {
	for _, stage := range []string{"dev", "prod"} {
		template := assertions.Template_FromStack(described(t, stage).Data.Stack, nil)
		template.HasResource(jsii.String("AWS::DynamoDB::GlobalTable"), map[string]any{
			"DeletionPolicy": "Retain",
			"Properties": map[string]any{
				"KeySchema": []any{
					map[string]any{"AttributeName": "_id", "KeyType": "HASH"},
					map[string]any{"AttributeName": "_version", "KeyType": "RANGE"},
				},
				"Replicas": []any{assertions.Match_ObjectLike(&map[string]any{
					"DeletionProtectionEnabled":        true,
					"PointInTimeRecoverySpecification": map[string]any{"PointInTimeRecoveryEnabled": true},
				})},
			},
		})
	}
}

// TestFunctionsMayOnlyDoWhatIsNamed also holds for what you allow in own.go.
func TestFunctionsMayOnlyDoWhatIsNamed(t *testing.T) {
	template := assertions.Template_FromStack(described(t, "dev").Stack, nil)
	for id, policy := range *template.FindResources(jsii.String("AWS::IAM::Policy"), nil) {
		document := (*policy)["Properties"].(map[string]any)["PolicyDocument"].(map[string]any)
		for _, statement := range document["Statement"].([]any) {
			actions := statement.(map[string]any)["Action"]
			if one, ok := actions.(string); ok {
				actions = []any{one}
			}
			for _, action := range actions.([]any) {
				if strings.Contains(action.(string), "*") {
					t.Errorf("%s allows %s", id, action)
				}
			}
		}
	}
}

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestSameCodeIsDeployedOnce: the same service gives the same programs and templates, in whatever
// folder and at whatever commit. Otherwise every deployment would replace every function.
func TestSameCodeIsDeployedOnce(t *testing.T) {
	needsCDK(t)
	v := variants[1]
	first := assemblyOf(t, v.schema())
	other, err := initialized(v.schema())
	if err != nil {
		t.Fatal(err)
	}
	commit := func(message string) {
		t.Helper()
		run(t, other, "git", "add", ".")
		run(t, other, "git", "-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false",
			"commit", "--quiet", "--message", message)
	}
	run(t, other, "git", "init", "--quiet")
	commit("the service")
	elsewhere := filepath.Join(filepath.Dir(other), "elsewhere")
	if err := synthesize(other, elsewhere); err != nil {
		t.Fatal(err)
	}
	if textOfTemplates(t, elsewhere) != textOfTemplates(t, first) {
		t.Error("the same service in another folder, under version control, is another deployment")
	}
	if err := os.WriteFile(filepath.Join(other, "NOTES.md"), []byte("unrelated\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	commit("unrelated")
	t.Run("cdk", func(t *testing.T) { checkCommandOfCDK(t, other, first) })
}

// textOfTemplates is what the stacks of a service are; the names of assets are hashes of what is in them.
func textOfTemplates(t *testing.T, assembly string) string {
	t.Helper()
	files := templatesOf(t, assembly)
	var all strings.Builder
	for _, stack := range []string{"shop-dev-data", "shop-dev"} {
		text, err := os.ReadFile(files[stack])
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// checkCommandOfCDK: in infra, the command of the README takes the pinned version, runs the app, and
// writes the same assets as before an unrelated commit. The templates may have more metadata.
func checkCommandOfCDK(t *testing.T, service, before string) {
	if _, err := exec.LookPath("npx"); err != nil {
		t.Skip("the CDK's command needs npm; to get it: apt-get install npm")
	}
	infra := filepath.Join(service, "infra")
	out, err := outputOf(infra, quietNode, "npx", "aws-cdk", "synth", "--quiet", "--context", "target=linux/"+runtime.GOARCH)
	if err != nil && strings.Contains(err.Error(), "could not be installed") {
		t.Skipf("the CDK's command cannot be fetched: %v", err)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	assets := func(assembly string) []string {
		found, _ := filepath.Glob(filepath.Join(assembly, "asset.*"))
		for i := range found {
			found[i] = filepath.Base(found[i])
		}
		return found
	}
	want, got := assets(before), assets(filepath.Join(infra, "cdk.out"))
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("cdk synth has the assets %v, the app before had %v", got, want)
	}
}

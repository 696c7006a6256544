package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadme runs every command of the README's tutorial as it stands there, in
// one shell, in an empty folder. Only the port is another, so that the test can run beside a
// service.
func TestReadme(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs a whole service")
	}
	for tool, install := range map[string]string{"bash": "bash", "curl": "curl", "node": "nodejs", "npx": "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the tutorial needs %s: apt-get install %s", tool, install)
		}
	}
	text, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 6 {
		t.Fatalf("%d blocks of commands found; the tutorial has more", len(blocks))
	}
	checkTargets(t, blocks[0][1])
	script := tutorial(t, blocks[2:])
	dir := t.TempDir()
	cmd := exec.Command("bash", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(buildTool(t))+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		`"status":"started"`, `"version":2`, // the view
		`"pointer":"/title"`, `"pointer":"/priority"`, `"pointer":"/colour"`, // every violation
		`"code":"state"`,
		`"assignee":"ann","started":1`,                          // the new view, of the old events
		"shop-dev.template.json", "shop-dev-data.template.json", // what would be deployed
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the tutorial did not show %s:\n%s", want, out)
		}
	}
}

// checkTargets makes sure that what "make" is called with exists; running it
// here would run this test again.
func checkTargets(t *testing.T, block string) {
	makefile, err := os.ReadFile(filepath.Join("..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`make (\w+)`).FindAllStringSubmatch(block, -1) {
		if !strings.Contains(string(makefile), "\n"+m[1]+":") {
			t.Errorf("the README says make %s; the Makefile has no such target", m[1])
		}
	}
}

// tutorial makes one script of the blocks. The block that runs the server runs
// in the background, as its reader would leave it running.
func tutorial(t *testing.T, blocks [][]string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
	l.Close()
	script := []string{"set -eu", `trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT`}
	for _, b := range blocks {
		block := strings.TrimSpace(b[1])
		if block == "esgen dev" {
			block = "esgen dev --port " + port + " &\n" +
				"curl -sS -o /dev/null --retry 60 --retry-delay 1 --retry-all-errors localhost:" + port + "/-/health"
		}
		if strings.Contains(block, "> views/workload/") { // likewise
			block = "until [ -e views/workload/task_started.go ]; do sleep 0.2; done\n" + block
		}
		if strings.Contains(block, "workload/ann") { // whoever types has given it a second or two
			block = "for i in $(seq 60); do got=$(" + block + ") || true; case $got in *'\"started\":1'*) break;; esac; sleep 1; done; echo \"$got\""
		}
		script = append(script, strings.ReplaceAll(block, "8080", port))
	}
	return strings.Join(script, "\n")
}

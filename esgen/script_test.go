package main_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	esgen "github.com/esgen/esgen/esgen"
	"github.com/esgen/esgen/esgen/internal/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(tidied{m}, map[string]func(){"esgen": func() { os.Exit(cli.Main()) }})
}

// tidied are all tests, and what is left to remove after the last.
type tidied struct{ tests *testing.M }

func (t tidied) Run() int {
	defer esgen.RemoveScratch()
	return t.tests.Run()
}

// Each script is a session at a terminal with the real command. UPDATE_SCRIPTS=1
// accepts what the commands print now.
func TestScripts(t *testing.T) {
	goEnv := goEnvironment(t)
	toolkit, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Vars = append(e.Vars, goEnv...)
			e.Vars = append(e.Vars, "PORT="+freePort(t), "TOOLKIT="+toolkit)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"answers": answers, "post": post, "replace": replace, "times": times, "status": status, "interrupt": interrupt, "logged": logged,
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Getuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
	})
}

// goEnvironment lets scripts run the go command with this machine's caches.
func goEnvironment(t *testing.T) []string {
	var vars []string
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOFLAGS", "GOTOOLCHAIN", "GONOSUMDB", "GOSUMDB"} {
		out, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		vars = append(vars, name+"="+strings.TrimSpace(string(out)))
	}
	return vars
}

func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// patience is how long something may take that happens beside the script.
const patience = 2 * time.Minute

// answers URL REGEXP waits until a GET answers 200 with a body that matches.
func answers(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: answers URL REGEXP")
	}
	want, err := regexp.Compile(args[1])
	ts.Check(err)
	last := "nothing"
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		resp, err := http.Get(args[0])
		if err != nil {
			last = err.Error()
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		last = resp.Status + " " + string(body)
		if resp.StatusCode == http.StatusOK && want.Match(body) {
			return
		}
	}
	ts.Fatalf("GET %s never answered %s, last: %s", args[0], args[1], last)
}

// post URL STATUS BODY posts JSON, once: a request must not get lost while the service restarts.
func post(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 || neg {
		ts.Fatalf("usage: post URL STATUS BODY")
	}
	resp, err := http.Post(args[0], "application/json", strings.NewReader(args[2]))
	ts.Check(err)
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	ts.Check(err)
	if strconv.Itoa(resp.StatusCode) != args[1] {
		ts.Fatalf("POST %s answered %s %s", args[2], resp.Status, body)
	}
}

// replace OLD NEW FILE replaces the first OLD, which must be there, in place.
func replace(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 || neg {
		ts.Fatalf("usage: replace OLD NEW FILE")
	}
	name := ts.MkAbs(args[2])
	text, err := os.ReadFile(name)
	ts.Check(err)
	from, to := unescape(args[0]), unescape(args[1])
	if !bytes.Contains(text, []byte(from)) {
		ts.Fatalf("%s has no %q", args[2], from)
	}
	ts.Check(os.WriteFile(name, bytes.Replace(text, []byte(from), []byte(to), 1), 0o644))
}

func unescape(s string) string { return strings.NewReplacer(`\n`, "\n", `\t`, "\t").Replace(s) }

// times FILE records when each file below the current folder was changed and
// what is in it; the next call with the same FILE fails if one was touched.
func times(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 || neg {
		ts.Fatalf("usage: times FILE")
	}
	root := ts.MkAbs(".")
	var b strings.Builder
	ts.Check(filepath.Walk(root, func(p string, info os.FileInfo, err error) error {
		if err == nil {
			fmt.Fprintln(&b, p, info.ModTime().UnixNano(), info.Size(), info.Mode())
		}
		return err
	}))
	name := filepath.Join(ts.Getenv("TMPDIR"), args[0])
	before, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		ts.Check(os.WriteFile(name, []byte(b.String()), 0o644))
		return
	}
	ts.Check(err)
	if string(before) != b.String() {
		ts.Fatalf("something was touched\nbefore\n%s\nafter\n%s", before, b.String())
	}
}

// status N COMMAND ARGS runs a command that must end with that exit status.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg {
		ts.Fatalf("usage: status N COMMAND ...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if err != nil && !asExit(err, &exit) {
		ts.Fatalf("%v", err)
	}
	if exit != nil {
		got = exit.ExitCode()
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("%s ended with status %d, not %s", strings.Join(args[1:], " "), got, args[0])
	}
}

func asExit(err error, to **exec.ExitError) bool {
	e, ok := err.(*exec.ExitError)
	*to = e
	return ok
}

// interrupt ends what runs beside the script, as Ctrl-C does.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	for _, c := range ts.BackgroundCmds() {
		ts.Check(c.Process.Signal(os.Interrupt))
	}
}

// logged FILE REGEXP waits until a file matches.
func logged(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: logged FILE REGEXP")
	}
	want, err := regexp.Compile(args[1])
	ts.Check(err)
	var text []byte
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if text, err = os.ReadFile(ts.MkAbs(args[0])); err == nil && want.Match(text) {
			return
		}
	}
	ts.Fatalf("%s never matched %s:\n%s", args[0], args[1], text)
}

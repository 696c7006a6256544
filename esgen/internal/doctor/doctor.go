// Package doctor looks at everything that a service needs to be built, generated
// and run on this machine.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/esgen/esgen/esgen/internal/disk"
	"github.com/esgen/esgen/esgen/internal/service"
	"github.com/esgen/esgen/esgen/internal/toolkit"
	"github.com/esgen/esgen/esgen/internal/version"
	"github.com/esgen/esgen/schema"
)

// Verdict is how a check ended.
type Verdict string

// The verdicts. Only a problem keeps something from working.
const (
	Fine    Verdict = "ok"
	Note    Verdict = "note"
	Problem Verdict = "problem"
)

// Check is one thing that was looked at.
type Check struct {
	Name    string  `json:"name"`
	Verdict Verdict `json:"verdict"`
	Found   string  `json:"found"`
	Remedy  string  `json:"remedy"` // "" when there is nothing to do
}

// Report is all that was looked at.
type Report struct {
	Checks []Check `json:"checks"`
}

// Healthy reports whether nothing is a problem.
func (r Report) Healthy() bool {
	for _, c := range r.Checks {
		if c.Verdict == Problem {
			return false
		}
	}
	return true
}

// Examine looks at the machine and at the service in dir; "" is no service.
func Examine(ctx context.Context, dir string, port int) Report {
	r := &Report{}
	r.add("esgen", Fine, version.Build().String(), "")
	r.golang(ctx)
	r.git(ctx)
	if dir == "" {
		r.add("service", Note, "no esgen.yaml in this folder or any above it", "esgen init DIR makes a service")
		r.checkout()
		r.port(port)
		return *r
	}
	r.module(dir)
	r.workspace(ctx, dir)
	r.service(dir)
	r.store(dir)
	r.port(port)
	return *r
}

func (r *Report) add(name string, v Verdict, found, remedy string) {
	r.Checks = append(r.Checks, Check{name, v, found, remedy})
}

// leastGo is the first version of Go whose standard library the runtime needs.
const leastGo = 26

func (r *Report) golang(ctx context.Context) {
	out, err := output(ctx, "go", "env", "GOVERSION")
	if err != nil {
		r.add("go", Problem, "the go command does not run: "+err.Error(), "install Go 1.26 or later")
		return
	}
	minor, _, _ := strings.Cut(strings.TrimPrefix(out, "go1."), ".")
	if n, err := strconv.Atoi(strings.TrimRight(minor, "-abcdefghijklmnopqrstuvwxyz ")); err == nil && n < leastGo {
		r.add("go", Problem, out, fmt.Sprintf("install Go 1.%d or later", leastGo))
		return
	}
	r.add("go", Fine, out, "")
}

func (r *Report) git(ctx context.Context) {
	out, err := output(ctx, "git", "--version")
	if err != nil {
		r.add("git", Note, "the git command does not run", "install git to keep the service's history")
		return
	}
	r.add("git", Fine, out, "")
}

func output(ctx context.Context, name string, args ...string) (string, error) {
	return outputIn(ctx, "", name, args...)
}

func outputIn(ctx context.Context, dir, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// workspace finds a go.work above the service that leaves it out: the go command then
// builds nothing here.
func (r *Report) workspace(ctx context.Context, dir string) {
	work, err := outputIn(ctx, dir, "go", "env", "GOWORK")
	if err != nil || work == "" || work == "off" {
		return
	}
	if _, err := outputIn(ctx, dir, "go", "list", "./cmd/local"); err != nil {
		r.add("go.work", Problem, work+" does not use this service", "go work use "+dir)
	}
}

func (r *Report) checkout() {
	if root := toolkit.Checkout(); root != "" {
		r.add("toolkit", Fine, root, "")
		return
	}
	r.add("toolkit", Note, "this esgen does not know its sources", "esgen init then needs --toolkit DIR or "+toolkit.Env)
}

var (
	required = regexp.MustCompile(`(?m)^\s*(?:require\s+)?` + regexp.QuoteMeta(toolkit.Module) + `\s+(v\S+)`)
	replaced = regexp.MustCompile(`(?m)^\s*(?:replace\s+)?` + regexp.QuoteMeta(toolkit.Module) + `(?:\s+v\S+)?\s+=>\s+(?:"([^"]+)"|(\S+))`)
)

// module looks at the runtime that the service is built with.
func (r *Report) module(dir string) {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		r.add("toolkit", Problem, "no go.mod: "+err.Error(), "put the go.mod back that esgen init made")
		return
	}
	req := required.FindSubmatch(text)
	if req == nil {
		r.add("toolkit", Problem, "go.mod does not require "+toolkit.Module, "go get "+toolkit.Module)
		return
	}
	rep := replaced.FindSubmatch(text)
	if rep == nil {
		if v := string(req[1]); v != "v"+version.Number {
			r.add("toolkit", Note, fmt.Sprintf("go.mod requires %s, this esgen is %s", v, version.Number), fmt.Sprintf("go get %s@v%s", toolkit.Module, version.Number))
			return
		}
		r.add("toolkit", Fine, string(req[1]), "")
		return
	}
	target := filepath.FromSlash(string(rep[1]) + string(rep[2]))
	full := target
	if !filepath.IsAbs(full) {
		full = filepath.Join(dir, target)
	}
	if _, err := os.Stat(filepath.Join(full, "runtime")); err != nil {
		r.add("toolkit", Problem, fmt.Sprintf("go.mod replaces it by %s, where there is no checkout", target), "mend the replace line of go.mod")
		return
	}
	r.add("toolkit", Fine, "checkout "+target, "")
}

// service looks at the schema and at what was generated from it.
func (r *Report) service(dir string) {
	s, err := service.Load(dir)
	if err != nil {
		r.add("schema", Problem, err.Error(), "")
		return
	}
	errs := 0
	for _, d := range s.Findings {
		if d.Severity == schema.SeverityError {
			errs++
		}
	}
	if s.Schema == nil {
		r.add("schema", Problem, fmt.Sprintf("%d errors", errs), "esgen validate shows them")
		return
	}
	if n := len(s.Findings); n > 0 {
		r.add("schema", Note, fmt.Sprintf("%d warnings", n), "esgen validate shows them")
	} else {
		r.add("schema", Fine, fmt.Sprintf("%d events, %d views", len(s.Schema.Events), len(s.Schema.Views)), "")
	}
	folder, err := disk.Open(dir)
	if err != nil {
		r.add("generated files", Problem, err.Error(), "")
		return
	}
	defer folder.Close()
	p, err := s.Plan(folder, false)
	switch {
	case err != nil:
		r.add("generated files", Problem, err.Error(), "")
	case len(p.Findings) > 0:
		r.add("generated files", Problem, fmt.Sprintf("%d files are not as they should be", len(p.Findings)), "esgen regenerate --check names them, esgen regenerate mends them")
	default:
		r.add("generated files", Fine, "up to date", "")
	}
}

func (r *Report) store(dir string) {
	name := filepath.Join(dir, ".esgen", "local", "store.db")
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.add("local store", Fine, "none yet, esgen dev makes one", "")
		return
	case err != nil:
		r.add("local store", Problem, err.Error(), "")
		return
	}
	found := fmt.Sprintf("%.1f MB", float64(info.Size())/1e6)
	if addr, err := os.ReadFile(name + ".addr"); err == nil {
		found += ", served at " + strings.TrimSpace(string(addr))
	}
	r.add("local store", Fine, found, "")
}

func (r *Report) port(port int) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		r.add("port", Note, fmt.Sprintf("%d is in use", port), "esgen dev --port takes another")
		return
	}
	_ = l.Close()
	r.add("port", Fine, fmt.Sprintf("%d is free", port), "")
}

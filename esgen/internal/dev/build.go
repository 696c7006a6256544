package dev

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/esgen/esgen/schema"
)

// program is one build of the service's local program.
type program struct {
	path  string
	sum   string            // of the file, to tell builds apart
	folds map[string]string // view -> fingerprint of the code that folds it
}

// compileError is the go command's complaint about the user's code.
type compileError string

func (e compileError) Error() string { return string(e) }

// build compiles cmd/local. There are two places for programs: the one that runs
// is never overwritten.
func build(ctx context.Context, dir string, s *schema.Service, running *program) (*program, error) {
	bin := filepath.Join(dir, ".esgen", "local", "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return nil, err
	}
	bin, err := filepath.Abs(bin)
	if err != nil {
		return nil, err
	}
	// Windows runs only what is called so, other systems do not mind.
	out := filepath.Join(bin, "service-1.exe")
	if running != nil && running.path == out {
		out = filepath.Join(bin, "service-2.exe")
	}
	folds := make(chan map[string]string, 1)
	go func() { folds <- fingerprints(ctx, dir, s) }()
	// Without the version of the repository, which changes with each commit, equal code is an equal program.
	_, err = goCommand(ctx, dir, "build", "-buildvcs=false", "-o", out, "./cmd/local")
	p := &program{path: out, folds: <-folds}
	if err != nil {
		return nil, err
	}
	p.sum, err = fileSum(out)
	return p, err
}

// goCommand runs the go command in a folder and returns its output.
func goCommand(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &exit):
		return nil, compileError(strings.TrimSpace(stderr.String()))
	case err != nil:
		return nil, fmt.Errorf("go %s: %w", args[0], err)
	}
	return stdout.Bytes(), nil
}

func fileSum(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// listed is what "go list" tells of a package.
type listed struct {
	ImportPath, Dir     string
	GoFiles, EmbedFiles []string
	Deps                []string
	Standard            bool
	Module              *struct {
		Path, Version string
		Main          bool
	}
}

// fingerprints says for each view on what code its records depend: the view's
// package and all that it imports from this module, and the versions of other modules.
// A view without one, because its code does not list, is folded on as it is.
func fingerprints(ctx context.Context, dir string, s *schema.Service) map[string]string {
	if len(s.Views) == 0 {
		return nil
	}
	out, err := goCommand(ctx, dir, "list", "-e", "-deps", "-json=ImportPath,Dir,GoFiles,EmbedFiles,Deps,Standard,Module", "./views/...")
	if err != nil {
		return nil // the build says why
	}
	packages := map[string]*listed{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(listed)
		if d.Decode(p) != nil {
			break
		}
		if !p.Standard {
			packages[p.ImportPath] = p
		}
	}
	sums := map[string]string{}
	folds := map[string]string{}
	for _, v := range s.Views {
		if p := packages[s.Module+"/views/"+schema.GoPackage(v.Name, "view")]; p != nil {
			folds[v.Name] = fingerprint(p, packages, sums)
		}
	}
	return folds
}

func fingerprint(view *listed, packages map[string]*listed, sums map[string]string) string {
	h := sha256.New()
	deps := append(slices.Clone(view.Deps), view.ImportPath)
	slices.Sort(deps)
	for _, dep := range deps {
		p := packages[dep]
		if p == nil {
			continue
		}
		if p.Module == nil || !p.Module.Main {
			if p.Module != nil {
				fmt.Fprintln(h, dep, p.Module.Version)
			}
			continue
		}
		if sums[dep] == "" {
			sums[dep] = packageSum(p)
		}
		fmt.Fprintln(h, dep, sums[dep])
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

func packageSum(p *listed) string {
	h := sha256.New()
	for _, name := range append(slices.Clone(p.GoFiles), p.EmbedFiles...) {
		sum, err := fileSum(filepath.Join(p.Dir, name))
		if err != nil {
			sum = "unread"
		}
		fmt.Fprintln(h, name, sum)
	}
	return hex.EncodeToString(h.Sum(nil))
}

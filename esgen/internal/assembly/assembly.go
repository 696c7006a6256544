// Package assembly reads a cloud assembly, the folder that a CDK app synthesizes: its stacks,
// their templates, and the folders of their assets. It resolves the intrinsic functions of
// CloudFormation as far as CDK apps use them, and gives resources in the order in which they
// can be created.
//
// An assembly is input like any other: what is malformed, cyclic or too large is an error.
package assembly

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Bounds on what is read. CloudFormation takes templates of 1 MB and 500 resources.
const (
	maxManifest  = 64 << 20
	maxTemplate  = 8 << 20
	maxResources = 5000
)

// Assembly is a folder with synthesized stacks.
type Assembly struct {
	Dir    string
	Stacks []*Stack // in the order of their names
}

// Stack is one synthesized stack.
type Stack struct {
	Name            string
	Region, Account string // "" when the stack is for any
	artifact        string
	dependencies    []string // artifacts
	template        template
	assets          map[string]string // object key -> path in the assembly
	dir             string
	paths           map[string]string // logical id -> construct path, from the manifest
}

type manifest struct {
	Artifacts map[string]artifact `json:"artifacts"`
}

type artifact struct {
	Type         string                     `json:"type"`
	Environment  string                     `json:"environment"`
	Dependencies []string                   `json:"dependencies"`
	Metadata     map[string]json.RawMessage `json:"metadata"`
	Properties   struct {
		TemplateFile string `json:"templateFile"`
		StackName    string `json:"stackName"`
		File         string `json:"file"`
	} `json:"properties"`
}

// Read reads the assembly in a folder. Stacks of nested assemblies, as a pipeline has them, are
// not among its stacks.
func Read(dir string) (*Assembly, error) {
	var m manifest
	if err := readJSON(dir, "manifest.json", maxManifest, &m); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s: no cloud assembly: it has no manifest.json; synthesize the CDK app into this folder", dir)
		}
		return nil, err
	}
	a := &Assembly{Dir: dir}
	for id, art := range m.Artifacts {
		if art.Type != "aws:cloudformation:stack" {
			continue
		}
		s, err := readStack(dir, id, art, m.Artifacts)
		if err != nil {
			return nil, err
		}
		a.Stacks = append(a.Stacks, s)
	}
	slices.SortFunc(a.Stacks, func(x, y *Stack) int { return strings.Compare(x.Name, y.Name) })
	for i := 1; i < len(a.Stacks); i++ {
		if a.Stacks[i].Name == a.Stacks[i-1].Name {
			return nil, fmt.Errorf("%s: two stacks are named %s", dir, a.Stacks[i].Name)
		}
	}
	return a, nil
}

func readStack(dir, id string, art artifact, all map[string]artifact) (*Stack, error) {
	s := &Stack{
		Name: art.Properties.StackName, artifact: id, dependencies: art.Dependencies,
		dir: dir, assets: map[string]string{}, paths: map[string]string{},
	}
	if s.Name == "" {
		s.Name = id
	}
	s.Account, s.Region = environment(art.Environment)
	if err := readJSON(dir, art.Properties.TemplateFile, maxTemplate, &s.template); err != nil {
		return nil, fmt.Errorf("stack %s: %w", s.Name, err)
	}
	if n := len(s.template.Resources); n > maxResources {
		return nil, fmt.Errorf("stack %s: %d resources: at most %d", s.Name, n, maxResources)
	}
	for path, entries := range art.Metadata {
		var list []struct {
			Type string `json:"type"`
			Data any    `json:"data"`
		}
		if json.Unmarshal(entries, &list) != nil {
			continue // it is only for messages
		}
		for _, e := range list {
			if logical, ok := e.Data.(string); ok && e.Type == "aws:cdk:logicalId" {
				s.paths[logical] = strings.TrimPrefix(path, "/")
			}
		}
	}
	for _, dep := range art.Dependencies {
		if d := all[dep]; d.Type == "cdk:asset-manifest" {
			if err := s.readAssets(d.Properties.File); err != nil {
				return nil, fmt.Errorf("stack %s: %w", s.Name, err)
			}
		}
	}
	return s, nil
}

// environment takes "aws://ACCOUNT/REGION" apart; what is unknown is "".
func environment(s string) (account, region string) {
	account, region, _ = strings.Cut(strings.TrimPrefix(s, "aws://"), "/")
	if account == "unknown-account" {
		account = ""
	}
	if region == "unknown-region" {
		region = ""
	}
	return account, region
}

func (s *Stack) readAssets(file string) error {
	var m struct {
		Files map[string]struct {
			Source struct {
				Path string `json:"path"`
			} `json:"source"`
			Destinations map[string]struct {
				ObjectKey string `json:"objectKey"`
			} `json:"destinations"`
		} `json:"files"`
	}
	if err := readJSON(s.dir, file, maxManifest, &m); err != nil {
		return err
	}
	for _, f := range m.Files {
		for _, d := range f.Destinations {
			s.assets[d.ObjectKey] = f.Source.Path
		}
	}
	return nil
}

// Asset returns the folder of the asset that is uploaded under the key.
func (s *Stack) Asset(key string) (string, error) {
	path, ok := s.assets[key]
	if !ok {
		return "", fmt.Errorf("stack %s: no asset is uploaded as %q", s.Name, key)
	}
	if !filepath.IsLocal(path) {
		return "", fmt.Errorf("stack %s: the asset %q is outside of the assembly; synthesize with asset staging", s.Name, path)
	}
	full := filepath.Join(s.dir, path)
	info, err := os.Stat(full)
	if err != nil {
		return "", fmt.Errorf("stack %s: the asset %s is missing; synthesize again", s.Name, path)
	}
	if !info.IsDir() {
		return "", fmt.Errorf("stack %s: the asset %s is a file, not a folder", s.Name, path)
	}
	return full, nil
}

// readJSON reads a file of the folder, whose name comes from a file.
func readJSON(dir, name string, limit int64, to any) error {
	if !filepath.IsLocal(name) {
		return fmt.Errorf("%s: the cloud assembly names the file %q, which is not in it", dir, name)
	}
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if int64(len(text)) > limit {
		return fmt.Errorf("%s: larger than %d bytes", name, limit)
	}
	if err := json.Unmarshal(text, to); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
